"""What a request lets be read: partitions and offsets, checked against the configuration and what the topics still hold."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from ...schemas.configuration import Configuration
from ...schemas.messages.retrain import RetrainRequest, Source
from ...schemas.stored.dataset import ReadSource
from ...schemas.unusable import Unusable
from ..bus.interface import Bus, TopicDescription, TopicPartition
from ..streams.cut import Rules
from ..streams.spans import Spans

_HASH = re.compile(r"sha256:[0-9a-f]{64}")


class UnusableRequest(Unusable):
    """A request whose data cannot be had as it names them. The message says why."""


class Place(NamedTuple):
    """Offsets of one partition that are read: from the first to the one behind the last."""

    source: TopicPartition
    topic_id: str
    start: int
    end: int
    lost: tuple[int, int] | None = None  #: of these the ones that are gone, and that are done without
    through: int | None = None  #: by times: so far it was complete

    @property
    def told(self) -> ReadSource:
        """As the manifest has it."""
        return ReadSource(
            topic=self.source.topic,
            topic_id=self.topic_id,
            partition=self.source.partition,
            offsets=(self.start, self.end),
            lost=self.lost,
            through=self.through,
        )


def checked(configuration: Configuration, request: RetrainRequest) -> None:
    """Refuse what is no request of this application and configuration."""
    if request.application is not None and request.application != configuration.application:
        msg = f"application: the request is of {request.application!r}, and the configuration of {configuration.application!r}"
        raise UnusableRequest(msg)
    if request.model not in configuration.models:
        msg = f"model: {request.model!r} is not among {', '.join(configuration.models) or 'the models: there are none'}"
        raise UnusableRequest(msg)
    if request.reference is not None and not _HASH.fullmatch(request.reference):
        msg = f"reference: {request.reference[:100]!r} is no content hash"
        raise UnusableRequest(msg)
    if request.data.more_sources:
        msg = (
            f"data.more_sources: of {request.data.more_sources:,} partitions the request could not list the offsets, so nobody knows which "
            "rows of them are meant"
        )
        raise UnusableRequest(msg)
    _check_sources(configuration, request)


def topics_of(configuration: Configuration, model: str) -> dict[str, tuple[str, ...]]:
    """By stream, the topics that the data of a model come from: of its predictions first, then of its labels."""
    labels = configuration.models[model].labels
    return {name: configuration.read[name].topics for name in (configuration.stream_of(model), *([] if labels is None else [labels]))}


def _check_sources(configuration: Configuration, request: RetrainRequest) -> None:
    own = topics_of(configuration, request.model).values()
    logs = [configuration.read[name].topics for name in configuration.models[request.model].joins]
    known, seen = {topic for topics in (*own, *logs) for topic in topics}, set[tuple[str, int]]()
    for place, source in enumerate(request.data.sources):
        where = f"data.sources[{place}]"
        if source.topic not in known:
            msg = f"{where}.topic: {source.topic!r} is none of {request.model}'s input topics: {', '.join(sorted(known))}"
            raise UnusableRequest(msg)
        if (source.topic, source.partition) in seen:
            msg = f"{where}: {source.topic}[{source.partition}] is named twice"
            raise UnusableRequest(msg)
        seen.add((source.topic, source.partition))
        if not 0 <= source.offsets[0] <= source.offsets[1]:
            msg = f"{where}.offsets: {source.offsets[0]} to {source.offsets[1]} is no range"
            raise UnusableRequest(msg)


def places_of(
    bus: Bus, configuration: Configuration, request: RetrainRequest, stream: str, since: int | None, *, without_lost: bool = False
) -> list[Place]:
    """What is read of a stream's topics, in the order in which the joiner has them.

    ``since``: what was written before then is not needed; ``without_lost``: what retention took is done without.
    """
    topics = configuration.read[stream].topics
    there = bus.describe(topics, settings=False)
    since = None if Rules.of(configuration.read[stream]).by_offset else since  # there times are no times
    if not request.data.sources:
        wanted = _all_of(bus, topics, there)
        return [_from(bus, source, there, since, since is None or without_lost) for source in wanted]
    own = sorted((one for one in request.data.sources if one.topic in topics), key=lambda one: (one.topic, one.partition))
    return [_from(bus, source, there, since, without_lost) for source in own]


def _all_of(bus: Bus, topics: Sequence[str], there: Mapping[str, TopicDescription]) -> Iterator[Source]:
    for topic in sorted(set(topics)):
        if topic not in there:
            msg = f"topic {topic} does not exist; the data come from it"
            raise UnusableRequest(msg)
        for number in range(there[topic].partitions):
            offsets = bus.watermarks(TopicPartition(topic, number))
            yield Source(topic=topic, topic_id=there[topic].id, partition=number, offsets=offsets)


def _from(bus: Bus, asked: Source, there: Mapping[str, TopicDescription], since: int | None, without_lost: bool) -> Place:
    source, (start, end) = TopicPartition(asked.topic, asked.partition), asked.offsets
    found = there.get(asked.topic)
    if found is None or asked.partition >= found.partitions:
        msg = f"{source} does not exist; the request names offsets {start} to {end} of it"
        raise UnusableRequest(msg)
    if found.id != asked.topic_id:
        msg = f"topic {asked.topic} was made again: the request names offsets of {asked.topic_id}, and it is {found.id} now"
        raise UnusableRequest(msg)
    low, high = bus.watermarks(source)
    if end > high:
        msg = f"{source}: the request names offsets up to {end}, and it holds {low} to {high}: it is not the topic that was read before"
        raise UnusableRequest(msg)
    if start == end:
        return Place(source, found.id, start, end)
    needed = start if since is None else min(max(start, bus.offset_at(source, since)), end)
    # what is older than the data lies in front of what may be of them: without any of it nobody knows where the data began
    lost = low if low > needed or (low == needed and needed > start and since is not None) else start
    if lost == start:
        return Place(source, found.id, needed, end)
    gone = start if since is None else max(start, 0), min(lost, end)
    if not without_lost:
        msg = (
            f"{source}: offsets {gone[0]} to {gone[1] - 1} are lost to retention, and the data need them; keep the topic longer "
            "(retention.ms), let the policy begin later (data.window), or build --without-lost"
        )
        raise UnusableRequest(msg)
    return Place(source, found.id, min(max(needed, low), end), end, gone)


def margin(configuration: Configuration, model: str) -> int:
    """So long before a row lies all that decides what becomes of it: what it repeats, and its labels that came before it."""
    labels, rules = configuration.models[model].labels, Rules.of(configuration.streams[configuration.stream_of(model)])
    slack = 2 * (rules.lead + rules.grace)
    return slack if labels is None else slack + Spans.of(configuration, labels).memory
