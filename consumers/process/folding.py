"""One folding consumer, over any fold: a partition's records in order, and what follows from them, published with the offset.

*Guarantee.* What a fold says is a function of its partition's log. It is written in the transaction that commits the offset behind the
records that made it. A process that dies at any point is followed by one that restores the last snapshot, folds silently up to the
committed offset (what follows from that is published), and goes on from there: nothing is lost, and nothing published twice.

*Trap.* A fold must read no clock and no other topic: whoever folds the same records later must say the same. Its only clock is
`driftbus.consumers.streams.clock.AppendClock`, which `driftbus.consumers.process.fold.Fold.due` is given.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Generic, NamedTuple

from ...schemas.cloud_events import Headers
from ...schemas.configuration import Configuration
from ...schemas.messages.notice import Notice
from ...schemas.messages.progress import InputPartition
from ..bus import own, snapshots
from ..bus.interface import Batch, Bus, BusError, Output, Position, TopicPartition, Work
from ..streams.clock import AppendClock
from .fold import Fact, Fold, Folded, Lasting, OfCompacted, Progressing, Said, Situated, Slow, Sparing
from .last_net import SetAside, of_a_record, told
from .reach import COMPLETE, Reach
from .remaining import Remaining
from .standing import Opening, Standing
from .strangers import Strangers, letter, notice

MOST_RECORDS = 2_000
#: Offsets behind which nothing was published are committed so often, in ms: until then a successor folds them again.
COMMIT_EVERY = 5_000
#: Whether a topic is another one than before is looked at so often, in ms.
TOPICS_EVERY = 5_000


class _Raised(Exception):
    """A record raised while it was folded."""

    def __init__(self, offset: int, error: Exception) -> None:
        self.offset, self.error = offset, error


class _Record(NamedTuple):
    offset: int
    appended: int
    key: bytes | None
    value: bytes | None
    headers: Headers


@dataclass
class _Partition(Generic[Fact, Said]):
    """One partition in this process's hands."""

    place: InputPartition
    fold: Fold[Fact, Said]
    clock: AppendClock
    committed: int
    begun: bool  #: the group has committed something
    position: int
    committed_at: int
    snapshot_at: int
    snapshot_position: int
    snapshot: snapshots.Stands
    strangers: Strangers
    reach: Reach
    outputs: list[Output] = field(default_factory=list)  #: not yet committed
    silent: bool = True  #: what is folded has been published
    counted: Mapping[str, int] = field(default_factory=dict)  #: of the fold's totals, what is in the consumer's


