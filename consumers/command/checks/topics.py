"""Whether the topics are there, and whether anything in them would hold a stream up."""

from collections.abc import Iterator

from ....schemas.configuration import Configuration, Stream
from ...bus.interface import Bus, TopicPartition
from ...pipeline.own_topics import check_topics, topics_of_old
from ...profiler.profiler import ROLE as PROFILER
from ...streams.buckets import uncountable
from .finding import Finding


def own_topics(bus: Bus, configuration: Configuration) -> Iterator[Finding]:
    """Those that driftbus writes."""
    problems = check_topics(bus, configuration)
    yield from (Finding("wrong", problem) for problem in problems)
    if told := topics_of_old(bus, configuration):
        yield Finding("note", told)
    if not problems:
        yield Finding("ok", f"topics {configuration.topics.prefix}.*: all there, with the right settings")


def input_topics(bus: Bus, configuration: Configuration, key: str, stream: Stream) -> Iterator[Finding]:
    """Those that a stream reads, and how far its profiler has come; ``key``: where it stands, ``streams.NAME`` or ``labels.NAME``."""
    name = key.partition(".")[2]
    described = bus.describe(stream.topics)
    for topic in stream.topics:
        if topic not in described:
            yield Finding("wrong", f"{key}.topics: there is no topic {topic} on this bus")
            continue
        if problem := uncountable(name, stream.pane, topic, described[topic].partitions):
            yield Finding("wrong", problem)
            continue
        partitions = [TopicPartition(topic, number) for number in range(described[topic].partitions)]
        spans = {partition: bus.watermarks(partition) for partition in partitions}
        committed = bus.committed(f"{configuration.application}-{PROFILER}-{name}", partitions)
        records = sum(end - first for first, end in spans.values())
        behind = sum(end - committed[partition].offset for partition, (_, end) in spans.items() if partition in committed)
        progress = f"{behind:,} to read" if committed else "none read yet"
        yield Finding("ok", f"{key}: {topic}: {len(partitions)} partitions, {records:,} records, {progress}")
        empty = ", ".join(str(partition.partition) for partition, (first, end) in spans.items() if first == end)
        if empty and stream.clock == "record":
            text = f"{key}: partition {empty} of {topic} is empty; with clock: record nothing but a record completes it"
            yield Finding("note", f"{text}, so it holds the stream up; run with --until-end, or set clock: live")
