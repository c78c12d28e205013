"""From the cut records of one input partition to panes: decoded once per batch, counted once per run.

Nothing here survives a crash, and nothing needs to: an open run is read again from its first offset.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ..detectors.counting import Counting
from ..schemas.dead_letter import MOST_PER_RUN
from ..schemas.pane import Pane
from ..schemas.progress import InputPartition
from ..schemas.reference import ProfiledField
from .cut import Cut, Item, Rows, WrongClock
from .decode.interface import Decoder
from .records import Records

#: Rows kept decoded before they are counted: many at once cost half of few at a time.
MOST_PENDING = 32_768


class Holding(NamedTuple):
    """The reference that holds for a model version in a bucket; ``reference`` None: none does; ``since`` None: none was ever announced."""

    reference: str | None
    since: int | None


class Monitored(NamedTuple):
    """How a reference's rows are decoded and counted."""

    fields: Sequence[ProfiledField]
    shape: tuple[object, ...]  #: equal for references whose rows decode alike
    counting: Counting


class References(Protocol):
    """What a profiler asks about references."""

    def holding(self, model: str, version: str, bucket: int) -> Holding:
        """Which reference holds in the bucket that ends then."""
        ...

    def monitored(self, reference: str) -> Monitored:
        """How rows are counted against it."""
        ...


class Bad(NamedTuple):
    """A record or a field that could not be counted."""

    offset: int
    field: str | None
    reason: str
    timestamp: int
    value: bytes | None


@dataclass(frozen=True)
class ClosedRun:
    """What one run comes to."""

    cut: Cut
    panes: list[Pane]
    bad: list[Bad]  #: the first `MOST_PER_RUN`, in order
    further_bad: int


class _Target(NamedTuple):
    """What a row counts for."""

    bucket: int
    model: str
    version: str
    reference: str | None
    since: int | None


@dataclass
class _Counts:
    rows: int = 0
    late: int = 0
    counts: NDArray[np.int64] | None = None
    sums: NDArray[np.int64] | None = None


class _Chunk(NamedTuple):
    """Decoded rows of one reference's shape, not yet counted."""

    numeric: NDArray[np.float64]
    categorical: Sequence[Sequence[object]]
    run: NDArray[np.int64]
    target: NDArray[np.int64]
    late: NDArray[np.bool_]


@dataclass
class _Run:
    """An open or closing run."""

    first: int
    last: int
    counts: dict[_Target, _Counts] = field(default_factory=dict)
    bad: list[Bad] = field(default_factory=list)
    further_bad: int = 0

    def keep_first(self) -> None:
        """Bound what is kept of a run of nothing but bad records."""
        self.bad.sort(key=lambda bad: (bad.offset, bad.field or ""))
        self.further_bad += max(0, len(self.bad) - MOST_PER_RUN)
        del self.bad[MOST_PER_RUN:]


