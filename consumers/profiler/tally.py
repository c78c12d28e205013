"""From the cut records of one input partition to panes: decoded batch by batch, counted some ten thousand rows at a time.

Nothing here survives a crash, and nothing needs to: an open run is read again from its first offset.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...detectors.counting.segments import Segmenter
from ...detectors.counting.unseen import Unseen
from ...schemas.messages.dead_letter import MOST_PER_RUN
from ...schemas.messages.pane import OTHERS, Pane
from ...schemas.messages.progress import InputPartition, ReadRecords
from ..bus.interface import Output
from ..decode.ahead import taken
from ..decode.interface import Columns, Decoder
from ..decode.rows import featureless
from ..decode.times import aged
from ..streams.buckets import Buckets
from ..streams.cut import EARLIEST, LATEST, AcceptedRows, Cut, Item, WrongClock
from ..streams.records import Records, joined, parts_of
from .bad import Bad, bad
from .beside import SideCounts, grouped, looked_at
from .pool import Unmonitored
from .reading import Reading
from .references import References
from .shape import Shape

NOTHING_ASIDE: Mapping[int, str] = MappingProxyType({})
#: The signal of repeated ids.
IDS = "(ids)", "duplicates"
#: Rows kept decoded before they are counted, at some 230 bytes each: many at once cost half of few at a time.
MOST_UNCOUNTED = 65_536
#: Bytes that are kept so: distinct texts, numbers, vectors.
MOST_UNCOUNTED_BYTES = 1 << 26
#: Bytes of payloads that are decoded at once: of each a list of what is wrong with it may be made.
MOST_DECODED_BYTES = 1 << 24


@dataclass
class ClosedRun:
    """What one run comes to."""

    cut: Cut
    panes: list[Pane]
    bad: list[Bad]  #: the first `MOST_PER_RUN`, in order
    further_bad: int
    skipped: int = 0  #: records that are no rows
    read: list[ReadRecords] = field(default_factory=list)  #: by bucket, of the stream, and of models with records that cannot be read
    outputs: list[Output] = field(default_factory=list)  #: as it is written


class _Target(NamedTuple):
    """What a row counts for."""

    bucket: int
    model: str
    version: str
    reference: str | None
    since: int | None
    segment: str | None = None


@dataclass
class _Counts:
    rows: int = 0
    late: int = 0
    counts: NDArray[np.int64] | None = None
    sums: NDArray[np.int64] | None = None
    unseen: Unseen = field(default_factory=Unseen)


@dataclass
class _Run:
    """An open or closing run."""

    first: int
    last: int
    counts: dict[_Target, _Counts] = field(default_factory=dict)
    beside: dict[_Target, SideCounts] = field(default_factory=dict)  #: of all segments together
    bad: list[Bad] = field(default_factory=list)
    further_bad: int = 0
    skipped: int = 0
    reading: Reading = field(default_factory=Reading)
    unmonitored: Unmonitored = field(default_factory=Unmonitored)

    def keep_first(self) -> None:
        """Bound what is kept of a run of nothing but bad records."""
        self.bad.sort(key=lambda one: (one.offset, one.field or ""))
        self.further_bad += max(0, len(self.bad) - MOST_PER_RUN)
        del self.bad[MOST_PER_RUN:]


class Tally:
    """Counts one input partition."""

    def __init__(self, stream: str, source: InputPartition, decoder: Decoder, references: References, tiling: Buckets) -> None:
        self._stream, self._source, self._buckets = stream, source, tiling
        self._decoder, self._references = decoder, references
        self._runs: list[_Run] = []  # the last one may be open
        self._codes: dict[tuple[int, int, tuple[str, ...]], int] = {}  # of a run, a bucket, a model version
        self._groups: list[tuple[int, _Target]] = []  # by code, the run and what is counted
        self._shape_of: list[Shape] = []  # by code
        self._shapes: dict[tuple[object, ...], Shape] = {}

    def add(self, records: Records, items: Sequence[Item], aside: Mapping[int, str] = NOTHING_ASIDE) -> list[ClosedRun]:
        """Take what `cut` said of these records; returns the runs that it closed, in order.

        ``aside``: the offsets of records that are no rows, whatever they hold, each with the reason that its dead letter is to say.
        """
        cuts: list[Cut] = []
        rows: list[AcceptedRows] = []
        run_of: list[int] = []
        for item in items:
            if isinstance(item, Cut):
                cuts.append(item)
                continue
            start, stop = (item.index, item.index + 1) if isinstance(item, WrongClock) else (item.start, item.stop)
            run = self._open(len(cuts), int(records.offsets[start]))
            run.last = int(records.offsets[stop - 1])
            if isinstance(item, WrongClock):
                time = int(records.timestamps[start])
                reason = "in no possible year"
                if item.beyond_now is not None:
                    reason = f"{(time - item.beyond_now) / 1000:,.0f} s ahead of the clock here, more than max_ahead"
                elif EARLIEST <= time <= LATEST:
                    reason = "further ahead than max_jump, and the next records are not"
                run.bad.append(bad(run.last, None, f"timestamp {time} is {reason}", time, records.values[start]))
            else:
                rows.append(item)
                run_of.append(len(cuts))
        if rows:
            self._decode(records, rows, run_of, aside)
        for run in self._runs:
            run.keep_first()  # of wrong clocks
        uncounted = [(shape.rows, shape.bytes) for shape in self._shapes.values()]
        if cuts or sum(rows for rows, _ in uncounted) >= MOST_UNCOUNTED or sum(size for _, size in uncounted) >= MOST_UNCOUNTED_BYTES:
            self._count()
        while len(self._runs) < len(cuts):
            self._runs.append(_Run(cuts[len(self._runs)].position, cuts[len(self._runs)].position - 1))
        closed = [self._close(run, cut) for run, cut in zip(self._runs, cuts, strict=False)]
        self._runs = self._runs[len(cuts) :]
        return closed

    def _open(self, index: int, offset: int) -> _Run:
        """The run that a record behind so many cuts belongs to."""
        while len(self._runs) <= index:
            self._runs.append(_Run(offset, offset))
        return self._runs[index]

    def _decode(self, records: Records, parts: Sequence[AcceptedRows], run_of: Sequence[int], aside: Mapping[int, str]) -> None:
        """Decode what was accepted, so many bytes at a time."""
        if sum(part.stop - part.start for part in parts) < len(records):
            records = joined([records.since(part.start).before(part.stop - part.start) for part in parts])
        run = np.repeat(run_of, [part.stop - part.start for part in parts])
        buckets, late = np.concatenate([part.buckets for part in parts]), np.concatenate([part.late for part in parts])
        for part, number in zip(parts, run_of, strict=True):
            self._runs[number].reading.taken(part.buckets)
        for row in np.flatnonzero(records.ends).tolist():
            self._runs[int(run[row])].reading.none(int(buckets[row]))
        if aside:
            records = self._without(records, run, aside)
        for some in parts_of(records.values, MOST_DECODED_BYTES):
            chosen = records if some.stop - some.start == len(records) else records.since(some.start).before(some.stop - some.start)
            self._decode_some(chosen, run[some], buckets[some], late[some], aside)

    def _decode_some(
        self, records: Records, run: NDArray[np.int64], buckets: NDArray[np.int64], late: NDArray[np.bool_], aside: Mapping[int, str]
    ) -> None:
        """Decode them, shape by shape; end records are no rows."""
        keys = records.keys() if self._decoder.needs_keys else None
        headers = records.headers() if self._decoder.needs_headers else None
        identities = self._decoder.identities(records.values, keys, headers)
        if identities.left_out:
            self._skip(run, buckets, [row for row in identities.left_out if not records.ends[row]])
        for rejected in identities.rejected:
            if records.ends[rejected.row] or int(records.offsets[rejected.row]) in aside:
                continue
            if self._decoder.is_row(records.values[rejected.row]):
                self._refuse(records, run, rejected.row, None, rejected.reason)
                self._runs[int(run[rejected.row])].reading.unread(int(buckets[rejected.row]), "", records.values[rejected.row])
            else:
                self._skip(run, buckets, [rejected.row])
        group = self._groups_of(run, buckets, identities.models, np.where(records.ends, -1, identities.model_of))
        shapes = list(dict.fromkeys(self._shape_of))
        shape_of = np.array([*map(shapes.index, self._shape_of), -1])[group]
        for place, shape in enumerate(shapes):
            rows = np.flatnonzero(shape_of == place)
            if len(rows):
                self._decode_shape(shape, records, rows, run, buckets, group, late)
        for one in self._runs:
            one.keep_first()

    def _without(self, records: Records, run: NDArray[np.int64], aside: Mapping[int, str]) -> Records:
        """The records with nothing in those that are set aside, whose dead letters are written."""
        rows = [row for row, offset in enumerate(records.offsets.tolist()) if offset in aside]
        for row in rows:
            self._refuse(records, run, row, None, aside[int(records.offsets[row])])
        return records.emptied(rows)

    def _groups_of(
        self, run: NDArray[np.int64], buckets: NDArray[np.int64], models: Sequence[tuple[str, str]], model_of: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """The code of what each row counts for, and in which run; -1: nothing."""
        ends, end_of = _numbered(buckets - buckets.min())
        places, place_of = _numbered((run * len(ends) + end_of) * (len(models) + 1) + model_of + 1)
        codes = np.full(len(places), -1)
        order = np.arange(len(places))
        if any(one.unmonitored.short_of(len(models)) for one in self._runs):
            first = np.empty(len(places), dtype=np.int64)
            first[place_of[::-1]] = np.arange(len(place_of))[::-1]
            order = np.argsort(first)  # the first in the log are named, whatever the batches
        for i in order.tolist():
            rest, model_place = divmod(int(places[i]), len(models) + 1)
            if model_place:
                number, end = divmod(rest, len(ends))
                codes[i] = self._code(number, int(ends[end] + buckets.min()), models[model_place - 1])
        return codes[place_of]

    def _code(self, run: int, bucket: int, model: tuple[str, str]) -> int:
        """Of what a model's rows count for in a bucket; decided once for all rows that are counted together."""
        code = self._codes.get((run, bucket, model))
        if code is None:
            holding = self._references.holding(*model, bucket)
            place: tuple[int, int, tuple[str, ...]]
            if holding.since is None and not self._runs[run].unmonitored.named(model):
                whose = model[0] if self._references.announced(model[0]) else OTHERS
                self._runs[run].unmonitored.pool(bucket, (whose, OTHERS), model)
                place, target = (run, bucket, (whose, OTHERS, "")), _Target(bucket, whose, OTHERS, None, None)
            else:
                place, target = (run, bucket, model), _Target(bucket, *model, *holding)
            if place not in self._codes:
                self._shape_of.append(self._shape(target.reference))
                self._groups.append((run, target))
                self._codes[place] = len(self._groups) - 1
            code = self._codes[run, bucket, model] = self._codes[place]
        return code

    def _shape(self, reference: str | None) -> Shape:
        if reference is None:
            return self._shapes.setdefault((), Shape(()))
        monitored = self._references.monitored(reference)
        if monitored.shape not in self._shapes:
            ids = monitored.counting.layout.find(*IDS) is not None
            self._shapes[monitored.shape] = Shape(monitored.fields, ids=ids)
        return self._shapes[monitored.shape]

    def _decode_shape(
        self,
        shape: Shape,
        records: Records,
        rows: NDArray[np.int64],
        run: NDArray[np.int64],
        buckets: NDArray[np.int64],
        group: NDArray[np.int64],
        late: NDArray[np.bool_],
    ) -> None:
        """Decode the rows of one shape; those of models without a reference are only counted."""
        if not shape.fields:
            shape.add(None, group[rows], late[rows], records.offsets[rows])
            return
        columns = self._decoder.columns(shape.fields, records.values, rows, ids=shape.ids)
        if len(none := self._no_rows(columns, shape, records, rows)):
            self._skip(run, buckets, rows[none])
            rows, columns = np.delete(rows, none), taken(columns, np.delete(np.arange(len(rows)), none))
        for invalid in columns.invalid:
            self._refuse(records, run, int(rows[invalid.row]), invalid.field, invalid.reason)
        for rejected in columns.rejected:
            row = int(rows[rejected.row])
            self._refuse(records, run, row, None, rejected.reason)
            self._runs[int(run[row])].reading.unread(int(buckets[row]), self._groups[int(group[row])][1].model, records.values[row])
        columns = aged(columns, shape.fields, records.timestamps[rows])
        if columns.ids is not None:
            for code, ids in grouped(columns.ids, group[rows]):
                self._beside(code).add_ids(ids)
        for place in rows[looked_at(records.offsets[rows])].tolist():
            known = self._references.monitored(self._groups[int(group[place])][1].reference or "").known
            self._beside(int(group[place])).look(self._decoder.features(records.values[place]), known)
        shape.add(columns, group[rows], late[rows], records.offsets[rows])

    def _no_rows(self, columns: Columns, shape: Shape, records: Records, rows: NDArray[np.int64]) -> list[int]:
        """Of the decoded rows, those that are none: records without features."""
        refused = {rejected.row for rejected in columns.rejected}
        found = [row for row in featureless(columns, shape.fields).tolist() if row not in refused]
        return [row for row in found if not self._decoder.is_row(records.values[int(rows[row])])]

    def _skip(self, run: NDArray[np.int64], buckets: NDArray[np.int64], rows: Sequence[int] | NDArray[np.int64]) -> None:
        """Records that are no rows."""
        for number, bucket in zip(run[rows].tolist(), buckets[rows].tolist(), strict=True):
            self._runs[number].reading.none(bucket)
        for number, count in enumerate(np.bincount(run[rows], minlength=len(self._runs)).tolist()):
            self._runs[number].skipped += count

    def _beside(self, code: int) -> SideCounts:
        run, target = self._groups[code]
        return self._runs[run].beside.setdefault(target, SideCounts())

    def _refuse(self, records: Records, run: NDArray[np.int64], row: int, field: str | None, reason: str) -> None:
        refused = bad(int(records.offsets[row]), field, reason, int(records.timestamps[row]), records.values[row])
        self._runs[int(run[row])].bad.append(refused)

    def _count(self) -> None:
        """Count all that is decoded, run by run and target by target."""
        for shape in self._shapes.values():
            for part in shape.groups(self._segmenter):
                run, target = self._groups[part.group]
                if part.segment is not None:
                    segmenter = self._segmenter(part.group)
                    assert segmenter is not None
                    target = target._replace(segment=segmenter.names[part.segment])
                total = self._runs[run].counts.setdefault(target, _Counts())
                total.rows += part.rows
                total.late += part.late
                if target.reference is not None:
                    counting = self._references.monitored(target.reference).counting
                    counts, sums = counting.count(part.numeric, part.categorical, part.vectors, part.offsets)
                    total.unseen.add(counting.unseen(part.categorical))
                    total.counts = counts if total.counts is None else total.counts + counts
                    total.sums = sums if total.sums is None else total.sums + sums
        self._codes.clear()
        self._groups.clear()
        self._shape_of.clear()
        self._shapes.clear()

    def _segmenter(self, group: int) -> Segmenter | None:
        """How the rows of a group are divided, if its reference says so."""
        reference = self._groups[group][1].reference
        return None if reference is None else self._references.monitored(reference).counting.segmenter

    def _close(self, run: _Run, cut: Cut) -> ClosedRun:
        nothing = np.zeros(0, dtype=np.int64)
        panes = []
        for target, total in sorted(run.counts.items(), key=lambda item: (*item[0][:3], item[0].reference or "", item[0].segment or "")):
            # what belongs to all segments stands in the first one's pane: it is summed over them anyway
            beside = run.beside.pop(target._replace(segment=None), None) or SideCounts()
            counts = nothing if total.counts is None else self._with_ids(target, total.counts, beside)
            pane = Pane(
                stream=self._stream,
                topic=self._source.topic,
                topic_id=self._source.topic_id,
                partition=self._source.partition,
                first=run.first,
                last=run.last,
                bucket=target.bucket,
                start=self._buckets.start(target.bucket - 1),
                about=target.bucket,
                model=target.model,
                version=target.version,
                segment=target.segment,
                reference=target.reference,
                since=target.since,
                rows=total.rows,
                late=total.late,
                counts=counts,
                sums=nothing if total.sums is None else total.sums,
                sampled=beside.sampled,
                unexpected=beside.unexpected,
                pooled=run.unmonitored.pooled(target.bucket, (target.model, target.version)),
                unseen=total.unseen.told(),
            )
            panes.append(pane)
        return ClosedRun(cut, panes, run.bad, run.further_bad, run.skipped, run.reading.told())

    def _with_ids(self, target: _Target, counts: NDArray[np.int64], beside: SideCounts) -> NDArray[np.int64]:
        signal = None if target.reference is None else self._references.monitored(target.reference).counting.layout.find(*IDS)
        if signal is not None:
            counts[signal.span] += beside.ids
        return counts


def _numbered(values: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The distinct values (none below 0), and which of them each is; where they are small, without sorting."""
    most = int(values.max()) + 1
    if most > 4 * len(values):
        return np.unique(values, return_inverse=True)
    distinct = np.flatnonzero(np.bincount(values))
    numbers = np.empty(most, dtype=np.int64)
    numbers[distinct] = np.arange(len(distinct))
    return distinct, numbers[values]
