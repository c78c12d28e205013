"""The topics of our own: those of the topology; `create_topics` makes what is missing, `check_topics` says what is wrong."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from ...schemas.configuration import Configuration
from ..bus.interface import Bus, BusError, TopicExists
from ..bus.sizes import MOST_BYTES, most_bytes
from ..embedder.message import bytes_more
from .topology import INPUTS, OPTIONAL, TOPOLOGY, Node

_DAY_MS = 86_400_000
_FOREVER = "-1"
#: What `topics.prefix` was where none was written, before it became the application's name.
OLD_DEFAULT = "driftbus"


class OwnTopic(NamedTuple):
    """A topic of our own, and what its meaning rests on."""

    name: str
    partitions: int
    settings: Mapping[str, str]


_APPEND_TIME = {"message.timestamp.type": "LogAppendTime"}
#: Topics of facts that become known when they are written, whatever times they state: with a live clock, the log says when that was.
_KNOWN_WHEN_WRITTEN = {"models", "golden", "reviews", "feedback", "actions"}
#: Of every topic that the topology names: whether it has as many partitions as there are summaries, and its settings. Where retention is
#: a number of days, records may be older than any retention wherever record time decides: there they are kept.
_SETTINGS: Mapping[str, tuple[bool, Mapping[str, str], int | None]] = {
    # the aligner's only clock; kept so long that events can be folded again
    "summaries": (True, _APPEND_TIME, 7),
    # as the summaries; kept as long as anything waits
    "joins": (True, _APPEND_TIME, 7),
    # the times of the messages that are handed on; as many partitions as the topic of these
    "embeddings": (True, {"message.timestamp.type": "CreateTime"}, 7),
    "examples": (True, _APPEND_TIME, 7),  # by the partition of the model; kept until labels have come
    "requests": (True, {}, 7),
    "replies": (True, {}, 7),
    "served": (True, {"message.timestamp.type": "CreateTime"}, 7),  # the times of the requests
    "learned": (True, {}, None),  # by the partition of the model; compacted
    "snapshots": (True, {}, None),  # one partition for each of the summaries; compacted
    "drift": (True, {}, 90),
    "root-causes": (True, {}, 90),
    "performance": (True, {}, None),  # compacted
    "ood": (True, {}, 90),
    "models": (False, {}, None),  # one order for all announcements and model events; compacted
    "feedback": (False, {}, 90),  # one order for all that is said
    "golden": (True, {}, None),  # by the partition of the model; compacted
    "reviews": (True, {}, 90),  # by the partition of the model
    "actions": (True, {}, 90),  # by the partition of the model
    "retrain": (True, {}, 90),  # the same
    "alerts": (True, {}, 90),  # the same
    "dead-letter": (False, {}, 30),
}


def own_topics(configuration: Configuration, topology: Sequence[Node] = TOPOLOGY) -> tuple[OwnTopic, ...]:
    """All that the roles that are asked for read or write, but the inputs."""
    used = {topic for node in topology if node.asked(configuration) for topic in (*node.reads, *node.writes)} - {INPUTS}
    by_record = any(stream.clock == "record" for stream in configuration.streams.values())
    live = any(stream.clock == "live" for stream in configuration.streams.values())
    topics = configuration.topics

    def one(name: str) -> OwnTopic:
        as_summaries, settings, days = _SETTINGS[name]
        kept = {"cleanup.policy": "compact"} if days is None else _deleted(None if by_record else _kept(configuration, name, days))
        if name in _KNOWN_WHEN_WRITTEN and live:
            settings = _APPEND_TIME
        return OwnTopic(topics.named(name), topics.partitions if as_summaries else 1, {**settings, **kept})

    there = (name for name in _SETTINGS if name in used and (name not in OPTIONAL or OPTIONAL[name](configuration)))
    return tuple(one(name) for name in there)


def _kept(configuration: Configuration, name: str, days: int) -> int:
    """For how many ms at least."""
    waits = [2 * join.wait + join.early for join in configuration.joins.values()] if name == "joins" else []
    waits = [join.wait for join in configuration.joins.values()] if name == "examples" else waits
    return max([days * _DAY_MS, *(wait + wait // 4 for wait in waits)])


def _deleted(length_ms: int | None) -> dict[str, str]:
    return {"cleanup.policy": "delete", "retention.ms": _FOREVER if length_ms is None else str(length_ms)}


def topics_of_old(bus: Bus, configuration: Configuration) -> str | None:
    """What to write if the topics of the old default, which are there, are this application's; None: there are none, or it reads them."""
    topics = configuration.topics
    if topics.prefix != configuration.application or topics.prefix == OLD_DEFAULT:
        return None
    old = topics.model_copy(update={"prefix": OLD_DEFAULT})
    try:
        there = bus.describe([old.summaries, old.models], settings=False)
    except BusError as error:
        if "AUTHORIZATION" not in str(error):
            raise
        return None  # who has no right to them never had: they are not his
    return (
        f"topics {OLD_DEFAULT}.* are there, from when that was the default of topics.prefix; it is {topics.prefix} now. "
        f"To go on with the old ones write topics: {{prefix: {OLD_DEFAULT}}}"
        if there
        else None
    )


