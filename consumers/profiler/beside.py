"""What a run shows beside its fields: ids that come again, and names among the features that the reference does not know."""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ...detectors.counting.sampling import drawn
from ...schemas.messages.pane import Unexpected, commonest
from ..decode.interface import MARKS

#: One row in so many is looked at for unexpected names, which needs all of its JSON.
SAMPLE = 1_000
#: Of a name that is kept.
_LONGEST_NAME = 200
_MARKS = frozenset(MARKS)
_KINDS: dict[type, str] = {
    type(None): "null",
    bool: "boolean",
    int: "number",
    float: "number",
    str: "text",
    list: "list",
    dict: "object",
}


def looked_at(offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Which of these rows are looked at: by a hash of their offsets, so that whoever reads them again looks at the same."""
    return np.flatnonzero(drawn(offsets, 1 / SAMPLE))


class SideCounts:
    """Of one model version's rows of one bucket in one run. Ids are kept as they are, `Stream.max_rows` at most: their number is exact."""

    def __init__(self) -> None:
        self.sampled = 0
        self._rows = 0
        self._ids: set[object] = set()
        self._unexpected: dict[str, Unexpected] = {}

    def add_ids(self, ids: Sequence[object]) -> None:
        """The ids of the next rows, or marks of absent ones."""
        self._ids.update(ids)
        self._rows += len(ids)
        if not self._ids.isdisjoint(_MARKS):
            self._ids -= _MARKS
            self._rows -= sum(type(one) is int for one in ids)

    def look(self, members: Mapping[str, object], known: AbstractSet[str]) -> None:
        """The features of a sampled row."""
        self.sampled += 1
        for name in members.keys() - known:
            short = name[:_LONGEST_NAME]
            before = self._unexpected.get(short) or Unexpected(short, _KINDS[type(members[name])], 0)
            self._unexpected[short] = before._replace(rows=before.rows + 1)

    @property
    def ids(self) -> tuple[int, int]:
        """Rows whose id was new, and rows whose id had been there."""
        return len(self._ids), self._rows - len(self._ids)

    @property
    def unexpected(self) -> tuple[Unexpected, ...]:
        """Unknown names, the commonest."""
        return commonest(self._unexpected.values())


def grouped(column: Sequence[object], group: NDArray[np.int64]) -> Iterator[tuple[int, Sequence[object]]]:
    """A column, taken apart by each row's group."""
    if not len(group) or (group == group[0]).all():
        yield from [(int(group[0]), column)] if len(group) else ()
        return
    order = np.argsort(group, kind="stable")
    values = np.fromiter(column, dtype=object, count=len(column))[order]
    starts = np.flatnonzero(np.diff(group[order], prepend=-1)).tolist()
    for start, stop in pairwise([*starts, len(group)]):
        yield int(group[order[start]]), values[start:stop].tolist()
