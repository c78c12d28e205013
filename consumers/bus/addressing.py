"""How our own messages are addressed: topic, partition, key, CloudEvents headers."""

import zlib

from ...schemas.bounds import TEXT
from ...schemas.cloud_events import JSON, MSGPACK, headers, microseconds
from ...schemas.configuration import Configuration, PaneLength
from ...schemas.identity import content_hash, derived_id
from ...schemas.messages.dead_letter import LARGEST_VALUE, DeadLetter
from ...schemas.messages.drift import DriftEvent
from ...schemas.messages.notice import Notice
from ...schemas.messages.pane import Pane
from ...schemas.messages.progress import InputPartition, Progress
from ...schemas.text import fitted
from .bounded import bounded, bounded_notice
from .interface import Output

PANE = "io.driftbus.pane"
PROGRESS = "io.driftbus.progress"
DEAD_LETTER = "io.driftbus.dead-letter"


def partition_of(model: str, partitions: int) -> int:
    """The partition of summaries, snapshots and drift that a model lives in.

    >>> partition_of("fraud", 8)
    2
    """
    return zlib.crc32(model.encode()) % partitions


def source(configuration: Configuration) -> str:
    """``ce_source`` of all that an application publishes."""
    return f"/driftbus/{configuration.application}"


def pane_outputs(configuration: Configuration, pane: Pane) -> list[Output]:
    """A pane, to its model's partition of the summaries: one record, or as many as its size takes."""
    topics = configuration.topics
    return [
        Output(
            topics.summaries,
            partition_of(pane.model, topics.partitions),
            pane.model.encode(),
            value,
            headers(
                id=part.id,
                type=PANE,
                source=source(configuration),
                time_ms=pane.bucket,
                subject=f"{pane.model}/{pane.version}",
                content_type=MSGPACK,
            ),
        )
        for part, value in pane.split()
    ]


def progress_outputs(configuration: Configuration, progress: Progress) -> list[Output]:
    """Progress, to every partition of the summaries."""
    value, topics = progress.encoded(), configuration.topics
    place = f"{progress.source.topic}/{progress.source.partition}"
    heads = headers(
        id=progress.id,
        type=PROGRESS,
        source=source(configuration),
        time_ms=max(progress.through or 0, 0),
        subject=place,
        content_type=MSGPACK,
    )
    return [Output(topics.summaries, number, place.encode(), value, heads) for number in range(topics.partitions)]


def event_output(configuration: Configuration, event: DriftEvent | Notice, partition: int, time_ms: int) -> Output:
    """A drift event or a notice; ``time_ms`` is the end of the bucket that it speaks of."""
    value = _bounded(configuration, event).model_dump_json(exclude_none=False).encode()
    heads = headers(
        id=event.id,
        type=event.type,
        source=source(configuration),
        time_ms=time_ms,
        subject=f"{event.model}/{event.version}",
        content_type=JSON,
    )
    return Output(configuration.topics.drift, partition, event.model.encode(), value, heads)


def _bounded(configuration: Configuration, event: DriftEvent | Notice) -> DriftEvent | Notice:
    if isinstance(event, Notice):
        return bounded_notice(event)
    stream = configuration.streams.get(event.stream)  # what was open on a stream that is gone is resolved
    return bounded(event if stream is None else _placed(event, stream.pane))


def _placed(event: DriftEvent, pane: PaneLength) -> DriftEvent:
    """The event with rows instead of times where its stream has panes of so many rows."""
    if pane.unit != "rows":
        return event
    onset, start, end = (pane.place(microseconds(time) // 1000) for time in (event.onset, *event.bucket))
    return event.model_copy(update={"onset": onset, "bucket": (start, end)})


def dead_letter_output(configuration: Configuration, letter: DeadLetter, value: bytes | None) -> Output:
    """A dead letter: raw bytes as they came (of a large value the head), all else in headers."""
    raw = value or b""
    heads = [
        *headers(
            id=letter.id,
            type=DEAD_LETTER,
            source=source(configuration),
            time_ms=min(max(letter.timestamp, 0), 253_402_300_799_000),  # the years that an ISO time can be of
            subject=letter.place,
            content_type="application/octet-stream",
        ),
        *(
            (f"driftbus-{name.replace('_', '-')}", fitted(str(fact), TEXT).encode())
            for name, fact in letter.model_dump(exclude_none=True).items()
        ),
    ]
    return Output(configuration.topics.dead_letter, None, letter.place.rpartition("@")[0].encode(), raw[:LARGEST_VALUE], tuple(heads))


def dead_letter(
    stream: str,
    place: InputPartition,
    offset: int,
    timestamp: int,
    field: str | None,
    reason: str,
    value: bytes | None,
    further: int = 0,
    whole: tuple[int, str | None] | None = None,
) -> DeadLetter:
    """The letter of one bad record or field. ``whole``: size and hash of the record's value, where no more is at hand than its head."""
    raw = value or b""
    size, digest = (len(raw), content_hash(raw) if len(raw) > LARGEST_VALUE else None) if whole is None else whole
    return DeadLetter(
        stream=stream,
        topic=place.topic,
        topic_id=place.topic_id,
        partition=place.partition,
        offset=offset,
        timestamp=timestamp,
        scope="record" if field is None else "field",
        field=field,
        reason=reason,
        size=size,
        hash=digest,
        further=further,
    )


def begins_output(configuration: Configuration, stream: str | None, place: InputPartition, first: int) -> Output:
    """Say where reading begins: nobody had read what retention took before that, so nothing of ours is lost.

    A group whose committed offsets the broker has forgotten (``offsets.retention.minutes``) looks the same.
    """
    notice = Notice(
        about="begins",
        model="-",
        version="-",
        stream=stream,
        text=f"{place.topic}[{place.partition}] is read for the first time, from offset {first}: what was before had been deleted",
        facts={"topic": place.topic, "partition": place.partition, "first": first},
        identity=derived_id("begins", configuration.application, stream, *place.key, first),
    )
    return event_output(configuration, notice, place.partition % configuration.topics.partitions, 0)


def lost_output(configuration: Configuration, stream: str | None, place: InputPartition, start: int, first: int) -> Output:
    """Say that retention took records before they were read: never a silent reset."""
    named = f"{place.topic}[{place.partition}]"
    notice = Notice(
        about="lost",
        model="-",
        version="-",
        stream=stream,
        text=f"{named}: offsets {start} to {first - 1} were deleted before they were read; raise retention.ms of the topic",
        facts={"topic": place.topic, "partition": place.partition, "from": start, "to": first - 1},
        identity=derived_id("lost", configuration.application, *place.key, start, first),
    )
    return event_output(configuration, notice, place.partition % configuration.topics.partitions, 0)


def set_aside_output(configuration: Configuration, stream: str | None, place: InputPartition, offset: int, reason: str) -> Output:
    """Say that a record made a consumer raise, and was set aside (`driftbus.consumers.process.last_net`)."""
    named = f"{place.topic}[{place.partition}]@{offset}"
    notice = Notice(
        about="set_aside",
        model="-",
        version="-",
        stream=stream,
        text=f"{named} was set aside: {reason}; it is among the dead letters. This is a fault of driftbus: please report it",
        facts={"topic": place.topic, "partition": place.partition, "offset": offset},
        identity=derived_id("set-aside", configuration.application, *place.key, offset),
    )
    return event_output(configuration, notice, place.partition % configuration.topics.partitions, 0)
