"""The detector: panes and progress in, drift events out.

*Guarantee.* Events are a pure fold of a summaries partition (`fold`). They are written in the transaction that commits the offset behind
the record that made them. A detector that dies at any point is restored from the last snapshot, folds silently up to the committed
offset (those events are published), and goes on from there: no event is lost, none is published twice.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ...schemas.configuration import Configuration
from ...schemas.messages.pane import Pane
from ...schemas.messages.progress import InputPartition
from ..bus import snapshots
from ..bus.addressing import event_output, lost_output
from ..bus.interface import Batch, Bus, Output, Position, TopicPartition, Work
from ..streams.summaries import facts_of
from .fold import Fold, Published, SuiteOf

ROLE = "detector"
MOST_RECORDS = 2_000
#: Offsets behind which nothing was published are committed so often, in ms: until then a successor folds them again.
COMMIT_EVERY = 5_000


@dataclass
class DetectorStats:
    """Running totals of this process."""

    buckets: int = 0
    events: int = 0


@dataclass
class _Partition:
    """One summaries partition in this process's hands."""

    fold: Fold
    committed: int
    position: int
    committed_at: int
    snapshot_at: int
    snapshot_position: int
    snapshot_keys: frozenset[bytes]
    outputs: list[Output]  # not yet committed
    until: int | None = None  # the end that `finish_at_end` found


class Detector:
    """The detector of one process: a member of the group ``application-detector``."""

    def __init__(self, bus: Bus, configuration: Configuration, suite_of: SuiteOf, wall: Callable[[], int]) -> None:
        self._bus, self._configuration, self._suite_of, self._wall = bus, configuration, suite_of, wall
        self._partitions: dict[TopicPartition, _Partition] = {}
        self._finishing = False
        self.stats = DetectorStats()
        self._session = bus.session(ROLE, [configuration.topics.summaries], self)

    def assigned(self, partitions: Mapping[TopicPartition, Position | None]) -> dict[TopicPartition, int]:
        """Restore each partition's fold to the committed offset."""
        return {source: self._restore(source, committed) for source, committed in partitions.items()}

    def revoked(self, partitions: Sequence[TopicPartition]) -> None:
        """Forget them: whoever has them now restores them from what was committed."""
        for source in partitions:
            self._partitions.pop(source, None)

    def turn(self, timeout_s: float) -> bool:
        """Read once, publish what it led to; whether there was anything to do."""
        batches = self._session.consume(MOST_RECORDS, timeout_s)
        for batch in batches:
            if partition := self._partitions.pop(batch.source, None):
                self._fold(partition, batch)
                self._partitions[batch.source] = partition  # not before: of what failed halfway nothing may be committed
        self._commit(self._wall())
        return bool(batches)

    def finish_at_end(self) -> None:
        """Be `done` when the summaries have been read to where they end now."""
        self._finishing = True
        for source, partition in self._partitions.items():
            partition.until = self._bus.watermarks(source)[1]

    @property
    def done(self) -> bool:
        """Everything up to the ends taken by `finish_at_end` has been folded, published and committed."""
        at_end = self._session.at_end()
        return bool(self._partitions) and all(
            partition.until is not None and max(partition.position, at_end.get(source, 0)) >= partition.until and not partition.outputs
            for source, partition in self._partitions.items()
        )

    def close(self) -> None:
        """Commit what was folded with a snapshot of it, so that a changed configuration finds what is open; leave the group."""
        self._commit(self._wall(), everything=True)
        self._session.close()

    def _restore(self, source: TopicPartition, committed: Position | None) -> int:
        """Load the last snapshot, fetch the panes it awaits, fold from there, silently up to the committed offset."""
        topics, now = self._configuration.topics, self._wall()
        first, _ = self._bus.watermarks(source)
        until = first if committed is None else committed.offset
        kept = snapshots.read(self._bus, topics.snapshots, source.partition)
        outputs: list[Output] = []
        if kept is None:
            fold, position, keys = Fold(self._configuration, self._suite_of), 0, frozenset[bytes]()
        else:
            panes = self._panes(source, kept.state.pending)
            fold = Fold.restored(self._configuration, self._suite_of, kept.state, kept.states, panes)
            position, keys = kept.state.position, kept.keys
        if position < first:
            topic = self._bus.describe([source.topic])[source.topic]
            place = InputPartition(topic=source.topic, topic_id=topic.id, partition=source.partition)
            outputs.append(lost_output(self._configuration, None, place, position, first))
            position = first
        for batch in self._bus.read(source, position, max(until, position)):
            for offset, appended, record in facts_of(batch):
                fold.feed(offset, appended, record)
        # a successor that restored the old snapshot would say again what is said now: the first commit writes another
        snapshot_at = 0 if fold.misfits or outputs else now
        snapshot_position = 0 if kept is None else kept.state.position
        partition = _Partition(fold, until, max(until, position), now, snapshot_at, snapshot_position, keys, outputs)
        partition.until = self._bus.watermarks(source)[1] if self._finishing else None
        self._partitions[source] = partition
        self._publish(partition, source, fold.reconfigured())
        return partition.position

    def _panes(self, source: TopicPartition, offsets: Sequence[int]) -> dict[int, Pane]:
        if not offsets:
            return {}
        wanted, found = set(offsets), dict[int, Pane]()
        for batch in self._bus.read(source, min(wanted), max(wanted) + 1):
            found |= {offset: record for offset, _, record in facts_of(batch) if offset in wanted and isinstance(record, Pane)}
        missing = wanted - set(found)
        if missing:
            msg = f"{source}: panes at offsets {sorted(missing)[:5]} are awaited by a snapshot and gone: raise the topic's retention"
            raise LookupError(msg)
        return found

    def _fold(self, partition: _Partition, batch: Batch) -> None:
        before = partition.fold.buckets
        for offset, appended, record in facts_of(batch):
            self._publish(partition, batch.source, partition.fold.feed(offset, appended, record))
        self.stats.buckets += partition.fold.buckets - before
        partition.position = int(batch.offsets[-1]) + 1

    def _publish(self, partition: _Partition, source: TopicPartition, published: Sequence[Published]) -> None:
        partition.outputs += [event_output(self._configuration, one.event, source.partition, one.time) for one in published]
        self.stats.events += len(published)

    def _commit(self, now: int, *, everything: bool = False) -> None:
        """One transaction: events, snapshots that are due, and offsets; ``everything``: that nothing is left to fold again."""
        due = [
            (source, partition)
            for source, partition in self._partitions.items()
            if partition.outputs
            or (everything and partition.position > partition.snapshot_position)
            or (partition.position > partition.committed and now - partition.committed_at >= COMMIT_EVERY)
        ]
        if not due:
            return
        work, keys = [], {}
        for source, partition in due:
            outputs = list(partition.outputs)
            if everything or now - partition.snapshot_at >= self._configuration.snapshot_every:
                state, states = partition.fold.snapshot(partition.position)
                records = snapshots.written(self._configuration.topics.snapshots, source.partition, state, states, partition.snapshot_keys)
                keys[source] = frozenset(record.key for record in records if record.key is not None and record.value is not None)
                outputs += records
            work.append(Work(source, outputs, Position(partition.position)))
        for source in self._session.commit(work):
            if done := self._partitions.get(source):
                done.outputs, done.committed, done.committed_at = [], done.position, now
                if source in keys:
                    done.snapshot_at, done.snapshot_position, done.snapshot_keys = now, done.position, keys[source]
