"""The launcher: starts what the decider asks for, and says how it stands. A hand.

*Guarantee.* It reads the retrain topic to its end before its first action, and so knows what is open: requests less final statuses. Of each
of these it makes sure that it has been started, as often as it likes: what starts them knows by the job's name whether it has (a spool's
folder, a Job's name; a webhook's receiver by its id). Each state that changed becomes a fact on the ledger, under an id of job and state,
in the transaction that commits the offset of the oldest open request. Nothing is begun before its owner has committed that it was read: who
is no longer the owner begins nothing new. Requests of models on which hands do not act are passed over.

*Trap.* A launcher of commands is no member of a group like others: what another machine began stands in the spool of that machine. So the
spool's own id is committed beside the position before the first start, and another spool is refused (`adopted`).

Jobs are started and asked by threads (`looking`), never in a turn.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from ...schemas.cloud_events import Headers
from ...schemas.configuration import Configuration
from ...schemas.configuration.launchers import Command, KubernetesJob
from ...schemas.messages.action import ActionObserved
from ...schemas.messages.job import MOST_WHY
from ..bus.interface import Batch, Bus, Output, Position, TopicPartition, Work
from ..process.consumer import Making
from ..process.looking import Looking
from ..process.remaining import Others
from ..process.settings import FILE, FOLDER
from ..process.standing import Standing
from ..process.strangers import Strangers, letter
from ..reference import ledger
from .adopted import adopted, foreign, refusal
from .command import CommandLauncher
from .owned import Beside, Owned, Request
from .seen import ENDS, Job, Launcher, Seen
from .spool import Plan, Spool, UnusableSpool
from .webhook import WebhookLauncher

ROLE = "launcher"
MOST_RECORDS = 500


def make(making: Making) -> list["Launching"]:
    """One for each that is configured."""
    configuration = making.configuration
    made = {name: starting(configuration, name, making.wall) for name in configuration.launchers}
    return [Launching(making.bus, configuration, name, launcher) for name, launcher in made.items()]


def starting(configuration: Configuration, name: str, wall: Callable[[], int]) -> Launcher:
    """What starts the jobs of one. Raises `Unusable`, and why."""
    kind = configuration.launchers[name].kind
    if isinstance(kind, Command):
        plan = Plan(kind.run, kind.timeout / 1000, None if kind.folder is None else str(Path(kind.folder).absolute()))
        try:
            spool = Spool(Path(kind.spool) / name, _told_jobs(configuration) | kind.environment)
        except UnusableSpool as error:
            msg = f"launchers.{name}.command.spool: {error}"
            raise UnusableSpool(msg) from error
        return CommandLauncher(spool, plan, kind.at_once)
    if isinstance(kind, KubernetesJob):
        from .kubernetes_job import KubernetesLauncher  # its client is an extra, and takes seconds

        return KubernetesLauncher(kind, configuration.application, name)
    webhook = WebhookLauncher(kind, wall, place=f"launchers.{name}.webhook")
    webhook.prove()
    return webhook


def _is_live(configuration: Configuration) -> bool:
    return any(stream.clock == "live" for stream in configuration.streams.values())


def _told_jobs(configuration: Configuration) -> dict[str, str]:
    """By what a job's own commands of driftbus find what its launcher was configured with."""
    return {} if configuration.file is None else {FILE: configuration.file, FOLDER: str(Path.cwd())}


