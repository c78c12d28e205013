"""Which rows are golden: asked by an evaluator, and served like all others, they come back on the prediction topic, and are no traffic."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ...schemas.cloud_events import Headers
from ...schemas.configuration.mapping import Mapping, Place
from .tolerant import NotAnObject, Undecodable, decode_generic, member

#: Of a call, and of the record that a server makes of it; its value is the id.
HEADER = "driftbus-evaluation"
#: How the id of every call begins.
PREFIX = "driftbus-golden/"
_NAME = PREFIX.rstrip("/").encode()
#: As it stands in a message: some encoders of JSON write a slash with a backslash.
_WRITTEN = _NAME + b"/", _NAME + b"\\/"
#: Of a batch that are looked at each: one byte is found ten times as fast as a text, and most messages have none.
MOST_SLASHES = 256
#: Of a row whose header names no evaluation.
UNNAMED = "-"


def mark(evaluation: str, attempt: int, row: int) -> str:
    """The id of a call.

    >>> mark("5f0c", 2, 17)
    'driftbus-golden/5f0c/2/17'
    """
    return f"{PREFIX}{evaluation}/{attempt}/{row}"


def evaluation_of(id_: str) -> str | None:
    """Whose call an id is of; None: it is none of ours.

    >>> evaluation_of("driftbus-golden/5f0c/2/17"), evaluation_of("17")
    ('5f0c', None)
    """
    return id_.removeprefix(PREFIX).split("/")[0] if id_.startswith(PREFIX) else None


class Marks:
    """Finds the marked rows of one mapping: by the id, where payloads have it, and if headers (or keys) are looked at, by these, too.

    Where there are none that costs one pass over the bytes of a batch.
    """

    def __init__(self, mapping: Mapping, *, beside: bool) -> None:
        self._id, self._beside = mapping.id, beside

    def needs(self, source: str) -> bool:
        """Whether keys, or headers, are looked at."""
        return self._beside and (source == "header" or (self._id is not None and self._id.source == source))

    def among(
        self, values: Sequence[bytes | None], keys: Sequence[bytes | None] | None, headers: Sequence[Headers] | None
    ) -> dict[int, str]:
        """The rows that are golden, each with the evaluation that it was asked for.

        >>> marks = Marks(Mapping(), beside=True)
        >>> values = [b'{"id": "a"}', b'{"id": "driftbus-golden/5f0c/2/17"}', b"{}", b'{"note": "driftbus-golden/5f0c/2/17"}']
        >>> marks.among(values, None, [(), (), (("driftbus-evaluation", b"driftbus-golden/5f0d/1/18"),), ()])
        {1: '5f0c', 2: '5f0d'}
        """
        found = dict[int, str]()
        if self._id is not None and self._id.source == "path" and _anywhere(values):
            found |= _marked(enumerate(self._ids(values, self._id)))
        if self._beside and headers is not None and any(headers):
            own = self._id.name if self._id is not None and self._id.source == "header" else None
            found |= _marked((row, value) for row, heads in enumerate(headers) for name, value in heads if name == own)
            said = {row: value for row, heads in enumerate(headers) for name, value in heads if name.lower() == HEADER}
            found |= dict.fromkeys(said, UNNAMED) | _marked(said.items())
        if self._beside and keys is not None and self._id is not None and self._id.source == "key":
            found |= _marked(enumerate(keys))
        return found

    def said_by(self, message: dict[str, Any]) -> bool:  # a user's: any JSON
        """Whether a message that has been read says it itself."""
        try:
            id_ = None if self._id is None or self._id.source != "path" else member(message, self._id.path)
        except NotAnObject:
            return False
        return isinstance(id_, str) and evaluation_of(id_) is not None

    def _ids(self, values: Sequence[bytes | None], place: Place) -> Iterator[object]:
        for value in values:
            try:
                yield member(decode_generic(value), place.path) if value and _NAME in value else None
            except (Undecodable, NotAnObject):
                yield None


def _anywhere(values: Sequence[bytes | None]) -> bool:
    """Whether the bytes of an id of ours are in any of them: slash by slash, and behind many of these as a whole."""
    try:
        together = b"".join(values)  # type: ignore[arg-type]  # a tombstone ends it: looked at below
    except TypeError:
        together = b"".join(filter(None, values))
    at = -1
    for _ in range(MOST_SLASHES):
        at = together.find(b"/", at + 1)
        if at < 0 or together.endswith(_WRITTEN, 0, at + 1):
            return at >= 0
    return together.find(_NAME, max(0, at - len(_WRITTEN[-1]))) >= 0


def _marked(ids: Iterable[tuple[int, object]]) -> dict[int, str]:
    texts = ((row, id_.decode(errors="replace") if isinstance(id_, bytes) else id_) for row, id_ in ids)
    named = ((row, evaluation_of(text)) for row, text in texts if isinstance(text, str))
    return {row: evaluation for row, evaluation in named if evaluation is not None}
