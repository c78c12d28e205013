"""Messages as the source of a reference, through the stream's mapping: of a slice of a topic, or of a file of JSON lines."""

import heapq
import mmap
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from msgspec import UNSET

from ....schemas.cloud_events import microseconds
from ....schemas.configuration import TopicSlice
from ....schemas.configuration.mapping import Mapping, Place
from ....schemas.configuration.where import Where
from ...bus.interface import Bus, TopicPartition
from ...decode.json import JSONDecoder, category_text, decode_generic
from ...decode.marked import Marks
from ...decode.rows import is_row
from ...decode.tolerant import NotAnObject, Undecodable, member
from .columns import Chunk, Column, Key, UnusableReference, column_of
from .left_out import LeftOut

#: Messages at a time: with vectors of a thousand numbers some 130 MB.
_ROWS = 4_096
#: In the place of a value to which no path leads: invalid, as the decoder has it.
_NOT_AN_OBJECT: list[object] = []
#: Features are the members of one object. More than this is an object with, say, an id for a name.
MOST_FEATURES = 5_000
_GOLDEN = "asked for by golden evaluations"


#: Where, in each partition, the next rows stand that are not read.
ReadTo = dict[TopicPartition, int]


class UnusableMessages(UnusableReference):
    """Messages that no reference can be built from. Its text says what to change."""


class SampleRead(NamedTuple):
    """One message of the model, and its time in ms."""

    time: int
    message: dict[str, Any]  # a user's: any JSON


class MessageSource:
    """Messages as the source of a reference. ``read`` begins again at every call; ``timed``: it yields in the order of time."""

    def __init__(
        self, label: str, mapping: Mapping, read: Callable[[LeftOut], Iterator[SampleRead]], *, timed: bool, withheld: bool = False
    ) -> None:
        """``withheld``: messages are quoted in no remark (`driftbus.schemas.configuration.Configuration.withholds`)."""
        self.label = label
        self._mapping, self._read, self._timed = mapping, read, timed
        self._left_out = LeftOut(withheld=withheld)

    def chunks(self, keys: Sequence[Key] | None = None) -> Iterator[Chunk]:
        """These columns, or all that appear in a chunk, chunk by chunk."""
        self._left_out.clear()
        read = self._read(self._left_out)
        while some := list(islice(read, _ROWS)):
            rows = [one for one in some if is_row(one.message, self._mapping)]
            if rows and len(rows) < len(some):  # else it is the way of all of them: of scores alone
                self._left_out.note("without features", len(some) - len(rows))
                some = rows
            times = np.array([time for time, _ in some], dtype=np.int64) if self._timed else None
            messages = [message for _, message in some]
            yield Chunk(len(some), times, dict(self._columns(messages, keys)), self._ids(messages) if keys is None else None)

    def _ids(self, messages: list[dict[str, Any]]) -> list[object] | None:
        place = self._mapping.id
        return None if place is None or place.source != "path" else [_at(message, place) for message in messages]

    def _columns(self, messages: list[dict[str, Any]], keys: Sequence[Key] | None) -> Iterator[tuple[Key, Column]]:
        features = list(self._features(messages))
        wanted = keys
        if wanted is None:
            beside = {place.path: place.name for place in self._mapping.beside}
            names = dict.fromkeys(chain.from_iterable(found for found in features if found))
            names = dict.fromkeys([*(name for name in names if self._mapping.feature(name) not in beside), *beside.values()])
            wanted = [*(Key("feature", name) for name in names), Key("prediction", "prediction"), Key("score", "score")]
        if len(wanted) > MOST_FEATURES:
            msg = (
                f"{self.label}: {len(wanted):,} features at {self._mapping.features}; list the paths of those to be watched in the mapping"
            )
            raise UnusableMessages(msg)
        for key in wanted:
            if place := next((place for place in self._mapping.beside if place.name == key.name and key.role == "feature"), None):
                yield key, column_of([_at(message, place) for message in messages])
            elif key.role == "feature":
                yield key, column_of([_NOT_AN_OBJECT if found is None else found.get(key.name, UNSET) for found in features])
            elif (place := getattr(self._mapping, key.role)) is not None:
                yield key, column_of([_at(message, place) for message in messages])

    def _features(self, messages: list[dict[str, Any]]) -> Iterator[dict[str, object] | None]:
        """The features by name; None: their object is something else, and each of them is invalid."""
        place = self._mapping.features
        if not isinstance(place, Place):
            yield from ({str(one): _at(message, one) for one in place} for message in messages)
            return
        for message in messages:
            found = _at(message, place)
            yield found if isinstance(found, dict) else {} if found is None or found is UNSET else None

    def remarks(self) -> Sequence[str]:
        """Messages that were not used, and why."""
        return [f"{rows:,} messages left out: {reason}" for reason, rows in self._left_out.most_common(3)]