class Launching:
    """One launcher of one process: a member of the group ``application-launcher-NAME``."""

    role = ROLE

    def __init__(self, bus: Bus, configuration: Configuration, name: str, launcher: Launcher) -> None:
        self._bus, self._configuration, self._name, self._launcher = bus, configuration, name, launcher
        self._topic = configuration.topics.retrain
        self._group = f"{configuration.application}-{ROLE}-{name}"
        self._partitions: dict[TopicPartition, Owned] = {}
        self._looking: Looking[Job, Seen] = Looking(launcher, f"{ROLE}-{name}")
        self._others: Others | None = None
        self._worked = False  # in the last turn
        #: With ``clock: record``, ends that were seen by the end of the last turn: whoever turns hands there lets the folds read in between
        #: what the jobs wrote before they ended. None: an end is told as soon as it is seen.
        self._ended: frozenset[str] | None = None if _is_live(configuration) else frozenset()
        self._totals = {"jobs_started": 0, "jobs_ended": 0, "jobs_undelivered": 0, "set_aside": 0}
        self._session = bus.session(f"{ROLE}-{name}", [self._topic], self)

    def assigned(self, partitions: Mapping[TopicPartition, Position | None]) -> dict[TopicPartition, int]:
        """Read each from its beginning to its end: what is open there."""
        lose = self._is_new_here()
        for source, committed in partitions.items():
            first, end = self._bus.watermarks(source)
            partition = Owned(self._name, Strangers.at(self._bus, self._configuration, source), first, committed)
            told = first if committed is None else Beside.of(committed).read_to
            for batch in self._bus.read(source, first, end):
                self._feed(partition, batch, silent_to=told)
            partition.strangers.count, partition.position = 0, max(end, first)
            partition.outputs += partition.strangers.lost(committed, first)
            if lose:
                for job in partition.open:
                    self._launcher.lose(job)
            self._partitions[source] = partition
        return {source: self._partitions[source].position for source in partitions}

    def revoked(self, partitions: Sequence[TopicPartition]) -> None:
        """Whoever has them now looks after what is open there. Commands live on."""
        for source in partitions:
            self._partitions.pop(source, None)
        self._look()

    def turn(self, timeout_s: float) -> bool:
        """Read once, write once; whether there was anything to do."""
        batches = self._session.consume(MOST_RECORDS, timeout_s)
        for batch in batches:
            if partition := self._partitions.get(batch.source):
                self._feed(partition, batch)
        for source, end in self._session.at_end().items():
            if partition := self._partitions.get(source):
                partition.position = max(partition.position, end)  # control records included
        self._look()
        self._worked = self._commit() or bool(batches)
        if self._ended is not None:
            self._ended = frozenset(name for name, seen in self._looking.seen().items() if seen.state in ENDS)
        return self._worked

    def finish(self) -> None:
        """Be `done` when all requests have been read, and each that is open has been looked at: its end is not waited for."""
        self._others = Others(self._bus, self._group, self._topic, lambda position: Beside.of(position).read_to)

    @property
    def done(self) -> bool:
        """Here, and in the group."""
        if self._others is None or self._worked or not self._session.joined():
            return False
        for source, partition in self._partitions.items():
            read = partition.committed is not None and Beside.of(partition.committed).read_to >= self._others.end(source)
            if not read or partition.open.keys() - self._looking.seen().keys() or any(self._facts(partition)):
                return False
        return not self._others.left(self._partitions)

    def totals(self) -> Mapping[str, int]:
        """States told since this process began, and records set aside."""
        return self._totals

    def standing(self) -> Standing:
        """How it stands between two turns."""
        open_ = sum(len(partition.open) for partition in self._partitions.values())
        return Standing(dict.fromkeys(self._partitions), self._session.at_end().keys(), open_)

    def close(self) -> None:
        """Begin nothing more. What has been begun goes on, and is found again."""
        self._looking.stop()
        self._session.close()

    def _is_new_here(self) -> bool:
        """Whether this spool takes the place of another, as a person wants it. Raises `BusError` where nobody does."""
        if not self._launcher.memory:
            return False
        topic = self._bus.describe([self._topic])[self._topic]
        places = [TopicPartition(self._topic, number) for number in range(topic.partitions)]
        others = foreign(self._bus, self._group, places, self._launcher.memory)
        if others and adopted(self._bus, self._configuration, self._name) != self._launcher.memory:
            raise refusal(self._name, self._launcher.memory, others)
        return bool(others)

    def _feed(self, partition: Owned, batch: Batch, silent_to: int = 0) -> None:
        def take(offset: int, key: bytes | None, value: bytes | None, headers: Headers) -> None:
            said = ledger.read_retrain(self._configuration.application, key, value, headers)
            if said is not None and self._configuration.acts_on(said.model):
                partition.feed(offset, value or b"", said)

        partition.outputs += partition.strangers.take(batch, take, silent_to)
        partition.position = int(batch.offsets[-1]) + 1

    def _look(self) -> None:
        """Let the threads know what is open, and what has been closed."""
        for partition in self._partitions.values():
            for job in partition.closed:
                self._launcher.closed(job)
            partition.closed = []
        self._looking.keep({name: job for partition in self._partitions.values() for name, job in partition.jobs().items()})

    def _facts(self, partition: Owned) -> Iterator[tuple[Request, Seen]]:
        """States that nobody has been told."""
        seen = self._looking.seen()
        for name, request in partition.open.items():
            found = seen.get(name)
            if found is None or found.state in ("requested", request.told):
                continue
            if found.state in ENDS and self._ended is not None and name not in self._ended:
                continue
            if found.state in ENDS or not request.job.started:
                yield request, found

    def _commit(self) -> bool:
        """Write what is new of every partition, with its position; whether anything was."""
        work, facts = dict[TopicPartition, Work](), dict[TopicPartition, list[tuple[Request, Seen]]]()
        read_to = {source: partition.position for source, partition in self._partitions.items()}
        for source, partition in self._partitions.items():
            facts[source] = list(self._facts(partition))
            outputs = [*partition.outputs, *(output for request, seen in facts[source] for output in self._told(partition, request, seen))]
            position = partition.standing(self._launcher.memory)
            if outputs or position != partition.committed or partition.waits:
                work[source] = Work(source, outputs, position)
        for source in self._session.commit(list(work.values())) if work else ():
            if partition_ := self._partitions.get(source):
                partition_.committed, partition_.begun = work[source].position, read_to[source]
                self._totals["set_aside"] += partition_.strangers.count
                partition_.outputs, partition_.strangers.count = [], 0
                for request, seen in facts[source]:
                    request.told = seen.state
                    self._totals["jobs_ended" if seen.state in ENDS else "jobs_started"] += 1
                    self._totals["jobs_undelivered"] += seen.undelivered
        return any(one.outputs for one in work.values())

    def _told(self, partition: Owned, request: Request, seen: Seen) -> Iterator[Output]:
        fact = ActionObserved(
            model=request.model, job=request.job.id, state=seen.state, by=self._name, detail=seen.why[:MOST_WHY] or None
        )  # without a time: it holds at the time of the ledger, whatever the clock of this machine says
        yield ledger.output(self._configuration, fact)
        if seen.undelivered:
            yield letter(self._configuration, partition.strangers.place, request.offset, request.job.requested, request.value, seen.why)
