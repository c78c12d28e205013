"""Jobs of a replay: what was asked for, as the run that was recorded wrote it down, and whether it is the same again."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import TypeVar

from ...schemas.cloud_events import Headers
from ...schemas.configuration import Configuration
from ..bus import own
from ..bus.interface import Bus, TopicPartition
from ..reference import ledger

_Said = TypeVar("_Said")


def asked_for(bus: Bus, configuration: Configuration) -> Iterator[bytes]:
    """The requests, states and steps on the topic of retrains, as they were written, by partition."""
    found: Iterator[ledger.Decided] = ours(bus, configuration.application, configuration.topics.retrain, ledger.read_decided)
    return (said.encoded() for said in found)


def has_ledger(bus: Bus, configuration: Configuration) -> bool:
    """Whether the ledger is there already, as it was recorded: then nothing is copied to it. Another application's is none."""
    return any(True for _ in ours(bus, configuration.application, configuration.topics.actions, ledger.read))


def ours(
    bus: Bus, application: str, topic: str, read: Callable[[str, bytes | None, bytes | None, Headers], _Said | None]
) -> Iterator[_Said]:
    """What an application's records on a topic say, by partition."""
    described = bus.describe([topic], settings=False).get(topic)
    for number in range(0 if described is None else described.partitions):
        place = TopicPartition(topic, number)
        for batch in bus.read(place, *bus.watermarks(place)):
            for key, value, headers in zip(batch.keys(), batch.values, batch.headers(), strict=True):
                try:
                    said = read(application, key, value, headers)
                except (own.Foreign, own.Unreadable):
                    continue
                if said is not None:
                    yield said


def differing(bus: Bus, recorded: Configuration, offline: Configuration) -> int:
    """Requests, states and steps that one of the two has and the other has not; 0 where the recording holds none of these topics."""
    if recorded.topics.retrain not in bus.describe([recorded.topics.retrain], settings=False):
        return 0
    was, now = Counter(asked_for(bus, recorded)), Counter(asked_for(bus, offline))
    return (was - now).total() + (now - was).total()
