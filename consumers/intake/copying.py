"""What a fact of another topic is on the ledger: the intake's fold of one partition, a pure function of its records."""

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
from ...schemas.messages.coincidence import Coincidence
from ...schemas.messages.drift import DriftEvent, moment
from ...schemas.messages.model_event import ModelEvent
from ...schemas.messages.performance import Performance
from ...schemas.messages.progress import InputPartition
from ...schemas.messages.root_cause import MOST_FEATURES, MOST_REASON, RootCauseEvent
from ...schemas.stored.snapshot import FORM, PartitionState

Said = RootCauseEvent | DriftEvent | ModelEvent | Coincidence | Performance
#: Labels are told in multiples of so large a part of the fewest that a policy waits for.
PART = 10
#: Intervals of prediction time whose labels are counted apart, of a model: of older ones nothing more comes.
MOST_INTERVALS = 5_000
#: Of these metrics more is better.
_MORE_IS_BETTER = ("accuracy", "precision", "recall", "f1", "auc", "r2")


@dataclass
class _Labelled:
    """Labels of one model, by interval, as they were told last."""

    intervals: dict[str, int] = field(default_factory=dict)
    before: int = 0  #: of intervals that are counted apart no more
    told: int = 0

    def total(self, key: str, labelled: int) -> int:
        """With what an interval has now."""
        self.intervals[key] = max(labelled, self.intervals.get(key, 0))
        while len(self.intervals) > MOST_INTERVALS:
            self.before += self.intervals.pop(next(iter(self.intervals)))
        return self.before + sum(self.intervals.values())


@dataclass
class Copying:
    """The facts of one partition, for the models that have policies."""

    configuration: Configuration
    labelled: dict[str, _Labelled] = field(default_factory=dict)
    facts: int = 0
    changed: bool = False
    append_time: bool = False

    def situated(self, place: InputPartition, append_time: bool) -> None:
        """Whether the times of the next records are the log's: where they are their writers', with ``clock: record``, they say nothing."""
        self.append_time = append_time

    @classmethod
    def restored(cls, configuration: Configuration, fold: Mapping[str, Any]) -> "Copying":
        """From what stands in a snapshot."""
        return cls(configuration, {model: _Labelled(*plain) for model, plain in fold.get("labelled", {}).items()})

    def feed(self, offset: int, appended: int, fact: Said) -> Sequence[LedgerFact]:
        """What it is on the ledger, for each model that it concerns."""
        said = [one for model in self._concerned(fact) for one in self._of(model, appended, fact)]
        self.facts += len(said)
        return said

    def _concerned(self, fact: Said) -> Sequence[str]:
        """Of those that have policies."""
        own = [name for name, model in self.configuration.models.items() if model.retrain]
        return own if fact.model is None else [fact.model] if fact.model in own else []

    def _of(self, model: str, appended: int, fact: Said) -> Sequence[LedgerFact]:
        if isinstance(fact, RootCauseEvent):
            return [_incident(fact)]
        if isinstance(fact, DriftEvent):
            return [_episode(fact)]
        if isinstance(fact, Performance):
            return self._labels(model, fact)
        time = appended if fact.time is None and self.append_time else fact.time
        if isinstance(fact, Coincidence):
            return [ActionCoincidence(model=model, of=fact.type_, ref=fact.ref, fact_id=fact.id, time=time)]
        return [
            ActionModel(model=model, event=fact.kind, version=fact.version, job=fact.job, parent=fact.parent, fact_id=fact.id, time=time)
        ]

    def _labels(self, model: str, fact: Performance) -> Sequence[ActionLabels]:
        steps = [one.new_labels for one in self.configuration.models[model].retrain.values() if one.new_labels is not None]
        if fact.segment is not None or not steps:
            return []
        own = self.labelled.setdefault(model, _Labelled())
        part = max(1, min(steps) // PART)
        total = own.total(fact.key, fact.labelled) // part * part  # the same in the end, however many were told of on the way
        if total <= own.told:
            return []
        own.told = total
        return [ActionLabels(model=model, total=total, time=fact.through)]

    def due(self, now: int) -> Sequence[LedgerFact]:
        """Nothing: a fact waits for nothing."""
        return []

    def resumed(self) -> Sequence[LedgerFact]:
        """Nothing."""
        return []

    def snapshot(self, position: int) -> tuple[PartitionState, Mapping[str, bytes]]:
        """The labels that have been counted."""
        labelled = {model: [own.intervals, own.before, own.told] for model, own in self.labelled.items()}
        return PartitionState(form=FORM, position=position, states=(), aligners={}, pending=(), fold={"labelled": labelled}), {}

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


def worse(metric: str, was: float | None, now: float | None) -> float | None:
    """By what share of what it was a metric is worse now; below 0: better. None: nobody knows.

    >>> worse("accuracy", 0.8, 0.6), worse("mae", 2.0, 3.0), worse("mae", 0.0, 3.0)
    (0.25, 0.5, None)
    """
    if was is None or now is None or not was:
        return None
    return round(((was - now) if metric in _MORE_IS_BETTER else (now - was)) / abs(was), 6)
