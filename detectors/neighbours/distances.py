"""Sums of the squared distances to the nearest rows of a reference, by products of whole numbers: exact in any block, on any machine.

d^2 = |x|^2 + |r|^2 - 2 x r, of which the last two are one product. No partial sum exceeds (|x| + |r|)^2; below 2^24 float32 holds every
whole number, below 2^53 float64. Rows that fit, nearly all, are computed in float32, twice as fast.
"""

from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from .coordinates import ABSENT_CODE, UNKNOWN_CODE, Coded, Coordinates

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
_Number = TypeVar("_Number", bound=np.number)

#: How many nearest rows of the reference a score is the sum of.
NEAREST = 5
#: Rows at a time: their distances to 2,000 others take 2 MB.
BLOCK = 256
#: Rows of the reference of which the smallest distance is looked at first.
_GROUP = 50
_EXACT = 2.0**24


class Vectors(NamedTuple):
    """Rows as vectors of whole numbers."""

    coordinates: Floats  #: [n, size]
    squares: Integers  #: [n], of the vector and of all that no row of the reference shares


class Space:
    """The coordinates in which rows are compared with these rows of a reference."""

    def __init__(self, coordinates: Coordinates, reference: Coded) -> None:
        self._fields = coordinates
        self._absent = np.array([field.absent for field in coordinates.numbers], dtype=np.int64)
        self._unseen = np.array([field.unseen for field in coordinates.numbers], dtype=np.int64)
        self._with_absent = np.flatnonzero(reference.absent.any(axis=0))
        self._codes = [_places(column) for column in reference.categories.T]
        self._size = reference.ranks.shape[1] + len(self._with_absent) + sum(np.count_nonzero(places >= 0) for places in self._codes)
        self.rows = reference.rows
        vectors = self._vectors(reference)
        padded = -(-self.rows // _GROUP) * _GROUP
        self._longest = float(np.sqrt(vectors.squares.max(initial=0)))
        exact = np.float32 if (self._longest + 1) ** 2 < _EXACT else np.float64
        self._right: NDArray[np.floating] = np.zeros((self._size + 1, padded), dtype=exact)
        self._right[:-1, : self.rows] = -2 * vectors.coordinates.T
        self._right[-1, : self.rows] = vectors.squares
        self._right[-1, self.rows :] = np.inf

    def _vectors(self, coded: Coded) -> Vectors:
        """Their squared distance is that of the rows."""
        n, k = coded.ranks.shape
        found = np.zeros((n, self._size))
        found[:, :k] = coded.ranks
        absent = coded.absent[:, self._with_absent] * self._absent[self._with_absent]
        found[:, k : k + absent.shape[1]] = absent
        squares = coded.absent @ self._absent**2 + coded.unseen @ self._unseen
        squares += np.square(coded.ranks.astype(np.int64)).sum(axis=1)
        at = k + absent.shape[1]
        for field, places, codes in zip(self._fields.categories, self._codes, coded.categories.T, strict=True):
            place = places[np.clip(codes, UNKNOWN_CODE, len(places) - 2) + 1]
            shared = np.flatnonzero((place >= 0) & (codes < len(places) - 1))
            found[shared, at + place[shared]] = field.one
            squares += np.where(codes == UNKNOWN_CODE, field.unknown, field.one**2)
            at += np.count_nonzero(places >= 0)
        return Vectors(found, squares)

    def nearest(self, coded: Coded, *, among: int | None = None) -> Integers:
        """For every row the sum of the squared distances to the nearest, among so many of the first rows of the reference."""
        found = np.empty(coded.rows, dtype=np.int64)
        groups = self._right.shape[1] // _GROUP if among is None else max(1, among // _GROUP)
        right, far = self._right[:, : groups * _GROUP], []
        for start in range(0, coded.rows, BLOCK):
            vectors = self._vectors(coded.at(slice(start, start + BLOCK)))
            small = self._small(vectors)
            far.append(start + np.flatnonzero(~small))
            if small.any():
                found[start : start + BLOCK][small] = self._sums(Vectors(vectors.coordinates[small], vectors.squares[small]), right, groups)
        rest = np.concatenate([*far, np.zeros(0, dtype=np.int64)])
        if len(rest):
            right = right.astype(np.float64, copy=False)
        for start in range(0, len(rest), BLOCK):
            rows = rest[start : start + BLOCK]
            found[rows] = self._sums(self._vectors(coded.at(rows)), right, groups)
        return found

    def ordered(self, coded: Coded) -> tuple[Integers, Integers]:
        """The numbers of the nearest rows, by distance, then by number, and their squared distances, [n, `NEAREST`]; -1: there is none."""
        rows, squares = (np.full((coded.rows, NEAREST), -1, dtype=np.int64) for _ in range(2))
        right = self._right.astype(np.float64, copy=False)
        for start in range(0, coded.rows, BLOCK):
            vectors = self._vectors(coded.at(slice(start, start + BLOCK)))
            distances = self._distances(vectors, right)[:, : self.rows]
            order = np.argsort(distances, axis=1, kind="stable")[:, :NEAREST]
            rows[start : start + BLOCK, : order.shape[1]] = order
            nearest = np.take_along_axis(distances, order, axis=1).astype(np.int64)
            squares[start : start + BLOCK, : order.shape[1]] = nearest + vectors.squares[:, None]
        return rows, squares

    def _small(self, vectors: Vectors) -> NDArray[np.bool_]:
        """Which rows' products are exact in the type that the reference is kept in."""
        if self._right.dtype == np.float64:
            return np.ones(len(vectors.squares), dtype=np.bool_)
        return np.asarray((np.sqrt(vectors.squares) + self._longest + 1) ** 2 < _EXACT)

    def _distances(self, vectors: Vectors, right: NDArray[np.floating]) -> NDArray[np.floating]:
        """Squared, less the square of the row itself."""
        left = np.ones((len(vectors.squares), self._size + 1), dtype=right.dtype)
        left[:, :-1] = vectors.coordinates
        return np.asarray(left @ right)

    def _sums(self, vectors: Vectors, right: NDArray[np.floating], groups: int) -> Integers:
        nearest = smallest(self._distances(vectors, right).reshape(-1, _GROUP, groups), min(NEAREST, self.rows))
        return np.asarray(nearest.astype(np.int64).sum(axis=1) + vectors.squares * nearest.shape[1])


def smallest(distances: NDArray[_Number], most: int) -> NDArray[_Number]:
    """So many smallest of every row, of shape [n, group, groups], in any order: those of the groups that have the smallest minima.

    Of fewer groups all are looked at; of fewer distances all are returned.
    """
    if distances.shape[2] > most:
        groups = np.argpartition(distances.min(axis=1), most - 1, axis=1)[:, :most]
        distances = np.take_along_axis(distances, groups[:, None, :], axis=2)
    flat = distances.reshape(len(distances), distances.shape[1] * distances.shape[2])
    return np.partition(flat, most - 1, axis=1)[:, :most] if flat.shape[1] > most else flat


def _places(codes: NDArray[np.int16]) -> Integers:
    """By code + 1, its place among the codes that there are; -1: none."""
    there = np.unique(codes[codes >= ABSENT_CODE]).astype(np.int64)
    places = np.full(int(there.max(initial=0)) + 2, -1, dtype=np.int64)
    places[there + 1] = np.arange(len(there))
    return places


def by_field(coordinates: Coordinates, coded: Coded, reference: Coded) -> Integers:
    """The squared distance in every field, of shape [n, fields, reference rows]: numbers first. Of 32 bits where the sum of all fits."""
    n, k = coded.ranks.shape
    of = np.dtype(np.int32 if coordinates.farthest < 2**31 else np.int64)
    found = np.empty((n, k + coded.categories.shape[1], reference.rows), dtype=of)
    for place, field in enumerate(coordinates.numbers):
        np.square(coded.ranks[:, place, None].astype(of) - reference.ranks[:, place].astype(of), out=found[:, place])
        if coded.absent[:, place].any() or reference.absent[:, place].any():
            found[:, place] += np.multiply(coded.absent[:, place, None] != reference.absent[:, place], field.absent**2, dtype=of)
        if coded.unseen[:, place].any():
            found[:, place] += np.multiply(coded.unseen[:, place, None], field.unseen, dtype=of)
    for place, category in enumerate(coordinates.categories):
        codes = coded.categories[:, place, None]
        far = np.where(codes == UNKNOWN_CODE, category.one**2 + category.unknown, 2 * category.one**2).astype(of)
        np.multiply(codes != reference.categories[:, place], far, out=found[:, k + place])
    return found
