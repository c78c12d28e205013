"""A project on a Label Studio server: tasks are brought there, and what was annotated is fetched, by its HTTP API.

*Guarantee.* A case is one task, however often it is delivered: tasks bear its id, and those that are there are not sent again. An
annotation is one answer, however often it is fetched. Who dies between the two goes on where the server and the topic stand.

*Trap.* An annotation that is deleted there stays an answer here: skip the task there, or answer anew.
"""

import http.client
import logging
import re
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

import msgspec

from . import label_studio
from .asking import Questions
from .desk import Desk

#: Seconds of a request, and bytes of its answer.
_WITHIN_S, _MOST_BYTES = 30.0, 64 << 20
#: Tasks of a page, and in one request.
_PAGE, _TOGETHER = 100, 100
_NOT_FOUND = 404
#: What a token is made of: nothing that a header could not hold, or that would end it.
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]{1,4096}")
#: Names of this machine.
_HERE = frozenset({"127.0.0.1", "localhost", "::1"})
#: Whose cases it is: they wait for whoever works there.
WHO = "label-studio"
_log = logging.getLogger(__name__)


class LabelStudioError(Exception):
    """The server cannot be reached, or refuses; the text says what to change."""


class Delivered(NamedTuple):
    """What one round came to."""

    tasks: int  #: brought there
    answers: int  #: published
    unread: int  #: annotations that are no answers


class Project:
    """One project. ``token``: of an account (Account & Settings): an access token, or a legacy one."""

    def __init__(self, url: str, number: int, token: str) -> None:
        try:
            parts = urlsplit(url)
            port, host = parts.port, parts.hostname
        except ValueError as error:
            msg = f"--url: {error}; write http://HOST:PORT, or https://HOST"
            raise LabelStudioError(msg) from None
        if parts.scheme not in {"http", "https"} or not host or parts.username is not None or not parts.path.isascii():
            msg = "--url: write http://HOST:PORT, or https://HOST, without a name or password; the token is of its own (--token)"
            raise LabelStudioError(msg)
        self._secure, self._host, self._port, self._base = parts.scheme == "https", host, port, parts.path.rstrip("/")
        self._number, self._token = number, token.strip()
        if not _TOKEN.fullmatch(self._token):
            msg = f"--token: {len(self._token)} characters, of which some are none of a token; copy it anew (Account & Settings)"
            raise LabelStudioError(msg)

    @property
    def in_clear(self) -> bool:
        """Whether the token and the cases travel to another machine so that any between can read them."""
        return not self._secure and self._host not in _HERE

    def tasks(self) -> Iterator[Mapping[str, Any]]:  # JSON
        """All tasks with their annotations."""
        for page in range(1, 1_000_000):
            query = {"project": self._number, "page": page, "page_size": _PAGE, "fields": "all"}
            found = _listed(self._asked("GET", f"/api/tasks?{urlencode(query)}", missing={"tasks": []}))
            if found is None:
                msg = f"{self._where}: GET /api/tasks: no list of tasks with their data; is --url that of the server itself?"
                raise LabelStudioError(msg)
            yield from found
            if len(found) < _PAGE:
                return

    def bring(self, tasks: Sequence[Mapping[str, Any]]) -> None:
        """Make these tasks."""
        for start in range(0, len(tasks), _TOGETHER):
            self._asked("POST", f"/api/projects/{self._number}/import", tasks[start : start + _TOGETHER])

    def set_interface(self, interface: str) -> None:
        """Give it this labelling interface."""
        self._asked("PATCH", f"/api/projects/{self._number}/", {"label_config": interface})

    def _asked(self, method: str, path: str, body: object = None, missing: object = None) -> Any:  # JSON
        """What the server answers. ``missing``: what stands for a page behind the last one."""
        if "." not in self._token:
            return self._answered(method, path, body, f"Token {self._token}", missing)
        given = self._answered("POST", "/api/token/refresh/", {"refresh": self._token}, None)
        access = given.get("access") if isinstance(given, dict) else None
        if not isinstance(access, str) or not _TOKEN.fullmatch(access):
            msg = f"{self._where}: POST /api/token/refresh/: no access token; is --url that of the server itself?"
            raise LabelStudioError(msg)
        return self._answered(method, path, body, f"Bearer {access}", missing)

    def _answered(self, method: str, path: str, body: object, authorization: str | None, missing: object = None) -> Any:  # JSON
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if authorization is not None:
            headers["Authorization"] = authorization
        where = self._where
        with closing(self._connection()) as connection:
            try:
                connection.request(method, self._base + path, None if body is None else msgspec.json.encode(body), headers)
                response = connection.getresponse()
                answer = response.read(_MOST_BYTES + 1)
            except (OSError, http.client.HTTPException) as error:
                msg = f"{where}: {type(error).__name__}: {error}; does it run, and is --url right?"
                raise LabelStudioError(msg) from None
        if response.status == _NOT_FOUND and missing is not None:
            return missing
        if not 200 <= response.status < 300:
            hint = {401: "; is the token right, and of a kind that the server allows?", 404: "; is --project right?"}.get(
                response.status, ""
            )
            msg = f"{where}: {method} {path.partition('?')[0]}: HTTP {response.status}{hint} {_said(answer)}".rstrip()
            raise LabelStudioError(msg)
        if len(answer) > _MOST_BYTES:
            msg = f"{where}: {path.partition('?')[0]}: more than {_MOST_BYTES:,} bytes"
            raise LabelStudioError(msg)
        try:
            return msgspec.json.decode(answer)
        except msgspec.DecodeError:
            msg = f"{where}: {path.partition('?')[0]}: no JSON; is --url that of the server itself?"
            raise LabelStudioError(msg) from None

    @property
    def _where(self) -> str:
        return f"Label Studio at {self._host}{'' if self._port is None else f':{self._port}'}"

    def _connection(self) -> http.client.HTTPConnection:
        port = self._port if self._port is not None else 443 if self._secure else 80  # else the end of an IPv6 address is taken for it
        if self._secure:
            return http.client.HTTPSConnection(self._host, port, timeout=_WITHIN_S, context=ssl.create_default_context())
        return http.client.HTTPConnection(self._host, port, timeout=_WITHIN_S)


