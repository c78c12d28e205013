"""The registrar: does with new versions what the decider says, and writes down that it was done. A hand.

*Guarantee.* It reads the retrain topic to its end before its first act, and so knows which steps are over: of a version that was promoted
and rolled back meanwhile no alias is moved. A model's steps are done one behind the other. What a step writes (a request to test, an
announcement, model events) and the position behind it are one transaction; what it does elsewhere, in a registry, is done before that, can
be done twice, and is found again by the job that made the version. So whoever dies between any two of these is followed by one that comes
to the same. Nothing is begun before its owner has committed that it was read: who is no longer the owner begins nothing new.

Of a version whose job left no answers to rows held out, what it answers becomes part of its reference when enough of its rows have been
counted (`answering`). That is announced by the owner of its model's partition, in a transaction of that partition, when it has read all
that was ever written to the models topic, and nobody has announced anything else for the version; so once, and never over a person's.

*Trap.* Who is paused in the middle of a call, and goes on when another has his place, may move an alias late. A registry that is away holds
up its own model's steps, for as long as it is, and no others.

Only where the predictions of a model are live (or say `act`) is anything done: of what is over nothing is done again.
"""

from collections.abc import Callable, Mapping, Sequence

from ...schemas.cloud_events import Headers
from ...schemas.configuration import Configuration
from ..bus.addressing import partition_of
from ..bus.interface import Batch, Bus, Output, Position, TopicPartition, Work
from ..process.consumer import Making
from ..process.looking import Looking
from ..process.remaining import Others
from ..process.standing import Standing
from ..process.strangers import Strangers, letter
from ..reference import ledger
from ..reference.artifacts import ArtifactStore
from ..reference.outputs import come_by_themselves
from .answering import Answering, Profiled
from .counted import Unwatched
from .doing import Doing
from .effects import Effects
from .mlflow import MLflowRegistry
from .owned import Beside, Owned
from .step import Done, Step

ROLE = "registrar"
MOST_RECORDS = 500
#: What was announced is read on to so often, at least: of a version's first reference nothing is urgent.
REFRESH_MS = 60_000


def make(making: Making) -> list["Registrar"]:
    """The one of a process."""
    return [Registrar(making.bus, making.configuration, making.store, making.wall)]


