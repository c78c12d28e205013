"""Jobs of a replay: what was asked for, as the run that was recorded wrote it down, and whether it is the same again."""

from collections import Counter
from collections.abc import Iterator

from ...schemas.configuration import Configuration
from ..bus import own
from ..bus.interface import Bus, TopicPartition
from ..reference import ledger


def asked_for(bus: Bus, configuration: Configuration) -> Iterator[bytes]:
    """The requests and states on the topic of retrains, as they were written, by partition."""
    topic = bus.describe([configuration.topics.retrain], settings=False).get(configuration.topics.retrain)
    for number in range(0 if topic is None else topic.partitions):
        place = TopicPartition(configuration.topics.retrain, number)
        for batch in bus.read(place, *bus.watermarks(place)):
            for key, value, headers in zip(batch.keys(), batch.values, batch.headers(), strict=True):
                try:
                    said = ledger.read_retrain(configuration.application, key, value, headers)
                except (own.Foreign, own.Unreadable):
                    continue
                if said is not None:
                    yield said.encoded()


def has_ledger(bus: Bus, configuration: Configuration) -> bool:
    """Whether the ledger is there already, as it was recorded: then nothing is copied to it."""
    topic = bus.describe([configuration.topics.actions], settings=False).get(configuration.topics.actions)
    places = [] if topic is None else [TopicPartition(topic.name, number) for number in range(topic.partitions)]
    return any(bus.watermarks(place)[1] for place in places)


def differing(bus: Bus, recorded: Configuration, offline: Configuration) -> int:
    """Requests and states that one of the two has and the other has not; 0 where the recording holds none of these topics."""
    if recorded.topics.retrain not in bus.describe([recorded.topics.retrain], settings=False):
        return 0
    was, now = Counter(asked_for(bus, recorded)), Counter(asked_for(bus, offline))
    return (was - now).total() + (now - was).total()