def _at(message: dict[str, Any], place: Place) -> object:
    try:
        return member(message, place.path)
    except NotAnObject:
        return _NOT_AN_OBJECT


def topic_slice(
    bus: Bus,
    slice_: TopicSlice,
    mapping: Mapping,
    model: str,
    version: str,
    where: Where | None = None,
    read_to: ReadTo | None = None,
    *,
    marked: bool = False,
    withheld: bool = False,
) -> MessageSource:
    """The messages of one model version that stand in a topic now, in the order of their record timestamps.

    ``read_to``: of them those in front of these offsets, and none of partitions that are not among them.
    """
    start = _edge(slice_.start, "start", -(2**62))
    end = _edge(slice_.end, "end", 2**62)
    description = bus.describe([slice_.topic]).get(slice_.topic)
    if description is None:
        msg = f"topic {slice_.topic} does not exist; name an input topic of the model's stream"
        raise UnusableMessages(msg)
    places = [TopicPartition(slice_.topic, number) for number in range(description.partitions)]
    sources = [place for place in places if read_to is None or place in read_to]
    bounds = {source: _bounds(bus, source, start, read_to) for source in sources}  # once: every pass must read the same

    def records(source: TopicPartition, left_out: LeftOut) -> Iterator[SampleRead]:
        decoder = JSONDecoder(mapping, where, marked=marked)
        for batch in bus.read(source, *bounds[source]):
            keys = batch.keys() if decoder.needs_keys else None
            identities = decoder.identities(batch.values, keys, batch.headers() if decoder.needs_headers else None)
            for rejected in identities.rejected:
                left_out.note_bad(rejected.reason, batch.values[rejected.row])
            if by_where := len(identities.left_out) - len(identities.golden):
                left_out.note("by where", by_where)
            if identities.golden:
                left_out.note(_GOLDEN, len(identities.golden))
            inside = (batch.timestamps >= start) & (batch.timestamps < end)
            for code, identity in enumerate(identities.models):
                rows = np.flatnonzero((identities.model_of == code) & inside)
                if identity != (model, version):
                    left_out.note(f"of {'/'.join(identity)}", len(rows))
                    continue
                for row in rows.tolist():
                    yield from _read(batch.values[row], int(batch.timestamps[row]), left_out)

    def read(left_out: LeftOut) -> Iterator[SampleRead]:
        return heapq.merge(*(records(source, left_out) for source in sources), key=itemgetter(0))

    return MessageSource(f"topic {slice_.topic}", mapping, read, timed=True, withheld=withheld)


def _bounds(bus: Bus, source: TopicPartition, start: int, read_to: ReadTo | None) -> tuple[int, int]:
    """The offsets to read; what lies in front of the first record that is not too early is too early."""
    first, end = bus.watermarks(source)
    end = end if read_to is None else min(end, read_to[source])
    return max(first, bus.offset_at(source, start)) if start > 0 else first, end


def _read(value: bytes | None, time: int, left_out: LeftOut) -> Iterator[SampleRead]:
    try:
        yield SampleRead(time, decode_generic(value))
    except Undecodable as error:
        left_out.note_bad(str(error), value)


def _edge(text: str | None, name: str, otherwise: int) -> int:
    if text is None:
        return otherwise
    try:
        return epoch_ms(text)
    except ValueError:
        msg = f'reference.{name}: "{text}" is not an ISO 8601 time; write 2026-03-01T10:00:00Z'
        raise UnusableMessages(msg) from None


