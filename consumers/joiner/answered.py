"""Which predictions of a join reviewers have answered, and what its labels say of these: told, and nowhere summed."""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...detectors.joining.joiner import Ledger, Told
from ...detectors.joining.rows import NONE, Happening, Unmatched
from ...schemas.messages.block import Block
from ...schemas.messages.review import ReviewLabel

Rows = NDArray[np.void]
#: The model and the name of a version, by its code.
VersionOf = Callable[[int], tuple[str, str]]


class _Case(NamedTuple):
    """One that has been answered."""

    case: str
    model: str
    version: str
    slot: int  #: the end of the slot that it was drawn from


class Answered:
    """The cases of one join in one partition, as long as their predictions wait for labels.

    What is known of a case when its answer comes is told at once, and from then on whatever changes; so of the last that was told
    it does not matter which came first.
    """

    def __init__(self) -> None:
        self._cases: dict[tuple[int, int], list[_Case]] = {}  # by id
        self._ids = np.zeros(0, dtype=np.uint64)  # their second halves, in order
        self._oldest: int | None = None  # slot
        self._last: dict[str, int] = {}  # by case
        self._kept: dict[_Case, int] = {}
        self._told: list[ReviewLabel] = []

    def __len__(self) -> int:
        """Ids of which any case has been answered."""
        return len(self._cases)

    def note(self, block: Block) -> tuple[int, int]:
        """Take a block of the side of reviews, which is one answer; returns the halves of its id."""
        (hi, lo), whose = block.halves[0].tolist(), block.whose[0]
        case = b"".join(int(part[0]).to_bytes(8, signed=True) for part in (block.values, block.revisions)).hex()
        one, known = _Case(case, whose.model, whose.version, block.bucket), self._cases.setdefault((hi, lo), [])
        if one not in known:
            known.append(one)
            self._oldest = one.slot if self._oldest is None else min(one.slot, self._oldest)
            self._ids = np.unique(np.append(self._ids, np.uint64(lo)))
        return hi, lo

    def look(self, rows: Rows, version_of: VersionOf, known: int) -> None:
        """Tell of those predictions whose case was answered, if it is news. ``rows``: with the ``label`` in force; ``known``: when."""
        for one, label in self._among(rows, version_of):
            self._tell(one, label, known)

    def keep(self, rows: Rows, version_of: VersionOf) -> None:
        """The same, later: in `tell_kept`, and of several the last."""
        self._kept.update(self._among(rows, version_of))

    def tell_kept(self, known: int) -> None:
        """Tell what was kept, in an order that does not depend on how much was taken at once."""
        for one, label in sorted(self._kept.items()):
            self._tell(one, label, known)
        self._kept = {}

    def _among(self, rows: Rows, version_of: VersionOf) -> Iterator[tuple[_Case, int]]:
        if not len(self._ids) or not len(rows):
            return
        for place in np.flatnonzero(np.isin(rows["lo"], self._ids)).tolist():
            row = rows[place]
            whose = version_of(int(row["version"]))
            for one in self._cases.get((int(row["hi"]), int(row["lo"])), ()):
                if (one.model, one.version) == whose:
                    yield one, int(row["label"])

    def _tell(self, one: _Case, label: int, known: int) -> None:
        if self._last.get(one.case, NONE) != label:
            self._last[one.case] = label
            self._told.append(ReviewLabel.of(one.model, one.version, one.case, None if label == NONE else label, known=known))

    def told(self) -> list[ReviewLabel]:
        """What is new since the last call, in its order."""
        told, self._told = self._told, []
        return told

    def forget(self, before: int) -> None:
        """The cases of slots that ended before: their predictions wait no more."""
        if self._oldest is None or self._oldest >= before:
            return
        gone = [key for key, cases in self._cases.items() if all(one.slot < before for one in cases)]
        for key in gone:
            for one in self._cases.pop(key):
                self._last.pop(one.case, None)
        self._ids = np.unique(np.array([lo for _, lo in self._cases], dtype=np.uint64))
        self._oldest = min((one.slot for cases in self._cases.values() for one in cases), default=None)


class Heard:
    """A ledger that lets the answered cases know what changes: when it tells its revisions, they tell theirs.

    Parameters
    ----------
    interval
        The end of the interval for which a step's revisions are told.
    """

    def __init__(self, ledger: Ledger, answered: Answered, version_of: VersionOf, interval: Callable[[int], int]) -> None:
        self._ledger, self._answered, self._version_of, self._interval = ledger, answered, version_of, interval
        self._step = 0

    def add(self, step: int, happening: Happening) -> None:
        """Count it."""
        if happening.what == "changed":
            self._step = step
            self._answered.keep(happening.rows, self._version_of)
        self._ledger.add(step, happening)

    def add_unmatched(self, step: int, unmatched: Unmatched) -> None:
        """Count them."""
        self._ledger.add_unmatched(step, unmatched)

    def arrivals(self, step: int) -> Iterable[Told]:
        """As the ledger."""
        return self._ledger.arrivals(step)

    def revisions(self) -> Iterable[Told]:
        """As the ledger."""
        self._answered.tell_kept(self._interval(self._step))
        return self._ledger.revisions()
