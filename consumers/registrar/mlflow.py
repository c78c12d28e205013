"""The registry of a MLflow server, by its REST API: no library of MLflow's is needed.

*Guarantee.* A version is found by the job that made it (tag `driftbus.job`), and made only where none is: of several that were made at
once the first counts. `champion` is what was promoted, `challenger` what runs beside it. What was champion before stands at the version
that took its place, so that it comes back when that is rolled back, even where driftbus did not make it.

*Trap.* To set an alias twice is to set it once, to make a version is not; an alias that is missing is answered by 400.
"""

import threading
import time
from collections.abc import Mapping
from typing import Any, NoReturn
from urllib.parse import urlencode, urlsplit

import msgspec

from ...schemas.configuration.registries import MLflow
from ...schemas.identity import derived_id
from ..calls.answers import Erred, Invalid, decoded
from ..calls.connection import Connection
from ..calls.secrets import secret_of
from .step import Known

CHAMPION, CHALLENGER = "champion", "challenger"
JOB, VERSION, BEFORE = "driftbus.job", "driftbus.version", "driftbus.before"
_API = "/api/2.0/mlflow/"
#: Characters of what MLflow says that are repeated to people.
_SAID = 200


class MLflowRegistry:
    """One model of one server."""

    def __init__(self, settings: MLflow, model: str) -> None:
        self._settings, self._name = settings, settings.model or model
        self._connection: Connection | None = None
        self._stopped = False
        self._asking = threading.Lock()

    def ensure(self, known: Known) -> None:
        """Make that it is as after this step."""
        with self._asking:
            try:
                self._ensured(known)
            finally:
                if self._stopped:
                    self._close()

    def stop(self) -> None:
        """Cut what is under way."""
        self._stopped = True
        if connection := self._connection:
            connection.cut()
        if self._asking.acquire(blocking=False):  # else whoever asks closes it
            self._close()
            self._asking.release()

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def _ensured(self, known: Known) -> None:
        if known.step in ("evaluate", "shadow", "promote"):
            number = self._made(known)
            if known.step == "shadow":
                self._set(CHALLENGER, number)
            elif known.step == "promote":
                self._promote(number)
        elif (found := self._found(JOB, known.job)) is not None:
            if known.step == "roll_back":
                self._roll_back(found, known.parent)
            if self._of(CHALLENGER) == found["version"]:
                self._unset(CHALLENGER)

    def _promote(self, number: str) -> None:
        before = self._of(CHAMPION)
        if before not in (None, number):
            self._post("model-versions/set-tag", {"version": number, "key": BEFORE, "value": before})
        self._set(CHAMPION, number)
        if self._of(CHALLENGER) == number:
            self._unset(CHALLENGER)

    def _roll_back(self, found: Mapping[str, Any], parent: str | None) -> None:
        """Whoever was put in its place by somebody else stays there."""
        if self._of(CHAMPION) not in (None, found["version"]):
            return
        was = next((tag["value"] for tag in found.get("tags", ()) if tag["key"] == BEFORE), None)
        of_parent = None if was is not None or parent is None else self._found(VERSION, parent)
        number = was if of_parent is None else of_parent["version"]
        if number is None:
            self._unset(CHAMPION)
        else:
            self._set(CHAMPION, number)

    def _made(self, known: Known) -> str:
        """The version of a job."""
        if (found := self._found(JOB, known.job)) is None:
            self._post("registered-models/create", {}, but="RESOURCE_ALREADY_EXISTS")
            tags = {JOB: _tag(known.job), VERSION: _tag(known.version), "driftbus.parent": known.parent}
            if known.made is not None:
                tags |= {"driftbus.data": known.made.data, "driftbus.reference": known.made.reference, "driftbus.by": known.made.by}
            listed = [{"key": key, "value": value} for key, value in tags.items() if value is not None]
            self._close()  # of a line that was open before, a call that breaks is made again: there would be two
            self._connection = None
            self._post("model-versions/create", {"source": _source(known), "tags": listed})
            found = self._found(JOB, known.job)
        if found is None:
            msg = f"MLflow does not find the version of {self._name} that it made"
            raise Invalid(msg)
        return str(found["version"])

    def _found(self, tag: str, value: str) -> dict[str, Any] | None:
        """The first version with a tag, as MLflow has it."""
        asked = urlencode({"filter": f"name = '{self._name}' and tags.`{tag}` = {_quoted(_tag(value))}"})
        versions: list[dict[str, Any]] = self._asked("GET", f"model-versions/search?{asked}").get("model_versions", [])
        return min(versions, key=lambda one: int(one["version"]), default=None)

    def _of(self, alias: str) -> str | None:
        """The number of the version that has an alias."""
        asked = urlencode({"name": self._name, "alias": alias})
        found = self._asked("GET", f"registered-models/alias?{asked}", but="INVALID_PARAMETER_VALUE")
        return str(found["model_version"]["version"]) if "model_version" in found else None

    def _set(self, alias: str, number: str) -> None:
        self._post("registered-models/alias", {"alias": alias, "version": number})

    def _unset(self, alias: str) -> None:
        self._asked("DELETE", "registered-models/alias", {"name": self._name, "alias": alias})

    def _post(self, path: str, content: Mapping[str, object], but: str = "") -> None:
        self._asked("POST", path, {"name": self._name, **content}, but)

    def _asked(self, method: str, path: str, content: Mapping[str, object] | None = None, but: str = "") -> dict[str, Any]:
        """What MLflow answers; nothing, where it answers by this error. Raises `TimedOut`, `Erred`, `Invalid`."""
        if self._connection is None:
            headers = {"User-Agent": "driftbus"} | {name: secret_of(value) for name, value in self._settings.headers.items()}
            self._connection = Connection(self._settings.url, headers)
            if self._stopped:  # meanwhile
                self._connection.cut()
        body = b"" if content is None else msgspec.json.encode(content)
        answer = self._connection.ask(method, _API + path, body, time.monotonic() + self._settings.timeout / 1000)
        said = decoded(answer.body) if answer.body or 200 <= answer.status < 300 else None
        if not 200 <= answer.status < 300:
            code = said.get("error_code") if isinstance(said, dict) else None
            if but and code == but:
                return {}
            _refused(answer.status, code)
        if not isinstance(said, dict):
            msg = f"MLflow: {path.partition('?')[0]}: the answer is no object"
            raise Invalid(msg)
        return said


def _refused(status: int, code: object) -> NoReturn:
    said = f" {code}"[:_SAID] if isinstance(code, str) and code.isprintable() else ""
    msg = f"MLflow: HTTP {status}{said}"
    raise Erred(msg)


def _source(known: Known) -> str:
    """Where the artifact is kept. MLflow refuses what lies on a disk: then it is called by its hash, else by its job."""
    artifact = None if known.made is None else known.made.artifact
    if artifact is None:
        return f"driftbus:/{_tag(known.job)}"
    parts = urlsplit(artifact.name)
    return artifact.name if parts.scheme not in ("", "file") and "://" in artifact.name else f"driftbus:/sha256/{artifact.sha256}"


def _tag(value: str) -> str:
    """As it is, where it can be asked for."""
    return value if not ("'" in value and '"' in value) else derived_id("tag", value)


def _quoted(value: str) -> str:
    return f'"{value}"' if "'" in value else f"'{value}'"
