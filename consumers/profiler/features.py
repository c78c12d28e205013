"""The reader of a feature log: values of features in, blocks for the joiner out. A fold, of the profiler's role.

Its guarantee is that of `driftbus.consumers.profiler.reader`: blocks are written in the transaction of the rows that they hold.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ...schemas.configuration import Configuration, FeatureLog
from ...schemas.messages.block import Whose
from ...schemas.messages.progress import InputPartition, Progress
from ...schemas.outcome import sampled_entities
from ..bus.interface import Output
from ..decode.entities import EntityReader, ReadEntities
from ..decode.outcomes import NoOutcome
from ..decode.personal import entity_key
from ..decode.places import text_of
from ..decode.revisions import revision_of
from ..decode.where import Chooser
from ..process.consumer import Making
from ..streams.buckets import Buckets
from ..streams.cut import Cut, Item
from ..streams.records import Records, parts_of
from .joins import published, said_to_joins
from .reader import StreamReader
from .readings import LogReferences, Reading, Readings
from .runs import NOTHING_ASIDE, ClosedRun, OpenRun, Runs, Taken
from .served import salt
from .tally import MOST_DECODED_BYTES
from .waiting import Named, Waiting, carrying

Integers = NDArray[np.int64]


def feature_readers(making: Making, references: LogReferences) -> list[StreamReader]:
    """One for every feature log."""
    bus, configuration = making.bus, making.configuration
    sides = {name: _FeatureSide(configuration, name, references) for name in configuration.features}
    return [StreamReader(bus, configuration, name, configuration.read_as(name), side, making.wall) for name, side in sides.items()]


class _FeatureSide:
    """What is made of values of features."""

    counted = ("features",)

    def __init__(self, configuration: Configuration, name: str, references: LogReferences) -> None:
        self._configuration, self._name, self._references = configuration, name, references
        self._readings = Readings(configuration, name, references)
        self.key = f"features.{name}"

    def keep_up(self) -> None:
        self._references.keep_up()

    def retired(self) -> dict[str, int]:
        """What is retired is told by those who read predictions."""
        return {}

    def tally(self, place: InputPartition, tiling: Buckets) -> "FeatureTally":
        configuration, named = self._configuration, Named(self._name, self._name, "offline", place)
        log, key = configuration.features[self._name], entity_key(configuration, self._name)
        withheld = configuration.withholds(self._name)
        return FeatureTally(named, log, self._readings, tiling, configuration.topics.partitions, key, withheld=withheld)

    def outputs(self, run: ClosedRun) -> Iterable[Output]:
        return published(self._configuration, run.blocks)

    def progress(self, progress: Progress, closed: Sequence[ClosedRun]) -> Iterable[Output]:
        return said_to_joins(self._configuration, progress)


@dataclass
class _Run(OpenRun):
    """With the rows that it holds."""

    waiting: Waiting = field(default_factory=Waiting)
    rows: int = 0


@dataclass(frozen=True)
class _Batch:
    """Records, what was read of them, and what has been told of bad ones."""

    records: Records
    taken: Taken
    read: ReadEntities
    revisions: Integers  #: of what was read
    told: set[tuple[int, str]] = field(default_factory=set)  #: of which rows, and fields


class FeatureTally:
    """Gathers the rows of one input partition."""

    def __init__(
        self,
        named: Named,
        log: FeatureLog,
        readings: Readings,
        tiling: Buckets,
        partitions: int,
        key: bytes = b"",
        *,
        withheld: bool = False,
    ) -> None:
        """``key``: of the entities' hashes; ``withheld``: of bad records nothing is told but where they are."""
        self._named, self._log, self._readings = named, log, readings
        self._buckets, self._partitions, self._key = tiling, partitions, key
        self._chooser, mapping = None if log.where is None else Chooser(log.where), log.mapping
        self._reader = EntityReader(mapping.entity, mapping.as_of, {"model": mapping.model, "revision": mapping.revision})
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
        keys = records.keys() if self._needs("key") else None
        headers = records.headers() if self._needs("header") else None
        chosen = np.ones(len(records), dtype=bool) if self._chooser is None else self._chooser.chosen(records.values, keys, headers)
        self._runs.skip(taken, [row for row in np.flatnonzero(~chosen).tolist() if not records.ends[row]])
        chosen &= ~records.ends & ~np.isin(records.offsets, list(aside))
        read = self._reader.read(records.values, keys, headers, records.timestamps)
        for row, reason in ((one.row, one.reason) for one in read.rejected if chosen[one.row]):
            if records.values[row] is None:  # a tombstone: of a compacted topic
                self._runs.skip(taken, [row])
            else:
                self._runs.refuse(records, taken.run, row, None, reason)
        batch = _Batch(records, taken, read, np.zeros(len(read.rows), dtype=np.int64))
        good = self._revised(batch, np.flatnonzero(chosen[read.rows]))
        for number, run in enumerate(self._runs.all()):
            run.rows += int((taken.run[read.rows[good]] == number).sum())
        self._take(batch, good)
        for run in self._runs.all():
            run.keep_first()

    def _needs(self, source: str) -> bool:
        return self._reader.needs(source) or (self._chooser is not None and self._chooser.needs(source))

    def _revised(self, batch: _Batch, good: Integers) -> Integers:
        """Note revisions; returns those of the ``good`` places among what was read that are good still."""
        place, column = self._log.mapping.revision, batch.read.beside.get("revision")
        if column is None:
            return good
        kept = []
        for at, row in zip(good.tolist(), batch.read.rows[good].tolist(), strict=True):
            try:
                batch.revisions[at] = revision_of(place, column[row])
            except NoOutcome as reason:
                self._runs.refuse(batch.records, batch.taken.run, row, None, str(reason))
            else:
                kept.append(at)
        return np.array(kept, dtype=np.int64)

    def _take(self, batch: _Batch, good: Integers) -> None:
        """Bucket by bucket, so that it is asked once for each which references hold; by every model that they are for."""
        named = batch.read.beside.get("model")
        buckets = batch.taken.buckets[batch.read.rows[good]]
        for bucket in np.unique(buckets).tolist():
            own = good[buckets == bucket]
            models = None if named is None else [_model(named[row]) for row in batch.read.rows[own].tolist()]
            for reading in self._readings.of(bucket):
                self._await(batch, own if models is None else own[[model in (None, reading.model) for model in models]], reading)

    def _await(self, batch: _Batch, own: Integers, reading: Reading) -> None:
        """Keep rows as one model reads them; ``own``: their places among what was read."""
        read, taken, records = batch.read, batch.taken, batch.records
        of, entities = salt(reading.model, reading.comparison.name), [read.entities[place] for place in own.tolist()]
        kept, halves = sampled_entities(entities, read.times[own], of, self._key, self._log.sample)
        own = own[kept]
        rows = read.rows[own]
        codes, invalid = reading.codes(records.values, rows)
        for row, field_, reason in invalid:
            if (row, field_ or "") not in batch.told:  # of another model's features, which may be the same
                batch.told.add((row, field_ or ""))
                self._runs.refuse(records, taken.run, row, field_, reason)
        whose = Whose(reading.model, grouping=reading.comparison.name)
        for number, run in enumerate(self._runs.all()):
            some = np.flatnonzero(taken.run[rows] == number)
            some = some[~np.isin(rows[some], [row for row, field_, _ in invalid if field_ is None])]
            if not len(some):
                continue
            columns: dict[str, Integers | int] = {
                "of": run.waiting.code(whose),
                "bucket": taken.buckets[rows[some]],
                "water": taken.waters[rows[some]],
                "offset": records.offsets[rows[some]],
                "beside": batch.revisions[own[some]],
            }
            run.waiting.add(carrying(halves[some], codes[some], **columns))

    def _close(self, run: _Run, cut: Cut) -> ClosedRun:
        blocks = run.waiting.blocks(self._named, run.first, run.last, self._buckets, self._partitions)
        return ClosedRun(cut, run.bad, run.further_bad, run.skipped, blocks=blocks, counted={"features": run.rows})


def _model(raw: object) -> str | None:
    try:
        return text_of(raw)
    except ValueError:
        return ""  # of no model that is known here
