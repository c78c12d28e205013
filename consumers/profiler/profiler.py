"""The profiler: prediction records in, panes and progress out.

*Guarantee.* A partition's state is (offset, high water), committed in the same transaction as the panes of the records in front of it. A
profiler that dies at any point is continued from there: the open run is read again and cut at the same places, so the same panes come
out, once. A bad record costs itself: it goes to the dead letters with its place and reason.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ...schemas.configuration import Configuration, Stream
from ...schemas.messages.progress import InputPartition, InputTopic, Progress
from ..bus.addressing import dead_letter, dead_letter_output, lost_output, pane_output, progress_outputs
from ..bus.interface import Batch, Bus, Output, Position, TopicPartition, Work
from ..decode.interface import Decoder
from ..streams.buckets import uncountable
from ..streams.cut import Cut, CutState, Item, Rules, cut, cut_by_clock, finish
from ..streams.records import NO_RECORDS, Records, records_of
from .tally import ClosedRun, References, Tally

ROLE = "profiler"
#: Progress is said at least so often, in ms.
PROGRESS_EVERY = 10_000
#: A partition so many buckets ahead of the slowest is paused, so that pending buckets stay few.
MOST_AHEAD = 60
MOST_RECORDS = 5_000


@dataclass
class ProfilerStats:
    """Running totals of this process."""

    rows: int = 0
    panes: int = 0
    dead_letters: int = 0
    late: int = 0


@dataclass
class _Partition:
    """One input partition in this process's hands."""

    source: InputPartition
    committed: Position
    tally: Tally
    state: CutState
    position: int
    heard_at: int  # wall ms of the last record, or of taking the partition over
    said_at: int = 0  # wall ms of the last progress
    held: Records = NO_RECORDS
    until: int | None = None  # the end offset taken at start
    ended: bool = False
    paused: bool = False
    closed: list[ClosedRun] = field(default_factory=list)  # not yet committed
    notices: list[Output] = field(default_factory=list)  # not yet committed


