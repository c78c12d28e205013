"""Steps as they are taken: those that are known alike together, as long as they have few rows."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ...schemas.messages.block import Block
from ..streams.align import Aligned
from .blocks import Kept

#: Rows of steps that are taken together: one with few rows costs as much as one with some thousands.
MOST_AT_ONCE = 8_192


class Step(NamedTuple):
    """A bucket that is ready, with its rows."""

    aligned: Aligned[Kept]
    blocks: list[Block]
    complete: bool


def together(steps: Iterable[Step]) -> Iterator[list[Step]]:
    """Steps that are as well known as each other, as long as they have few rows; whatever else is by itself."""
    found, rows = list[Step](), 0
    for step in steps:
        alike = step.complete and bool(step.blocks)
        if found and not (alike and found[-1].aligned.clock_decided == step.aligned.clock_decided and rows < MOST_AT_ONCE):
            yield found
            found, rows = [], 0
        found.append(step)
        rows += sum(block.rows for block in step.blocks)
        if not alike:
            yield found
            found, rows = [], 0
    if found:
        yield found
