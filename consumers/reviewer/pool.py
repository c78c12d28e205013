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
        self.rows += found.rows
        self.kept += ((whose, one) for one in found.kept)
        self.most = min(self.most[0], found.cases, slots.most[0]), min(self.most[1], found.uniform, slots.most[1])
        if len(self.kept) > 1:
            still = needed(self._chances(), self._weights(), *slots.most, DRIFTING)
            self.kept = [self.kept[place] for place in np.flatnonzero(still).tolist()]

    def drawn(self, application: str, model: str, end: int, slots: Slots, drifting: Sequence[str]) -> list[ReviewRequest | ReviewSlot]:
        """The slot's requests, then what is said of it. A function of what is in it, in whatever order that came."""
        self.kept.sort(key=lambda one: (one[0].topic, one[0].topic_id, one[0].partition, one[1].offset))
        weights = self._weights() * np.array([_grown(one, drifting) for _, one in self.kept])
        cases, uniform = slots.cases(end), slots.uniform(end)
        if self.rows > len(self.kept):
            cases, uniform = min(cases, self.most[0]), min(uniform, self.most[1])
        found = draw(self._chances(), weights, cases, uniform)
        said: list[ReviewRequest | ReviewSlot] = []
        groups: dict[str, str] = {}
        for row, probability, alike in zip(found.rows.tolist(), found.probability.tolist(), found.uniform.tolist(), strict=True):
            whose, one = self.kept[row]
            case = case_of(application, model, whose.topic_id, whose.partition, one.offset)
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
                    group=groups.setdefault(_alike(one), case) if one.shown else None,
                    again=int(case[:8], 16) < slots.settings.twice * 2**32,
                    shown=one.shown,
                )
            )
        last = ReviewSlot(
            application=application,
            model=model,
            slot=end,
            start=slots.tiling.start(end - 1),
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


def _alike(one: Candidate) -> str:
    """The same of rows that show a reviewer the same, but for case and spaces."""
    return repr(
        [(name, " ".join(value.casefold().split()) if isinstance(value, str) else value) for name, value in sorted(one.shown.items())]
    )