def epoch_ms(time: object) -> int:
    """A time as messages hold it, ISO 8601 (UTC unless it says otherwise) or epoch milliseconds.

    >>> epoch_ms("2026-03-01T10:00:00.250Z"), epoch_ms("2026-03-01"), epoch_ms(1500)
    (1772359200250, 1772323200000, 1500)
    """
    if isinstance(time, str):
        return round(microseconds(time) / 1000)
    if isinstance(time, int | float) and not isinstance(time, bool) and np.isfinite(time):
        return int(time)
    msg = f"{time!r} is not a time"
    raise ValueError(msg)


def holds_messages(path: Path, mapping: Mapping) -> bool:
    """Whether a file of JSON lines begins with a message in which the mapping finds its features."""
    if path.suffix.lower() not in {".jsonl", ".ndjson"} or not path.is_file():
        return False
    message = _first(path)
    if isinstance(mapping.features, Place):
        return isinstance(_at(message, mapping.features), dict)
    return any(len(place.path) > 1 and _at(message, place) is not UNSET for place in mapping.features)


def _first(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        try:
            return decode_generic(file.readline())
        except Undecodable:
            return {}


def json_lines(path: Path, mapping: Mapping, model: str, version: str, *, withheld: bool = False) -> MessageSource:
    """The messages of one model version in a file, in the order of their mapped time (of the file, if the first one has none).

    What the file does not say, because the topic's keys or headers do, or because all lines are of one model, leaves nothing out.
    """
    place = mapping.time if mapping.time is not None and mapping.time.source == "path" else None
    timed = place is not None and _at(_first(path), place) is not UNSET
    times_at = place if timed else None
    order = _order(path, times_at, withheld=withheld) if timed else None
    marks = Marks(mapping, beside=False)
    own = [(place, name) for place, name in ((mapping.model, model), (mapping.version, version)) if place and place.source == "path"]

    def read(left_out: LeftOut) -> Iterator[SampleRead]:
        with path.open("rb") as file:
            for _, _, found in _lines(path, file if order is None else _sorted_lines(file.fileno(), order), times_at, left_out):
                other = next((text for at, name in own if (text := _name(found.message, at)) not in {None, name}), None)
                if marks.said_by(found.message):
                    left_out.note(_GOLDEN)
                elif other is None:
                    yield found
                else:
                    left_out.note(f"of {other}")

    return MessageSource(str(path), mapping, read, timed=timed, withheld=withheld)


def _lines(path: Path, lines: Iterable[bytes], times_at: Place | None, left_out: LeftOut) -> Iterator[tuple[int, int, SampleRead]]:
    """Position, length and content of every line that holds an object."""
    position = 0
    for number, line in enumerate(lines, start=1):
        start, position = position, position + len(line)
        if not line.strip():
            continue
        for _, message in _read(line, 0, left_out):
            try:
                yield start, len(line), SampleRead(0 if times_at is None else epoch_ms(_at(message, times_at)), message)
            except ValueError as error:
                why = "what stands there is not a time" if left_out.withheld else error
                msg = f"{path}:{number}: {times_at}: {why}; write ISO 8601 or epoch milliseconds, or leave `time` out of the mapping"
                raise UnusableMessages(msg) from None


def _order(path: Path, times_at: Place | None, *, withheld: bool) -> list[tuple[int, int]] | None:
    """Position and length of the lines in the order of time; None: they are so already."""
    times, starts, lengths = array("q"), array("q"), array("q")
    with path.open("rb") as file:
        for start, length, found in _lines(path, file, times_at, LeftOut(withheld=withheld)):
            times.append(found.time)
            starts.append(start)
            lengths.append(length)
    of = np.frombuffer(times, dtype=np.int64)
    if (np.diff(of) >= 0).all():
        return None
    return [(starts[i], lengths[i]) for i in np.argsort(of, kind="stable").tolist()]


def _sorted_lines(descriptor: int, order: Sequence[tuple[int, int]]) -> Iterator[bytes]:
    with mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ) as content:
        for start, length in order:
            yield content[start : start + length]


def _name(message: dict[str, Any], place: Place) -> str | None:
    found = _at(message, place)
    return category_text(found) if isinstance(found, str | int | float) else None
