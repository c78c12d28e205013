"""The diagnoser: evidence of all kinds in, root causes out. A fold.

*Guarantee.* That of the folding consumer (`driftbus.consumers.process.folding`): root causes are a pure function of a summaries partition.
What is stored of an incident beside the log lies there under the hash of its content, before the event that names it is written.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from ...detectors.diagnosis.reading import Reading, Whose
from ...detectors.outcomes.layout import layout
from ...schemas.cloud_events import Headers
from ...schemas.configuration import Configuration
from ...schemas.messages.episode import EPISODE, EpisodeNote
from ...schemas.messages.evidence import Evidence
from ...schemas.messages.feedback import Feedback
from ...schemas.messages.golden import GoldenEvaluation
from ...schemas.messages.pane import Pane
from ...schemas.messages.progress import Progress
from ...schemas.stored.reference import Reference
from ...schemas.stored.snapshot import PartitionState
from ..bus import own
from ..bus.addressing import addressed
from ..bus.interface import Output
from ..process.consumer import Making
from ..process.folding import Folding
from ..process.plugins import metrics_for
from ..reference import feedback
from ..reference.agreement import comparisons
from ..reference.artifacts import ArtifactStore
from ..reference.calibrations import Named, calibration_of
from ..reference.outcomes import Bases
from ..streams.summaries import fact_of
from .archive import FOLDER
from .exhibit import Fact
from .fold import Fold, ReadingOf
from .kinds import FEEDBACK, GOLDEN, MODEL, ORDER
from .known import said_of_models
from .model import Published
from .settings import thresholds_of

ROLE = "diagnoser"
#: References of which it is remembered how windows are read.
_MOST_KNOWN = 256
_READERS: Mapping[str, Callable[[bytes], Fact | Progress]] = {
    Pane.TYPE: Pane.decoded,
    Evidence.TYPE: Evidence.decoded,
    Progress.TYPE: Progress.decoded,
}
_FACTS: Mapping[str, Callable[[dict[str, Any]], object]] = {
    MODEL: said_of_models,
    GOLDEN: GoldenEvaluation.model_validate,
    EPISODE: EpisodeNote.model_validate,
    FEEDBACK: Feedback.model_validate,
}


def make(making: Making) -> list[Folding[Fact | Progress, Published]]:
    """The one diagnoser of a process; none where no causes are looked for."""
    configuration = making.configuration
    if not feedback.asked(configuration):
        return []
    for model in configuration.models:
        thresholds_of(configuration, model)
    return [Folding(making.bus, configuration, Diagnosing(configuration, making.store), making.wall)]


class Diagnosing:
    """Folds of the summaries, and how their events are written."""

    role = ROLE
    lasting = True

    def __init__(self, configuration: Configuration, store: ArtifactStore) -> None:
        self._configuration, self._incidents = configuration, store.beside(FOLDER)
        self._reading_of = readings(configuration, store)
        self.topic = configuration.topics.summaries
        models = (*configuration.models, "")
        self._calibrations = {model: calibration_of(configuration, model, store) for model in models}

    def read(self, key: bytes | None, value: bytes | None, headers: Headers) -> Fact | Progress | None:
        """A pane, a fact, or progress. Strangers among the summaries are the detector's to tell of, unless it does not see that they are:
        of what is only read here it tells nothing. Raises `driftbus.consumers.bus.own.Unreadable` for these.
        """
        try:
            fact = own.read(self._configuration.application, _READERS, value, headers)
            if isinstance(fact, Progress) or fact is None:
                return fact
            if fact.of not in ORDER:
                return None
            if isinstance(fact, Evidence):
                _FACTS[fact.of](fact.fact)
        except (own.Foreign, own.Unreadable, ValueError) as error:
            if isinstance(error, own.Unreadable) and self._looks_whole(value, headers):
                raise
            return None
        return fact

    def _looks_whole(self, value: bytes | None, headers: Headers) -> bool:
        """Whether it is a pane for us that others can read."""
        try:
            fact = fact_of(self._configuration.application, value, headers)
        except own.Unreadable:
            return False
        return isinstance(fact, Pane) and fact.of in ORDER

    def begin(self) -> Fold:
        """Nothing seen."""
        return Fold(self._configuration, self._reading_of, self._calibration_of)

    def restore(self, state: PartitionState, parts: Mapping[str, bytes], facts: Mapping[int, Fact | Progress]) -> Fold:
        """From a snapshot and the facts it awaits."""
        awaited = {offset: fact for offset, fact in facts.items() if not isinstance(fact, Progress)}
        return Fold.restored(self._configuration, self._reading_of, state, parts, awaited, self._calibration_of)

    def _calibration_of(self, model: str) -> Named | None:
        """Of one that the configuration does not list, what holds for all such."""
        return self._calibrations[model if model in self._calibrations else ""]

    def outputs(self, said: Published, partition: int) -> list[Output]:
        """One root cause; what it names is stored first."""
        if said.archived is not None:
            self._incidents.put(said.archived.content)
        return [addressed(self._configuration, self._configuration.topics.root_causes, said.event, partition)]


def readings(configuration: Configuration, store: ArtifactStore) -> ReadingOf:
    """How the windows of each model's references are read; the last ones asked for are kept."""
    bases, comparison_of = Bases(configuration, store.reference, metrics_for(configuration)), comparisons(configuration)

    @lru_cache(maxsize=_MOST_KNOWN)
    def reading_of(model: str, reference: str) -> tuple[Reference, Reading]:
        settings = configuration.model(model)

        def whose(name: str) -> Whose:
            field = settings.feature(name)
            source = configuration.source(field.source)
            aged = configuration.as_of(model, name) is not None
            return Whose(field.source, field.owner or source.owner, source.same_code, aged)

        outcomes = None if settings.labels is None else layout(bases(model, reference, settings.labels))
        profile = store.reference(reference)
        return profile, Reading(profile, outcomes, whose, comparison_of(model, reference, profile.fields))

    return reading_of
