"""The ledger of a feature log: what happened to predictions that wait for its rows, by the grain in which they were made.

*Guarantee*: as of that of outcomes (`driftbus.detectors.outcomes.ledger`): all sums are whole numbers, and net.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..joining.rows import NONE, Happening, Unmatched
from .compared import Comparison
from .counting import Counting, Differing
from .layout import ROWS

Integers = NDArray[np.int64]
Rows = NDArray[np.void]
#: The version under which rows are counted that met no prediction: their place is the model's code, their vector one number.
NO_VERSION = 2**32 - 1
#: Of each feature, the commonest online values of differing pairs that a pane names.
MOST_COMMON = 4
#: Differing values that are kept one by one, before equal ones are added up.
_MOST_LOOSE = 1 << 18
#: Rows of the log that met nothing are counted together for so long, ms.
_UNMATCHED_MS = 3_600_000
_FIRST = 4
_Key = tuple[int, int, int]


class Basis(NamedTuple):
    """How the pairs of a version are counted: what is compared, and the length of the stretches of time that it is told for, ms."""

    comparison: Comparison
    grain: int


class Told(NamedTuple):
    """What came together under one key."""

    about: int
    version: int
    place: int
    vector: Integers  #: as `Layout`; and behind it, for each value that is named, feature, code and rows


class _Table:
    """Numbers of one way of counting, by key."""

    def __init__(self, counting: Counting) -> None:
        self.counting, self.keys = counting, dict[_Key, int]()
        self.numbers = np.zeros((_FIRST, counting.layout.size), dtype=np.int64)
        self._loose = list[Integers]()  # [4, n]: owner, feature, code, rows
        self._count = 0

    def owners(self, about: Integers, version: int, place: int) -> Integers:
        """Which row of the numbers each prediction belongs to."""
        times, which = np.unique(about, return_inverse=True)
        found = [self.keys.setdefault((time, version, place), len(self.keys)) for time in times.tolist()]
        if len(self.keys) > len(self.numbers):
            grown = np.zeros((max(len(self.keys), 2 * len(self.numbers)), self.numbers.shape[1]), dtype=np.int64)
            grown[: len(self.numbers)] = self.numbers
            self.numbers = grown
        return np.array(found, dtype=np.int64)[which]

    def count(self, what: str, owners: Integers, times: int = 1) -> None:
        """Predictions, as `ROWS` says."""
        np.add.at(self.numbers[:, ROWS.index(what)], owners, times)

    def pair(self, owners: Integers, served: Integers, offline: Integers, sign: int) -> None:
        """Pairs, each of a prediction and what is in force for it."""
        self.count("joined", owners, sign)
        found = self.counting.add(self.numbers, owners, served, offline, sign)
        self._keep(found, sign)

    def _keep(self, found: Differing, sign: int) -> None:
        if len(found.owner):
            self._loose.append(np.stack((*found, np.full(len(found.owner), sign))))
            self._count += len(found.owner)
        if self._count > _MOST_LOOSE:
            self._loose = [_added(self._loose)]
            self._count = -self._loose[0].shape[1]  # not before as many have come again

    def told(self) -> list[Told]:
        """What is not all zero."""
        named = _named(_added(self._loose)) if self._loose else {}
        none = np.zeros(0, dtype=np.int64)
        return [
            Told(*key, np.concatenate((self.numbers[row], named.get(row, none))))
            for key, row in self.keys.items()
            if self.numbers[row].any()
        ]


class Ledger:
    """Happenings to sums.

    Parameters
    ----------
    basis_of
        Of a version and a place, as codes: how its pairs are counted.
    """

    def __init__(self, basis_of: Callable[[int, int], Basis]) -> None:
        self._basis_of = basis_of
        self._known: dict[_Pair, tuple[Basis, Counting]] = {}
        self._tables: dict[int, _Table] = {}  # by the identity of a counting
        self._unmatched: dict[tuple[int, int], int] = {}  # by bucket and model

    def add(self, step: int, happening: Happening) -> None:
        """Count what happened in a step; in which does not matter."""
        if happening.what in ("first", "due"):
            return
        pairs, which = np.unique(happening.rows[["version", "place"]], return_inverse=True)
        for number, (version, place) in enumerate(pairs.tolist()):
            some = np.flatnonzero(which == number)
            self._add(happening.what, happening.rows[some], happening.before[some], version, place)

    def _add(self, what: str, rows: Rows, before: Integers, version: int, place: int) -> None:
        basis, counting = self._counted(version, place)
        table = self._tables.setdefault(id(counting), _Table(counting))
        owners = table.owners((rows["about"] - 1) // basis.grain * basis.grain + basis.grain, version, place)
        if what != "changed":
            table.count({"duplicate": "duplicates"}.get(what, what), owners)
            return
        for values, known, sign in (("former", before, -1), ("offline", rows["label"], 1)):
            there = np.flatnonzero(known != NONE)
            if len(there):
                table.pair(owners[there], rows["served"][there], rows[values][there], sign)

    def add_unmatched(self, step: int, unmatched: Unmatched) -> None:
        """Count rows of the log that met no prediction, by the stretch of time that they came in."""
        ends = (unmatched.about - 1) // _UNMATCHED_MS * _UNMATCHED_MS + _UNMATCHED_MS
        found, rows = np.unique(np.stack((ends, unmatched.model.astype(np.int64))), axis=1, return_counts=True)
        for about, model, count in zip(*found.tolist(), rows.tolist(), strict=True):
            self._unmatched[about, model] = self._unmatched.get((about, model), 0) + count

    def arrivals(self, step: int) -> list[Told]:
        """Nothing is told of predictions one by one."""
        return []

    def revisions(self) -> list[Told]:
        """What all came to since the last call, net, by grain, version and place."""
        told = [one for table in self._tables.values() for one in table.told()]
        told += [Told(about, NO_VERSION, model, np.array([rows])) for (about, model), rows in self._unmatched.items()]
        self._tables, self._unmatched = {}, {}
        return sorted(told, key=lambda one: one[:3])

    def keep(self, known: Callable[[int, int], bool]) -> None:
        """Forget how rows are counted of versions and places, as codes, that are no longer known: none of theirs will be added."""
        self._known = {pair: counted for pair, counted in self._known.items() if known(*pair)}

    def __len__(self) -> int:
        """Versions and places of which it is remembered how their rows are counted."""
        return len(self._known)

    def _counted(self, version: int, place: int) -> tuple[Basis, Counting]:
        if (version, place) not in self._known:
            basis = self._basis_of(version, place)
            same = (counting for other, counting in self._known.values() if other.comparison is basis.comparison)
            self._known[version, place] = basis, next(same, None) or Counting(basis.comparison.features)
        return self._known[version, place]


_Pair = tuple[int, int]


def _added(loose: list[Integers]) -> Integers:
    """Rows [owner, feature, code, rows] with each of the first three once, in order."""
    whole = np.concatenate(loose, axis=1)
    whole = whole[:, np.lexsort(whole[2::-1])]
    begins = np.flatnonzero(np.concatenate(([True], (whole[:3, 1:] != whole[:3, :-1]).any(axis=0))))
    return np.concatenate((whole[:3, begins], np.add.reduceat(whole[3:], begins, axis=1)))


def _named(added: Integers) -> dict[int, Integers]:
    """By owner, the commonest values of each feature: feature, code and rows of each, one behind the other. Those of rows that are taken
    back count as much.
    """
    owner, feature, code, rows = (column[added[3] != 0] for column in added)
    order = np.lexsort((code, -np.abs(rows), feature, owner))
    owner, feature, code, rows = (column[order] for column in (owner, feature, code, rows))
    if not len(owner):
        return {}
    begins = np.flatnonzero(np.concatenate(([True], (owner[1:] != owner[:-1]) | (feature[1:] != feature[:-1]))))
    rank = np.arange(len(owner)) - np.repeat(begins, np.diff(np.append(begins, len(owner))))
    kept = np.flatnonzero(rank < MOST_COMMON)
    triples = np.stack((feature, code, rows), axis=1)[kept]
    return {int(one): triples[owner[kept] == one].reshape(-1) for one in np.unique(owner[kept])}