class Profiler:
    """One stream's profiler in one process: a member of the group ``application-profiler-STREAM``."""

    def __init__(
        self,
        bus: Bus,
        configuration: Configuration,
        name: str,
        decoder: Decoder,
        references: References,
        wall: Callable[[], int],
        *,
        until_end: bool = False,
    ) -> None:
        self._bus, self._configuration, self._name = bus, configuration, name
        self._stream: Stream = configuration.streams[name]
        self._rules = Rules.of(self._stream)
        self._decoder, self._references, self._wall, self._until_end = decoder, references, wall, until_end
        self._partitions: dict[TopicPartition, _Partition] = {}
        self._topics = self._describe()
        self.stats = ProfilerStats()
        self._session = bus.session(f"{ROLE}-{name}", self._stream.topics, self)

    def assigned(self, partitions: Mapping[TopicPartition, Position | None]) -> dict[TopicPartition, int]:
        """Start each from its committed offset and high water."""
        self._topics = self._describe()
        ids = {topic.topic: topic.topic_id for topic in self._topics}
        starts: dict[TopicPartition, int] = {}
        for source, committed in partitions.items():
            first, end = self._bus.watermarks(source)
            position = Position(0) if committed is None else committed
            place = InputPartition(topic=source.topic, topic_id=ids[source.topic], partition=source.partition)
            tally = Tally(self._name, place, self._decoder, self._references)
            taken = _Partition(place, position, tally, _state(position.metadata), position.offset, self._wall())
            if position.offset < first:
                taken.notices.append(lost_output(self._configuration, self._name, place, position.offset, first))
                taken.position, taken.committed = first, Position(first, position.metadata)
            taken.until = end if self._until_end else None
            self._partitions[source] = taken
            starts[source] = taken.position
        return starts

    def revoked(self, partitions: Sequence[TopicPartition]) -> None:
        """Forget them: whoever has them now reads their open runs again."""
        for source in partitions:
            self._partitions.pop(source, None)

    def turn(self, timeout_s: float) -> bool:
        """Read once, publish what was cut; whether there was anything to do."""
        batches = self._session.consume(MOST_RECORDS, timeout_s)
        now = self._wall()
        for batch in batches:
            partition = self._partitions.get(batch.source)
            if partition is not None and not partition.ended:
                self._read(partition, batch, now)
        at_end = self._session.at_end()
        for source, partition in self._partitions.items():
            position = max(partition.position, at_end.get(source, 0))
            if partition.ended:
                continue  # what lies behind its end has not been counted, and no clock may say so
            if partition.until is not None and position >= partition.until:
                self._finish(partition)
            elif self._silent(source, partition, at_end, now):
                self._by_clock(partition, position, now)
        worked = self._commit(now)
        self._balance(at_end, now)
        return bool(batches) or worked

    @property
    def done(self) -> bool:
        """With ``until_end``: every partition here has been read to the end it had at the start."""
        return bool(self._partitions) and all(partition.ended for partition in self._partitions.values())

    def close(self) -> None:
        """Leave the group."""
        self._session.close()

    def _describe(self) -> tuple[InputTopic, ...]:
        found = self._bus.describe(self._stream.topics)
        missing = [topic for topic in self._stream.topics if topic not in found]
        if missing:
            msg = f"streams.{self._name}.topics: there is no topic {', '.join(missing)} on this bus"
            raise LookupError(msg)
        for topic in found.values():
            if problem := uncountable(self._name, self._stream.pane, topic.name, topic.partitions):
                raise LookupError(problem)
        return tuple(
            InputTopic(topic=t.name, topic_id=t.id, partitions=t.partitions) for t in (found[name] for name in self._stream.topics)
        )

    def _read(self, partition: _Partition, batch: Batch, now: int) -> None:
        partition.heard_at = now
        records = records_of(batch)
        if partition.until is not None and len(records) and records.offsets[-1] >= partition.until:
            records = records.before(int(np.searchsorted(records.offsets, partition.until)))
            partition.position = partition.until
        if len(records):
            partition.position = max(partition.position, int(records.offsets[-1]) + 1)
            self._cut(partition, records)

    def _cut(self, partition: _Partition, records: Records, *, final: bool = False, wall: int | None = None) -> None:
        """Hand the held records and these to the cutter; count what it takes."""
        records = partition.held.followed_by(records)
        state, items, taken = cut(self._rules, partition.state, records.offsets, records.timestamps, records.ends, final=final, wall=wall)
        partition.state = state
        partition.held = records.since(taken) if taken < len(records) else NO_RECORDS
        self._tally(partition, records, items)

    def _tally(self, partition: _Partition, records: Records, items: Sequence[Item]) -> None:
        closed = partition.tally.add(records, items)
        partition.closed += closed
        self.stats.rows += sum(pane.rows for run in closed for pane in run.panes)
        self.stats.late += sum(pane.late for run in closed for pane in run.panes)
        self.stats.panes += sum(len(run.panes) for run in closed)
        self.stats.dead_letters += sum(len(run.bad) for run in closed)

    def _finish(self, partition: _Partition) -> None:
        self._cut(partition, NO_RECORDS, final=True)
        assert partition.until is not None
        partition.position = max(partition.position, partition.until)
        partition.state, last = finish(partition.state, partition.position)
        self._tally(partition, NO_RECORDS, [last])
        partition.ended = True

    def _silent(self, source: TopicPartition, partition: _Partition, at_end: Mapping[TopicPartition, int], now: int) -> bool:
        """Live: the partition was read to its end, and nothing has come for `linger`. Of a paused one nobody knows."""
        heard = self._stream.clock == "live" and source in at_end and not partition.paused
        return heard and now - partition.heard_at >= self._rules.linger

    def _by_clock(self, partition: _Partition, position: int, now: int) -> None:
        """Live: the partition was read to its end and has been silent for `linger`."""
        if len(partition.held):
            self._cut(partition, NO_RECORDS, wall=now)
        state, last = cut_by_clock(self._rules, partition.state, position, now)
        if last is not None:
            partition.state, partition.position = state, position
            self._tally(partition, NO_RECORDS, [last])

    def _commit(self, now: int) -> bool:
        """One transaction for all runs that were cut: panes, then progress, then positions."""
        work = [
            self._work(source, partition, now)
            for source, partition in self._partitions.items()
            if partition.closed
            or partition.notices
            or (now - partition.said_at >= PROGRESS_EVERY and not (partition.ended and partition.said_at))
        ]
        if not work:
            return False
        positions = {one.source: one.position for one in work}
        spoken = any(partition.closed for partition in self._partitions.values())
        for source in self._session.commit(work):
            if partition := self._partitions.get(source):
                partition.committed, partition.closed, partition.notices, partition.said_at = positions[source], [], [], now
        return spoken

    def _work(self, source: TopicPartition, partition: _Partition, now: int) -> Work:
        outputs = list(partition.notices)
        position = partition.committed
        for run in partition.closed:
            outputs += (pane_output(self._configuration, pane) for pane in run.panes)
            outputs += self._dead_letters(partition.source, run)
            position = Position(run.cut.position, _metadata(run.cut, partition.state))
        progress = Progress(
            stream=self._name,
            source=partition.source,
            through=partition.state.complete(self._rules),
            ended=partition.ended,
            by_clock=partition.state.by_clock,
            topics=self._topics,
        )
        outputs += progress_outputs(self._configuration, progress)
        return Work(source, outputs, position)

    def _dead_letters(self, source: InputPartition, run: ClosedRun) -> Iterable[Output]:
        for i, bad in enumerate(run.bad, 1):
            further = run.further_bad if i == len(run.bad) else 0
            letter = dead_letter(self._name, source, bad.offset, bad.timestamp, bad.field, bad.reason, bad.value, further)
            yield dead_letter_output(self._configuration, letter, bad.value)

    def _balance(self, at_end: Mapping[TopicPartition, int], now: int) -> None:
        """Pause those far ahead of the slowest that holds the others up: speed changes, results do not."""
        waters = [
            partition.state.high_water
            for source, partition in self._partitions.items()
            if partition.state.high_water is not None and not partition.ended and (self._stream.clock == "record" or source not in at_end)
        ]
        slowest = min(waters, default=None)
        for source, partition in self._partitions.items():
            water = partition.state.high_water
            ahead = slowest is not None and water is not None and self._rules.buckets.between(slowest, water) > MOST_AHEAD
            if ahead != partition.paused:
                (self._session.pause if ahead else self._session.resume)([source])
                partition.paused, partition.heard_at = ahead, now  # what came while it was paused is not silence


def _metadata(last: Cut, state: CutState) -> str:
    """The high water as it is committed beside an offset: ``1700000000000``, or ``1700000000000 clock``."""
    return "" if last.high_water is None else f"{last.high_water} clock" if state.by_clock else str(last.high_water)


def _state(metadata: str) -> CutState:
    water, _, clock = metadata.partition(" ")
    return CutState(int(water) if water else None, by_clock=bool(clock))
