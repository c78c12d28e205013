"""Keys of a partition's rows, as the profiler reads them: whose they are, when they came, and by what they meet. Values are read later.

A record is cut, judged and decoded as in the pipeline (`driftbus.consumers.streams.cut`, `driftbus.consumers.decode`), but that no wall
clock is asked: of late rows it is a function of the log which bucket they are of.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ...detectors.joining.rows import ANY
from ...schemas.cloud_events import Headers
from ...schemas.configuration import Configuration, Labels, Stream
from ...schemas.messages.progress import InputPartition
from ...schemas.outcome import sampled
from ...schemas.stored.reference import ProfiledField
from ..bus.interface import Bus, Position
from ..decode.interface import Columns, Decoder
from ..decode.labels import LabelDecoder
from ..decode.rows import featureless
from ..profiler.awaiting import ids_of
from ..profiler.partition import Partition
from ..profiler.runs import NOTHING_ASIDE, ClosedRun
from ..profiler.tally import MOST_DECODED_BYTES
from ..streams.cut import AcceptedRows, Item, Rules
from ..streams.records import Records, parts_of, records_of, told_ends
from .places import Place

Rows = NDArray[np.void]
Numbers = NDArray[np.int64]
_KEYS = [("hi", "<u8"), ("lo", "<u8"), ("bucket", "<i8"), ("water", "<i8"), ("offset", "<i8")]
#: ``version``: its code.
PREDICTED = np.dtype([*_KEYS, ("version", "<u2")])
LABELLED = np.dtype([*_KEYS, ("value", "<i8"), ("revision", "<i8"), ("model", "<u2")])
#: As the joiner has them: of our model, and of another.
OURS, ANOTHERS = 1, 0
#: By how much a table grows.
_FIRST, _GROWS = 1 << 16, 1 / 8


class Growing:
    """Rows one behind the other, in place where the system can."""

    def __init__(self, dtype: np.dtype[Any]) -> None:  # fields of any type
        self._rows: Rows = np.zeros(_FIRST, dtype)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def rows(self) -> Rows:
        """All of them."""
        return self._rows[: self._count]

    def add(self, new: Rows) -> None:
        """The next."""
        if self._count + len(new) > len(self._rows):
            self._rows.resize(max(self._count + len(new), int(len(self._rows) * (1 + _GROWS))), refcheck=False)
        self._rows[self._count : self._count + len(new)] = new
        self._count += len(new)


class Some(NamedTuple):
    """Accepted records of a batch, of a bounded number of bytes."""

    records: Records
    rows: Numbers  #: which of the records they are
    buckets: Numbers
    waters: Numbers
    values: Sequence[bytes | None]

    def keys(self) -> Sequence[bytes | None]:
        """Of the records."""
        found = self.records.keys()
        return [found[row] for row in self.rows.tolist()]

    def headers(self) -> Sequence[Headers]:
        """Of the records."""
        found = self.records.headers()
        return [found[row] for row in self.rows.tolist()]

    def keyed(self, halves: NDArray[np.uint64], chosen: Numbers, dtype: np.dtype[Any]) -> Rows:  # fields of any type
        """The keys of those of them that are chosen, whose ids' halves these are."""
        found = np.zeros(len(chosen), dtype)
        found["hi"], found["lo"] = halves.T
        found["bucket"], found["water"] = self.buckets[chosen], self.waters[chosen]
        found["offset"] = self.records.offsets[self.rows[chosen]]
        return found


class Side(Protocol):
    """What is made of accepted records."""

    def take(self, some: Some) -> None:
        """The next ones of a partition."""
        ...


class _Tally:
    """Hands on what the cutter accepted. Closes nothing: nothing is published."""

    def __init__(self, side: Side, until: int | None, start: int) -> None:
        self._side, self._until = side, until
        self.end = start  #: behind the last record that was handed on

    def add(self, records: Records, items: Sequence[Item], aside: Mapping[int, str] = NOTHING_ASIDE) -> list[ClosedRun]:
        """What `cut` said of these records."""
        parts = [item for item in items if isinstance(item, AcceptedRows)]
        if parts:
            rows = np.concatenate([np.arange(part.start, part.stop) for part in parts])
            buckets = np.concatenate([part.buckets for part in parts])
            waters = np.concatenate([part.waters for part in parts])
            kept = ~records.ends[rows] & (True if self._until is None else buckets <= self._until)
            if kept.any():
                self.end = int(records.offsets[rows[kept][-1]]) + 1
                self._take(records, rows[kept], buckets[kept], waters[kept])
        return []

    def _take(self, records: Records, rows: Numbers, buckets: Numbers, waters: Numbers) -> None:
        values = [records.values[row] for row in rows.tolist()]
        for part in parts_of(values, MOST_DECODED_BYTES):
            if part.stop > part.start:
                self._side.take(Some(records, rows[part], buckets[part], waters[part], values[part]))


