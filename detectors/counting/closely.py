"""What a pane says of a sample of its numbers beside their bins: their magnitudes, and the values that many rows share.

Which of many values took a share of the rows is only known when all rows are: those looked at stay until the pane closes.
"""

from collections.abc import Hashable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .magnitudes import BITS, ordered_bits
from .sampling import drawn
from .sparse import merged

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
#: Values that are named of a field, each of at least one row in so many: of so few rows any.
MOST_REPEATED, SHARED = 16, 32
#: Numbers that are sorted together: they stay in the cache.
_TOGETHER = 1 << 15
#: Numbers that are kept of a run's rows, of all models together.
MOST_KEPT = 1 << 22
#: Cells of a field's magnitudes: of values that are so far apart neighbouring cells count as the first of them.
MOST_CELLS = 1 << 13
_NONE = np.zeros((2, 0), dtype=np.int64)


class Closely(NamedTuple):
    """Of each field an array of two rows: places, and how many values are there."""

    magnitudes: list[Integers]  #: places are cells
    repeated: list[Integers]  #: places are the bits of float64, as integers


class _Part(NamedTuple):
    numbers: Floats
    offsets: Integers
    one_in: int

    def of(self, rows: NDArray[np.bool_]) -> "_Part":
        return self._replace(numbers=self.numbers[rows], offsets=self.offsets[rows])


class Looked:
    """Numbers of a run, by what their rows count for. Where they become too many every second row goes, those that stay count twice, and
    so on.

    Which rows stay is decided by their offsets alone: in how many parts they came does not show.
    """

    def __init__(self, most: int = MOST_KEPT) -> None:
        self._most, self._kept = most, dict[Hashable, list[_Part]]()
        self._times = 1  # that each row counts
        self._numbers = 0

    def add(self, of: Hashable, numbers: Floats, offsets: Integers, one_in: int = 1) -> None:
        """The next rows: numbers by row and field, of which one row ``one_in`` so many is looked at anyhow."""
        self._keep(of, _Part(numbers, offsets, one_in))
        while self._numbers > self._most:
            self._times *= 2
            kept, self._kept, self._numbers = self._kept, {}, 0
            for each, parts in kept.items():
                for part in parts:
                    self._keep(each, part)

    def _keep(self, of: Hashable, part: _Part) -> None:
        if part.one_in * self._times > 1:
            part = part.of(drawn(part.offsets, 1 / (part.one_in * self._times)))
        if part.numbers.size:
            self._kept.setdefault(of, []).append(part)
            self._numbers += part.numbers.size

    def told(self, of: Hashable, mantissas: Mapping[int, int], most: int) -> Closely:
        """Of all rows of one, which are kept no more, and of which ``most`` are looked at.

        ``mantissas``: by column, the bits of its magnitudes.
        """
        columns, bits = [*mantissas], [*mantissas.values()]
        numbers, times = self._fewer_rows(self._kept.pop(of, []), most)
        if not len(numbers):
            return Closely([_NONE] * len(mantissas), [_NONE] * len(mantissas))
        found, fields = Closely([], []), max(1, _TOGETHER // len(numbers))
        for start in range(0, len(columns), fields):
            some_columns = np.array(numbers[:, columns[start : start + fields]].T, order="C")
            some_columns.sort(axis=1)  # what is no number stands last
            some = closely(some_columns, bits[start : start + fields], times)
            found.magnitudes.extend(some.magnitudes)
            found.repeated.extend(some.repeated)
        return found

    def _fewer_rows(self, parts: Sequence[_Part], most: int) -> tuple[Floats, int]:
        """As many rows as may be, and how many times each counts."""
        times = self._times
        while sum(len(part.numbers) for part in parts) > most:
            times *= 2
            parts = [part.of(drawn(part.offsets, 1 / (part.one_in * times))) for part in parts]
        return np.concatenate([part.numbers for part in parts]) if parts else np.zeros((0, 0)), times


def closely(columns: Floats, mantissas: Sequence[int], times: int = 1) -> Closely:
    """Of sorted columns, shape [fields, rows], in which NaN stands last; each row counts so many ``times``."""
    present = columns.shape[1] - np.count_nonzero(np.isnan(columns), axis=1)
    bits = ordered_bits(columns)
    shifts = np.array([BITS - each for each in mantissas], dtype=np.int64)[:, None]
    return Closely(_runs(bits >> shifts, present, times), _repeated(columns, bits, present, times))


def _begins(numbers: Integers) -> NDArray[np.bool_]:
    """Where in sorted columns a run of equal numbers begins."""
    begins = np.ones(numbers.shape, dtype=np.bool_)
    np.not_equal(numbers[:, 1:], numbers[:, :-1], out=begins[:, 1:])
    return begins


def _runs(cells: Integers, present: Integers, times: int) -> list[Integers]:
    """By field, the cells and their rows: in a sorted column a cell is a run."""
    fields, rows = cells.shape
    places = np.flatnonzero(_begins(cells))
    field, column = np.divmod(places, rows)
    lengths = np.diff(places, append=fields * rows)
    there = column < present[field]
    found = np.stack((cells.ravel()[places[there]], lengths[there] * times))
    ends = np.searchsorted(field[there], np.arange(fields + 1)).tolist()
    return [_fewer(found[:, start:stop]) for start, stop in pairwise(ends)]


def _fewer(cells: Integers) -> Integers:
    """As many cells as may be."""
    coarse, by = cells, 0
    while coarse.shape[1] > MOST_CELLS:
        by += 1
        coarse = merged([np.stack((cells[0] >> by << by, cells[1]))])
    return coarse


def _repeated(columns: Floats, bits: Integers, present: Integers, times: int) -> list[Integers]:
    """By field, the commonest of the values that many rows share, with these."""
    fields, rows = bits.shape
    least = -(-present // SHARED)
    places = np.flatnonzero(_begins(bits))
    lengths = np.diff(places, append=bits.size)
    long = lengths >= least[least > 0].min(initial=rows)  # few are, where there are many rows
    (field, column), lengths = np.divmod(places[long], rows), lengths[long]
    there = (column < present[field]) & (lengths >= least[field])
    field, lengths = field[there], lengths[there]
    values = columns[field, column[there]] + 0.0
    order = np.lexsort((values, -lengths, field))
    field = field[order]
    commonest = np.arange(len(field)) - field.searchsorted(field) < MOST_REPEATED
    field, order = field[commonest], order[commonest]
    found = np.stack((values[order].view(np.int64), lengths[order] * times))
    found = found[:, np.lexsort((found[0], field))]  # fields stay where they are
    return [found[:, start:stop] for start, stop in pairwise(field.searchsorted(np.arange(fields + 1)).tolist())]
