"""Records and fields that could not be counted, as a run remembers them until its dead letters are written."""

from typing import NamedTuple

from ...schemas.identity import content_hash
from ...schemas.messages.dead_letter import LARGEST_VALUE
from ...schemas.text import REASON, fitted


class Bad(NamedTuple):
    """A record or a field that could not be counted."""

    offset: int
    field: str | None
    reason: str
    timestamp: int
    value: bytes | None  #: as much of it as a dead letter holds
    size: int
    hash: str | None  #: of the whole value, where it holds only a part
    withheld: bool = False  #: it holds nothing of the value, which may be personal data


def bad(offset: int, field: str | None, reason: str, timestamp: int, value: bytes | None, *, withheld: bool = False) -> Bad:
    """With no more of the value than is published: a run of large ones may stay open for hours."""
    raw = value or b""
    if withheld:
        return Bad(offset, field, fitted(reason, REASON), timestamp, None, len(raw), None, withheld=True)
    whole = len(raw) <= LARGEST_VALUE
    return Bad(
        offset,
        field,
        fitted(reason, REASON),
        timestamp,
        value if whole else raw[:LARGEST_VALUE],
        len(raw),
        None if whole else content_hash(raw),
    )
