"""Masks: is a row familiar again, once a field is left out? Then it is that field which is unlike the training data.

D[j, r] is the squared distance in field j to row r of the reference: without j the five smallest of sum D - D[j] count. Every mask has
thresholds of its own, from the calibration's rows without the same field. A mask is a field, or all fields of a source.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .coordinates import Coded, Coordinates
from .distances import NEAREST, by_field, smallest

Integers = NDArray[np.int64]

#: Rows of the reference that masked rows are compared with: time goes with it, and with the fields.
ROWS = 2_000
#: Distances at a time: of few fields many rows, of many few, and always what stays in the cache.
_BLOCK = 1 << 20
#: Rows of the reference of which the smallest distance is looked at first: so nine tenths of them are never sorted.
_GROUP = 16


class Mask(NamedTuple):
    """What is left out together."""

    name: str
    of: str  #: ``field``, ``source`` or ``pair``
    fields: tuple[int, ...]  #: numbers of fields


def masks_of(names: Sequence[str], sources: Mapping[str, str]) -> tuple[Mask, ...]:
    """One a field, then one a source of two or more fields.

    >>> masks_of(["amount", "city", "zip"], {"city": "geo", "zip": "geo", "amount": "till"})[3:]
    (Mask(name='geo', of='source', fields=(1, 2)),)
    """
    fields: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        if name in sources:
            fields.setdefault(sources[name], []).append(place)
    found = [Mask(name, "field", (place,)) for place, name in enumerate(names)]
    return (*found, *(Mask(source, "source", tuple(own)) for source, own in sorted(fields.items()) if len(own) > 1))


class Left(NamedTuple):
    """Rows without what each mask leaves out, [n, masks]."""

    scores: Integers
    nearest: Integers  #: the number of the nearest row of the reference, among those that masked rows are compared with
    cured: NDArray[np.bool_]  #: whether they are familiar: p > .05
    coded: Coded  #: the rows themselves


class Masking:
    """Scores of rows without fields.

    Parameters
    ----------
    coordinates
        Of all fields.
    reference
        Rows of the reference, of which the first `ROWS` are taken.
    """

    def __init__(self, coordinates: Coordinates, reference: Coded) -> None:
        self._coordinates, self._reference = coordinates, reference.at(slice(ROWS))

    def scores(self, coded: Coded, masks: Sequence[Mask]) -> Integers:
        """Of every row, without what each mask leaves out: the negated sum of the squared distances to the nearest, [n, masks]."""
        return self.left(coded, masks)[0]

    def left(self, coded: Coded, masks: Sequence[Mask]) -> tuple[Integers, Integers]:
        """The same, and the number of the nearest row; of several the first."""
        found, nearest = (np.empty((coded.rows, len(masks)), dtype=np.int64) for _ in range(2))
        for block, part in self._blocks(coded):
            whole = part.sum(axis=1, dtype=part.dtype)
            for place, mask in enumerate(masks):
                own = part[:, mask.fields[0]] if len(mask.fields) == 1 else part[:, mask.fields].sum(axis=1, dtype=part.dtype)
                left = whole - own
                found[block, place] = -_smallest(left)
                nearest[block, place] = left.argmin(axis=1)
        return found, nearest

    def apart(self, coded: Coded, without: Integers) -> tuple[Integers, Integers]:
        """As `left`, of every row without fields of its own; ``without``: their numbers, [n, sets, fields of a set]."""
        found, nearest = (np.empty(without.shape[:2], dtype=np.int64) for _ in range(2))
        for block, part in self._blocks(coded, without.shape[1] * without.shape[2]):
            sets = without[block]
            own = np.stack([part[np.arange(len(part)), fields] for fields in sets.reshape(len(part), -1).T], axis=1)
            own = own.reshape(*sets.shape, -1).sum(axis=2, dtype=part.dtype)
            left = part.sum(axis=1, dtype=part.dtype)[:, None] - own
            found[block] = -_smallest(left.reshape(-1, left.shape[2])).reshape(sets.shape[:2])
            nearest[block] = left.argmin(axis=2)
        return found, nearest

    def _blocks(self, coded: Coded, beside: int = 0) -> Iterator[tuple[slice, Integers]]:
        """Which rows, and their distances by field: as many as fit, with so many fields more beside them."""
        fields = coded.ranks.shape[1] + coded.categories.shape[1] + beside
        at_once = max(1, _BLOCK // max(fields * self._reference.rows, 1))
        for start in range(0, coded.rows, at_once):
            block = slice(start, min(start + at_once, coded.rows))
            yield block, by_field(self._coordinates, coded.at(block), self._reference)

    def nearest(self, coded: Coded, mask: Mask) -> Integers:
        """Of every row the number of the nearest, without what the mask leaves out; of several the first."""
        found = np.empty(coded.rows, dtype=np.int64)
        for row in range(coded.rows):
            part = by_field(self._coordinates, coded.at(slice(row, row + 1)), self._reference)[0]
            found[row] = np.argmin(np.delete(part, mask.fields, axis=0).sum(axis=0))
        return found


def _smallest(distances: Integers) -> Integers:
    """Of every row the sum of the `NEAREST` smallest: of whole groups, and of what is left behind them."""
    most, grouped = min(NEAREST, distances.shape[1]), distances.shape[1] // _GROUP * _GROUP
    first = smallest(distances[:, :grouped].reshape(len(distances), _GROUP, -1), most)
    candidates = np.concatenate((first, distances[:, grouped:]), axis=1)
    return np.asarray(np.partition(candidates, most - 1, axis=1)[:, :most].sum(axis=1, dtype=np.int64))