class Registrar:
    """The consumer of one process: a member of the group ``application-registrar``."""

    role = ROLE

    def __init__(self, bus: Bus, configuration: Configuration, store: ArtifactStore, wall: Callable[[], int]) -> None:
        self._bus, self._configuration, self._wall = bus, configuration, wall
        self._topic, self._group = configuration.topics.retrain, f"{configuration.application}-{ROLE}"
        self._acts = {name for name in configuration.models if configuration.acts_on(name)}
        self._effects = Effects(bus, configuration)
        registries = {
            name: MLflowRegistry(configuration.registries[model.registry].mlflow, name)
            for name, model in configuration.models.items()
            if model.registry is not None and name in self._acts
        }
        self._partitions: dict[TopicPartition, Owned] = {}
        self._looking: Looking[Step, Done] = Looking(Doing(store, registries), ROLE)
        self._answers = {name for name in self._acts if come_by_themselves(configuration, name)}
        self._unwatched: list[Unwatched] = []
        self._answering: Looking[Unwatched, Profiled] = Looking(Answering(bus, configuration, store), f"{ROLE}-answers")
        self._refresh_at = 0  # ms of the wall clock, where nothing else asks for it
        self._others: Others | None = None
        self._worked = False  # in the last turn
        self._totals = {"steps_done": 0, "steps_refused": 0, "outputs_added": 0, "set_aside": 0}
        self._session = bus.session(ROLE, [self._topic], self)

    def assigned(self, partitions: Mapping[TopicPartition, Position | None]) -> dict[TopicPartition, int]:
        """Read each from what was done last to its end: what is open there, and what is over."""
        for source, committed in partitions.items():
            first, end = self._bus.watermarks(source)
            start = first if committed is None else max(committed.offset, first)
            partition = Owned(Strangers.at(self._bus, self._configuration, source), start, committed)
            beside = Beside(first) if committed is None else Beside.of(committed)
            partition.done = set(beside.done)
            for batch in self._bus.read(source, start, end):
                self._feed(partition, batch, silent_to=beside.read_to)
            partition.strangers.count, partition.position = 0, max(end, start)
            partition.outputs += partition.strangers.lost(committed, first)
            self._partitions[source] = partition
        return {source: self._partitions[source].position for source in partitions}

    def revoked(self, partitions: Sequence[TopicPartition]) -> None:
        """Whoever has them now does what is open there."""
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
        return self._worked

    def finish(self) -> None:
        """Be `done` when all steps have been read, and each that is open has been tried, and what versions answer has been looked at once:
        the end of either is not waited for.
        """
        self._others = Others(self._bus, self._group, self._topic, lambda position: Beside.of(position).read_to)

    @property
    def done(self) -> bool:
        """Here, and in the group."""
        if self._others is None or self._worked or not self._session.joined():
            return False
        seen = self._looking.seen()
        for source, partition in self._partitions.items():
            read = partition.committed is not None and Beside.of(partition.committed).read_to >= self._others.end(source)
            waiting = partition.next()
            if not read or (partition.open and not waiting) or any(name not in seen or seen[name].ended for name in waiting):
                return False
        if self._profiled() or self._owned_unwatched().keys() - self._answering.seen().keys():
            return False
        return not self._others.left(self._partitions)

    def totals(self) -> Mapping[str, int]:
        """Steps done since this process began, those that could not be, references that got their outputs, and records set aside."""
        return self._totals

    def standing(self) -> Standing:
        """How it stands between two turns."""
        open_ = sum(len(partition.open) for partition in self._partitions.values())
        return Standing(dict.fromkeys(self._partitions), self._session.at_end().keys(), open_)

    def close(self) -> None:
        """Begin nothing more."""
        self._looking.stop()
        self._answering.stop()
        self._session.close()

    def _feed(self, partition: Owned, batch: Batch, silent_to: int = 0) -> None:
        def take(offset: int, key: bytes | None, value: bytes | None, headers: Headers) -> None:
            said = ledger.read_promotion(self._configuration.application, key, value, headers)
            if said is not None and said.model in self._acts:
                partition.feed(offset, said)

        partition.outputs += partition.strangers.take(batch, take, silent_to)
        partition.position = int(batch.offsets[-1]) + 1

    def _look(self) -> None:
        """Let the threads know what comes next of each model, and of which versions' answers enough may be known."""
        coming = [step for partition in self._partitions.values() for step in partition.next().values()]
        due = bool(self._answers) and self._wall() >= self._refresh_at
        if coming or due:
            self._effects.refresh()
        if due:
            self._unwatched, self._refresh_at = self._effects.unwatched(), self._wall() + REFRESH_MS
        self._looking.keep({step.id: self._effects.informed(step) for step in coming})
        self._answering.keep(self._owned_unwatched())

    def _owned_unwatched(self) -> dict[str, Unwatched]:
        """Of the models that are this process's."""
        return {one.id: one for one in self._unwatched if one.model in self._answers and self._place_of(one.model) in self._partitions}

    def _place_of(self, model: str) -> TopicPartition:
        return TopicPartition(self._topic, partition_of(model, self._configuration.topics.partitions))

    def _ended(self, partition: Owned) -> dict[str, Done]:
        """Steps of which nothing is left to do but to write them down."""
        seen = self._looking.seen()
        return {name: seen[name] for name in partition.next() if name in seen and seen[name].ended}

    def _commit(self) -> bool:
        """Write what is new of every partition, with its position; whether anything was."""
        work, ended = dict[TopicPartition, Work](), dict[TopicPartition, dict[str, Done]]()
        added = self._added()
        positions = {source: partition.position for source, partition in self._partitions.items()}
        for source, partition in self._partitions.items():
            over = ended[source] = self._ended(partition)
            outputs = [*partition.outputs, *(one for name, done in over.items() for one in self._written(partition, name, done))]
            outputs += added.get(source, [])
            position = partition.standing(over)
            if outputs or over or position != partition.committed or partition.waits:
                work[source] = Work(source, outputs, position)
        for source in self._session.commit(list(work.values())) if work else ():
            if partition_ := self._partitions.get(source):
                partition_.committed, partition_.begun = work[source].position, positions[source]
                self._totals["set_aside"] += partition_.strangers.count
                partition_.outputs, partition_.strangers.count = [], 0
                partition_.close(ended[source])
                self._totals["outputs_added"] += len(added.get(source, []))
                for done in ended[source].values():
                    self._totals["steps_refused" if done.refused else "steps_done"] += 1
        self._refresh_at = 0 if added else self._refresh_at
        return any(one.outputs for one in work.values()) or any(ended.values())

    def _profiled(self) -> dict[str, Profiled]:
        """By version, references that got their outputs: of models of which nothing else is to be done."""
        seen, own = self._answering.seen(), self._owned_unwatched()
        busy = {step.said.model for partition in self._partitions.values() for step in partition.open.values()}
        return {name: seen[name] for name, one in own.items() if name in seen and seen[name].reference and one.model not in busy}

    def _added(self) -> dict[TopicPartition, list[Output]]:
        """Their announcements, where nobody has said anything of the version meanwhile."""
        made = self._profiled()
        if not made or not self._effects.refreshed():
            return {}
        self._unwatched = self._effects.unwatched()
        added: dict[TopicPartition, list[Output]] = {}
        for name, one in self._owned_unwatched().items():
            if name in made:
                added.setdefault(self._place_of(one.model), []).append(self._effects.watched(one, made[name], self._wall()))
        return added

    def _written(self, partition: Owned, name: str, done: Done) -> list[Output]:
        step = partition.open[name]
        outputs = self._effects.of(step, done.references, self._wall())
        if done.refused:
            said = step.said
            outputs.append(letter(self._configuration, partition.strangers.place, step.offset, max(said.time, 0), said.encoded(), done.why))
        return outputs
