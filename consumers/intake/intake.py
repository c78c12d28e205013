"""The intake: root causes, drift, what is said of models and becomes known of their versions in; facts of the ledger out. A fold.

Whoever decides what is done folds one partition of the ledger, and nothing else: no other log holds the order between topics. The decider
reads no clock; the intake writes down what time it is, which instants of cron lines have come, and how far the input topics reach.

*Guarantee.* A fact is copied once, in the transaction that commits the offset behind it, to the partition of its model. The folding
consumer's (`driftbus.consumers.process.folding`) for all else. The time is written by the one process that has the topic of models, where
a stream is live and that topic has been read to its end.

*Trap.* Cron lines are evaluated here, and never again: time zones differ between machines, and a ledger must not. What is read of a
compacted topic may not be there to be read again: so the labels that were counted are remembered in the transaction that told them.

*Trap.* Topics are not aligned: with ``clock: record``, where what comes first is no fact of the world, another run may write another order,
and the decider decide otherwise. Whoever may be misled by it is told (`driftbus.consumers.command.checks.jobs`, ``replay``).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, get_args

from ...schemas.cloud_events import Headers
from ...schemas.configuration import Configuration
from ...schemas.messages.action import LedgerFact
from ...schemas.messages.contest import Contest
from ...schemas.messages.drift import DriftEvent, Status
from ...schemas.messages.golden import GoldenEvaluation
from ...schemas.messages.performance import Performance
from ...schemas.messages.progress import InputPartition
from ...schemas.messages.reviewed import Reviewed
from ...schemas.messages.root_cause import IncidentStatus, RootCauseEvent
from ...schemas.stored.snapshot import PartitionState
from ..bus import own
from ..bus.interface import Bus, Output
from ..process.consumer import Making
from ..process.folding import Folding
from ..reference import coincidences, feedback, golden_sets, ledger, model_events
from .clock import Clock
from .copying import Copying, Said

ROLE = "intake"


class Source(NamedTuple):
    """A topic of facts."""

    topic: str  #: without the prefix
    #: By application, key, value and headers; None: none of this kind. Raises as `driftbus.consumers.bus.own.read` does.
    read: Callable[[str, bytes | None, bytes | None, Headers], Said | None]
    asked: Callable[[Configuration], bool] = lambda _: True


_CAUSES = {f"io.driftbus.root-cause.{status}": RootCauseEvent.decoded for status in get_args(IncidentStatus)}
_DRIFT = {f"io.driftbus.drift.{status}": DriftEvent.model_validate_json for status in get_args(Status)}
_PERFORMANCE: Mapping[str, Callable[[bytes], Said]] = {
    Performance.TYPE: Performance.decoded,
    Contest.TYPE: Contest.decoded,
    Reviewed.TYPE: Reviewed.decoded,
}
_GOLDEN = {f"io.driftbus.golden.{GoldenEvaluation.KIND}": GoldenEvaluation.model_validate_json}


def _performance(configuration: Configuration) -> bool:
    return ledger.counts_labels(configuration) or ledger.compares(configuration) or ledger.counts_reviews(configuration)


def _of(readers: Mapping[str, Callable[[bytes], Said]]) -> Callable[[str, bytes | None, bytes | None, Headers], Said | None]:
    """What our own roles write; strangers on these topics are passed over, since their writers and readers tell of them."""

    def read(application: str, _: bytes | None, value: bytes | None, headers: Headers) -> Said | None:
        try:
            return own.read(application, readers, value, headers)
        except (own.Foreign, own.Unreadable):
            return None

    return read


def _of_models(application: str, key: bytes | None, value: bytes | None, headers: Headers) -> Said | None:
    """Strangers are the clerk's to tell of."""
    if key is None or value is None:
        return None
    try:
        if coincidences.is_one(key):
            return coincidences.read(application, key, value, headers)
        if golden_sets.is_one(key):
            return golden_sets.read(application, key, value, headers)
        return model_events.read(application, key, value, headers) if model_events.is_one(key) else None
    except (own.Foreign, own.Unreadable):
        return None


#: What is copied; the first is the one whose snapshots bear the role's name alone, and in whose hands the clock is.
SOURCES = (
    Source("models", _of_models),
    Source("drift", _of(_DRIFT)),
    Source("root-causes", _of(_CAUSES), feedback.asked),
    Source("performance", _of(_PERFORMANCE), _performance),
    Source("golden", _of(_GOLDEN), ledger.evaluates),
)


def make(making: Making) -> list[Folding[Said, LedgerFact]]:
    """The one intake of a process; none where no model has policies."""
    configuration = making.configuration
    if not ledger.asked(configuration):
        return []
    live = any(stream.clock == "live" for stream in configuration.streams.values())
    first, *others = (source for source in SOURCES if source.asked(configuration))
    clocked = Clocked(configuration, first, making.bus) if live else Copied(configuration, first)
    copied = [clocked, *(Copied(configuration, source) for source in others)]
    return [Folding(making.bus, configuration, copied, making.wall, role=ROLE)]


class Copied:
    """The facts of one source, and how they are written."""

    compacted = True

    def __init__(self, configuration: Configuration, source: Source) -> None:
        self._configuration, self._source = configuration, source
        self.role = ROLE if source is SOURCES[0] else f"{ROLE}-{source.topic}"
        self.topic = configuration.topics.named(source.topic)

    def read(self, key: bytes | None, value: bytes | None, headers: Headers) -> Said | None:
        """A fact."""
        return self._source.read(self._configuration.application, key, value, headers)

    def begin(self) -> Copying:
        """Nothing seen."""
        return Copying(self._configuration)

    def restore(self, state: PartitionState, parts: Mapping[str, bytes], facts: Mapping[int, Said]) -> Copying:
        """From a snapshot."""
        return Copying.restored(self._configuration, state.fold)

    def outputs(self, said: LedgerFact, partition: int) -> list[Output]:
        """One fact, where its model's are."""
        return [ledger.output(self._configuration, said)]


class Clocked(Copied):
    """The source whose topic has one partition: who has it tells the time."""

    def __init__(self, configuration: Configuration, source: Source, bus: Bus) -> None:
        super().__init__(configuration, source)
        self._bus = bus
        self._clock = Clock(configuration, bus)

    def begin(self) -> Copying:
        """Nothing seen, nothing said."""
        self._clock = Clock(self._configuration, self._bus)
        return super().begin()

    def restore(self, state: PartitionState, parts: Mapping[str, bytes], facts: Mapping[int, Said]) -> Copying:
        """From a snapshot: where the partition is taken again, what the clock said last may not have been committed."""
        self._clock = Clock(self._configuration, self._bus)
        return super().restore(state, parts, facts)

    def progress(self, place: InputPartition, partitions: int, now: int, *, anew: bool, ended: bool) -> Sequence[Output]:
        """What time it is, if that is to be said now."""
        return self._clock.said(now, whatever=ended)
