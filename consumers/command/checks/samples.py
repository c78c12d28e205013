"""What messages decode to: the last ones of every partition of a stream, read as the profiler would read them."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec import UNSET

from ....schemas.cloud_events import Headers
from ....schemas.configuration import Model, Stream
from ....schemas.configuration.mapping import Mapping, Place
from ....schemas.stored.reference import AVAILABILITY, Reference
from ...bus.interface import Bus, TopicPartition
from ...decode.interface import Identities
from ...decode.json import JSONDecoder
from ...decode.tolerant import NotAnObject, decode_generic, member
from ...streams.records import records_of
from .finding import Finding

#: More would fill the screen.
_MOST_BAD = 5
_MOST_FEATURES = 50
_MISSING = AVAILABILITY.index("missing")
_KINDS = {bool: "boolean", int: "number", float: "number", str: "text", type(None): "null", dict: "object", list: "list"}


@dataclass
class Sample:
    """Records of a stream, column by column."""

    places: list[str] = field(default_factory=list)
    values: list[bytes | None] = field(default_factory=list)
    keys: list[bytes | None] = field(default_factory=list)
    headers: list[Headers] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)  #: records per second, of each partition that tells

    @property
    def rate(self) -> float | None:
        """Records per second of a partition, in the mean."""
        return sum(self.rates) / len(self.rates) if self.rates else None

    @property
    def traffic(self) -> float | None:
        """Records per second of all partitions that tell."""
        return sum(self.rates) if self.rates else None


def last_records(bus: Bus, stream: Stream, most: int, told: str | None = None) -> Sample:
    """Up to about ``most`` records, the last of every partition, but for the end records of ``told``."""
    sample = Sample()
    described = bus.describe(stream.topics)
    partitions = [TopicPartition(t.name, number) for t in described.values() for number in range(t.partitions)]
    for partition in partitions:
        first, end = bus.watermarks(partition)
        times: list[int] = []
        for batch in bus.read(partition, max(first, end - max(1, most // len(partitions))), end):
            rows = (~records_of(batch, told).ends).nonzero()[0].tolist()
            keys, headers = batch.keys(), batch.headers()
            sample.places += [f"{partition}@{batch.offsets[row]}" for row in rows]
            sample.values += [batch.values[row] for row in rows]
            sample.keys += [keys[row] for row in rows]
            sample.headers += [headers[row] for row in rows]
            times += batch.timestamps[rows].tolist()
        if len(times) > 1 and max(times) > min(times):
            sample.rates.append((len(times) - 1) * 1000 / (max(times) - min(times)))
    return sample


def readable(name: str, sample: Sample, identities: Identities) -> Iterator[Finding]:
    """How many messages have a model; the others are named."""
    if not sample.values:
        yield Finding("note", f"streams.{name}: no message yet, so the mapping could not be tried")
        return
    for row, reason in identities.rejected[:_MOST_BAD]:
        yield Finding("note", f"{sample.places[row]}: {reason}")
    good = int((identities.model_of >= 0).sum())
    text = f"streams.{name}: {good:,} of the last {len(sample.values):,} messages can be read"
    yield Finding("ok", text) if good else Finding("wrong", f"{text}; see streams.{name}.mapping")


def contents(stream: Stream, sample: Sample, model: str, version: str, rows: Sequence[int]) -> Iterator[Finding]:
    """What the messages of a model version say."""
    yield Finding("ok", f"{model}/{version}: {len(rows):,} messages")
    yield from (Finding("more", line) for line in _described(stream.mapping, sample, rows))


def invalid_fields(stream: Stream, sample: Sample, reference: Reference, rows: Sequence[int]) -> Iterator[Finding]:
    """Fields that are not of the reference's type."""
    columns = JSONDecoder(stream.mapping).columns(reference.fields, [sample.values[row] for row in rows])
    for row, _, reason in columns.invalid[:_MOST_BAD]:
        yield Finding("note", f"invalid field {sample.places[rows[row]]}: {reason}")
    if len(columns.invalid) > _MOST_BAD:
        yield Finding("note", f"{reference.model}/{reference.version}: {len(columns.invalid):,} invalid fields in {len(rows):,} messages")


def absent_fields(stream: Stream, sample: Sample, reference: Reference, settings: Model, rows: Sequence[int]) -> Iterator[Finding]:
    """Fields of the reference that are tested, and that no message has: a column of another name, or a mapping that leads elsewhere."""
    messages = [decode_generic(sample.values[row]) for row in rows]
    present = [field for field in reference.fields if field.availability.counts[_MISSING] * 2 < sum(field.availability.counts)]
    watched = [field for field in present if not settings.feature(field.name).ignore]
    paths = [stream.mapping.field(field.role, field.name) for field in watched]
    absent = [f.name for f, path in zip(watched, paths, strict=True) if all(_at(message, path) is UNSET for message in messages)]
    if absent:
        shown = ", ".join(absent[:_MOST_BAD]) + (f" and {len(absent) - _MOST_BAD} more" if len(absent) > _MOST_BAD else "")
        text = f"{reference.model}/{reference.version}: in the reference, but in none of {len(rows):,} messages: {shown}"
        yield Finding("note", f"{text}; this will be told as drift: name the columns like the features, or mend the stream's mapping")


def _described(mapping: Mapping, sample: Sample, rows: Sequence[int]) -> Iterator[str]:
    """A line per thing that is mapped: where it is, of which types, and one example."""
    messages = [decode_generic(sample.values[row]) for row in rows]
    for name in ("id", "time", "prediction", "score", "text", "embedding"):
        place = getattr(mapping, name)
        if isinstance(place, Place) and place.source == "path":
            yield from _line(f"{name} ({place})", [_at(message, place.path) for message in messages], told_if_absent=name == "prediction")
    if isinstance(mapping.features, Place):
        path = mapping.features.path
        objects = [found for message in messages if isinstance(found := _at(message, path), dict)]
        names = list(dict.fromkeys(feature for found in objects for feature in found))
        if not names:
            yield f"        features ({mapping.features}): no object there; see mapping.features"
    else:
        names = [place.name for place in mapping.features]
    for name in names[:_MOST_FEATURES]:
        yield from _line(name, [_at(message, mapping.feature(name)) for message in messages], told_if_absent=True)
    if len(names) > _MOST_FEATURES:
        yield f"        and {len(names) - _MOST_FEATURES} more features"


def _line(name: str, values: Sequence[object], *, told_if_absent: bool) -> Iterator[str]:
    kinds = Counter("missing" if value is UNSET else _KINDS[type(value)] for value in values)
    if set(kinds) == {"missing"} and not told_if_absent:
        return
    example = next((value for value in values if value is not UNSET and value is not None), None)
    shown = json.dumps(example, ensure_ascii=False)[:40] if example is not None else ""
    yield f"        {name:<28} {', '.join(kind for kind, _ in kinds.most_common()):<16} {shown}".rstrip()


def _at(message: dict[str, Any], path: tuple[str, ...]) -> object:  # any JSON
    try:
        return member(message, path)
    except NotAnObject:
        return UNSET
