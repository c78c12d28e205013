"""The ledger: what happened to predictions, added up by the interval in which they were made, their version and their place.

*Guarantee*: all sums are whole numbers, and net. So neither the order of what happens nor the batches in which it comes show in them, and
what is taken back leaves nothing.
"""

from collections.abc import Callable
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ...schemas.stored.outcomes import OutcomeBasis
from .counting import Counting, Own
from .layout import layout
from .target import Target
from .values import Integers, Rows

#: The version under which labels are counted that met no prediction: their place is the model's code, their vector one number.
NO_VERSION = 2**32 - 1
#: Vectors that a table has room for at first.
_FIRST = 4


class Happening(Protocol):
    """What became of predictions in a step: all of one kind."""

    @property
    def what(self) -> str:
        """``predicted``, ``duplicate``, ``expired``, ``changed``, ``first`` or ``due``."""
        ...

    @property
    def rows(self) -> Rows:
        """The predictions, with the outcome in force now as ``label``; of *first* ones ``delay`` is how long it took, in ms."""
        ...

    @property
    def before(self) -> Integers:
        """The outcomes before this step, of what has *changed*; `NONE`: there was none."""
        ...


class Unmatched(Protocol):
    """Labels that met nothing."""

    @property
    def about(self) -> Integers:
        """Their buckets."""
        ...

    @property
    def model(self) -> NDArray[np.uint16]:
        """The models that they name, as codes."""
        ...


class Sums(NamedTuple):
    """What came together under one key."""

    about: int | None  #: an interval of prediction time; None: of what became known now
    version: int
    place: int
    vector: Integers


_Key = tuple[int, int, int]
#: By bucket, version and place.
IntervalOf = Callable[[int, int, int], int]
#: How a version's rows, by its code and basis, are counted for a user's own metrics; None: they have no columns.
OwnOf = Callable[[int, OutcomeBasis], Own | None]


def no_own(_: int, __: OutcomeBasis) -> Own | None:
    """There are none."""
    return None


