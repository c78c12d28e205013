"""Asks any server that takes JSON, by a template. What stands in for a row is put in whole: no text is ever pasted into another."""

from collections.abc import Callable, Mapping
from urllib.parse import quote

import msgspec

from ...schemas.configuration.golden import PlainHTTP
from ..calls.connection import Connection
from ..decode.marked import HEADER
from .asking import Batch, Erred, Invalid, Replies, TimedOut, decoded, found

_FEATURE = "{feature:"


class PlainHTTPCaller:
    """A row in a request, or many."""

    def __init__(self, settings: PlainHTTP) -> None:
        self._settings = settings
        self._connection: Connection | None = None
        self._closed = False

    def ask(self, batch: Batch, deadline: float) -> Replies:
        """The answers at the place configured."""
        if self._settings.many:
            answer = self._asked(batch, batch.first, deadline)
            values = found(answer, self._settings.answer.path, "answer")
            if not isinstance(values, list) or len(values) != len(batch.rows):
                msg = f"{len(values) if isinstance(values, list) else 'no list of'} answers for {len(batch.rows)} rows"
                raise Invalid(msg)
            return Replies(values, [self._version(answer)] * len(values))
        values, versions = list[object](), list[str | None]()
        for place in range(len(batch.rows)):
            try:
                answer = self._asked(batch, batch.first + place, deadline)
                values.append(found(answer, self._settings.answer.path, "answer"))
                versions.append(self._version(answer))
            except (TimedOut, Erred, Invalid) as failure:
                values.append(failure)
                versions.append(None)
        return Replies(values, versions)

    def cut(self) -> None:
        """Give up what is under way."""
        self._closed = True
        if self._connection is not None:
            self._connection.cut()

    def close(self) -> None:
        """It asks no more."""
        if self._connection is not None:
            self._connection.close()

    def _asked(self, batch: Batch, row: int, deadline: float) -> object:
        if self._connection is None:  # of one model and version: a caller is made for one attempt
            names = {"{model}": batch.asked.model, "{version}": batch.asked.version}
            url = self._settings.url
            for placeholder, name in names.items():
                url = url.replace(placeholder, quote(name, safe=""))
            self._connection = Connection(url, self._settings.headers)
        if self._closed:
            raise TimedOut
        body = msgspec.json.encode(filled(self._settings.template, batch, row))
        return decoded(self._connection.post("", body, deadline, {HEADER: batch.asked.id(row)}))

    def _version(self, answer: object) -> str | None:
        if self._settings.version is None:
            return None
        version = found(answer, self._settings.version.path, "version")
        return version if isinstance(version, str) else str(version) if isinstance(version, int) else None


def filled(template: object, batch: Batch, row: int) -> object:
    """A template with what stands for its placeholders.

    >>> from driftbus.consumers.golden.asking import Asked
    >>> from driftbus.schemas.stored.golden import GoldenRow
    >>> batch = Batch(Asked("5f0c", 1, "fraud", "3"), 0, [GoldenRow(id="a", features={"amount": 1.5}, label="no")])
    >>> filled({"id": "{id}", "x": ["{feature:amount}"], "v": "{version}"}, batch, 0)
    {'id': 'driftbus-golden/5f0c/1/0', 'x': [1.5], 'v': '3'}
    """
    if isinstance(template, Mapping):
        return {key: filled(one, batch, row) for key, one in template.items()}
    if isinstance(template, list):
        return [filled(one, batch, row) for one in template]
    if not isinstance(template, str):
        return template
    features = batch.rows[row - batch.first].features
    if template.startswith(_FEATURE) and template.endswith("}"):
        return features.get(template[len(_FEATURE) : -1])
    known: Mapping[str, Callable[[], object]] = {
        "{features}": lambda: features,
        "{rows}": lambda: [one.features for one in batch.rows],
        "{ids}": lambda: [batch.asked.id(batch.first + place) for place in range(len(batch.rows))],
        "{id}": lambda: batch.asked.id(row),
        "{model}": lambda: batch.asked.model,
        "{version}": lambda: batch.asked.version,
    }
    return known[template]() if template in known else template