class Folding(Generic[Fact, Said]):
    """The consumer of one process: a member of the group ``application-ROLE``.

    Where it folds several topics, ``role`` is its own, and that of each `Folded` the name under which its snapshots are kept.
    """

    def __init__(
        self,
        bus: Bus,
        configuration: Configuration,
        folded: Folded[Fact, Said] | Sequence[Folded[Fact, Said]],
        wall: Callable[[], int],
        *,
        role: str = "",
    ) -> None:
        self._bus, self._configuration, self._wall = bus, configuration, wall
        self._folded = {one.topic: one for one in (folded if isinstance(folded, Sequence) else [folded])}
        self.role = role or next(iter(self._folded.values())).role
        self._partitions: dict[TopicPartition, _Partition[Fact, Said]] = {}
        self._aside: dict[TopicPartition, SetAside] = {}
        self._suspects: dict[TopicPartition, int] = {}  # offsets of records that raised once
        self._remaining: Remaining | None = None
        self._looked = wall()
        self._most = min([MOST_RECORDS, *(one.most_records for one in self._folded.values() if isinstance(one, Slow))])
        self._totals: dict[str, int] = {"set_aside": 0}
        self._session = bus.session(self.role, list(self._folded), self)

    def assigned(self, partitions: Mapping[TopicPartition, Position | None]) -> dict[TopicPartition, int]:
        """Restore each partition's fold to the committed offset. Raises `BusError` for one that has no place for its snapshots."""
        most = self._configuration.topics.partitions
        if astray := [source for source in partitions if source.partition >= most]:
            msg = (
                f"topic {astray[0].topic} has more than the {most} partitions of topics.partitions: partitions of our own topics are fixed"
            )
            raise BusError(f"{msg}; make it again, and driftbus begins anew there")
        for source, committed in partitions.items():
            self._take_over(source, committed)
        return {source: self._partitions[source].position for source in partitions}

    def revoked(self, partitions: Sequence[TopicPartition]) -> None:
        """Forget them: whoever has them now restores them from what was committed."""
        for source in partitions:
            self._partitions.pop(source, None)

    def turn(self, timeout_s: float) -> bool:
        """Read once, publish what it led to; whether there was anything to do."""
        batches = self._session.consume(self._most, timeout_s)
        again: set[TopicPartition] = set()
        for batch in batches:
            if batch.source in again:
                continue
            if partition := self._partitions.pop(batch.source, None):
                try:
                    self._feed(partition, batch)
                    self._partitions[batch.source] = partition  # not before: of what failed halfway nothing may be committed
                except _Raised as raised:
                    self._suspect(batch.source, raised)
                    self._take_over(batch.source, Position(partition.committed) if partition.begun else None)
                    self._session.seek(batch.source, self._partitions[batch.source].position)
                    again.add(batch.source)
        now = self._wall()
        self._look_at_topics(now)
        self._commit(now)
        return bool(batches)

    def _look_at_topics(self, now: int) -> None:
        """A topic that was made again is another one: forget what is not published of the old one, and fold the new one from its start."""
        if now - self._looked < TOPICS_EVERY:
            return
        self._looked, found = now, self._bus.describe(list(self._folded), settings=False)
        for source, partition in list(self._partitions.items()):
            topic = found.get(source.topic)  # none: deleted, and not yet there again
            if topic is not None and topic.id != partition.place.topic_id:
                self._take_over(source, Position(partition.committed), partition.place.topic_id)
                self._session.seek(source, self._partitions[source].position)

    def finish(self) -> None:
        """Be `done` when the topic has been read to where it ends now."""
        for partition in self._partitions.values():
            partition.reach.go_on()
        says = {topic for topic, one in self._folded.items() if isinstance(one, Progressing)}
        group = f"{self._configuration.application}-{self.role}"
        self._remaining = Remaining(self._bus, group, list(self._folded), COMPLETE, of_empty=says)

    @property
    def done(self) -> bool:
        """Everything up to the end that `finish` found is folded, published and committed: here, and by the others of the group."""
        if self._remaining is None:
            return False
        ours = all(
            partition.committed >= self._remaining.end(source) and partition.reach.final for source, partition in self._partitions.items()
        )
        return ours and not self._remaining.left(besides=self._partitions)

    def totals(self) -> Mapping[str, int]:
        """What the folds counted of what is committed, and records set aside."""
        return self._totals

    def close(self) -> None:
        """Commit what was folded with a snapshot of it, so that a changed configuration finds what is open; leave the group."""
        self._commit(self._wall(), everything=True)
        self._session.close()

    def standing(self) -> Standing:
        """How it stands between two turns."""
        heard = {source: partition.clock.appended for source, partition in self._partitions.items()}
        folds = (partition.fold for partition in self._partitions.values())
        return Standing(heard, self._session.at_end().keys(), sum(fold.open_now() for fold in folds if isinstance(fold, Opening)))

    def folds(self) -> Mapping[int, Fold[Fact, Said]]:
        """The folds here, by partition."""
        return {source.partition: partition.fold for source, partition in self._partitions.items()}

    def _at_end(self, source: TopicPartition) -> bool:
        assert self._remaining is not None
        return self._position(source) >= self._remaining.end(source)

    def _position(self, source: TopicPartition) -> int:
        """Behind the last record, and behind what follows it that is none (control records)."""
        return max(self._partitions[source].position, self._session.at_end().get(source, 0))

    def _take_over(self, source: TopicPartition, committed: Position | None, known: str = "") -> None:
        """Restore a partition; a record that raises on the way is tried once more, and then left out. ``known``: the topic's id so far."""
        while True:
            try:
                self._partitions[source] = self._restored(source, committed, known)
            except _Raised as raised:
                self._suspect(source, raised)
            else:
                return

    def _suspect(self, source: TopicPartition, raised: _Raised) -> None:
        """A record that raised is tried again; one that raised before is set aside."""
        if self._suspects.pop(source, None) == raised.offset:
            self._aside.setdefault(source, SetAside()).add_to_row(raised.offset, raised.error)
        else:
            self._suspects[source] = raised.offset

    def _restored(self, source: TopicPartition, committed: Position | None, known: str) -> _Partition[Fact, Said]:
        """Load the last snapshot, fetch the records it awaits, fold from there, silently up to the committed offset."""
        now = self._wall()
        first, _ = self._bus.watermarks(source)
        topic, folded = self._bus.describe([source.topic])[source.topic], self._folded[source.topic]
        place = InputPartition(topic=source.topic, topic_id=topic.id, partition=source.partition)
        found = snapshots.read(self._bus, self._configuration, folded.role, source.partition)
        again = self._made_again(place, found, committed, known)
        if again:
            committed, found = None, found._replace(last=None)
        until = first if committed is None else committed.offset
        fold, lost, gone = self._from_snapshot(source, place, found, first)
        lost += again
        kept = None if fold is None else found.last
        unread = first if committed is None else 0  # of what was never read nothing is lost
        clock, position = (AppendClock(), unread) if kept is None else (AppendClock(*kept.state.clock), kept.state.position)
        fold = folded.begin() if fold is None else fold
        if gone or position < first:
            begins, ends = min(gone | {position}), max(gone | {first - 1}) + 1
            lost.append(notice(self._configuration, place, Notice.lost(self._configuration.application, None, place, begins, ends)))
            position = max(position, first)
        strangers = Strangers(self._configuration, place, own.Told.restored({} if kept is None else kept.state.strangers), topic.partitions)
        begun, snapshot_position = committed is not None, 0 if kept is None else position
        reach = Reach(folded, place, topic.partitions)
        stand = found.stands(lasting=isinstance(folded, Lasting))
        partition = _Partition(place, fold, clock, until, begun, position, now, now, snapshot_position, stand, strangers, reach)
        for batch in self._bus.read(source, position, max(until, position)):
            self._feed(partition, batch)
            partition.outputs.clear()  # what is told of strangers
        partition.silent = False
        partition.outputs, partition.counted, strangers.count = lost, dict(fold.totals()), 0  # what has just been folded is published
        partition.position = max(until, position)
        changed, said = fold.changed, fold.resumed()
        self._say(partition, said)
        if changed or said or lost or kept is None:
            # a successor that restored the old snapshot would say it again, and one without any would take what was never there for lost
            partition.snapshot_at = 0
        return partition

    def _made_again(self, place: InputPartition, found: snapshots.Read, committed: Position | None, known: str) -> list[Output]:
        """What is told where all that is kept is of another topic, which had this one's name: no offset in it is one of this one."""
        former = known or ("" if found.last is None else found.last.state.topic_id)
        if former in {"", place.topic_id}:
            return []
        stopped = 0 if committed is None else committed.offset
        return [notice(self._configuration, place, Notice.made_again(self._configuration.application, None, place, former, stopped))]

    def _from_snapshot(
        self, source: TopicPartition, place: InputPartition, found: snapshots.Read, first: int
    ) -> tuple[Fold[Fact, Said] | None, list[Output], set[int]]:
        """The fold of the last snapshot, if it can be restored; what is to be told of those that cannot; what it awaits that is gone."""
        reasons, fold, gone = dict(found.unreadable), None, set[int]()
        if found.last is not None:
            state, parts = found.last
            try:
                facts = self._awaited(source, state.pending, first)
                fold = self._folded[source.topic].restore(state, parts, facts)
                gone = set(state.pending) - facts.keys()
            except Exception as error:
                if not of_a_record(error):
                    raise
                reasons[state.position] = told(error)
        snapshot = place.model_copy(update={"topic": self._configuration.topics.snapshots})
        notices = (Notice.bad_snapshot(self._configuration.application, snapshot, at, reason) for at, reason in reasons.items())
        return fold, [notice(self._configuration, place, one) for one in notices], gone

    def _awaited(self, source: TopicPartition, offsets: Sequence[int], first: int) -> dict[int, Fact]:
        """The records at these offsets, but for those in front of the topic's first: retention took them."""
        wanted, found, folded = {offset for offset in offsets if offset >= first}, dict[int, Fact](), self._folded[source.topic]
        if not wanted:
            return {}
        for batch in self._bus.read(source, min(wanted), max(wanted) + 1):
            for record in _records(batch):
                with suppress(own.Foreign, own.Unreadable):  # then it is missing
                    if record.offset in wanted and (fact := folded.read(*record[2:])) is not None:
                        found[record.offset] = folded.spared(fact) if isinstance(folded, Sparing) else fact
        missing = wanted - set(found)
        if missing:
            msg = f"{source}: what stands at offsets {sorted(missing)[:5]} is not what the snapshot awaits"
            raise KeyError(msg)
        return found

    def _feed(self, partition: _Partition[Fact, Said], batch: Batch) -> None:
        aside, folded = self._aside.get(batch.source), self._folded[batch.source.topic]
        if isinstance(partition.fold, Situated):
            partition.fold.situated(partition.place, batch.append_time)
        for record in _records(batch):
            if aside is not None and record.offset in aside.reasons:
                self._leave_out(partition, record, aside.reasons[record.offset])
                continue
            worked = _work(partition.fold)
            try:
                fact = folded.read(*record[2:])
                if fact is not None:
                    self._say(partition, partition.fold.due(partition.clock.tick(record.appended)))
                    self._say(partition, partition.fold.feed(record.offset, record.appended, fact))
            except own.Foreign as error:
                partition.outputs += partition.strangers.foreign(error.application)
            except own.Unreadable as error:
                partition.outputs += partition.strangers.unreadable(record.offset, record.appended, record.value, str(error))
            except Exception as error:
                if not of_a_record(error):
                    raise
                raise _Raised(record.offset, error) from error
            if aside is not None and aside.row and record.offset > max(aside.reasons) and _work(partition.fold) > worked:
                aside.row = 0
        partition.position = int(batch.offsets[-1]) + 1

    def _leave_out(self, partition: _Partition[Fact, Said], record: _Record, reason: str) -> None:
        aside = Notice.of_set_aside(self._configuration.application, None, partition.place, record.offset, reason)
        partition.outputs += (
            letter(self._configuration, partition.place, record.offset, record.appended, record.value, reason),
            notice(self._configuration, partition.place, aside),
        )
        partition.strangers.count += 1

    def _say(self, partition: _Partition[Fact, Said], said: Sequence[Said]) -> None:
        for one in () if partition.silent else said:
            partition.outputs += self._folded[partition.place.topic].outputs(one, partition.place.partition)

    def _commit(self, now: int, *, everything: bool = False) -> None:
        """One transaction: what was said, snapshots that are due, and offsets; ``everything``: that nothing is left to fold again."""
        reached = {source: self._reached(source, partition, now) for source, partition in self._partitions.items()}
        due = [
            (source, partition)
            for source, partition in self._partitions.items()
            if partition.outputs
            or reached[source]
            or partition.reach.unmarked
            or (everything and partition.position > partition.snapshot_position)
            or (self._remaining is not None and self._at_end(source) and self._position(source) > partition.committed)
            or (partition.position > partition.committed and now - partition.committed_at >= COMMIT_EVERY)
        ]
        if not due:
            return
        work, stand, positions = [], {}, {}
        for source, partition in due:
            if self._remaining is not None:
                partition.position = self._position(source)  # others of the group learn from it that this partition is done
            outputs, positions[source] = partition.outputs + reached[source], partition.position
            again = partition.position == partition.snapshot_position and partition.snapshot_at  # as it is
            overdue = now - partition.snapshot_at >= self._configuration.snapshot_every and not again
            if everything or overdue or (partition.outputs and isinstance(self._folded[source.topic], OfCompacted)):
                state, parts = partition.fold.snapshot(partition.position)
                clock, strangers = (partition.clock.now, partition.clock.appended), partition.strangers.told.plain()
                state = state.model_copy(update={"topic_id": partition.place.topic_id, "clock": clock, "strangers": strangers})
                kept = (folded := self._folded[source.topic]).role, source.partition, state, parts, partition.snapshot
                wrote = snapshots.written(self._configuration, *kept, lasting=isinstance(folded, Lasting))
                stand[source] = wrote.stands
                outputs += wrote.records
            mark = COMPLETE if reached[source] or partition.reach.unmarked else ""
            work.append(Work(source, outputs, Position(partition.position, mark)))
        for source in self._session.commit(work):
            if done := self._partitions.get(source):
                done.outputs, done.committed, done.begun, done.committed_at = [], positions[source], True, now
                if reached[source] or done.reach.unmarked:
                    done.reach.committed(done.position, now, ended=self._remaining is not None)
                self._count(done)
                self._totals["set_aside"] += done.strangers.count
                done.strangers.count = 0
                if source in stand:
                    done.snapshot_at, done.snapshot_position, done.snapshot = now, done.position, stand[source]
                if source in self._aside:  # a successor folds again from the snapshot, and would meet those behind it
                    self._aside[source].forget(done.snapshot_position)

    def _reached(self, source: TopicPartition, partition: _Partition[Fact, Said], now: int) -> list[Output]:
        """How far it is complete, where that is to be said now: of a partition that has been read to its end."""
        ended = self._remaining is not None
        if not partition.reach.due(partition.position, now, ended=ended):
            return []
        at_end = self._at_end(source) if ended else source in self._session.at_end()
        return partition.reach.progress(partition.position, now, ended=ended) if at_end else []

    def _count(self, partition: _Partition[Fact, Said]) -> None:
        counts = dict(partition.fold.totals())
        for name, number in counts.items():
            self._totals[name] = self._totals.get(name, 0) + number - partition.counted.get(name, 0)
        partition.counted = counts


def _work(fold: Fold[Fact, Said]) -> int:
    """How much it has done: more means that it went on."""
    return sum(fold.totals().values())


def _records(batch: Batch) -> Iterator[_Record]:
    columns = batch.offsets.tolist(), batch.timestamps.tolist(), batch.keys(), batch.values, batch.headers()
    return map(_Record._make, zip(*columns, strict=True))
