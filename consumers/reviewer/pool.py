"""The candidates of one model's slots that are not yet drawn from, and drawing them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from ...detectors.sampling.chance import draws, unit
from ...detectors.sampling.slot import draw, needed
from ...detectors.sampling.weights import DRIFTING
from ...schemas.messages.candidates import Candidate, Candidates
from ...schemas.messages.review import MOST_DRIFTING, ReviewRequest, ReviewSlot, case_of
from ..streams.slots import Slots
from .groups import leaders_of

#: More than any budget.
_ANY = 1 << 31, 1 << 31


class Whose(NamedTuple):
    """Of what run a candidate is."""

    topic: str
    topic_id: str
    partition: int
    bucket: int
    version: str
    reference: str | None


@dataclass
class Pool:
    """Of one slot."""

    rows: int = 0
    complete: bool = True
    clock_decided: bool = False
    kept: list[tuple[Whose, Candidate]] = field(default_factory=list)
    most: tuple[int, int] = _ANY  #: what is kept suffices for so many cases, and so many uniform ones: the budget may have grown

    def add(self, found: Candidates, slots: Slots) -> None:
        """Take what was kept of a run; of a pool that grows what no sample can need any more goes."""
        whose = Whose(found.topic, found.topic_id, found.partition, found.bucket, found.version, found.reference)
        self._take(found.rows, [(whose, one) for one in found.kept], (found.cases, found.uniform), slots)

    def merge(self, other: "Pool", slots: Slots) -> None:
        """Take all of another slot's."""
        self.complete, self.clock_decided = self.complete and other.complete, self.clock_decided or other.clock_decided
        self._take(other.rows, other.kept, other.most, slots)

    def _take(self, rows: int, kept: Sequence[tuple[Whose, Candidate]], most: tuple[int, int], slots: Slots) -> None:
        self.rows += rows
        self.kept += kept
        self.most = min(self.most[0], most[0], slots.most[0]), min(self.most[1], most[1], slots.most[1])
        if len(self.kept) > 1:
            still = needed(self._chances(), self._weights(), *slots.most, DRIFTING)
            self.kept = [self.kept[place] for place in np.flatnonzero(still).tolist()]

    def drawn(
        self, application: str, model: str, slot: tuple[int, int], slots: Slots, drifting: Sequence[str]
    ) -> list[ReviewRequest | ReviewSlot]:
        """The requests of a slot, given by start and end, then what is said of it. A function of what is in it, in any order."""
        start, end = slot
        self.kept.sort(key=lambda one: (one[0].topic, one[0].topic_id, one[0].partition, one[1].offset))
        weights = self._weights() * np.array([_grown(one, drifting) for _, one in self.kept])
        cases, uniform = slots.cases(end, start), slots.uniform(end, start)
        if self.rows > len(self.kept):
            cases, uniform = min(cases, self.most[0]), min(uniform, self.most[1])
        found = draw(self._chances(), weights, cases, uniform)
        said: list[ReviewRequest | ReviewSlot] = []
        drawn = [self.kept[row] for row in found.rows.tolist()]
        names = [case_of(application, model, whose.topic_id, whose.partition, one.offset) for whose, one in drawn]
        groups = leaders_of([(whose.reference, one) for whose, one in drawn])
        columns = names, groups, found.rows.tolist(), found.probability.tolist(), found.uniform.tolist()
        for (whose, one), case, leader, row, probability, alike in zip(drawn, *columns, strict=True):
            said.append(
                ReviewRequest(
                    case=case,
                    model=model,
                    version=whose.version,
                    reference=whose.reference,
                    segment=one.segment,
                    slot=end,
                    asked=end,
                    bucket=whose.bucket,
                    topic=whose.topic,
                    topic_id=whose.topic_id,
                    partition=whose.partition,
                    offset=one.offset,
                    prediction_id=one.prediction_id,
                    prediction_hash=one.prediction_hash,
                    prediction=one.prediction,
                    score=one.score,
                    p=None if one.level is None else (1.0, 0.05, 0.005)[one.level],
                    weight=float(weights[row]),
                    probability=probability,
                    uniform=alike,
                    uniform_probability=min(1.0, uniform / self.rows) if alike else None,
                    group=names[leader] if one.shown else None,
                    again=int(case[:8], 16) < slots.settings.twice * 2**32,
                    shown=one.shown,
                )
            )
        last = ReviewSlot(
            application=application,
            model=model,
            slot=end,
            start=start,
            rows=self.rows,
            cases=len(said),
            uniform=int(found.uniform.sum()),
            drifting=tuple(drifting[:MOST_DRIFTING]),
            complete=self.complete,
            clock_decided=self.clock_decided,
        )
        return [*said, last]

    def plain(self) -> dict[str, Any]:  # plain data
        """As it stands in a snapshot."""
        kept = [[*whose, one.model_dump()] for whose, one in self.kept]
        return {"rows": self.rows, "complete": self.complete, "clock_decided": self.clock_decided, "kept": kept, "most": self.most}

    @classmethod
    def restored(cls, plain: dict[str, Any]) -> "Pool":
        """What `plain` wrote."""
        kept = [(Whose(*whose), Candidate.model_validate(one)) for *whose, one in plain["kept"]]
        return cls(plain["rows"], plain["complete"], plain["clock_decided"], kept, tuple(plain["most"]))

    def _chances(self) -> Any:  # floats, shape [kept]
        found = [unit(draws(whose.topic_id, whose.partition, np.array([one.offset]))) for whose, one in self.kept]
        return np.concatenate(found) if found else np.zeros(0)

    def _weights(self) -> Any:  # floats, shape [kept]
        return np.array([one.weight for _, one in self.kept], dtype=np.float64)


def _grown(one: Candidate, drifting: Sequence[str]) -> float:
    return DRIFTING if one.segment is not None and one.segment in drifting else 1.0