class Tally:
    """Counts one input partition."""

    def __init__(self, stream: str, source: InputPartition, decoder: Decoder, references: References) -> None:
        self._stream, self._source = stream, source
        self._decoder, self._references = decoder, references
        self._runs: list[_Run] = []  # the last one may be open
        self._targets: dict[_Target, int] = {}
        self._chunks: dict[tuple[object, ...], list[_Chunk]] = {}
        self._pending = 0

    def add(self, records: Records, items: Sequence[Item]) -> list[ClosedRun]:
        """Take what `cut` said of these records; returns the runs that it closed, in order."""
        cuts: list[Cut] = []
        parts: list[tuple[Rows, int]] = []
        for item in items:
            if isinstance(item, Cut):
                cuts.append(item)
                continue
            start, stop = (item.index, item.index + 1) if isinstance(item, WrongClock) else (item.start, item.stop)
            run = self._open(len(cuts), int(records.offsets[start]))
            run.last = int(records.offsets[stop - 1])
            if isinstance(item, WrongClock):
                time = int(records.timestamps[item.index])
                run.bad.append(
                    _bad(records, item.index, None, f"timestamp {time} is further ahead than max_jump, and the next records are not")
                )
            else:
                parts.append((item, len(cuts)))
        if parts:
            self._decode(records, parts)
        for run in self._runs:
            run.keep_first()
        if not cuts and self._pending < MOST_PENDING:
            return []
        self._count()
        if not cuts:
            return []
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

    def _decode(self, records: Records, parts: Sequence[tuple[Rows, int]]) -> None:
        rows = np.concatenate([np.arange(part.start, part.stop) for part, _ in parts])
        run = np.concatenate([np.full(part.stop - part.start, index) for part, index in parts])
        buckets = np.concatenate([part.buckets for part, _ in parts])
        late = np.concatenate([part.late for part, _ in parts])
        if records.ends.any():
            keep = ~records.ends[rows]
            rows, run, buckets, late = rows[keep], run[keep], buckets[keep], late[keep]
        values = records.values if len(rows) == len(records) else [records.values[i] for i in rows]
        keys = [records.keys()[i] for i in rows] if self._decoder.needs_keys else None
        headers = [records.headers()[i] for i in rows] if self._decoder.needs_headers else None
        identities = self._decoder.identities(values, keys, headers)
        for rejected in identities.rejected:
            self._runs[int(run[rejected.row])].bad.append(_bad(records, int(rows[rejected.row]), None, rejected.reason))
        target = self._target_of(identities.models, identities.model_of, buckets)
        shapes: dict[tuple[object, ...], list[int]] = {}
        by_code = list(self._targets)
        for code in np.unique(target[target >= 0]):
            reference = by_code[code].reference
            shapes.setdefault(() if reference is None else self._references.monitored(reference).shape, []).append(int(code))
        for shape, codes in shapes.items():
            chosen = np.flatnonzero(np.isin(target, codes)) if len(shapes) > 1 or identities.rejected else np.arange(len(rows))
            self._decode_shape(records, shape, by_code[codes[0]].reference, values, rows, chosen, run, target, late)

    def _target_of(self, models: Sequence[tuple[str, str]], model_of: NDArray[np.int32], buckets: NDArray[np.int64]) -> NDArray[np.int64]:
        """The code of what each row counts for; -1: nothing."""
        distinct, bucket_of = np.unique(buckets, return_inverse=True)
        pairs, pair_of = np.unique(np.where(model_of < 0, -1, model_of.astype(np.int64) * len(distinct) + bucket_of), return_inverse=True)
        codes = np.full(len(pairs), -1, dtype=np.int64)
        for i, pair in enumerate(pairs):
            if pair >= 0:
                (model, version), bucket = models[int(pair) // len(distinct)], int(distinct[int(pair) % len(distinct)])
                target = _Target(bucket, model, version, *self._references.holding(model, version, bucket))
                codes[i] = self._targets.setdefault(target, len(self._targets))
        return codes[pair_of]

    def _decode_shape(
        self,
        records: Records,
        shape: tuple[object, ...],
        reference: str | None,
        values: Sequence[bytes | None],
        rows: NDArray[np.int64],
        chosen: NDArray[np.int64],
        run: NDArray[np.int64],
        target: NDArray[np.int64],
        late: NDArray[np.bool_],
    ) -> None:
        """Decode the rows of one shape into a chunk; those of models without a reference are only counted."""
        numeric, categorical = np.zeros((len(chosen), 0)), list[Sequence[object]]()
        if reference is not None:
            some = values if len(chosen) == len(values) else [values[i] for i in chosen]
            columns = self._decoder.columns(self._references.monitored(reference).fields, some)
            numeric, categorical = columns.numeric, list(columns.categorical)
            for invalid in columns.invalid:
                row = int(chosen[invalid.row])
                self._runs[int(run[row])].bad.append(_bad(records, int(rows[row]), invalid.field, invalid.reason))
            for rejected in columns.rejected:
                row = int(chosen[rejected.row])
                self._runs[int(run[row])].bad.append(_bad(records, int(rows[row]), None, rejected.reason))
            if columns.rejected:
                keep = np.ones(len(chosen), dtype=bool)
                keep[[rejected.row for rejected in columns.rejected]] = False
                chosen, numeric = chosen[keep], numeric[keep]
                categorical = [_taken(column, np.flatnonzero(keep)) for column in categorical]
        self._chunks.setdefault(shape, []).append(_Chunk(numeric, categorical, run[chosen], target[chosen], late[chosen]))
        self._pending += len(chosen)

    def _count(self) -> None:
        """Count all that is pending, run by run and target by target."""
        by_code = list(self._targets)
        for chunks in self._chunks.values():
            chunk = _joined(chunks)
            if not len(chunk.run):
                continue
            group = chunk.run * len(by_code) + chunk.target
            if (np.diff(group) < 0).any():
                order = np.argsort(group, kind="stable")
                group = group[order]
                chunk = _Chunk(
                    chunk.numeric[order],
                    [_taken(column, order) for column in chunk.categorical],
                    chunk.run[order],
                    chunk.target[order],
                    chunk.late[order],
                )
            starts = np.flatnonzero(np.diff(group, prepend=-1))
            for start, stop in zip(starts, [*starts[1:], len(group)], strict=True):
                self._count_group(by_code[int(chunk.target[start])], self._runs[int(chunk.run[start])], chunk, int(start), int(stop))
        self._chunks.clear()
        self._targets.clear()
        self._pending = 0

    def _count_group(self, target: _Target, run: _Run, chunk: _Chunk, start: int, stop: int) -> None:
        total = run.counts.setdefault(target, _Counts())
        total.rows += stop - start
        total.late += int(chunk.late[start:stop].sum())
        if target.reference is None:
            return
        counting = self._references.monitored(target.reference).counting
        counts, sums = counting.count(chunk.numeric[start:stop], [column[start:stop] for column in chunk.categorical])
        total.counts = counts if total.counts is None else total.counts + counts
        total.sums = sums if total.sums is None else total.sums + sums

    def _close(self, run: _Run, cut: Cut) -> ClosedRun:
        nothing = np.zeros(0, dtype=np.int64)
        panes = [
            Pane(
                stream=self._stream,
                topic=self._source.topic,
                topic_id=self._source.topic_id,
                partition=self._source.partition,
                first=run.first,
                last=run.last,
                bucket=target.bucket,
                about=target.bucket,
                model=target.model,
                version=target.version,
                reference=target.reference,
                since=target.since,
                rows=total.rows,
                late=total.late,
                counts=nothing if total.counts is None else total.counts,
                sums=nothing if total.sums is None else total.sums,
            )
            for target, total in sorted(run.counts.items(), key=lambda item: (*item[0][:3], item[0].reference or ""))
        ]
        return ClosedRun(cut, panes, run.bad, run.further_bad)


def _bad(records: Records, index: int, field: str | None, reason: str) -> Bad:
    return Bad(int(records.offsets[index]), field, reason, int(records.timestamps[index]), records.values[index])


def _taken(column: Sequence[object], order: NDArray[np.int64]) -> Sequence[object]:
    return [column[i] for i in order]


def _joined(chunks: Sequence[_Chunk]) -> _Chunk:
    if len(chunks) == 1:
        return chunks[0]
    columns = zip(*(chunk.categorical for chunk in chunks), strict=True)
    return _Chunk(
        np.concatenate([chunk.numeric for chunk in chunks]),
        [[value for part in column for value in part] for column in columns],
        np.concatenate([chunk.run for chunk in chunks]),
        np.concatenate([chunk.target for chunk in chunks]),
        np.concatenate([chunk.late for chunk in chunks]),
    )
