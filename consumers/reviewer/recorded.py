"""What a recording says was asked: by record time nobody acts on what is over, so there the sampling only compares.

*Guarantee.* Which, is decided once for a partition, when nothing of it has been folded: by whether the topic of reviews holds slots
already. The snapshot keeps it, so that one who comes later does not take what was written anew for a recording.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from ...schemas.configuration import Configuration
from ...schemas.messages.review import ReviewRequest, ReviewSlot
from ..bus import own
from ..bus.interface import Bus, TopicPartition
from ..reference.reviews import read

#: The ids of the requests and slots in a partition of the topic of reviews.
Known = Callable[[int], frozenset[str]]


def known(bus: Bus, configuration: Configuration) -> Known:
    """Those that are there when somebody asks."""
    return partial(_known, bus, configuration)


def _known(bus: Bus, configuration: Configuration, partition: int) -> frozenset[str]:
    place, found = TopicPartition(configuration.topics.reviews, partition), set[str]()
    for batch in bus.read(place, *bus.watermarks(place)):
        for key, value, headers in zip(batch.keys(), batch.values, batch.headers(), strict=True):
            try:
                said = read(configuration.application, key, value, headers)
            except (own.Foreign, own.Unreadable):
                continue  # told where they are folded
            if isinstance(said, ReviewRequest | ReviewSlot):
                found.add(said.id)
    return frozenset(found)


@dataclass
class Recorded:
    """Of one partition: whether what is drawn is written, or only compared."""

    configuration: Configuration
    known: Known
    partition: int | None = None
    compares: bool | None = None  #: None: it is not yet known
    _ids: frozenset[str] = frozenset()

    def situated(self, partition: int) -> None:
        """Where the next records stand."""
        if self.partition == partition:
            return
        self.partition = partition
        asked = {self.configuration.stream_of(name) for name, model in self.configuration.models.items() if model.review is not None}
        if self.compares is not False and any(self.configuration.streams[name].clock == "record" for name in asked):
            self._ids = self.known(partition)
            self.compares = bool(self._ids) or bool(self.compares)

    def writes(self, one: ReviewRequest | ReviewSlot) -> bool:
        """Whether it is written: live, and where nothing was recorded."""
        return not self.compares or self.configuration.streams[self.configuration.stream_of(one.model)].clock == "live"

    def differs(self, one: ReviewRequest | ReviewSlot) -> bool:
        """Whether one that is not written was not recorded either."""
        return one.id not in self._ids
