"""How things stand, from the topics alone: any machine that reaches the bus can ask, and no consumer notices. Joins no group.

What is told: of every partition what its group has committed, and what lies behind it; from the progress in the summaries, how far the
buckets are. A record counts as read once its bucket has been cut, so the rows of the open bucket are among those to read.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, islice

from ...schemas.configuration import Configuration
from ...schemas.form import NewerForm
from ...schemas.messages.progress import Progress
from ..bus import own
from ..bus.interface import Bus, Position, TopicDescription, TopicPartition
from ..embedder.embedder import ANSWERS, FAILS
from ..embedder.embedder import ROLE as EMBEDDER
from ..intake.intake import ROLE as INTAKE
from ..intake.intake import SOURCES
from ..pipeline.topology import TOPOLOGY
from ..reference import reviews
from ..reference.golden_records import asked
from ..streams.buckets import buckets
from .letters import Letter, kept
from .reading import Read, backwards, first_from

#: Records that are looked at for the newest progress of every partition; letters that are counted.
_MOST_LOOKED_AT = 20_000
_MOST_LETTERS = 10_000

#: Partitions that are asked about at once: on Kafka each answer takes a few round trips.
_AT_ONCE = 8

#: Roles of which more is told than how far they have read.
_TOLD_BY_THEMSELVES = frozenset({EMBEDDER, "profiler", "joiner", "clerk", "detector", "reviewer", "evaluator"})

Question = Callable[[], "PartitionStanding"]
Said = Mapping[TopicPartition, tuple[int, Progress]]  # the newest progress of each input partition, with its append time


@dataclass(frozen=True)
class PartitionStanding:
    """One partition in the eyes of its consumer group."""

    role: str
    stream: str | None  #: of a profiler; of a launcher or an alerter the name that it is configured under
    topic: str
    partition: int
    committed: int | None  #: the next offset to read; None: nothing has been committed
    end: int
    to_read: int  #: offsets between the two
    behind_ms: int | None  #: record time between the first of these and the newest; None: it could not be had
    committed_at: int | None  #: ms; when its newest records were written; of a detector, events and snapshots
    bucket: int | None  #: ms; the end of the newest bucket that is complete (profiler), or evaluated (detector)
    place: str | None  #: that bucket as it is named in events
    dead_letters: int | None = None  #: of a profiler: kept on the dead-letter topic
    embeds: str | None = None  #: of an embedder: *answers*, *waits* for its answer, or *fails*; None: not known yet
    embeds_since: int | None = None  #: ms; since when it fails
    uncommitted: int = 0  #: offsets behind the end that nobody can read yet: a transaction is open in front of them


@dataclass(frozen=True)
class Standing:
    """All of an application."""

    now: int
    partitions: list[PartitionStanding]
    missing: list[str]  #: topics that are not there
    dead_letters: int
    further: int  #: letters that were counted, and not kept
    all_counted: bool  #: of the dead letters


def standing(bus: Bus, configuration: Configuration, now_ms: int | None = None) -> Standing:
    """Look once."""
    topics = configuration.topics
    inputs = configuration.inputs
    tested = [topics.golden] if asked(configuration) else []
    drawn = [topics.summaries, topics.reviews] if reviews.asked(configuration) else []
    others = list(_others(configuration))
    of_others = {topic for _, read, _ in others for topic in read}
    own = topics.summaries, topics.drift, topics.snapshots, topics.models, topics.joins, *tested, *drawn
    described = bus.describe(list(dict.fromkeys([*inputs, *own, *sorted(of_others)])))
    summaries = described.get(topics.summaries)
    found = list(islice(kept(bus, configuration), _MOST_LETTERS + 1))
    questions = [
        *_embedders(bus, configuration),
        *_profilers(bus, configuration, described, _newest(bus, configuration, described), found),
        *(_readers(bus, configuration, described, "joiner", [topics.joins]) if configuration.joins else []),
        *_readers(bus, configuration, described, "clerk", [topics.models, *tested]),
        *(_detectors(bus, configuration, described) if summaries else []),
        *_readers(bus, configuration, described, "reviewer", drawn),
        *_readers(bus, configuration, described, "evaluator", tested),
        *chain.from_iterable(_readers(bus, configuration, described, *one) for one in others),
    ]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        partitions = list(pool.map(lambda question: question(), questions))
    return Standing(
        now=time.time_ns() // 1_000_000 if now_ms is None else now_ms,
        partitions=partitions,
        missing=[topic for topic in dict.fromkeys([*inputs, topics.summaries, *sorted(of_others)]) if topic not in described],
        dead_letters=len(found),
        further=sum(letter.facts.further for letter in found),
        all_counted=len(found) <= _MOST_LETTERS,
    )


def _others(configuration: Configuration) -> Iterator[tuple[str, list[str], str | None]]:
    """Of all further roles that `run` starts: the topics whose offsets each commits, and the name that it is configured under."""
    named: Mapping[str, Iterable[str]] = {"launcher": configuration.launchers, "alerter": configuration.alerts}
    for node in TOPOLOGY:
        if node.role in _TOLD_BY_THEMSELVES or not node.asked(configuration):
            continue
        read = [one.topic for one in SOURCES if one.asked(configuration)] if node.role == INTAKE else node.reads[:1]
        for name in named[node.role] if node.per_name else (None,):
            yield node.role, [configuration.topics.named(topic) for topic in read], name


def _embedders(bus: Bus, configuration: Configuration) -> Iterable[Question]:
    stream = None if configuration.embeds is None else configuration.streams[configuration.embeds]
    if stream is None or stream.embedder is None or stream.embedder.reads is None:
        return
    described = bus.describe([stream.embedder.reads], settings=False)
    places = _partitions(described.values())
    committed = bus.committed(f"{configuration.application}-{EMBEDDER}", places) if places else {}
    for place in places:
        yield partial(_embedder, bus, configuration, place, committed.get(place))


def _embedder(bus: Bus, configuration: Configuration, place: TopicPartition, position: Position | None) -> PartitionStanding:
    """Whether what it asks answers stands beside its offset."""
    found = _one(bus, configuration, EMBEDDER, None, place, position, None, {}, None)
    state, _, since = ("" if position is None else position.metadata).partition(" ")
    if state == FAILS:
        return replace(found, embeds="fails", embeds_since=int(since))
    return replace(found, embeds="waits" if found.to_read else "answers" if state == ANSWERS else None)


def _profilers(
    bus: Bus, configuration: Configuration, described: Mapping[str, TopicDescription], said: Said, found: Iterable[Letter]
) -> Iterable[Question]:
    for name, stream in configuration.read.items():
        places = _partitions(described[topic] for topic in stream.topics if topic in described)
        committed = bus.committed(f"{configuration.application}-profiler-{name}", places)
        for place in places:
            mine = [one for one in found if (one.facts.stream, one.facts.topic, one.facts.partition) == (name, *place)]
            at, through = (said[place][0], said[place][1].through) if place in said else (None, None)
            yield partial(_one, bus, configuration, "profiler", name, place, committed.get(place), at, {name: through}, len(mine))


def _readers(
    bus: Bus,
    configuration: Configuration,
    described: Mapping[str, TopicDescription],
    role: str,
    topics: Sequence[str],
    name: str | None = None,
) -> Iterable[Question]:
    """Of a role that reads topics of our own, in which no bucket is complete."""
    places = _partitions(described[topic] for topic in topics if topic in described)
    group = role if name is None else f"{role}-{name}"
    committed = bus.committed(f"{configuration.application}-{group}", places) if places else {}
    return [partial(_one, bus, configuration, role, name, place, committed.get(place), None, {}, None) for place in places]


def _detectors(bus: Bus, configuration: Configuration, described: Mapping[str, TopicDescription]) -> Iterable[Question]:
    places = _partitions([described[configuration.topics.summaries]])
    committed = bus.committed(f"{configuration.application}-detector", places)
    return [partial(_detector, bus, configuration, described, place, committed.get(place)) for place in places]


def _detector(
    bus: Bus, configuration: Configuration, described: Mapping[str, TopicDescription], place: TopicPartition, position: Position | None
) -> PartitionStanding:
    """What a detector has evaluated follows from the progress in front of its offset."""
    said = _progress(bus, configuration, described, place, position.offset) if position else {}
    evaluated = {
        name: _through(said, _partitions(described[topic] for topic in stream.topics if topic in described))
        for name, stream in configuration.streams.items()
    }
    wrote = [
        record.timestamp
        for topic in (configuration.topics.drift, configuration.topics.snapshots)
        if topic in described and place.partition < described[topic].partitions
        for record in islice(backwards(bus, TopicPartition(topic, place.partition)), 1)
    ]
    return _one(bus, configuration, "detector", None, place, position, max(wrote, default=None), evaluated, None)


def _one(
    bus: Bus,
    configuration: Configuration,
    role: str,
    stream: str | None,
    place: TopicPartition,
    position: Position | None,
    committed_at: int | None,
    through: Mapping[str, int | None],
    dead: int | None,
) -> PartitionStanding:
    first, end = bus.watermarks(place)
    start = first if position is None else max(position.offset, first)
    ends = {name: buckets(configuration.streams[name].pane).start(time) for name, time in through.items() if time is not None}
    oldest = min(ends, key=lambda name: ends[name]) if ends else None
    return PartitionStanding(
        role=role,
        stream=stream,
        topic=place.topic,
        partition=place.partition,
        committed=position.offset if position else None,
        end=end,
        to_read=max(end - start, 0),
        behind_ms=_behind(bus, place, start, end),
        committed_at=committed_at,
        bucket=ends[oldest] if oldest is not None else None,
        place=configuration.streams[oldest].pane.place(ends[oldest]) if oldest is not None else None,
        dead_letters=dead,
        uncommitted=max(bus.watermarks(place, committed=False)[1] - end, 0),
    )


def _behind(bus: Bus, place: TopicPartition, start: int, end: int) -> int | None:
    """From the first record to be read to the newest."""
    unread = first_from(bus, place, start, end)
    newest = next(backwards(bus, place), None)
    if unread is None:
        return 0  # control records at most
    return max(newest.timestamp - unread.timestamp, 0) if newest else None


def _newest(bus: Bus, configuration: Configuration, described: Mapping[str, TopicDescription]) -> Said:
    """The newest progress of every input partition, from the summaries partition that holds least: all of them hold all progress."""
    summaries = described.get(configuration.topics.summaries)
    if summaries is None:
        return {}
    spans = {place: bus.watermarks(place) for place in _partitions([summaries])}
    place = min(spans, key=lambda one: spans[one][1] - spans[one][0])
    return _progress(bus, configuration, described, place, spans[place][1])


def _progress(bus: Bus, configuration: Configuration, described: Mapping[str, TopicDescription], place: TopicPartition, end: int) -> Said:
    wanted = {
        TopicPartition(topic, number): described[topic].id
        for stream in configuration.streams.values()
        for topic in stream.topics
        if topic in described
        for number in range(described[topic].partitions)
    }
    found: dict[TopicPartition, tuple[int, Progress]] = {}
    for record in islice(backwards(bus, place, end), _MOST_LOOKED_AT):
        progress = _read(configuration.application, record)
        if progress is None:
            continue
        key = TopicPartition(progress.source.topic, progress.source.partition)
        if wanted.get(key) == progress.source.topic_id:
            found.setdefault(key, (record.timestamp, progress))
        if len(found) == len(wanted):
            break
    return found


def _read(application: str, record: Read) -> Progress | None:
    try:
        return own.read(application, {Progress.TYPE: Progress.decoded}, record.value, record.headers)
    except (own.Foreign, own.Unreadable, NewerForm):
        return None


def _through(said: Said, places: Iterable[TopicPartition]) -> int | None:
    """How far all of them are; None where one has said nothing."""
    told = [said[place][1].through if place in said else None for place in places]
    return min((one for one in told if one is not None), default=None) if None not in told else None


def _partitions(described: Iterable[TopicDescription]) -> list[TopicPartition]:
    return [TopicPartition(topic.name, number) for topic in described for number in range(topic.partitions)]
