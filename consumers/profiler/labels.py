"""The label reader: labels in, blocks for the joiner out. A fold, of the profiler's role.

Its guarantee is that of `driftbus.consumers.profiler.reader`: blocks are written in the transaction of the labels that they hold.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ...schemas.configuration import Configuration, Labels
from ...schemas.messages.block import Whose
from ...schemas.messages.progress import InputPartition, Progress
from ...schemas.outcome import sampled
from ..bus.interface import Output
from ..decode.labels import LabelDecoder
from ..decode.personal import label_key
from ..process.consumer import Making
from ..streams.buckets import Buckets
from ..streams.cut import Cut, Item
from ..streams.records import Records, parts_of
from .joins import published, said_to_joins
from .reader import StreamReader
from .runs import NOTHING_ASIDE, ClosedRun, OpenRun, Runs, Taken
from .tally import MOST_DECODED_BYTES
from .waiting import Named, Waiting, rows_of


def label_readers(making: Making) -> list[StreamReader]:
    """One for every stream of labels."""
    configuration = making.configuration
    return [
        StreamReader(making.bus, configuration, name, configuration.read_as(name), _LabelSide(configuration, name), making.wall)
        for name in configuration.labels
    ]


class _LabelSide:
    """What is made of labels."""

    counted = ("labels",)

    def __init__(self, configuration: Configuration, name: str) -> None:
        self._configuration, self._name, self._labels = configuration, name, configuration.labels[name]
        self._decoder = LabelDecoder(self._labels)
        self._key = label_key(configuration, name)
        self.key = f"labels.{name}"

    def keep_up(self) -> None:
        """Nothing is announced of labels."""

    def retired(self) -> dict[str, int]:
        """What is retired is told by those who read predictions."""
        return {}

    def tally(self, place: InputPartition, tiling: Buckets) -> "LabelTally":
        named = Named(self._name, self._name, "labels", place)
        withheld = self._configuration.withholds(self._name)
        return LabelTally(named, self._decoder, self._labels, tiling, self._configuration.topics.partitions, self._key, withheld=withheld)

    def outputs(self, run: ClosedRun) -> Iterable[Output]:
        return published(self._configuration, run.blocks)

    def progress(self, progress: Progress, closed: Sequence[ClosedRun]) -> Iterable[Output]:
        return said_to_joins(self._configuration, progress)


@dataclass
class _Run(OpenRun):
    """With the labels that it holds."""

    waiting: Waiting = field(default_factory=Waiting)
    labels: int = 0


class LabelTally:
    """Gathers the labels of one input partition."""

    def __init__(
        self,
        named: Named,
        decoder: LabelDecoder,
        labels: Labels,
        tiling: Buckets,
        partitions: int,
        key: bytes = b"",
        *,
        withheld: bool = False,
    ) -> None:
        """``key``: of the ids' hashes; ``withheld``: of bad records nothing is told but where they are."""
        self._named, self._decoder, self._labels = named, decoder, labels
        self._buckets, self._partitions, self._key = tiling, partitions, key
        self._runs = Runs(_Run, withheld=withheld)

    def add(self, records: Records, items: Sequence[Item], aside: Mapping[int, str] = NOTHING_ASIDE) -> list[ClosedRun]:
        """Take what `cut` said of these records; returns the runs that it closed, in order."""
        cuts, records, taken = self._runs.take(records, items)
        if taken is not None:
            records = self._runs.set_aside(records, taken.run, aside)
            for some in parts_of(records.values, MOST_DECODED_BYTES):
                self._decode(records.since(some.start).before(some.stop - some.start), taken.of(some), aside)
        return [self._close(run, cut) for run, cut in self._runs.closed(cuts)]

    def _decode(self, records: Records, taken: Taken, aside: Mapping[int, str]) -> None:
        keys = records.keys() if self._decoder.needs("key") else None
        headers = records.headers() if self._decoder.needs("header") else None
        read = self._decoder.read(records.values, keys, headers)
        self._runs.skip(taken, [row for row in read.left_out if not records.ends[row]])
        for rejected in read.rejected:
            if records.ends[rejected.row] or int(records.offsets[rejected.row]) in aside:
                continue
            if records.values[rejected.row] is None:  # a tombstone: of a compacted topic
                self._runs.skip(taken, [rejected.row])
                continue
            self._runs.refuse(records, taken.run, rejected.row, None, rejected.reason)
        kept, halves = sampled(read.ids, self._key, self._labels.sample)
        for number, run in enumerate(self._runs.all()):
            run.labels += int((taken.run[read.rows] == number).sum())
            inside = taken.run[read.rows[kept]] == number
            own = kept[inside]
            rows = read.rows[own]
            of = np.array([run.waiting.code(Whose(read.models[place] or "")) for place in own.tolist()], dtype=np.int64)
            run.waiting.add(
                rows_of(
                    halves[inside],
                    of=of,
                    bucket=taken.buckets[rows],
                    water=taken.waters[rows],
                    offset=records.offsets[rows],
                    value=read.values[own],
                    beside=read.revisions[own],
                )
            )
            run.keep_first()

    def _close(self, run: _Run, cut: Cut) -> ClosedRun:
        blocks = run.waiting.blocks(self._named, run.first, run.last, self._buckets, self._partitions)
        return ClosedRun(cut, run.bad, run.further_bad, run.skipped, blocks=blocks, counted={"labels": run.labels})
