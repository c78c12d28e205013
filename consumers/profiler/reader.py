"""The reader of one stream: records in, what its side makes of their runs and progress out. A fold.

*Guarantee.* A partition's state is (offset, high water), committed in the same transaction as what came of the records in front of it. A
reader that dies at any point is continued from there: the open run is read again and cut at the same places, so the same facts come
out, once. A bad record costs itself: it goes to the dead letters with its place and reason.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

import numpy as np

from ...schemas.configuration import Configuration, Stream
from ...schemas.messages.dead_letter import PERSONAL, DeadLetter
from ...schemas.messages.notice import Notice
from ...schemas.messages.progress import InputPartition, InputTopic, Progress
from ..bus.addressing import addressed
from ..bus.interface import Batch, Bus, Output, Position, TopicPartition, Work
from ..process.last_net import of_a_record
from ..process.remaining import Remaining
from ..process.standing import Standing
from ..streams.buckets import uncountable
from ..streams.cut import Rules
from ..streams.records import records_of, told_ends
from .culprit import culprit
from .handed_on import HandedOn
from .partition import ENDED, Partition, topic_of
from .runs import ClosedRun
from .side import Side

ROLE = "profiler"
#: Progress is said at least so often, in ms.
PROGRESS_EVERY = 10_000
#: A partition so many buckets ahead of the slowest is paused, so that pending buckets stay few.
MOST_AHEAD = 60
MOST_RECORDS = 5_000
#: Topics are looked at so often, in ms: whether one was made again, or has more partitions; and in front of a commit.
TOPICS_EVERY, TOPICS_AGAIN = 5_000, 1_000


class StreamReader:
    """One stream's reader in one process: a member of the group ``application-profiler-NAME``."""

    role = ROLE

    def __init__(self, bus: Bus, configuration: Configuration, name: str, stream: Stream, side: Side, wall: Callable[[], int]) -> None:
        self._bus, self._configuration, self._name, self._stream = bus, configuration, name, stream
        self._rules, self._told_ends = Rules.of(stream), told_ends(configuration, stream)
        self._side, self._wall = side, wall
        self._handed_on = HandedOn.of(bus, configuration, name)
        self._partitions: dict[TopicPartition, Partition] = {}
        self._stopped: dict[TopicPartition, int] = {}  # where those that were ours were committed
        self._topics, self._looked = self._describe(), wall()
        self._totals = dict.fromkeys(side.counted, 0) | dict.fromkeys(("skipped", "dead_letters", "set_aside"), 0)
        self._remaining: Remaining | None = None
        self._session = bus.session(f"{ROLE}-{name}", stream.topics, self)

    def assigned(self, partitions: Mapping[TopicPartition, Position | None]) -> dict[TopicPartition, int]:
        """Start each from its committed offset and high water."""
        known = {topic.topic: topic.topic_id for topic in self._topics}
        self._topics = self._describe()
        ids = {topic.topic: topic.topic_id for topic in self._topics}
        for source, committed in partitions.items():
            first, _ = self._bus.watermarks(source)
            place = InputPartition(topic=source.topic, topic_id=ids[source.topic], partition=source.partition)
            former = topic_of(committed.metadata) if committed is not None else known.get(source.topic)
            stopped = self._stopped.get(source) if committed is None else committed.offset
            again = former not in {None, place.topic_id} and stopped is not None
            taken = self._taken(place, Position(first) if committed is None or again else committed)
            if again:
                self._made_again(taken, former or "", stopped or 0)
            elif committed is None and first > 0:
                taken.notices.append(self._told(Notice.begins(self._configuration.application, self._name, place, first), place))
            if taken.committed.offset < first:
                lost = Notice.lost(self._configuration.application, self._name, place, taken.committed.offset, first)
                taken.notices.append(self._told(lost, place))
                taken.moved(first)
            if self._remaining is not None:
                taken.until = self._remaining.end(source)
            self._partitions[source] = taken
        return {source: self._partitions[source].position for source in partitions}

    def _taken(self, place: InputPartition, position: Position) -> Partition:
        return Partition(place, position, self._rules, partial(self._side.tally, place, self._rules.buckets), self._wall())

    def _look_at_topics(self, now: int) -> None:
        """A topic that was made again is another one: forget what is not published of the old one, and read the new one from its start."""
        counted = any(partition.closed for partition in self._partitions.values())
        if now - self._looked < (TOPICS_AGAIN if counted else TOPICS_EVERY):
            return
        self._looked, before = now, {topic.topic: topic.topic_id for topic in self._topics}
        try:
            self._topics = self._describe()
        except LookupError:
            return  # deleted, and not yet there again
        for topic in self._topics:
            if topic.topic_id == before[topic.topic]:
                continue
            for source, old in [one for one in self._partitions.items() if one[0].topic == topic.topic]:
                first, _ = self._bus.watermarks(source)
                place = old.source.model_copy(update={"topic_id": topic.topic_id})
                self._partitions[source] = taken = self._taken(place, Position(first))
                self._made_again(taken, old.source.topic_id, old.committed.offset)
                self._session.seek(source, first)

    def _made_again(self, taken: Partition, former: str, stopped: int) -> None:
        told = Notice.made_again(self._configuration.application, self._name, taken.source, former, stopped)
        taken.notices.append(self._told(told, taken.source))

    def revoked(self, partitions: Sequence[TopicPartition]) -> None:
        """Forget them: whoever has them now reads their open runs again."""
        for source in partitions:
            gone = self._partitions.pop(source, None)
            if gone is not None:
                self._stopped[source] = gone.committed.offset

    def turn(self, timeout_s: float) -> bool:
        """Read once, publish what was cut; whether there was anything to do."""
        self._side.keep_up()
        batches = self._session.consume(MOST_RECORDS, timeout_s)
        now = self._wall()
        again: set[TopicPartition] = set()  # read from what is committed: what was read behind it comes once more
        for batch in batches:
            partition = self._partitions.get(batch.source)
            if partition is not None and not partition.ended and batch.source not in again:
                self._netted(batch.source, partition, partial(self._read, partition, batch, now), again)
        at_end = self._session.at_end()
        for source, partition in self._partitions.items():
            position = max(partition.position, at_end.get(source, 0))
            if partition.ended or source in again:
                continue  # what lies behind its end has not been counted, and no clock may say so
            if partition.until is not None and position >= partition.until:
                self._netted(source, partition, partition.end, again)
            elif self._silent(source, partition, at_end, now):
                self._netted(source, partition, partial(partition.take_clock, position, now), again)
        worked = self._commit(now)
        self._balance(at_end, now)
        return bool(batches) or worked

    def finish(self) -> None:
        """Be `done` when every partition has been read to the end that it has now."""
        group = f"{self._configuration.application}-{ROLE}-{self._name}"
        self._remaining = Remaining(self._bus, group, self._stream.topics, ENDED)
        for source, partition in self._partitions.items():
            partition.until = self._remaining.end(source)

    @property
    def done(self) -> bool:
        """Every partition here has been read to its end; or the group has none for us, and its others have said of all that they ended:
        that all is committed does not tell so, for it may be of a run that went on.
        """
        if self._remaining is None:
            return False
        if self._partitions:
            return all(partition.ended for partition in self._partitions.values())
        return self._session.joined() and not self._remaining.left()

    def totals(self) -> Mapping[str, int]:
        """What its side counts, records that are no rows, dead letters, records set aside."""
        return self._totals

    def standing(self) -> Standing:
        """How it stands between two turns; only live is record time the wall clock's."""
        live = self._stream.clock == "live"
        heard = {source: partition.state.high_water if live else None for source, partition in self._partitions.items()}
        ended = (source for source, partition in self._partitions.items() if partition.ended)
        return Standing(heard, {*self._session.at_end(), *ended})

    def close(self) -> None:
        """Leave the group."""
        self._session.close()

    def _describe(self) -> tuple[InputTopic, ...]:
        found = self._bus.describe(self._stream.topics, settings=False)
        missing = [topic for topic in self._stream.topics if topic not in found]
        if missing:
            msg = f"{self._side.key}.topics: there is no topic {', '.join(missing)} on this bus"
            raise LookupError(msg)
        for topic in found.values():
            if problem := uncountable(self._name, self._stream.pane, topic.name, topic.partitions):
                raise LookupError(problem)
        return tuple(
            InputTopic(topic=t.name, topic_id=t.id, partitions=t.partitions) for t in (found[name] for name in self._stream.topics)
        )

    def _read(self, partition: Partition, batch: Batch, now: int) -> list[ClosedRun]:
        partition.heard_at = now
        records = records_of(batch, self._told_ends)
        if partition.until is not None and len(records) and records.offsets[-1] >= partition.until:
            records = records.before(int(np.searchsorted(records.offsets, partition.until)))
            partition.position = partition.until
        return partition.take(records, now if self._stream.clock == "live" else None)

    def _netted(
        self, source: TopicPartition, partition: Partition, step: Callable[[], list[ClosedRun]], again: set[TopicPartition]
    ) -> None:
        """A step of a partition; where a record makes it raise, that one is set aside, and the partition is read `again`."""
        try:
            closed = step()
            for run in closed:  # written down at once: what cannot be is found here, not in the transaction
                run.outputs = self._outputs(partition, run)
        except Exception as error:
            if not of_a_record(error):
                raise
            records = self._bus.read(source, partition.committed.offset, partition.position)
            found = (records_of(batch, self._told_ends) for batch in records)
            offset, before, why = culprit(found, partition, self._outputs) or (-1, None, error)
            if offset < 0:
                raise  # no record raises alone
            partition.aside.add(offset, before, why)
            partition.restart()
            self._session.seek(source, partition.position)
            again.add(source)
            return
        for run in closed:
            self._count(partition, run)

    def _count(self, partition: Partition, run: ClosedRun) -> None:
        for name, number in run.counted.items():
            self._totals[name] += number
        self._totals["skipped"] += run.skipped
        self._totals["dead_letters"] += len(run.bad) + run.further_bad
        self._totals["set_aside"] += sum(bad.offset in partition.aside.reasons for bad in run.bad)

    def _silent(self, source: TopicPartition, partition: Partition, at_end: Mapping[TopicPartition, int], now: int) -> bool:
        """Live: the partition was read to its end, and nothing has come for `linger`. Of a paused one nobody knows.

        One with records behind a producer's open transaction, or that an embedder has still to hand on, has something to read, and is
        waited for as long as for one that is given up.
        """
        heard = self._stream.clock == "live" and source in at_end and source not in self._session.paused()
        quiet = now - partition.heard_at
        if not heard or quiet < self._rules.linger:
            return False
        if quiet >= self._stream.patience:
            return True
        return source not in self._session.uncommitted() and self._handed_on.whole(source, max(partition.position, at_end[source]))

    def _commit(self, now: int) -> bool:
        """One transaction for all runs that were cut: what came of them, then progress, then positions."""
        self._look_at_topics(now)
        work = [
            self._work(source, partition)
            for source, partition in self._partitions.items()
            if partition.closed
            or partition.notices
            or (now - partition.said_at >= PROGRESS_EVERY and not (partition.ended and partition.said_at))
        ]
        if not work:
            return False
        positions, retired = {one.source: one.position for one in work}, self._side.retired()
        spoken = any(partition.closed for partition in self._partitions.values())
        for source in self._session.commit(work):
            if partition := self._partitions.get(source):
                partition.committed_at(positions[source], now)
                partition.retired = retired
        return spoken

    def _work(self, source: TopicPartition, partition: Partition) -> Work:
        outputs = list(partition.notices)
        position = partition.committed
        for run in partition.closed:
            outputs += run.outputs
            position = Position(run.cut.position, partition.metadata(run.cut))
        retired, position = self._side.retired(), partition.last(position)
        progress = Progress(
            stream=self._name,
            source=partition.source,
            through=partition.state.complete(self._rules),
            ended=partition.ended,
            by_clock=partition.state.by_clock,
            topics=self._topics,
            retired={} if retired == partition.retired else retired,
        )
        outputs += self._side.progress(progress, partition.closed)
        return Work(source, outputs, position)

    def _outputs(self, partition: Partition, run: ClosedRun) -> list[Output]:
        """A run as it is written: what came of it, its dead letters, and what is to be told of records set aside."""
        outputs = list(self._side.outputs(run))
        outputs += self._dead_letters(partition.source, run)
        for bad in run.bad:
            if bad.offset in partition.aside.reasons:
                aside = Notice.of_set_aside(self._configuration.application, self._name, partition.source, bad.offset, bad.reason)
                outputs.append(self._told(aside, partition.source))
        return outputs

    def _told(self, notice: Notice, place: InputPartition) -> Output:
        topics = self._configuration.topics
        return addressed(self._configuration, topics.drift, notice, place.partition % topics.partitions)

    def _dead_letters(self, source: InputPartition, run: ClosedRun) -> Iterable[Output]:
        for i, bad in enumerate(run.bad, 1):
            further = run.further_bad if i == len(run.bad) else 0
            whole = bad.size, bad.hash
            letter = DeadLetter.of(self._name, source, bad.offset, bad.timestamp, bad.field, bad.reason, bad.value, further, whole)
            letter = letter.model_copy(update={"withheld": PERSONAL}) if bad.withheld else letter
            yield addressed(self._configuration, self._configuration.topics.dead_letter, letter, None)

    def _balance(self, at_end: Mapping[TopicPartition, int], now: int) -> None:
        """Pause those far ahead of the slowest that holds the others up: speed changes, results do not."""
        waters = [
            partition.state.high_water
            for source, partition in self._partitions.items()
            if partition.state.high_water is not None and not partition.ended and (self._stream.clock == "record" or source not in at_end)
        ]
        slowest, paused = min(waters, default=None), self._session.paused()
        for source, partition in self._partitions.items():
            water = partition.state.high_water
            ahead = slowest is not None and water is not None and self._rules.buckets.between(slowest, water) > MOST_AHEAD
            if ahead != (source in paused):
                (self._session.pause if ahead else self._session.resume)([source])
                partition.heard_at = now  # what came while it was paused is not silence
