"""What is remembered of new versions, and of how two of them compare, as plain data."""

from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from ...schemas.messages.action_version import ActionContest
from ...schemas.messages.contest import MOST_DAYS, ContestDay

#: In which it may still come to serve.
OPEN = ("registered", "evaluating", "shadow", "promoting")
#: *promoting*, *rolling_back*: it was asked for, and not seen yet; *replaced*: another one was promoted since.
State = Literal[
    "registered", "evaluating", "shadow", "promoting", "promoted", "rolling_back", "rolled_back", "replaced", "refused", "held", "retired"
]


class Candidate(msgspec.Struct):
    """A version that was registered."""

    registered: int
    since: int  #: of its state
    state: State = "registered"
    parent: str | None = None
    job: str | None = None
    reference: str | None = None
    failed: bool = False  #: the evaluation that was asked for last
    change: float | None = None  #: of its loss there
    unseen: int | None = None  #: it is compared on what was predicted since then
    approved_by: str | None = None
    revoked_by: str | None = None  #: who said that its parent is to serve again, before it was seen to serve
    said: dict[str, int] = {}  #: how often each step was

    @property
    def open(self) -> bool:
        """Whether it may still come to serve."""
        return self.state in OPEN


class Pair(msgspec.Struct):
    """Two versions, the first of them by name, and what became of what both answered."""

    day: int  #: ms
    at: int  #: when something was said of them last
    places: dict[int, int] = {}  #: by partition, the last one that counted
    days: dict[int, list[int]] = {}  #: by where a day begins: rows, sum, squares, gained, by stake won, by stake lost

    def take(self, fact: ActionContest, now: int) -> None:
        """Count it, unless it has been."""
        if fact.place <= self.places.get(fact.partition, -1):
            return
        self.places[fact.partition], self.at = fact.place, now
        if fact.day != self.day:  # it is configured otherwise now: days of two lengths cannot be compared
            self.day, self.days = fact.day, {}
        for day in fact.days:
            own = _numbers(day)
            before = self.days.get(day.start)
            self.days[day.start] = own if before is None else [one + other for one, other in zip(before, own, strict=True)]
        for start in sorted(self.days)[:-MOST_DAYS]:
            del self.days[start]

    def seen(self, starts: list[int], *, turned: bool) -> NDArray[np.int64]:
        """What stands for these days, a row each; ``turned``: as the second of the two has it."""
        found = np.array([self.days[start] for start in starts], dtype=np.int64)
        if turned:
            stakes = (found.shape[1] - 4) // 2
            order = [0, 1, 2, 3, *range(4 + stakes, 4 + 2 * stakes), *range(4, 4 + stakes)]
            found = found[:, order] * np.array([1, -1, 1, -1, *[1] * 2 * stakes])
        return found


def _numbers(day: ContestDay) -> list[int]:
    return [day.rows, day.better, day.squares, day.gained, *day.wins, *day.losses]


def pair_of(version: str, other: str) -> str:
    """Its name: whichever is named first."""
    return msgspec.json.encode(sorted((version, other))).decode()
