"""What a fact of another topic is on the ledger: the intake's fold of one partition, a pure function of its records."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...schemas.configuration import Configuration
from ...schemas.messages.action import (
    MOST_BLOCKING,
    MOST_LEFT_OUT,
    MOST_VERSIONS,
    ActionCoincidence,
    ActionEpisode,
    ActionIncident,
    ActionLabels,
    ActionModel,
    LedgerFact,
)
from ...schemas.messages.action_data import ActionGolden, ActionReviewed
from ...schemas.messages.action_version import ActionContest, ActionEvaluation
from ...schemas.messages.coincidence import Coincidence
from ...schemas.messages.contest import Contest
from ...schemas.messages.drift import DriftEvent, moment
from ...schemas.messages.golden import FROM_NOTHING, GoldenEvaluation
from ...schemas.messages.golden_set import GoldenAnnouncement
from ...schemas.messages.model_event import ModelEvent
from ...schemas.messages.performance import Performance
from ...schemas.messages.progress import InputPartition
from ...schemas.messages.reviewed import Reviewed
from ...schemas.messages.root_cause import MOST_FEATURES, MOST_REASON, RootCauseEvent
from ...schemas.stored.snapshot import FORM, PartitionState
from ..reference.ledger import policies_of

Said = RootCauseEvent | DriftEvent | ModelEvent | Coincidence | Performance | Reviewed | Contest | GoldenEvaluation | GoldenAnnouncement
#: Labels are told in multiples of so large a part of the fewest that a policy waits for.
PART = 10
#: Intervals of prediction time whose labels are counted apart, of a model: more than labels can still come to (a year of hours is 8,760, a
#: month of minutes 43,200, and of each version). Where there are more, so large a part of them is left, the newest.
MOST_INTERVALS, LEFT = 50_000, 0.9
#: Of a golden set: what fewer rows of a slice have lost may be the luck of one.
FEWEST_OF_SLICE = 50
#: Of these metrics more is better.
_MORE_IS_BETTER = ("accuracy", "precision", "recall", "f1", "auc", "r2")


@dataclass
class _Labelled:
    """Labels of one model, by interval, as they were told last."""

    intervals: dict[str, tuple[int, int]] = field(default_factory=dict)  #: where each begins, and its labels
    before: int = 0  #: of intervals that are counted apart no more
    told: int = 0
    forgotten: int | None = None  #: of those the newest begins here: what is said of one again is not counted again
    _sum: int = field(init=False)

    def __post_init__(self) -> None:
        self._sum = sum(labelled for _, labelled in self.intervals.values())

    def total(self, key: str, start: int, labelled: int) -> int:
        """With what an interval has now."""
        known = self.intervals.get(key, (start, 0))[1]
        if labelled > known and (self.forgotten is None or start > self.forgotten):
            self.intervals[key] = start, labelled
            self._sum += labelled - known
            if len(self.intervals) > MOST_INTERVALS:
                self._forget()
        return self.before + self._sum

    def _forget(self) -> None:
        """The oldest ones, by what they are of: not by when they were first told of, for of those more may come."""
        oldest = sorted(self.intervals, key=lambda key: (self.intervals[key][0], key))[: len(self.intervals) - int(MOST_INTERVALS * LEFT)]
        for key in oldest:
            self.forgotten, labelled = self.intervals.pop(key)
            self.before, self._sum = self.before + labelled, self._sum - labelled

    def plain(self) -> list[Any]:  # numbers
        """As it stands in a snapshot."""
        return [self.intervals, self.before, self.told, self.forgotten]


@dataclass
class Copying:
    """The facts of one partition, for the models that have policies."""

    configuration: Configuration
    labelled: dict[str, _Labelled] = field(default_factory=dict)
    reviewed: dict[str, _Labelled] = field(default_factory=dict)
    facts: int = 0
    changed: bool = False
    append_time: bool = False

    def situated(self, place: InputPartition, append_time: bool) -> None:
        """Whether the times of the next records are the log's: where they are their writers', with ``clock: record``, they say nothing."""
        self.append_time = append_time

    @classmethod
    def restored(cls, configuration: Configuration, fold: Mapping[str, Any]) -> "Copying":
        """From what stands in a snapshot."""
        counted = (fold.get(name, {}) for name in ("labelled", "reviewed"))
        labelled, reviewed = ({model: _Labelled(*plain) for model, plain in own.items()} for own in counted)
        return cls(configuration, labelled, reviewed)

    def feed(self, offset: int, appended: int, fact: Said) -> Sequence[LedgerFact]:
        """What it is on the ledger, for each model that it concerns."""
        said = [one for model in self._concerned(fact) for one in self._of(model, appended, fact)]
        self.facts += len(said)
        return said

    def _concerned(self, fact: Said) -> Sequence[str]:
        """Of those that have policies."""
        own = policies_of(self.configuration)
        return list(own) if fact.model is None else [fact.model] if fact.model in own else []

    def _of(self, model: str, appended: int, fact: Said) -> Sequence[LedgerFact]:
        if isinstance(fact, RootCauseEvent):
            return [_incident(fact)]
        if isinstance(fact, DriftEvent):
            return [_episode(fact)]
        if isinstance(fact, Performance):
            return self._labels(model, fact)
        if isinstance(fact, Reviewed):
            return self._reviewed(model, fact)
        if isinstance(fact, GoldenAnnouncement):
            return self._golden(model, fact)
        if isinstance(fact, Contest | GoldenEvaluation):
            return [_of_version(fact, self.append_time)] if self.configuration.models[model].promotion is not None else []
        time = appended if fact.time is None and self.append_time else fact.time
        if isinstance(fact, Coincidence):
            return [ActionCoincidence(model=model, of=fact.type_, ref=fact.ref, source=fact.source, fact_id=fact.id, time=time)]
        own = {"version": fact.version, "job": fact.job, "parent": fact.parent, "reference": fact.reference, "by": fact.by}
        return [ActionModel.model_validate({"model": model, "event": fact.kind, "fact_id": fact.id, "time": time, **own})]

    def _labels(self, model: str, fact: Performance) -> Sequence[ActionLabels]:
        steps = [one.new_labels for one in self.configuration.models[model].retrain.values() if one.new_labels is not None]
        if fact.segment is not None or not steps:
            return []
        own = self.labelled.setdefault(model, _Labelled())
        part = max(1, min(steps) // PART)
        total = own.total(fact.key, fact.start, fact.labelled) // part * part  # the same in the end, however many were told of on the way
        if total <= own.told:
            return []
        own.told = total
        return [ActionLabels(model=model, total=total, time=fact.through)]

    def _reviewed(self, model: str, fact: Reviewed) -> Sequence[ActionReviewed]:
        own = self.reviewed.setdefault(model, _Labelled())
        total = own.total(fact.key, fact.start, fact.answered)
        if total <= own.told:
            return []
        own.told = total
        return [ActionReviewed(model=model, total=total, time=fact.time)]

    def _golden(self, model: str, fact: GoldenAnnouncement) -> Sequence[ActionGolden]:
        """Of the one that is configured, where one is, else of all: the last is in use."""
        golden = self.configuration.models[model].golden
        if golden is None or golden.set not in (None, fact.golden):
            return []
        return [ActionGolden(model=model, golden=fact.golden, name=fact.key, announced=fact.announced, time=fact.time)]

    def due(self, now: int) -> Sequence[LedgerFact]:
        """Nothing: a fact waits for nothing."""
        return []

    def resumed(self) -> Sequence[LedgerFact]:
        """Nothing."""
        return []

    def snapshot(self, position: int) -> tuple[PartitionState, Mapping[str, bytes]]:
        """The labels that have been counted."""
        fold = {
            name: {model: own.plain() for model, own in counted.items()}
            for name, counted in (("labelled", self.labelled), ("reviewed", self.reviewed))
        }
        return PartitionState(form=FORM, position=position, states=(), aligners={}, pending=(), fold=fold), {}

    def totals(self) -> Mapping[str, int]:
        """Facts copied."""
        return {"facts": self.facts}


def _incident(event: RootCauseEvent) -> ActionIncident:
    gate, training = event.retrain_gate, event.mitigation.training_data
    kept = {"recompute": training.recompute[:MOST_FEATURES], "exclude": training.exclude[-MOST_LEFT_OUT:]}
    return ActionIncident(
        model=event.model,
        time=event.run,
        incident=event.incident,
        revision=event.revision,
        status=event.status,
        version=event.version,
        versions=event.versions[-MOST_VERSIONS:],
        reference=event.reference,
        decision=gate.decision,
        actions=gate.actions,
        because=gate.because[:MOST_REASON],
        blocked_by=tuple(sorted(gate.blocked_by, key=lambda one: one != event.incident)[:MOST_BLOCKING]),
        cause=event.cause,
        subtype=event.subtype,
        features=event.scope.features[:MOST_FEATURES],
        onset=event.onset.window[0],
        run=event.run,
        confidence=event.confidence,
        labelled=event.windows.labelled,
        training=training.model_copy(update=kept),
    )


def _episode(event: DriftEvent) -> ActionEpisode:
    told = event.performance
    return ActionEpisode(
        model=event.model,
        time=event.time,
        episode=event.episode,
        sequence=event.sequence,
        status=event.status,
        of=event.kind,
        severity=event.severity,
        version=event.version,
        reference=event.reference,
        onset=moment(event.onset),
        metric=None if told is None else told.metric,
        was=None if told is None else told.was,
        now=None if told is None else told.now,
        worse=None if told is None else worse(told.metric, told.was, told.now),
        reason=event.reason,
    )


def _of_version(fact: Contest | GoldenEvaluation, append_time: bool) -> ActionContest | ActionEvaluation:
    """With ``clock: record`` it says nothing when an evaluation was over: that is the wall's time."""
    if isinstance(fact, Contest):
        return ActionContest(
            model=fact.model,
            time=fact.through,
            version=fact.version,
            other=fact.other,
            partition=fact.partition,
            place=fact.place,
            day=fact.day,
            days=fact.days,
        )
    known = [(one.change, one.name) for one in fact.slices if one.change is not None and one.common >= FEWEST_OF_SLICE]
    most = max(known, default=None)
    return ActionEvaluation(
        model=fact.model,
        time=(fact.answered or fact.asked) if append_time else fact.asked,
        version=fact.version,
        request=fact.request,
        golden=fact.golden,
        status=fact.status,
        verdict=fact.verdict,
        change=fact.change,
        slice=None if most is None else most[1],
        slice_change=None if most is None else most[0],
        asked=fact.asked,
        against=fact.against_version,
        cause=fact.cause,
    )


def worse(metric: str, was: float | None, now: float | None) -> float | None:
    """By what share of what it was a metric is worse now; below 0: better. None: nobody knows. From nothing it is more than any share.

    >>> worse("accuracy", 0.8, 0.6), worse("mae", 2.0, 3.0), worse("mae", None, 3.0)
    (0.25, 0.5, None)
    >>> worse("mae", 0.0, 3.0), worse("mae", 0.0, 0.0), worse("accuracy", 0.0, 0.1)
    (1000000.0, 0.0, -1000000.0)
    """
    if was is None or now is None:
        return None
    change = (was - now) if metric in _MORE_IS_BETTER else (now - was)
    if not was:
        return math.copysign(FROM_NOTHING, change) if change else 0.0
    return round(change / abs(was), 6)
