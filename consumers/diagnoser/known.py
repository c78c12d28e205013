"""What is known of a model beside its windows: its evaluations, what was done to it, and which episodes there are."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ...detectors.diagnosis.evidence import Coincident, Evaluated
from ...detectors.diagnosis.windows import BEFORE_A_CHANGE, LEAST_BASELINE, Span
from ...detectors.golden.losses import mean_loss
from ...schemas.messages.coincidence import Coincidence
from ...schemas.messages.episode import EPISODE, EpisodeNote
from ...schemas.messages.evidence import Evidence
from ...schemas.messages.golden import GoldenEvaluation
from ...schemas.messages.model_event import ModelEvent
from .kinds import GOLDEN

#: Evaluations, and things done, of one model that are remembered: the newest.
MOST_FACTS = 200
#: Episodes of one model that are remembered: open ones, and of those that are over the newest.
MOST_EPISODES = 500
#: Of what an episode may come and go with the hour.
_SWINGING = {"input", "output", "pairs", "text", "volume"}
#: What is done with a version that changes what it answers.
_CHANGES = {"deployed", "promoted", "rolled_back"}


class Episode(NamedTuple):
    """As the last note of it says."""

    id: str
    version: str
    kind: str
    onset: int  #: ms
    opened: int  #: ms, the end of the bucket that opened it
    ended: int | None  #: ms
    signals: tuple[str, ...]  #: names of what it is about
    serious: bool  #: it is major, or was in the end, and of what swings with no season


@dataclass
class Known:
    """Of one model."""

    evaluated: list[Evaluated] = field(default_factory=list)
    coincident: list[Coincident] = field(default_factory=list)
    episodes: dict[str, Episode] = field(default_factory=dict)

    def take(self, evidence: Evidence) -> bool:
        """A fact of the model; whether it is news."""
        if evidence.of == EPISODE:
            self._note(evidence, EpisodeNote.model_validate(evidence.fact))
            return True
        if evidence.of == GOLDEN:
            return self._evaluate(GoldenEvaluation.model_validate(evidence.fact))
        event = said_of_models(evidence.fact)
        if isinstance(event, Coincidence):
            return self._remember(Coincident(evidence.about, event.type_, event.ref, event.source, event.features))
        if event.kind not in _CHANGES:
            return False
        return self._remember(Coincident(evidence.about, "model", f"{event.model} {event.version}"))

    def _remember(self, done: Coincident) -> bool:
        self.coincident = sorted([*self.coincident, done], key=_in_time)[-MOST_FACTS:]
        return True

    def evaluations(self, version: str) -> list[Evaluated]:
        """Those of a version, and in front of them those of the one that its first was compared with: what another one loses says nothing
        of it. By golden set, for only on one set losses are compared."""
        first: dict[str, Evaluated] = {}
        for one in self.evaluated:
            if one.version == version:
                first.setdefault(one.golden, one)
        return [one for one in self.evaluated if one.version == version or _before(one, first.get(one.golden))]

    def amiss(self, version: str) -> list[Span]:
        """When some episode of a version was open; of those that are over the serious ones: others come and go with a season."""
        return [
            Span(
                min(one.onset, one.opened - 1),
                one.ended,
                BEFORE_A_CHANGE if one.serious else LEAST_BASELINE,
                None if one.kind == "ood" else frozenset(one.signals),
            )
            for one in self._of(version)
            if one.serious or one.ended is None
        ]

    def about(self, version: str, features: Collection[str], onset: int, near: int) -> list[str]:
        """Episodes with a signal among the features, which opened or began near an onset; without features all that are open."""
        found = (
            one
            for one in self._of(version)
            if (one.ended is None if not features else not set(features).isdisjoint(one.signals))
            and (not features or min(abs(one.onset - onset), abs(one.opened - onset)) <= near)
        )
        return sorted(one.id for one in found)

    def open(self, version: str) -> bool:
        """Whether an episode of a version is."""
        return any(one.ended is None for one in self._of(version))

    def _of(self, version: str) -> list[Episode]:
        return [one for one in self.episodes.values() if one.version == version]

    def _note(self, evidence: Evidence, note: EpisodeNote) -> None:
        names = tuple(sorted({part for one in note.signals for part in one.name.split(" × ")}))
        ended = evidence.bucket if note.status == "resolved" else None
        serious = note.severity == "major" and note.kind not in _SWINGING
        self.episodes[note.episode] = Episode(note.episode, evidence.version, note.kind, note.onset, note.opened, ended, names, serious)
        over = sorted((one for one in self.episodes.values() if one.ended is not None), key=lambda one: (one.ended, one.id))
        for one in over[: max(len(self.episodes) - MOST_EPISODES, 0)]:
            del self.episodes[one.id]

    def _evaluate(self, evaluation: GoldenEvaluation) -> bool:
        loss = mean_loss(evaluation.loss or "", evaluation.metrics)
        if evaluation.status == "failed" or evaluation.golden is None or loss is None:
            return False
        rows = evaluation.counts.get("answered", evaluation.rows)
        against = evaluation.against_version or ""
        self.evaluated.append(Evaluated(evaluation.asked, evaluation.golden, evaluation.version, loss, rows, against))
        self.evaluated = sorted(self.evaluated)[-MOST_FACTS:]
        return True

    def plain(self) -> list[Any]:  # plain data
        """As it stands in a snapshot."""
        return [[list(one) for one in some] for some in (self.evaluated, self.coincident, self.episodes.values())]

    @classmethod
    def restored(cls, plain: list[Any]) -> "Known":
        """What `plain` wrote."""
        evaluated, coincident, episodes = plain
        return cls(
            [Evaluated(*one) for one in evaluated],
            [Coincident(time, type_, ref, source, tuple(features)) for time, type_, ref, source, features in coincident],
            {one.id: one for one in map(_episode, episodes)},
        )


def said_of_models(fact: Mapping[str, object]) -> ModelEvent | Coincidence:
    """What lies on the models topic, as evidence has it. Raises `ValueError`."""
    return Coincidence.of(fact) if "type" in fact else ModelEvent.of(fact)


def _before(one: Evaluated, first: Evaluated | None) -> bool:
    """Whether it is of the version that another one's first was compared with, and no later than this."""
    return first is not None and one.version == first.against and one.time <= first.time


def _in_time(one: Coincident) -> tuple[int, str, str, str, tuple[str, ...]]:
    return one.time, one.type, one.ref, one.source or "", one.features


def _episode(plain: list[Any]) -> Episode:
    name, version, kind, onset, opened, ended, signals, serious = plain
    return Episode(name, version, kind, onset, opened, ended, tuple(signals), serious)