def _wanted(bus: Bus, configuration: Configuration) -> list[OwnTopic]:
    """As they are to be on this bus: what an embedder writes has the partitions of what it reads, and room for its records with vectors."""
    wanted, name = list(own_topics(configuration)), configuration.embeds
    stream = None if name is None else configuration.streams[name]
    if stream is None or stream.embedder is None or stream.embedder.reads is None or stream.embedded is None:
        return wanted
    read, to = bus.describe([stream.embedder.reads]).get(stream.embedder.reads), configuration.topics.embeddings
    if read is None:
        return [topic for topic in wanted if topic.name != to]
    most = most_bytes(read.settings) + bytes_more(stream.embedded[1], stream.embedder.size, stream.embedder.identity)

    def like(topic: OwnTopic) -> OwnTopic:
        return topic._replace(partitions=read.partitions, settings={**topic.settings, MOST_BYTES: str(most)})

    return [like(topic) if topic.name == to else topic for topic in wanted]


def missing(bus: Bus, configuration: Configuration) -> list[OwnTopic]:
    """Those that are not there. What an embedder writes is missing once there is what it reads."""
    wanted = _wanted(bus, configuration)
    there = bus.describe([topic.name for topic in wanted], settings=False)
    return [topic for topic in wanted if topic.name not in there]


def create_topics(bus: Bus, configuration: Configuration) -> list[str]:
    """Make those that are missing; their names."""
    made = []
    for topic in missing(bus, configuration):
        with suppress(TopicExists):  # another process was faster
            bus.create(topic.name, topic.partitions, configuration.topics.replication, topic.settings)
            made.append(topic.name)
    return made


def check_topics(bus: Bus, configuration: Configuration) -> list[str]:
    """What is wrong with them, each with what to do; empty when nothing is.

    Retention may be as the user likes, but not shorter than for ever where record time decides: the broker would delete what it is given.
    """
    wanted = _wanted(bus, configuration)
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
        if (most := int(topic.settings.get(MOST_BYTES, 0))) > most_bytes(found.settings):
            problems.append(
                f"topic {topic.name}: {MOST_BYTES} is {most_bytes(found.settings)}, it must be {most}: alter the topic's configuration, or "
                "the largest messages pass without a vector"
            )
        for key, value in topic.settings.items():
            if key != MOST_BYTES and found.settings.get(key, value) != value and (key != "retention.ms" or value == _FOREVER):
                problems.append(f"topic {topic.name}: {key} is {found.settings[key]}, it must be {value}: alter the topic's configuration")
    return problems
