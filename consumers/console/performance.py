"""Performance as it was last told: the records of its compacted topic, the newest of every interval."""

from collections.abc import Iterable

from ...schemas.configuration import Configuration
from ...schemas.messages.performance import Performance
from ..bus import own
from ..bus.interface import Bus, TopicPartition
from .reading import records_of

READERS = {f"{Performance.TYPE}": Performance.decoded}
#: What the metrics of a table are, the first that there are: of classes, of numbers.
MAIN = ("accuracy", "mae")


def performance_of(bus: Bus, configuration: Configuration) -> list[Performance]:
    """By model, version and interval, of all predictions before those of segments."""
    topic = configuration.topics.performance
    described = bus.describe([topic]).get(topic)
    found: dict[str, Performance] = {}
    for number in range(described.partitions if described else 0):
        place = TopicPartition(topic, number)
        for batch in bus.read(place, *bus.watermarks(place)):
            for record in records_of(batch):
                try:
                    fact = own.read(configuration.application, READERS, record.value, record.headers)
                except (own.Foreign, own.Unreadable):
                    continue
                if fact is not None:
                    found[fact.key] = fact
    return sorted(found.values(), key=_order)


def _order(one: Performance) -> tuple[str, str, int, int, bool, str]:
    return one.model, one.version, one.about, one.since or 0, one.segment is not None, one.segment or ""


def main_metric(records: Iterable[Performance]) -> str:
    """What is told of them in a table."""
    there = {name for one in records for name in one.realised}
    return next((name for name in MAIN if name in there), MAIN[0])
