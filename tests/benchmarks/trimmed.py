"""An embedded log in memory that is trimmed as it is read, as retention trims a topic: what a process keeps is then its own."""

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import TopicPartition

from ..streaming import trim


def resident() -> int:
    """Bytes of memory that this process holds."""
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123  # read often
        return int(file.read().split()[1]) * 4096


class TrimmedBus(EmbeddedBus):
    """In memory; `trim` is what retention does."""

    def __init__(self, application: str = "test") -> None:
        super().__init__(":memory:", application, "a")

    def trim(self, *topics: str) -> None:
        """Delete all but the last record of every partition, so that no offset is given twice."""
        for name in topics:
            for partition in range(self._log._topic(name).described.partitions):
                place = TopicPartition(name, partition)
                trim(self, place, self.watermarks(place)[1] - 1)
