"""The profiler: predictions in, panes out; and, of models that have labels or a feature log, blocks for the joiner. A fold.

Its guarantee is that of `driftbus.consumers.profiler.reader`: panes are written in the transaction of the records that they count.
"""

from collections.abc import Callable, Iterable, Sequence

from ...schemas.configuration import Configuration
from ...schemas.messages.progress import InputPartition, Progress, ReadRecords
from ..bus.addressing import addressed, partition_of
from ..bus.interface import Bus, Output
from ..decode.interface import Decoder
from ..decode.json import JSONDecoder
from ..decode.personal import keys_in
from ..process.consumer import Making
from ..reference.holding import HeldReferences
from ..streams.buckets import Buckets
from .evaluations import Evaluations
from .features import feature_readers
from .further import Asked
from .joins import published, said_to_joins
from .labels import label_readers
from .reader import ROLE, StreamReader
from .references import References
from .reviews import answer_readers
from .runs import ClosedRun
from .tally import Tally
from .unlike import Stage

__all__ = ["ROLE", "Profiler", "make"]


def make(making: Making) -> list[StreamReader]:
    """One for every stream, for every stream of labels, every feature log, and for what reviewers answer; they share what is announced."""
    references = HeldReferences(making.bus, making.configuration, making.store)
    readers: list[StreamReader] = [
        Profiler(
            making.bus,
            making.configuration,
            name,
            decoder_of(making.configuration, name),
            references,
            making.wall,
            Evaluations(making.bus, making.configuration),
        )
        for name in making.configuration.streams
    ]
    return readers + label_readers(making) + feature_readers(making, references) + answer_readers(making)


def decoder_of(configuration: Configuration, name: str) -> JSONDecoder:
    """Of a stream's messages, with what rules for personal data make of them."""
    stream = configuration.streams[name]
    return JSONDecoder(stream.mapping, stream.where, marked=configuration.tested_in(name), keys=keys_in(configuration, name))


class Profiler(StreamReader):
    """The reader of a stream of predictions."""

    def __init__(
        self,
        bus: Bus,
        configuration: Configuration,
        name: str,
        decoder: Decoder,
        references: References,
        wall: Callable[[], int],
        evaluations: Evaluations | None = None,
    ) -> None:
        side = _Predictions(configuration, name, decoder, references, evaluations or Evaluations(bus, configuration))
        super().__init__(bus, configuration, name, configuration.streams[name], side, wall)


class _Predictions:
    """What is made of predictions."""

    counted = "rows", "late", "panes", "golden"

    def __init__(self, configuration: Configuration, name: str, decoder: Decoder, references: References, evaluations: Evaluations) -> None:
        self._configuration, self._name, self._decoder, self._references = configuration, name, decoder, references
        self._evaluations = evaluations
        self.key, self._asked = f"streams.{name}", Asked.of(configuration, name)

    def keep_up(self) -> None:
        self._references.keep_up()

    def retired(self) -> dict[str, int]:
        return self._references.retired(self._name)

    def tally(self, place: InputPartition, tiling: Buckets) -> Tally:
        stage, withheld = Stage.of(self._configuration, self._name, place), self._configuration.withholds(self._name)
        return Tally(self._name, place, self._decoder, self._references, tiling, asked=self._asked, stage=stage, withheld=withheld)

    def outputs(self, run: ClosedRun) -> Iterable[Output]:
        """The panes, each where its model's evidence meets, and the blocks, each where its ids meet."""
        topics = self._configuration.topics
        for pane in run.panes:
            number = partition_of(pane.model, topics.partitions)
            yield from (addressed(self._configuration, topics.summaries, part, number, value) for part, value in pane.split())
        for kept in run.candidates:
            yield addressed(self._configuration, topics.summaries, kept, partition_of(kept.model, topics.partitions))
        yield from published(self._configuration, run.blocks)
        for sample in run.samples:
            yield addressed(self._configuration, topics.ood, sample, partition_of(sample.model, topics.partitions))
        yield from self._evaluations.told(self._name, run.golden)

    def progress(self, progress: Progress, closed: Sequence[ClosedRun]) -> Iterable[Output]:
        """To every partition of the summaries; what was read of a model only where its events are published."""
        topics = self._configuration.topics
        said = addressed(self._configuration, topics.summaries, progress, None)
        at_home: dict[int, list[ReadRecords]] = {}
        for one in (one for run in closed for one in run.read):
            at_home.setdefault(partition_of(one.model or self._name, topics.partitions), []).append(one)
        for number in range(topics.partitions):
            if number in at_home:
                parts = progress.with_read(at_home[number])
                yield from (addressed(self._configuration, topics.summaries, part, None)._replace(partition=number) for part in parts)
            else:
                yield said._replace(partition=number)
        if self._asked.waiting:
            yield from said_to_joins(self._configuration, progress)
