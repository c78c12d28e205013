"""What the learner folds, and how what its folds say is written."""

from collections.abc import Mapping

from ...schemas.cloud_events import Headers
from ...schemas.configuration import Configuration
from ...schemas.stored.snapshot import PartitionState
from ..bus import own
from ..bus.addressing import addressed, partition_of
from ..bus.interface import Output
from ..reference.artifacts import ArtifactStore
from ..reference.examples import READERS, Told
from ..reference.learned import FOLDER
from .fold import Fold, Said
from .one import Published


class Learning:
    """Folds of the examples, and how what they say is written."""

    lasting = True
    most_records = 50

    def __init__(self, role: str, configuration: Configuration, store: ArtifactStore) -> None:
        self.role = role
        self._configuration, self._store = configuration, store.beside(FOLDER)
        self.topic = configuration.topics.examples

    def read(self, key: bytes | None, value: bytes | None, headers: Headers) -> Told | None:
        """Rows, how far they are complete, or a word on them."""
        return own.read(self._configuration.application, READERS, value, headers)

    def begin(self) -> Fold:
        """Nothing seen."""
        return Fold(self._configuration)

    def restore(self, state: PartitionState, parts: Mapping[str, bytes], facts: Mapping[int, Told]) -> Fold:
        """From a snapshot, and the rows that wait for their step."""
        return Fold.restored(self._configuration, state, parts, facts)

    def outputs(self, said: Said, partition: int) -> list[Output]:
        """One event; of a model, its content is stored first: whoever reads the event finds it."""
        if isinstance(said, Published):
            self._store.put(said.content)
        event, topics = said.event if isinstance(said, Published) else said, self._configuration.topics
        return [addressed(self._configuration, topics.learned, event, partition_of(event.model, topics.partitions))]