def gather(bus: Bus, configuration: Configuration, stream: Stream, place: Place, side: Side, until: int | None) -> Place:
    """Read a place to its end, or, with ``until``, as far as there are rows of buckets that end by then; others are left out. What of it
    was read.
    """
    topic = InputPartition(topic=place.source.topic, topic_id=place.topic_id, partition=place.source.partition)
    told, rules = told_ends(configuration, stream), Rules.of(stream)
    tally = _Tally(side, until, place.start)
    partition = Partition(topic, Position(place.start), rules, lambda: tally, heard_at=0)
    for batch in bus.read(place.source, place.start, place.end):
        partition.take(records_of(batch, told))
        complete = partition.state.complete(rules)
        if until is not None and complete is not None and complete >= until:
            break  # all that follows is of later buckets
    partition.until = place.end
    partition.end()
    if until is None:
        return place
    complete = partition.state.complete(rules)
    return place._replace(end=tally.end, through=None if complete is None else min(complete, until))


class Predictions:
    """The rows of one model, of whatever version: records with features and an id."""

    def __init__(
        self, configuration: Configuration, model: str, fields: Sequence[ProfiledField], decoder: Decoder, key: bytes, sample: float
    ) -> None:
        """``key``: of the ids' hashes; ``sample``: the share of the ids."""
        self._id = configuration.streams[configuration.stream_of(model)].mapping.id
        self._model, self._fields, self._decoder, self._key, self._sample = model, fields, decoder, key, sample
        self.found = Growing(PREDICTED)
        self.versions: dict[str, int] = {}
        self.counts = dict.fromkeys(("records", "rejected", "evaluations", "without_id", "not_sampled"), 0)

    def take(self, some: Some) -> None:
        """As `Side`."""
        decoder, counts = self._decoder, self.counts
        identities = decoder.identities(
            some.values, some.keys() if decoder.needs_keys else None, some.headers() if decoder.needs_headers else None
        )
        counts["records"] += len(some.values)
        counts["evaluations"] += len(identities.golden)
        counts["rejected"] += sum(decoder.is_row(some.values[one.row]) for one in identities.rejected)
        own = {place: version for place, (model, version) in enumerate(identities.models) if model == self._model}
        rows = np.flatnonzero(np.isin(identities.model_of, list(own)))
        if not len(rows):
            return
        columns = decoder.columns(self._fields, some.values, rows, ids=True)
        good = ~np.isin(np.arange(len(rows)), no_rows(columns, self._fields, rows, some.values, decoder))
        bad = [one.row for one in columns.rejected]
        counts["rejected"] += len(bad)
        good[bad] = False
        inside = np.flatnonzero(good)
        ids = ids_of(self._id, columns, some.records, inside, some.rows[rows[inside]])
        texts = {place: one for place, one in enumerate(ids) if type(one) is str}
        places = np.fromiter(texts, np.int64, len(texts))
        kept, halves = sampled(list(texts.values()), self._key, self._sample)
        counts["without_id"] += len(ids) - len(texts)
        counts["not_sampled"] += len(texts) - len(kept)
        chosen = rows[inside[places[kept]]]
        found = some.keyed(halves, chosen, PREDICTED)
        codes = {place: self.versions.setdefault(version, len(self.versions)) for place, version in own.items()}
        found["version"] = [codes[place] for place in identities.model_of[chosen].tolist()]
        self.found.add(found)


def no_rows(
    columns: Columns, fields: Sequence[ProfiledField], rows: Numbers, values: Sequence[bytes | None], decoder: Decoder
) -> list[int]:
    """Of decoded rows those that are none: records without features."""
    refused = {rejected.row for rejected in columns.rejected}
    found = [row for row in featureless(columns, fields).tolist() if row not in refused]
    return [row for row in found if not decoder.is_row(values[int(rows[row])])]


class Known:
    """The labels of one stream."""

    def __init__(self, labels: Labels, model: str, decoder: LabelDecoder, key: bytes, sample: float) -> None:
        self._model, self._decoder, self._key, self._sample = model, decoder, key, sample
        self._labels = labels
        self.found = Growing(LABELLED)
        self.counts = dict.fromkeys(("records", "rejected"), 0)

    def take(self, some: Some) -> None:
        """As `Side`."""
        keys = some.keys() if self._decoder.needs("key") else None
        headers = some.headers() if self._decoder.needs("header") else None
        read = self._decoder.read(some.values, keys, headers)
        self.counts["records"] += len(read.rows)
        self.counts["rejected"] += sum(some.values[one.row] is not None for one in read.rejected)
        kept, halves = sampled(read.ids, self._key, self._sample)
        found = some.keyed(halves, read.rows[kept], LABELLED)
        found["value"], found["revision"] = read.values[kept], read.revisions[kept]
        found["model"] = [self._code(read.models[place]) for place in kept.tolist()]
        self.found.add(found)

    def _code(self, model: str | None) -> int:
        return ANY if not model else OURS if model == self._model else ANOTHERS
