"""What labels decode to, whether they would meet their predictions, and what waiting for them costs."""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np

from ....schemas.configuration import Configuration
from ....schemas.duration import written
from ....schemas.outcome import NO_VALUE, number_of
from ...bus.interface import Bus
from ...decode.json import JSONDecoder
from ...decode.labels import LabelDecoder, ReadLabels
from ...decode.personal import plain_reason
from ...decode.scalars import quoted
from ...streams.records import told_ends
from .delays import delays_of
from .finding import Finding
from .samples import Sample, last_records
from .topics import input_topics

#: Bytes of a prediction that waits, in the joiner, and how many more with a maturity; and of a row in the joins topic. Each grouped feature
#: is another one of both.
WAITING_BYTES, MATURING_BYTES, BLOCK_BYTES = 78, 8, 45
#: Rows that a joiner may keep: some 6 GB.
MOST_WAITING = 60_000_000
_MOST_BAD, _MOST_IDS = 5, 2
#: Of labels that cannot be read: more, and nothing useful would come of it.
_MOST_REFUSED = 0.01


def labels_of(bus: Bus, configuration: Configuration, name: str, most: int) -> Iterator[Finding]:
    """One stream of labels."""
    key, stream = f"labels.{name}", configuration.read_as(name)
    for finding in input_topics(bus, configuration, key, stream):
        yield finding
        if finding.level == "wrong":
            return
    sample = last_records(bus, stream, most, told_ends(configuration, stream))
    read = LabelDecoder(configuration.labels[name]).read(sample.values, sample.keys, sample.headers)
    yield from _readable(key, sample, read, withheld=configuration.withholds(name))
    yield from _meeting(bus, configuration, name, read, most)
    yield from delays_of(bus, configuration, name, most)


def _readable(key: str, sample: Sample, read: ReadLabels, *, withheld: bool) -> Iterator[Finding]:
    if not sample.values:
        yield Finding("note", f"{key}: no message yet, so the mapping could not be tried")
        return
    refused = [one for one in read.rejected if sample.values[one.row] is not None]
    for row, reason in refused[:_MOST_BAD]:
        yield Finding("note", f"{sample.places[row]}: {plain_reason(sample.values[row]) if withheld else reason}")
    looked_at = len(read.rows) + len(refused)
    text = f"{key}: {len(read.rows):,} of the last {looked_at:,} labels can be read"
    wrong = not len(read.rows) or len(refused) > _MOST_REFUSED * looked_at
    yield Finding("wrong" if wrong else "ok", f"{text}; see {key}.mapping" if wrong else text)


def _meeting(bus: Bus, configuration: Configuration, name: str, read: ReadLabels, most: int) -> Iterator[Finding]:
    own, key = configuration.labels[name], f"labels.{name}"
    if len(read.rows):
        yield Finding("more", f"  values: {_values(own.outcome, read)}")
    ids, traffic = set[object](), 0.0
    for stream_name in configuration.awaited_by(name):
        stream = configuration.streams[stream_name]
        sample = last_records(bus, stream, most, told_ends(configuration, stream))
        traffic += sample.traffic or 0.0
        found = JSONDecoder(stream.mapping, stream.where).columns((), sample.values, ids=True).ids
        ids.update(found or ())
    met = sum(id_ in ids for id_ in read.ids)
    if ids and read.ids:
        text = f"{key}: {met:,} of the last {len(read.ids):,} labels are of the last {len(ids):,} predictions"
        shown = "ids differ" if configuration.withholds(name) else f"ids are like {_some(read.ids)}, and of predictions {_some(ids)}"
        yield Finding("note", text if met else f"{text}: right, if labels come later than that; {shown} ({key}.mapping.id)")
    waiting = traffic * own.sample * own.wait / 1000
    if waiting:
        binned = configuration.binned(name)
        each = WAITING_BYTES + binned + (MATURING_BYTES if own.order == "matured" else 0)
        size = f"{waiting:,.0f} predictions wait, {waiting * each / 1e9:.2g} GB"
        kept = f"topic joins grows to some {waiting * 2.5 * (BLOCK_BYTES + binned) / 1e9:.2g} GB"
        text = f"{key}: at {traffic:.3g} predictions a second and wait {written(own.wait)}, {size}, and {kept}"
        too_many = waiting > MOST_WAITING
        yield Finding(
            "wrong" if too_many else "ok",
            f"{text}; if traffic is always so, write {key}.sample: {MOST_WAITING / waiting * own.sample:.2g}" if too_many else text,
        )


def _some(ids: Iterable[object]) -> str:
    return ", ".join(quoted(one) for one in islice(ids, _MOST_IDS))


def _values(outcome: str, read: ReadLabels) -> str:
    """What the labels say, in short."""
    there = read.values[read.values != NO_VALUE]
    taken_back = f", {len(read.values) - len(there):,} taken back" if len(there) < len(read.values) else ""
    if outcome == "number" and len(there):
        numbers = number_of(there)
        return f"{numbers.min():.4g} to {numbers.max():.4g}, mean {numbers.mean():.4g}{taken_back}"
    if outcome == "binary":
        counts = Counter(there.tolist())
        return f"{counts[1]:,} positive, {counts[0]:,} negative{taken_back}"
    return f"{len(np.unique(there)):,} classes{taken_back}"
