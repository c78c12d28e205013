"""The detector: panes and progress in, drift events out, and notes of them back to the summaries (`notes`). A fold.

*Guarantee.* That of the folding consumer (`driftbus.consumers.process.folding`): events are a pure function of a summaries partition.
Nothing that it writes there changes what it says: it reads neither notes nor their progress.
"""

from collections.abc import Callable, Mapping

from ...detectors.episodes.suite import Suite
from ...schemas.cloud_events import Headers
from ...schemas.configuration import Configuration
from ...schemas.messages.evidence import Evidence
from ...schemas.messages.golden import GoldenRequest
from ...schemas.messages.pane import REVIEWED, Pane
from ...schemas.messages.performance import Performance
from ...schemas.messages.progress import Progress
from ...schemas.stored.snapshot import PartitionState
from ..bus import own
from ..bus.addressing import addressed
from ..bus.interface import Output
from ..process.consumer import Making
from ..process.folding import Folding
from ..process.plugins import found_for, metrics_for
from ..reference.artifacts import ArtifactStore
from ..reference.golden_records import output
from ..reference.outcomes import Bases
from ..streams.summaries import READERS
from .familiarity import FamiliarityOf
from .fold import Fold, Told
from .keys import Published, StateKey, SuiteOf
from .outcomes import CountedBy
from .queries import Familiarities
from .recorded import Recorded, Requests, requests
from .settings import configuration_hash

ROLE = "detector"
_READERS: Mapping[str, Callable[[bytes], Told]] = {**READERS, Evidence.TYPE: Evidence.decoded}


def make(making: Making) -> list[Folding[Told, Published]]:
    """The one detector of a process, for all streams."""
    configuration, store = making.configuration, making.store
    suite_of, recorded = suites(configuration, store), requests(making.bus, configuration)
    basis_of = Bases(configuration, store.reference, metrics_for(configuration))
    compiled = Detection(configuration, suite_of, basis_of, recorded, Familiarities(configuration, store))
    return [Folding(making.bus, making.configuration, compiled, making.wall)]


def suites(configuration: Configuration, store: ArtifactStore) -> SuiteOf:
    """Compiles the tests of a model version: some 20 ms each. Who asks keeps them."""
    kinds = found_for(configuration.models.values())

    def suite_of(key: StateKey) -> Suite:
        stream = configuration.streams.get(key.stream)  # None: it is gone, and what is open of it is resolved
        return Suite(
            store.reference(key.reference),
            configuration.model(key.model),
            application=configuration.application,
            stream=key.stream,
            configuration_hash=configuration_hash(configuration),
            reference_hash=key.reference,
            kinds=kinds,
            pane=None if stream is None else str(stream.pane),
        )

    return suite_of


class Detection:
    """Folds of the summaries, and how their events are written."""

    role = ROLE

    def __init__(
        self,
        configuration: Configuration,
        suite_of: SuiteOf,
        basis_of: CountedBy,
        recorded: Requests,
        familiarity_of: FamiliarityOf,
    ) -> None:
        self._configuration, self._suite_of, self._basis_of, self._recorded = configuration, suite_of, basis_of, recorded
        self._familiarity_of = familiarity_of
        self.topic = configuration.topics.summaries

    def read(self, key: bytes | None, value: bytes | None, headers: Headers) -> Told | None:
        """A pane, what people answered, or progress."""
        fact = own.read(self._configuration.application, _READERS, value, headers)
        return None if isinstance(fact, Evidence) and fact.of != REVIEWED else fact

    def begin(self) -> Fold:
        """Nothing seen."""
        return Fold(self._configuration, self._suite_of, self._basis_of, self._familiarity_of, recorded=self._compared())

    def restore(self, state: PartitionState, parts: Mapping[str, bytes], facts: Mapping[int, Told]) -> Fold:
        """From a snapshot and what it awaits."""
        panes = {offset: fact for offset, fact in facts.items() if isinstance(fact, Pane)}
        answers = {offset: fact for offset, fact in facts.items() if isinstance(fact, Evidence)}
        return Fold.restored(
            self._configuration, self._suite_of, state, parts, panes, self._basis_of, self._compared(), self._familiarity_of, answers
        )

    def _compared(self) -> Recorded:
        return Recorded(self._configuration, self._recorded)

    def outputs(self, said: Published, partition: int) -> list[Output]:
        """One event or notice, what is known of an interval, or what is asked of the evaluator; notes go where the panes are."""
        topics = self._configuration.topics
        if isinstance(said.event, GoldenRequest):
            return [output(self._configuration, said.event)]
        if isinstance(said.event, Evidence | Progress):
            return [addressed(self._configuration, topics.summaries, said.event, partition)]
        topic = topics.performance if isinstance(said.event, Performance) else topics.drift
        return [addressed(self._configuration, topic, said.event, partition)]
