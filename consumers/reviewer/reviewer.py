"""The reviewer: candidates and notes of episodes in, requests out; requests and answers in, estimates and evidence out. Two folds.

*Guarantee.* Those of the folding consumer (`driftbus.consumers.process.folding`): who is asked about what is a pure function of a summaries
partition, and what the answers say one of a partition of the reviews. A process that dies asks nobody twice, and leaves nobody out.
"""

from collections.abc import Callable, Mapping

from pydantic import ValidationError

from ...schemas.cloud_events import Headers
from ...schemas.configuration import Configuration
from ...schemas.messages.candidates import Candidates
from ...schemas.messages.episode import EPISODE, EpisodeNote
from ...schemas.messages.evidence import Evidence
from ...schemas.messages.pane import REVIEWED
from ...schemas.messages.progress import InputPartition, Progress
from ...schemas.messages.reviewed import Reviewed
from ...schemas.stored.snapshot import PartitionState
from ..bus import own
from ..bus.addressing import addressed, partition_of
from ..bus.interface import Bus, Output
from ..process.consumer import Making
from ..process.folding import Folding
from ..reference import reviews
from .estimates import Estimates
from .facts import Estimated, Fact, Said
from .recorded import Recorded, known
from .sampling import Sampling

ROLE = "reviewer"
_READERS: Mapping[str, Callable[[bytes], Candidates | Evidence | Progress]] = {
    Candidates.TYPE: Candidates.decoded,
    Evidence.TYPE: Evidence.decoded,
    Progress.TYPE: Progress.decoded,
}


def make(making: Making) -> list[Folding[Fact, Said]]:
    """The one reviewer of a process; none where nobody is asked about anything."""
    configuration = making.configuration
    if not reviews.asked(configuration):
        return []
    return [Reviewing(making)]


class Reviewing(Folding[Fact, Said]):
    """The folding consumer of both folds, one of which reads what the other writes."""

    def __init__(self, making: Making) -> None:
        drawing, self._estimating = Drawing(making.bus, making.configuration), Estimating(making.configuration)
        super().__init__(making.bus, making.configuration, [drawing, self._estimating], making.wall, role=ROLE)
        self._drawn = False

    @property
    def done(self) -> bool:
        """Whether everything has been drawn from, by all of the group, and then what was drawn is folded."""
        if super().done and not self._drawn:
            self._drawn = self._estimating.over = True
            self.finish()
        return self._drawn and super().done


class Drawing:
    """Folds of the summaries, and how their requests are written."""

    role = ROLE

    def __init__(self, bus: Bus, configuration: Configuration) -> None:
        self._bus, self._configuration = bus, configuration
        self.topic = configuration.topics.summaries

    def read(self, key: bytes | None, value: bytes | None, headers: Headers) -> Fact | None:
        """Candidates, a note of an episode, or progress. Strangers among the summaries are the detector's to tell of."""
        try:
            fact = own.read(self._configuration.application, _READERS, value, headers)
            if isinstance(fact, Evidence):
                return fact if fact.of == EPISODE and EpisodeNote.model_validate(fact.fact) else None
        except (own.Foreign, own.Unreadable, ValidationError):
            return None
        return fact

    def begin(self) -> Sampling:
        """Nothing seen."""
        return Sampling(self._configuration, self._recorded())

    def restore(self, state: PartitionState, parts: Mapping[str, bytes], facts: Mapping[int, Fact]) -> Sampling:
        """From a snapshot, and the candidates and notes that it awaits."""
        found = {offset: fact for offset, fact in facts.items() if isinstance(fact, Candidates | Evidence)}
        return Sampling.restored(self._configuration, self._recorded(), state, parts, found)

    def _recorded(self) -> Recorded:
        return Recorded(self._configuration, known(self._bus, self._configuration))

    def outputs(self, said: Said, partition: int) -> list[Output]:
        """A request, or what is said of a slot."""
        assert not isinstance(said, Estimated)
        return [reviews.output(self._configuration, said)]


class Estimating:
    """Folds of the reviews, and how their estimates are written."""

    role = f"{ROLE}-estimates"

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self.topic = configuration.topics.reviews
        self.over = False  #: all has been drawn, so what there is of reviews is all

    def read(self, key: bytes | None, value: bytes | None, headers: Headers) -> Fact | None:
        """A request, an answer, or a slot."""
        return reviews.read(self._configuration.application, key, value, headers)

    def begin(self) -> Estimates:
        """Nothing seen."""
        return Estimates(self._configuration)

    def restore(self, state: PartitionState, parts: Mapping[str, bytes], facts: Mapping[int, Fact]) -> Estimates:
        """From a snapshot."""
        return Estimates.restored(self._configuration, state, parts)

    def outputs(self, said: Said, partition: int) -> list[Output]:
        """What is known of an interval; evidence and its progress where all that is of the model lies."""
        assert isinstance(said, Estimated)
        topics = self._configuration.topics
        if isinstance(said, Reviewed):
            return [addressed(self._configuration, topics.performance, said, partition_of(said.model, topics.partitions))]
        return [self._on_summaries(said)]

    def progress(self, place: InputPartition, partitions: int, now: int, *, anew: bool, ended: bool) -> list[Output]:
        """Of every model whose reviews lie there that there is somebody who reads them; at the end that nothing more is to come.

        How far they are complete slots say, and hours may be between two of these: who waits for them must know that it is not in vain.
        """
        return [
            self._on_summaries(Progress(stream=name, source=place, ended=ended and self.over, of=REVIEWED))
            for name, model in self._configuration.models.items()
            if model.review is not None
            and partition_of(name, self._configuration.topics.partitions) == place.partition
            and (ended or self._configuration.streams[self._configuration.stream_of(name)].clock == "live")
        ]

    def _on_summaries(self, said: Evidence | Progress) -> Output:
        """Where all that is of the model lies."""
        topics, model = self._configuration.topics, said.model if isinstance(said, Evidence) else said.stream
        return addressed(self._configuration, topics.summaries, said, partition_of(model, topics.partitions))
