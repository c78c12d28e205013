"""What the rows of a feature log decode to, whether they would meet their predictions, and what waiting for them costs."""

from collections.abc import Iterator, Sequence

import numpy as np

from ....detectors.agreement import Comparison
from ....schemas.configuration import Configuration
from ....schemas.configuration.mapping import Place
from ....schemas.duration import written
from ....schemas.messages.block import VALUE_BYTES
from ....schemas.outcome import entity_halves
from ....schemas.stored.reference import Reference
from ...bus.interface import Bus
from ...decode.entities import EntityReader, ReadEntities
from ...decode.personal import plain_reason
from ...decode.scalars import quoted
from ...decode.where import Chooser
from ...streams.records import told_ends
from .finding import Finding
from .samples import Sample, last_records
from .topics import input_topics

#: Bytes of a prediction that waits, in the joiner, beside its values and those of a row of the log; and of a row in the joins topic.
WAITING_BYTES, BLOCK_BYTES = 78, 45
#: Bytes of such rows that a joiner may keep.
MOST_BYTES = 6_000_000_000
_MOST_BAD, _MOST_SHOWN = 5, 2
#: Of rows that cannot be read: more, and nothing useful would come of it.
_MOST_REFUSED = 0.01


def features_of(bus: Bus, configuration: Configuration, name: str, most: int) -> Iterator[Finding]:
    """One feature log."""
    key, stream, own = f"features.{name}", configuration.read_as(name), configuration.features[name]
    for finding in input_topics(bus, configuration, key, stream):
        yield finding
        if finding.level == "wrong":
            return
    sample = last_records(bus, stream, most, told_ends(configuration, stream))
    read = _read(sample, own.mapping.entity, own.mapping.as_of)
    chosen = np.ones(len(sample.values), dtype=bool)
    if own.where is not None:
        chosen = Chooser(own.where).chosen(sample.values, sample.keys, sample.headers)
    yield from _readable(key, sample, read, chosen.tolist(), withheld=configuration.withholds(name))
    yield from _meeting(bus, configuration, name, read, most)


def compared_features(configuration: Configuration, reference: Reference) -> Iterator[Finding]:
    """Which features of a version are compared with its feature log; which cannot be."""
    settings = configuration.model(reference.model).agreement
    if settings is None:
        return
    comparison = Comparison(reference.fields, settings.features)
    who, there = f"{reference.model}/{reference.version}", [one.name for one in comparison.features]
    text = f"{who}: {', '.join(there) or 'no feature'} compared with features.{settings.log}"
    yield Finding("ok" if there else "note", text)
    lacking = [] if isinstance(settings.features, int) else [name for name in settings.features if name not in there]
    if lacking:
        key = f"models.{reference.model}.agreement.features"
        yield Finding("note", f"{key}: {', '.join(lacking)}: no numbers or categories of the reference of {who}, so not compared")


def _read(sample: Sample, entity: Place, as_of: Place | None) -> ReadEntities:
    reader = EntityReader(entity, as_of)
    return reader.read(sample.values, sample.keys, sample.headers, np.array(sample.timestamps, dtype=np.int64))


def _readable(key: str, sample: Sample, read: ReadEntities, chosen: Sequence[bool], *, withheld: bool) -> Iterator[Finding]:
    if not any(chosen):
        yield Finding("note", f"{key}: no message yet, so the mapping could not be tried")
        return
    refused = [one for one in read.rejected if chosen[one.row] and sample.values[one.row] is not None]
    for row, reason in ((one.row, one.reason) for one in refused[:_MOST_BAD]):
        yield Finding("note", f"{sample.places[row]}: {plain_reason(sample.values[row]) if withheld else reason}")
    good = sum(chosen[row] for row in read.rows.tolist())
    text = f"{key}: {good:,} of the last {good + len(refused):,} rows say whose they are, and as of when"
    wrong = not good or len(refused) > _MOST_REFUSED * (good + len(refused))
    yield Finding("wrong" if wrong else "ok", f"{text}; see {key}.mapping" if wrong else text)


def _meeting(bus: Bus, configuration: Configuration, name: str, read: ReadEntities, most: int) -> Iterator[Finding]:
    """Whether rows are of predictions, and what those cost that wait."""
    own, key, traffic, asked = configuration.features[name], f"features.{name}", 0.0, list[ReadEntities]()
    for stream_name in configuration.awaited_by(name):
        stream = configuration.streams[stream_name]
        assert stream.mapping.entity is not None, "refused by the configuration"
        sample = last_records(bus, stream, most, told_ends(configuration, stream))
        traffic += sample.traffic or 0.0
        asked.append(_read(sample, stream.mapping.entity, stream.mapping.as_of))
    known = {half for one in asked for half in _hashes(one)}
    met, rows = sum(half in known for half in _hashes(read)), len(read.rows)
    if known and rows:
        text = f"{key}: {met:,} of the last {rows:,} rows are of the last {len(known):,} predictions"
        shown = (
            "entities or times differ" if configuration.withholds(name) else f"rows are of {_some(read)}, predictions of {_some(asked[0])}"
        )
        yield Finding("note", text if met else f"{text}: right, if rows come later than that; {shown} ({key}.mapping)")
    waiting, width = traffic * own.sample * own.wait / 1000, configuration.compared(name)
    if waiting:
        size = waiting * (WAITING_BYTES + 2 * VALUE_BYTES * width)
        joins = waiting * 2.5 * 2 * (BLOCK_BYTES + VALUE_BYTES * width)
        wait = f"{waiting:,.0f} predictions wait with {width} values, {size / 1e9:.2g} GB"
        at = f"at {traffic:.3g} predictions a second and wait {written(own.wait)}"
        text = f"{key}: {at}, {wait}, and topic joins grows to some {joins / 1e9:.2g} GB"
        proposed = f"{text}; if traffic is always so, write {key}.sample: {MOST_BYTES / size * own.sample:.2g}"
        yield Finding("wrong", proposed) if size > MOST_BYTES else Finding("ok", text)


def _hashes(read: ReadEntities) -> list[int]:
    halves: list[int] = entity_halves(read.entities, read.times, "")[:, 0].tolist()
    return halves


def _some(read: ReadEntities) -> str:
    pairs = zip(read.entities[:_MOST_SHOWN], read.times[:_MOST_SHOWN].tolist(), strict=True)
    return ", ".join(f"{quoted(entity)} at {time} ms" for entity, time in pairs)
