"""The evaluator: asks models for the answers of their golden sets, when somebody wants to know. A hand.

*Guarantee.* Each request on the golden topic comes to exactly one evaluation, whatever dies. `GoldenStarted` is written before a model is
called, `GoldenResult` behind it, by the owner of the partition alone; an evaluation is what the partition's records come to
(`driftbus.detectors.golden.fold`), and is written when they are there. Whoever dies between two of these is followed by one that begins the
next attempt, three of them at most; calls are at least once. Who is told to stop takes his start back: that uses up no attempt.

*Trap.* A model is called by threads (`attempt`), never in a turn. Nothing more is begun while something that was written has not been
read back: what the log says holds, not what was meant.

Model events ask too: a version that is registered, deployed or promoted is tested (`deployments`). How far these have been read stands
beside the position, and is committed with what they ask for.

The topic is folded from its beginning when a partition is assigned: it is compacted, and what can no longer matter becomes a tombstone, so
that it is short. It is its own snapshot.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from ...detectors.golden.fold import Fold, Todo
from ...schemas.cloud_events import Headers
from ...schemas.configuration import Configuration
from ...schemas.messages.golden import GoldenRequest, GoldenResult, GoldenStarted
from ..bus import own
from ..bus.interface import Batch, Bus, Output, Position, TopicPartition, Work
from ..process.consumer import Making
from ..process.remaining import Remaining
from ..process.standing import Standing
from ..process.strangers import Strangers
from ..reference.golden_records import asked, output, place_of, read
from ..reference.golden_sets import NoGoldenSet, store_of
from .attempt import Attempt
from .deployments import Deployments
from .owned import Owned, beside
from .plans import Plans

ROLE = "evaluator"
MOST_RECORDS = 500
#: Offsets behind which nothing was written are committed so often, in ms.
COMMIT_EVERY = 5_000
#: The topic of model events is looked at so often, in ms; where no stream is live by every turn: there no wall clock decides.
LOOK_EVERY = 2_000
#: Where all is to end, the group is asked so often what others have still to do, in ms.
ASK_EVERY = 250


def make(making: Making) -> list["Evaluator"]:
    """The one evaluator of a process; none where no model has a golden set."""
    if not asked(making.configuration):
        return []
    return [
        Evaluator(making.bus, making.configuration, Plans(making.bus, making.configuration, store_of(making.configuration)), making.wall)
    ]


class Evaluator:
    """The consumer of one process: a member of the group ``application-evaluator``."""

    role = ROLE

    def __init__(self, bus: Bus, configuration: Configuration, plans: Plans, wall: Callable[[], int]) -> None:
        self._bus, self._configuration, self._plans, self._wall = bus, configuration, plans, wall
        self._partitions: dict[TopicPartition, Owned] = {}
        self._remaining: Remaining | None = None
        self._totals = {"evaluations": 0, "evaluations_failed": 0, "golden_attempts": 0, "set_aside": 0}
        self._deployments, self._looked = Deployments(bus, configuration), 0
        live = any(stream.clock == "live" for stream in configuration.streams.values())
        self._look_every = LOOK_EVERY if live else 0
        self._group = f"{configuration.application}-{self.role}"
        self._unasked, self._unasked_to, self._asked_at = set[TopicPartition](), 0, 0
        self._session = bus.session(self.role, [configuration.topics.golden], self)

    def assigned(self, partitions: Mapping[TopicPartition, Position | None]) -> dict[TopicPartition, int]:
        """Fold each partition from its beginning to its end. What a predecessor left open is waited for."""
        for source, committed in partitions.items():
            first, end = self._bus.watermarks(source)[0], self._bus.watermarks(source, committed=False)[1]
            done, told, events = (first, first, 0) if committed is None else (committed.offset, *beside(committed))
            strangers = Strangers.at(self._bus, self._configuration, source)
            partition = Owned(strangers.place, strangers, Fold(), first, done, self._wall())
            for batch in self._bus.read(source, first, end):
                self._feed(partition, batch, silent_to=told)
            strangers.count, partition.events, partition.events_committed = 0, events, events
            partition.position = partition.until = max(end, first)
            partition.outputs += strangers.lost(committed, first)
            self._partitions[source] = partition
        return {source: self._partitions[source].position for source in partitions}

    def revoked(self, partitions: Sequence[TopicPartition]) -> None:
        """Whoever has them now begins the next attempt."""
        for source in partitions:
            if (partition := self._partitions.pop(source, None)) and partition.attempt:
                partition.attempt.cancel()

    def turn(self, timeout_s: float) -> bool:
        """Read once, write once; whether there was anything to do."""
        batches = self._session.consume(MOST_RECORDS, timeout_s)
        for batch in batches:
            if partition := self._partitions.get(batch.source):
                self._feed(partition, batch)
        now = self._wall()
        if now - self._looked >= self._look_every:
            self._deployments.look()
            self._looked = now
        return self._commit(now) or bool(batches)

    def finish(self) -> None:
        """Be `done` when all that is asked for now has been evaluated."""
        self._deployments.look()
        self._remaining = Remaining(self._bus, self._group, [self._configuration.topics.golden])
        self._unasked = {place_of(self._configuration, request.model) for request in self._deployments.requests(0)}
        self._unasked_to = self._deployments.end

    @property
    def done(self) -> bool:
        """Everything up to the end that `finish` found is read, and nothing that follows from it is to be done: here, and in the group."""
        if self._remaining is None:
            return False
        ours = all(
            partition.committed >= max(self._remaining.end(source), partition.asked_to) and partition.events_committed >= self._unasked_to
            for source, partition in self._partitions.items()
        )
        return ours and not self._remaining.left(besides=self._partitions) and not self._left_to_others()

    def _left_to_others(self) -> bool:
        """Whether there are model events that others of the group have still to ask for, or to test. The group is asked now and then."""
        others, now = self._unasked - self._partitions.keys(), self._wall()
        if others and now - self._asked_at >= ASK_EVERY:
            self._asked_at = now
            for source, position in self._bus.committed(self._group, sorted(others)).items():
                if beside(position)[1] >= self._unasked_to and position.offset >= self._bus.watermarks(source, committed=False)[1]:
                    self._unasked.discard(source)
        return bool(self._unasked - self._partitions.keys())

    def totals(self) -> Mapping[str, int]:
        """Evaluations written, failed ones among them, attempts begun, and records set aside."""
        return self._totals

    def close(self) -> None:
        """Give up what is under way, and take its start back: the next process begins the same attempt."""
        work = list[Work]()
        for source, partition in self._partitions.items():
            if attempt := partition.attempt:
                attempt.cancel()
                started = GoldenStarted(request=attempt.request.request, model=attempt.request.model, version="-", attempt=attempt.number)
                back = Output(source.topic, source.partition, started.key.encode(), None)
                work.append(Work(source, [back], Position(partition.committed, partition.metadata)))
        try:
            if work:
                self._session.commit(work)
        finally:
            self._session.close()

    def standing(self) -> Standing:
        """How it stands between two turns."""
        open_ = sum(self._pending(partition) for partition in self._partitions.values())
        return Standing(dict.fromkeys(self._partitions), self._session.at_end().keys(), open_)

    def fold(self, source: TopicPartition) -> Fold:
        """What a partition comes to."""
        return self._partitions[source].fold

    def _feed(self, partition: Owned, batch: Batch, silent_to: int = 0) -> None:
        def take(_: int, key: bytes | None, value: bytes | None, headers: Headers) -> None:
            try:
                if value is None:
                    partition.fold.gone(key)
                elif (said := read(self._configuration.application, key, value, headers)) is not None:
                    partition.fold.feed(said)
            except ValueError as error:
                raise own.Unreadable(str(error)) from error

        partition.outputs += partition.strangers.take(batch, take, silent_to)
        partition.position = int(batch.offsets[-1]) + 1

    def _caught_up(self, source: TopicPartition) -> bool:
        """Whether all that was written here has been read back, control records included."""
        partition = self._partitions[source]
        return max(partition.position, self._session.at_end().get(source, 0)) >= partition.until

    def _pending(self, partition: Owned) -> bool:
        return bool(partition.attempt or partition.fold.said or next(partition.fold.todo(), None))

    def _commit(self, now: int) -> bool:
        """Write what comes next of every partition, with its position; whether anything was."""
        steps, work = dict[TopicPartition, _Step](), dict[TopicPartition, Work]()
        for source, partition in self._partitions.items():
            step = self._next(partition) if self._caught_up(source) else _Step()
            read_to = max(partition.position, self._session.at_end().get(source, 0))
            done = partition.committed if step.outputs or self._pending(partition) or not self._caught_up(source) else read_to
            finishing = self._remaining is not None and self._remaining.end(source) <= done
            due = done > partition.committed and (finishing or now - partition.committed_at >= COMMIT_EVERY)
            due = due or (finishing and partition.events > partition.events_committed)
            if step.outputs or partition.outputs or due:
                steps[source] = step
                partition.events = max(partition.events, step.events)
                work[source] = Work(source, [*partition.outputs, *step.outputs], Position(done, partition.metadata))
        for source in self._session.commit(list(work.values())) if work else ():
            if partition_ := self._partitions.get(source):
                self._written(source, partition_, steps[source])
                partition_.committed, partition_.committed_at = work[source].position.offset, now
                partition_.events_committed = beside(work[source].position)[1]
        return any(step.outputs for step in steps.values())

    def _written(self, source: TopicPartition, partition: Owned, step: "_Step") -> None:
        """What was to be written is on the log: go on from there."""
        self._totals["set_aside"] += partition.strangers.count
        partition.outputs, partition.strangers.count = [], 0
        if not step.outputs:
            return
        partition.until = self._bus.watermarks(source, committed=False)[1]
        if step.events:
            partition.asked_to = partition.until
        for name, number in step.counts.items():
            self._totals[name] += number
        if step.ends:
            partition.attempt = None
        if step.begins is not None:
            partition.attempt = step.begins()

    def _next(self, partition: Owned) -> "_Step":
        """One step at a time: what follows from the log, then the attempt that runs, then the next request."""
        fold = partition.fold
        if said := fold.said:
            failed = sum(one.status == "failed" for one in said)
            counts = {"evaluations": len(said), "evaluations_failed": failed}
            return _Step([output(self._configuration, one) for one in said], counts=counts)
        if partition.looked != partition.position:
            partition.looked = partition.position
            if over := fold.over():
                topic, number = partition.place.topic, partition.place.partition
                return _Step([Output(topic, number, key.encode(), None) for key in over])
        if partition.events > self._deployments.end:
            partition.events = 0  # the topic was made again
        if partition.events < self._deployments.end:
            wanted = [one for one in self._deployments.requests(partition.events) if self._lies_in(partition, one) and not fold.knows(one)]
            if wanted:
                return _Step([output(self._configuration, one) for one in wanted], events=self._deployments.end)
            partition.events = self._deployments.end
        if attempt := partition.attempt:
            if fold.attempts(attempt.request.request) != attempt.number:  # it was withdrawn
                attempt.cancel()
                partition.attempt = None
                return _Step()
            return self._wrote(attempt.result(self._wall())) if attempt.over else _Step()
        todo = next(fold.todo(), None)
        return _Step() if todo is None else self._begun(todo, fold.attempts(todo.request.request))

    def _begun(self, todo: Todo, attempts: int) -> "_Step":
        """The next attempt at a request; or that there will be none."""
        request, plan, why = todo.request, None, "no golden set is configured for this model"
        try:
            plan = self._plans.of(request)
        except NoGoldenSet:
            why = "the model has no golden set"
        if plan is None or todo.attempt is None:
            why = why if plan is None else "whoever called the model died, each time"
            about = {"request": request.request, "model": request.model, "version": request.version, "attempt": attempts}
            return self._wrote([GoldenResult(**about, answered=self._wall(), reasons={why: 1})])
        number = todo.attempt
        started = GoldenStarted(request=request.request, model=request.model, version=request.version, attempt=number)
        return _Step([output(self._configuration, started)], lambda: Attempt(request, number, plan), counts={"golden_attempts": 1})

    def _lies_in(self, partition: Owned, request: GoldenRequest) -> bool:
        return place_of(self._configuration, request.model).partition == partition.place.partition

    def _wrote(self, result: Sequence[GoldenResult]) -> "_Step":
        return _Step([output(self._configuration, one) for one in result], ends=True)


class _Step(NamedTuple):
    """What is to be written next, and what then."""

    outputs: Sequence[Output] = ()
    begins: Callable[[], Attempt] | None = None
    ends: bool = False  #: the attempt that runs is over
    counts: Mapping[str, int] = {}
    events: int = 0  #: model events in front of this offset are asked for by it
