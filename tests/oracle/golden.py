"""The rules of golden evaluations, executable: what is to be run, and what a result comes to, row by row.

Not the product's code: no messages, no bytes, no compaction. An oracle to test the product's fold against.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple


class Requested(NamedTuple):
    id: str
    version: str
    golden: str
    parent: str | None = None


class Started(NamedTuple):
    id: str
    attempt: int


class Result(NamedTuple):
    id: str
    attempt: int
    answers: tuple[int | str, ...]  # by row: the loss, or timeout | error | invalid


class Evaluation(NamedTuple):
    id: str
    status: str  # complete | partial | failed
    common: int  # rows answered both times
    change: int | None  # of the loss, on these
    against: str | None
    last_good: str | None
    good: bool


@dataclass
class Golden:
    attempts: int = 3
    enough: float = 0.95
    requested: dict[str, Requested] = field(default_factory=dict)
    attempt: dict[str, int] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)
    anchor: dict[tuple[str, str], tuple[str, tuple[int | str, ...]]] = field(default_factory=dict)
    good: dict[tuple[str, str], tuple[str, tuple[int | str, ...]]] = field(default_factory=dict)
    last_good: dict[str, tuple[str, tuple[int | str, ...]]] = field(default_factory=dict)

    def feed(self, record: Requested | Started | Result) -> list[Evaluation]:
        if isinstance(record, Requested):
            self.requested.setdefault(record.id, record)
        elif isinstance(record, Started):
            self.attempt[record.id] = max(record.attempt, self.attempt.get(record.id, 0))
        elif record.id not in self.done and record.attempt == self.attempt.get(record.id, 0):
            self.done.add(record.id)
            return [self._judge(self.requested[record.id], record.answers)]
        return []

    def open(self) -> list[tuple[str, int | None]]:
        """What the runner has to do: (id, attempt to start); None: tried often enough."""
        todo = [id_ for id_ in self.requested if id_ not in self.done]
        return [(id_, n + 1 if (n := self.attempt.get(id_, 0)) < self.attempts else None) for id_ in todo]

    def _judge(self, request: Requested, answers: tuple[int | str, ...]) -> Evaluation:
        right = [i for i, answer in enumerate(answers) if isinstance(answer, int)]
        share = len(right) / len(answers) if answers else 0.0
        status = "complete" if answers and share == 1 else "partial" if share >= self.enough else "failed"
        place = request.version, request.golden
        last = self.last_good.get(request.golden)
        parent = self.good.get((request.parent, request.golden)) if request.parent else None
        if request.parent in (None, request.version):
            against = self.anchor.get(place) or parent or last
        else:  # it is asked how it is beside its parent: no other one of its own counts
            others = [one for (version, golden), one in self.good.items() if golden == request.golden and version != request.version]
            against = parent or (others[-1] if others else None)
        change, common, was = None, 0, 0
        if against and status != "failed":
            both = [(now, then) for now, then in zip(answers, against[1], strict=True) if isinstance(now, int) and isinstance(then, int)]
            common, was = len(both), sum(then for _, then in both)
            change = sum(now - then for now, then in both) if both else None
        good = status != "failed" and (change is None or change <= 0 or change * 20 < was)  # less than 5 % worse
        if status != "failed":
            self.anchor.setdefault(place, (request.id, answers))
            if good:
                self.good.pop(place, None)
                self.good[place] = self.last_good[request.golden] = (request.id, answers)
        told = against[0] if against and change is not None else None
        return Evaluation(request.id, status, common, change, told, last[0] if last else None, good)
