"""What messages decode to: the last ones of every partition of a stream, read as the profiler would read them."""

import difflib
import json
import unicodedata
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
from ...decode.personal import ModelRules, Rule, plain_reason
from ...decode.tolerant import NotAnObject, decode_generic, member
from ...streams.records import ToldEnds, records_of
from .finding import Finding

#: More would fill the screen.
_MOST_BAD = 5
_MOST_FEATURES = 50
#: Of messages that cannot be read, and of those in which a field is invalid: more, and nothing useful would come of it.
_MOST_REFUSED, _MOSTLY = 0.01, 0.5
_MISSING = AVAILABILITY.index("missing")
_KINDS = {bool: "boolean", int: "number", float: "number", str: "text", type(None): "null", dict: "object", list: "list"}


@dataclass
class Sample:
    """Records of a stream, column by column."""

    places: list[str] = field(default_factory=list)
    timestamps: list[int] = field(default_factory=list)
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


def last_records(bus: Bus, stream: Stream, most: int, told: ToldEnds | None = None) -> Sample:
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
            sample.timestamps += (stamps := batch.timestamps[rows].tolist())
            times += stamps
        if len(times) > 1 and max(times) > min(times):
            sample.rates.append((len(times) - 1) * 1000 / (max(times) - min(times)))
    return sample


def rows_of(stream: Stream, sample: Sample, model: str, version: str) -> list[int]:
    """The messages of one model version."""
    decoder = JSONDecoder(stream.mapping, stream.where, marked=True)
    identities = decoder.identities(sample.values, sample.keys, sample.headers)
    if (model, version) not in identities.models:
        return []
    of = identities.model_of == identities.models.index((model, version))
    return [row for row in of.nonzero()[0].tolist() if decoder.is_row(sample.values[row])]


def readable(name: str, stream: Stream, sample: Sample, identities: Identities, *, withheld: bool = False) -> Iterator[Finding]:
    """How many messages have a model; the others are named, but for those that are no rows. ``withheld``: nothing they hold is shown."""
    if not sample.values:
        yield Finding("note", f"streams.{name}: no message yet, so the mapping could not be tried")
        return
    decoder = JSONDecoder(stream.mapping)
    refused = [one for one in identities.rejected if decoder.is_row(sample.values[one.row])]
    for row, reason in refused[:_MOST_BAD]:
        yield Finding("note", f"{sample.places[row]}: {plain_reason(sample.values[row]) if withheld else reason}")
    left_out = set(identities.left_out)
    rows = sum(row not in left_out and decoder.is_row(value) for row, value in enumerate(sample.values)) - len(refused)
    skipped = len(sample.values) - rows - len(refused)
    text = f"streams.{name}: {rows:,} of the last {len(sample.values):,} messages can be read"
    text += f", {skipped:,} are no rows" if skipped else ""
    if skipped and not rows and not refused:
        place = stream.mapping.features
        where = str(place) if isinstance(place, Place) else ", ".join(map(str, place))
        yield Finding("wrong", f"{text}: features ({where}): nothing there in any message; see streams.{name}.mapping.features")
    elif not rows or len(refused) > _MOST_REFUSED * len(sample.values):
        yield Finding("wrong", f"{text}; see streams.{name}.mapping")
    else:
        yield Finding("ok", text)
    for key in ("version", "score", "prediction"):
        place = getattr(stream.mapping, key)
        if place is not None and key in stream.mapping.model_fields_set and rows and not _anywhere(place, sample, identities):
            text = f"streams.{name}.mapping.{key}: none of {rows:,} messages has anything at {place}"
            yield Finding("wrong", f"{text}; mend it, or leave it out")


def _anywhere(place: Place, sample: Sample, identities: Identities) -> bool:
    """Whether any message that can be read has something there."""
    rows = (identities.model_of >= 0).nonzero()[0].tolist()
    match place.source:
        case "header":
            return any(dict(sample.headers[row]).get(place.name) for row in rows)
        case "key":
            return any(sample.keys[row] for row in rows)
        case "path":
            return any(_at(decode_generic(sample.values[row]), place.path) not in (UNSET, None) for row in rows)
    return True


def contents(
    stream: Stream, sample: Sample, model: str, version: str, rows: Sequence[int], rules: ModelRules, *, ids: bool
) -> Iterator[Finding]:
    """What the messages of a model version say, as far as its rules for personal data let it be seen; ``ids``: these, too."""
    yield Finding("ok", f"{model}/{version}: {len(rows):,} messages")
    yield from (Finding("more", line) for line in _described(stream.mapping, sample, rows, rules, ids=ids and not rules))


