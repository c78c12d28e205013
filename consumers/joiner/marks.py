"""Marks: places in a partition from which an empty joiner folds on, and is the joiner itself before it gets to where a snapshot is made."""

import zlib
from collections import deque
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from ..streams.align import NEVER, Aligner
from ..streams.spans import Spans
from .blocks import Kept

#: In a wait.
MARKS = 32


class Mark(NamedTuple):
    """A place from which a joiner may begin with nothing."""

    position: int  #: in the joins partition: the next offset to fold
    through: int  #: all is over up to here
    numbers: bytes  #: of the aligner, plain data, packed: there are some hundred marks, and one side may be far ahead


def mark(marks: deque[Mark], aligner: Aligner[Kept], spans: Spans, position: int) -> None:
    """Remember this place, if the last one is long enough ago, and forget those that no snapshot needs."""
    through = aligner.passed
    if through == -NEVER or through - marks[-1].through < max(spans.wait // MARKS, spans.pane):
        return
    marks.append(Mark(position, through, packed(aligner.numbers())))
    while len(marks) > 1 and marks[1].through <= through - spans.memory:
        marks.popleft()


def packed(numbers: Mapping[str, Any]) -> bytes:  # plain data
    """Of an aligner, as a mark holds them."""
    return zlib.compress(msgspec.msgpack.encode(numbers), 1)


def unpacked(packed: bytes) -> dict[str, Any]:  # plain data
    """What `packed` wrote."""
    return msgspec.msgpack.decode(zlib.decompress(packed), type=dict[str, Any])
