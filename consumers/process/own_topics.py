"""The topics of our own: a table; `create_topics` makes what is missing, `check_topics` says what is wrong."""

from collections.abc import Mapping
from typing import NamedTuple

from ...schemas.configuration import Configuration
from ..bus.interface import Bus, TopicExists

_DAY_MS = 86_400_000
_FOREVER = "-1"


class OwnTopic(NamedTuple):
    """A topic of our own, and what its meaning rests on."""

    name: str
    partitions: int
    settings: Mapping[str, str]


def own_topics(configuration: Configuration) -> tuple[OwnTopic, ...]:
    """All of them. Where record time decides, records may be older than any retention: they are kept."""
    topics = configuration.topics
    by_record = any(stream.clock == "record" for stream in configuration.streams.values())

    def kept(days: int) -> dict[str, str]:
        return {"cleanup.policy": "delete", "retention.ms": _FOREVER if by_record else str(days * _DAY_MS)}

    compacted = {"cleanup.policy": "compact"}
    return (
        # the aligner's only clock; kept so long that events can be folded again
        OwnTopic(topics.summaries, topics.partitions, {"message.timestamp.type": "LogAppendTime", **kept(7)}),
        OwnTopic(topics.snapshots, topics.partitions, compacted),  # one partition for each of the summaries
        OwnTopic(topics.drift, topics.partitions, kept(90)),
        OwnTopic(topics.models, 1, compacted),  # one order for all announcements
        OwnTopic(topics.dead_letter, 1, kept(30)),
    )


def create_topics(bus: Bus, configuration: Configuration) -> list[str]:
    """Make those that are missing; their names."""
    wanted = own_topics(configuration)
    there = bus.describe([topic.name for topic in wanted])
    made = []
    for topic in wanted:
        if topic.name not in there:
            try:
                bus.create(topic.name, topic.partitions, configuration.topics.replication, topic.settings)
            except TopicExists:  # another process was faster
                continue
            made.append(topic.name)
    return made


def check_topics(bus: Bus, configuration: Configuration) -> list[str]:
    """What is wrong with them, each with what to do; empty when nothing is.

    Retention may be as the user likes, but not shorter than for ever where record time decides: the broker would delete what it is given.
    """
    wanted = own_topics(configuration)
    there = bus.describe([topic.name for topic in wanted])
    problems = []
    for topic in wanted:
        found = there.get(topic.name)
        if found is None:
            problems.append(f"topic {topic.name} does not exist: driftbus topics create")
            continue
        if found.partitions != topic.partitions:
            problems.append(
                f"topic {topic.name} has {found.partitions} partitions, it must have {topic.partitions}: make it again, choose another "
                "topics.prefix, or let topics.partitions say what all of summaries, snapshots and drift have"
            )
        for key, value in topic.settings.items():
            if found.settings.get(key, value) != value and (key != "retention.ms" or value == _FOREVER):
                problems.append(f"topic {topic.name}: {key} is {found.settings[key]}, it must be {value}: alter the topic's configuration")
    return problems
