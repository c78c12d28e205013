"""What a recording says was asked for: by record time nobody acts on what is over, so there the detector only compares.

*Guarantee.* Which, is decided once for a partition, when nothing of it has been folded: by whether the golden topic holds requests that a
detector wrote. The snapshot keeps it, so that one who comes later does not take what was written anew for a recording.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from ...schemas.configuration import Configuration
from ...schemas.messages.golden import GoldenRequest
from ..bus import own
from ..bus.interface import Bus, TopicPartition
from ..reference.golden_records import read

#: The ids of the requests on a partition of the golden topic that a detector wrote.
Requests = Callable[[int], frozenset[str]]


def nothing(_: int) -> frozenset[str]:
    """Nothing was recorded."""
    return frozenset()


def requests(bus: Bus, configuration: Configuration) -> Requests:
    """Those that are there when somebody asks."""
    return partial(_requests, bus, configuration)


def _requests(bus: Bus, configuration: Configuration, partition: int) -> frozenset[str]:
    place, found = TopicPartition(configuration.topics.golden, partition), set[str]()
    description = bus.describe([place.topic]).get(place.topic)
    if description is None or partition >= description.partitions:
        return frozenset()
    for batch in bus.read(place, *bus.watermarks(place)):
        for key, value, headers in zip(batch.keys(), batch.values, batch.headers(), strict=True):
            try:
                said = None if value is None else read(configuration.application, key, value, headers)
            except (own.Foreign, own.Unreadable):
                continue  # told by the evaluator, where one runs
            if said is not None and getattr(said, "cause", None) in {"slot", "episode"}:
                found.add(said.request)
    return frozenset(found)


@dataclass
class Recorded:
    """Of one partition: which requests are written, and which are only compared."""

    configuration: Configuration
    requests: Requests = nothing
    partition: int | None = None
    compares: bool | None = None  #: None: it is not yet known
    _known: frozenset[str] = field(default_factory=frozenset)

    def situated(self, partition: int) -> None:
        """Where the next records stand."""
        if self.partition == partition:
            return
        self.partition = partition
        by_record = {name for name, stream in self.configuration.streams.items() if stream.clock == "record"}
        tested = (name for name, model in self.configuration.models.items() if model.golden is not None)
        if self.compares is not False and any(self.configuration.stream_of(name) in by_record for name in tested):
            self._known = self.requests(partition)
            self.compares = bool(self._known) or bool(self.compares)

    def writes(self, request: GoldenRequest) -> bool:
        """Whether a request is written: live, and where nothing was recorded."""
        return not self.compares or self.configuration.streams[self.configuration.stream_of(request.model)].clock == "live"

    def differs(self, request: GoldenRequest) -> bool:
        """Whether one that is not written was not recorded either."""
        return request.request not in self._known
