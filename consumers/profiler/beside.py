"""What a run shows beside its fields: ids that come again, and names among the features that the reference does not know."""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ...detectors.counting.sampling import drawn
from ...schemas.messages.pane import Unexpected, commonest
from ...schemas.text import ID, UNKNOWN_FIELD, fitted
from ..decode.interface import MARKS

#: One row in so many is looked at for unexpected names, which needs all of its JSON.
SAMPLE = 1_000
#: Unexpected names that are counted, of a model version in a bucket of a run: the first, in the order of the log.
MOST_NAMES = 1_000
_NO_AGES = np.zeros((0, 2), dtype=np.int64)
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
    """Of one model version's rows of one bucket in one run. Of ids, `Stream.max_rows` at most are kept: their number is exact."""

    def __init__(self) -> None:
        self.sampled = 0
        self._rows = 0
        self._ids: set[object] = set()
        self._unexpected: dict[str, Unexpected] = {}
        self.ages = _NO_AGES  #: [time, 2]: whole seconds, rows

    def add_ids(self, ids: Sequence[object]) -> None:
        """The ids of the next rows, or marks of absent ones."""
        self._ids.update(ids if _short(ids) else [fitted(one, ID) if isinstance(one, str) else one for one in ids])
        self._rows += len(ids)
        if not self._ids.isdisjoint(_MARKS):
            self._ids -= _MARKS
            self._rows -= sum(type(one) is int for one in ids)

    def look(self, members: Mapping[str, object], known: AbstractSet[str]) -> None:
        """The features of a sampled row, the next in the order of the log."""
        self.sampled += 1
        for name in (name for name in members if name not in known):
            short = fitted(name, UNKNOWN_FIELD)
            if short in known:
                continue  # the reference ignores it, by the name that it could write
            before = self._unexpected.get(short)
            if before is None:
                if len(self._unexpected) >= MOST_NAMES:
                    continue
                before = Unexpected(short, _KINDS[type(members[name])], 0)
            self._unexpected[short] = before._replace(rows=before.rows + 1)

    def add_ages(self, ages: NDArray[np.int64]) -> None:
        """Of further rows: of each time the sum of ages, and rows, shape [times, 2]."""
        self.ages = ages if self.ages is _NO_AGES else self.ages + ages

    @property
    def ids(self) -> tuple[int, int]:
        """Rows whose id was new, and rows whose id had been there."""
        return len(self._ids), self._rows - len(self._ids)

    @property
    def unexpected(self) -> tuple[Unexpected, ...]:
        """Unknown names, the commonest."""
        return commonest(self._unexpected.values())


def _short(ids: Sequence[object]) -> bool:
    """Whether none of the ids is long."""
    try:
        return max(map(len, ids), default=0) <= ID.most  # type: ignore[arg-type]  # a mark, which has no length, ends it
    except TypeError:
        return max((len(one) for one in ids if isinstance(one, str)), default=0) <= ID.most


def ages_by(ages: NDArray[np.int64], group: NDArray[np.int64]) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Rows' ages (-1: none), shape [rows, times], by each row's group: of each time their sum, and how many there are.

    >>> [(group, sums.tolist()) for group, sums in ages_by(np.array([[5], [-1], [7]]), np.array([3, 3, 3]))]
    [(3, [[12, 2]])]
    """
    codes, place = np.unique(group, return_inverse=True)
    sums = np.zeros((len(codes), ages.shape[1], 2), dtype=np.int64)
    np.add.at(sums, place, np.stack((np.maximum(ages, 0), ages >= 0), axis=2))
    yield from zip(codes.tolist(), sums, strict=True)


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