class Delivery:
    """Brings what waits to a project, and publishes what was annotated there."""

    def __init__(self, desk: Desk, questions: Questions, project: Project) -> None:
        self._desk, self._questions, self._project = desk, questions, project
        self._sent = set[str]()  # some servers make tasks later than they say
        self._told = set[str]()

    def round(self) -> Delivered:
        """Fetch, publish, bring. Raises `LabelStudioError` and `BusError`: try again."""
        self._desk.refresh()
        there = list(self._project.tasks())
        found = list(label_studio.answers(there, self._desk, self._questions))
        unread = [one for one in found if isinstance(one, label_studio.Unread)]
        for one in unread:
            if (told := f"{one.place}: {one.why}") not in self._told:
                self._told.add(told)
                _log.warning("Label Studio, %s", told)
        published = self._desk.publish([one for one in found if not isinstance(one, label_studio.Unread)], newer=True)
        self._sent.update(case for one in there for case in label_studio.cases(one["data"]))
        waiting = [group for group in self._desk.waiting(WHO) if group.first.case not in self._sent]
        self._project.bring([label_studio.task(group, self._questions(group.first), self._desk) for group in waiting])
        self._sent.update(case.case for group in waiting for case in group.cases)
        return Delivered(len(waiting), published, len(unread))


def _listed(found: object) -> Sequence[Mapping[str, Any]] | None:  # JSON
    """The tasks of a page; None: it holds none, or something else."""
    tasks = found.get("tasks") if isinstance(found, Mapping) else None
    if not isinstance(tasks, list) or not all(isinstance(one, Mapping) and isinstance(one.get("data"), Mapping) for one in tasks):
        return None
    return tasks


def _said(answer: bytes) -> str:
    """The beginning of what a server says of its refusal."""
    return " ".join(answer[:300].decode("utf-8", "replace").split())