class _Table:
    """Vectors of one size, by key, one behind the other; each has a number more for what has no place."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._rows = np.zeros((_FIRST, size + 1), dtype=np.int64)
        self._places: dict[_Key, int] = {}

    def target(self, keys: list[_Key], which: Integers) -> Target:
        """The vectors of these keys, and which of them each row belongs to."""
        for key in keys:
            self._places.setdefault(key, len(self._places))
        if len(self._places) > len(self._rows):
            grown = np.zeros((max(len(self._places), 2 * len(self._rows)), self._size + 1), dtype=np.int64)
            grown[: len(self._rows)] = self._rows
            self._rows = grown
        places = np.array([self._places[key] for key in keys], dtype=np.int64)
        return Target(self._rows.reshape(-1), places[which] * (self._size + 1), self._size)

    def told(self) -> list[tuple[_Key, Integers]]:
        """What is not all zero."""
        vectors = self._rows[: len(self._places), : self._size]
        return [(key, vectors[place].copy()) for key, place in self._places.items() if vectors[place].any()]


class Ledger:
    """Happenings to sums.

    Parameters
    ----------
    basis_of
        Of a version and a place, as codes: how its outcomes are counted.
    about
        The interval of prediction time that a bucket lies in, of a version and a place: the end of each.
    own
        What a version's rows add to the columns of a user's own metrics, by its code and basis; the same for the same basis.
    """

    def __init__(self, basis_of: Callable[[int, int], OutcomeBasis], about: IntervalOf, own: OwnOf = no_own) -> None:
        self._basis_of, self._interval, self._own = basis_of, about, own
        self._countings: dict[tuple[OutcomeBasis, Own | None], Counting] = {}
        self._counted_by: dict[int, Counting] = {}  # by version and place
        self._unmatched = _Table(1)
        self._revised: dict[Counting, _Table] = {}
        self._arrived: dict[Counting, _Table] = {}

    def add(self, step: int, happening: Happening) -> None:
        """Count what happened in a step; in which does not matter."""
        for counting, some in self._by_counting(happening.rows):
            rows = happening.rows if some is None else happening.rows[some]
            if happening.what in ("first", "due"):
                self._arrive(happening.what, counting, rows)
            table = _table(self._revised, counting, counting.layout.size)
            target = self._of_intervals(table, rows)
            match happening.what:
                case "first":
                    counting.delays(target, rows, rows["label"])
                case "due":
                    counting.each("due", target)
                case "predicted":
                    counting.each("predicted", target)
                    counting.in_cells("cell rows", target, rows)
                case "duplicate":
                    counting.each("duplicates", target)
                case "expired":
                    counting.each("expired", target)
                    counting.in_cells("cell expired", target, rows)
                case "changed":
                    counting.change(target, rows, happening.before if some is None else happening.before[some], rows["label"])
                case _:
                    msg = f"nothing is counted of what {happening.what!r} happened to"
                    raise ValueError(msg)

    def add_unmatched(self, step: int, unmatched: Unmatched) -> None:
        """Count labels that met no prediction."""
        models, model = np.unique(unmatched.model, return_inverse=True)
        keys, which = self._keys(unmatched.about, [(NO_VERSION, int(code)) for code in models.tolist()], model)
        self._unmatched.target(keys, which).add_to(0, 1)

    def arrivals(self, step: int) -> list[Sums]:
        """What first outcomes came to since the last call, by version and place; vectors have the first part only."""
        told = [Sums(None, version, place, vector) for table in self._arrived.values() for (_, version, place), vector in table.told()]
        self._arrived = {}
        return sorted(told, key=lambda sums: (sums.version, sums.place))

    def revisions(self) -> list[Sums]:
        """What all else came to since the last call, net, by interval, version and place."""
        tables = [*self._revised.values(), self._unmatched]
        told = [(key, vector) for table in tables for key, vector in table.told()]
        self._revised, self._unmatched = {}, _Table(1)
        return [Sums(*key, vector) for key, vector in sorted(told, key=lambda each: each[0])]

    def keep(self, known: Callable[[int, int], bool]) -> None:
        """Forget how rows are counted of versions and places, as codes, that are no longer known: none of theirs will be added."""
        self._counted_by = {code: counting for code, counting in self._counted_by.items() if known(*divmod(code, 2**32))}
        used = set(self._counted_by.values())
        self._countings = {how: counting for how, counting in self._countings.items() if counting in used}

    def __len__(self) -> int:
        """Versions and places of which it is remembered how their rows are counted."""
        return len(self._counted_by)

    def _arrive(self, what: str, counting: Counting, rows: Rows) -> None:
        """Count what is told in the step itself."""
        target = self._of_places(_table(self._arrived, counting, counting.layout.arrivals), rows)
        if what == "due":
            counting.each("due", target)
        else:
            counting.arrivals(target, rows, rows["label"])

    def _by_counting(self, rows: Rows) -> list[tuple[Counting, Integers | None]]:
        """The rows of every way of counting; None: all."""
        codes, which = np.unique(_codes(rows), return_inverse=True)
        countings = [self._counting(code) for code in codes.tolist()]
        if len(set(countings)) <= 1:
            return [(counting, None) for counting in countings[:1]]
        order = list(dict.fromkeys(countings))
        number = np.array([order.index(counting) for counting in countings])[which]
        return [(counting, np.flatnonzero(number == place)) for place, counting in enumerate(order)]

    def _counting(self, code: int) -> Counting:
        if code not in self._counted_by:
            version, place = divmod(code, 2**32)
            basis = self._basis_of(version, place)
            how = basis, self._own(version, basis)
            if how not in self._countings:
                self._countings[how] = Counting(layout(how[0]), how[1])
            self._counted_by[code] = self._countings[how]
        return self._counted_by[code]

    def _of_places(self, table: _Table, rows: Rows) -> Target:
        codes, which = np.unique(_codes(rows), return_inverse=True)
        return table.target([(0, *divmod(code, 2**32)) for code in codes.tolist()], which)

    def _of_intervals(self, table: _Table, rows: Rows) -> Target:
        codes, which = np.unique(_codes(rows), return_inverse=True)
        return table.target(*self._keys(rows["about"], [divmod(code, 2**32) for code in codes.tolist()], which))

    def _keys(self, buckets: Integers, places: list[tuple[int, int]], place: Integers) -> tuple[list[_Key], Integers]:
        """Interval, version and place: the keys that there are, and every row's."""
        known, bucket = np.unique(buckets, return_inverse=True)
        pairs, which = np.unique(bucket * len(places) + place, return_inverse=True)
        found = [(int(known[pair // len(places)]), *places[pair % len(places)]) for pair in pairs.tolist()]
        return [(self._interval(*each), *each[1:]) for each in found], which


def _table(tables: dict[Counting, _Table], counting: Counting, size: int) -> _Table:
    if counting not in tables:
        tables[counting] = _Table(size)
    return tables[counting]


def _codes(rows: Rows) -> NDArray[np.uint64]:
    return (rows["version"].astype(np.uint64) << np.uint64(32)) | rows["place"].astype(np.uint64)