def invalid_fields(stream: Stream, sample: Sample, reference: Reference, rows: Sequence[int], rules: ModelRules) -> Iterator[Finding]:
    """Fields that are not of the reference's type."""
    if rules.amiss(reference.fields):
        return  # that is told, and its rows are not counted
    columns = JSONDecoder(stream.mapping, keys=rules.keys).columns(reference.fields, [sample.values[row] for row in rows])
    for row, where, reason in columns.invalid[:_MOST_BAD]:
        yield Finding("note", f"invalid field {sample.places[rows[row]]}: {plain_reason(None, where) if rules else reason}")
    if len(columns.invalid) > _MOST_BAD:
        yield Finding("note", f"{reference.model}/{reference.version}: {len(columns.invalid):,} invalid fields in {len(rows):,} messages")
    for where, count in Counter(one.field for one in columns.invalid).items():
        if count > _MOSTLY * len(rows):
            text = f"{reference.model}/{reference.version}: {where} is invalid in {count:,} of {len(rows):,} messages"
            yield Finding("wrong", f"{text}; mend the mapping, or say what it is: models.{reference.model}.features, type")


def other_rules(reference: Reference, rules: ModelRules) -> Iterator[Finding]:
    """Whether a reference was built by the rules for personal data that the model has."""
    if why := rules.amiss(reference.fields):
        model, version = reference.model, reference.version
        remedy = f"build it anew: driftbus reference build {model} --version {version}"
        yield Finding(
            "wrong", f"{model}/{version}: its reference was built by other rules for personal data, and holds no row: {why}; {remedy}"
        )


def absent_fields(stream: Stream, sample: Sample, reference: Reference, settings: Model, rows: Sequence[int]) -> Iterator[Finding]:
    """Fields of the reference that are tested, and that no message has: a column of another name, or a mapping that leads elsewhere."""
    messages = [decode_generic(sample.values[row]) for row in rows]
    present = [field for field in reference.fields if field.availability.counts[_MISSING] * 2 < sum(field.availability.counts)]
    watched = [field for field in present if not settings.feature(field.name).ignore]
    paths = [stream.mapping.field(field.role, field.name) for field in watched]
    absent = [f.name for f, path in zip(watched, paths, strict=True) if all(_at(message, path) is UNSET for message in messages)]
    if absent:
        decoder, dropped = JSONDecoder(stream.mapping), settings.personal.dropped
        there = list(dict.fromkeys(name for message in messages for name in decoder.names(message) if dropped(name) is None))
        shown = ", ".join(_beside(name, there) for name in absent[:_MOST_BAD])
        shown += f" and {len(absent) - _MOST_BAD} more" if len(absent) > _MOST_BAD else ""
        text = f"{reference.model}/{reference.version}: in the reference, but in none of {len(rows):,} messages: {shown}"
        yield Finding("wrong", f"{text}; this will be told as drift: name the columns like the features, or mend the stream's mapping")


def _beside(name: str, there: Sequence[str]) -> str:
    """A name with the one that is nearest to it; what only looks the same is spelled out."""
    near = next(iter(difflib.get_close_matches(name, there, 1, 0.6)), None)
    if near is None:
        near = next((other for other in there if other.casefold() == name.casefold()), None)
    if near is None:
        return name
    alike = unicodedata.normalize("NFC", near) == unicodedata.normalize("NFC", name)
    return f"{name!a} (messages have {near!a})" if alike else f"{name} (messages have {near!r})"


def _described(mapping: Mapping, sample: Sample, rows: Sequence[int], rules: ModelRules, *, ids: bool) -> Iterator[str]:
    """A line per thing that is mapped: where it is, of which types, and one example."""
    messages = [decode_generic(sample.values[row]) for row in rows]
    for name in ("id", "time", "prediction", "score", "text", "embedding"):
        place = getattr(mapping, name)
        if isinstance(place, Place) and place.source == "path" and (ids or name != "id") and not rules.settings.dropped(place.name):
            values = [_at(message, place.path) for message in messages]
            yield from _line(f"{name} ({place})", values, rules.of(place.name), told_if_absent=name == "prediction")
    if isinstance(mapping.features, Place):
        path = mapping.features.path
        objects = [found for message in messages if isinstance(found := _at(message, path), dict)]
        names = list(dict.fromkeys(feature for found in objects for feature in found))
        if not names:
            yield f"        features ({mapping.features}): no object there; see mapping.features"
    else:
        names = [place.name for place in mapping.features]
    names = [name for name in names if rules.settings.dropped(name) is None]
    for name in names[:_MOST_FEATURES]:
        yield from _line(name, [_at(message, mapping.feature(name)) for message in messages], rules.of(name), told_if_absent=True)
    if len(names) > _MOST_FEATURES:
        yield f"        and {len(names) - _MOST_FEATURES} more features"


def _line(name: str, values: Sequence[object], rule: Rule, *, told_if_absent: bool) -> Iterator[str]:
    kinds = Counter("missing" if value is UNSET else _KINDS[type(value)] for value in values)
    if set(kinds) == {"missing"} and not told_if_absent:
        return
    example = next((value for value in values if value is not UNSET and value is not None), None)
    seen = None if example is None else rule.seen(example)
    shown = "" if seen is None else json.dumps(seen, ensure_ascii=False)[:40]
    yield f"        {name:<28} {', '.join(kind for kind, _ in kinds.most_common()):<16} {shown}".rstrip()


def _at(message: dict[str, Any], path: tuple[str, ...]) -> object:  # any JSON
    try:
        return member(message, path)
    except NotAnObject:
        return UNSET
