"""From the cut records of one input partition to panes: decoded batch by batch, counted some ten thousand rows at a time.

Nothing here survives a crash, and nothing needs to: an open run is read again from its first offset.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ...detectors.counting.closely import Looked
from ...detectors.counting.segments import Segmenter
from ...detectors.counting.unseen import Unseen
from ...schemas.messages.pane import OTHERS, PREDICTIONS, Pane
from ...schemas.messages.progress import InputPartition
from ..decode.ahead import taken as taken_of
from ..decode.interface import Columns, Decoder
from ..decode.rows import featureless
from ..decode.times import aged, whole_ages
from ..streams.buckets import Buckets
from ..streams.cut import Cut, Item
from ..streams.records import Records, parts_of
from .beside import SideCounts, ages_by, grouped, looked_at
from .closely import close_of
from .further import ASKED_NOTHING, Asked, Further, Kept, Rows, Target, Version
from .pool import Unmonitored
from .references import References
from .runs import NOTHING_ASIDE, ClosedRun, Golden, OpenRun, Runs, Taken
from .sampled import Flagged, samples
from .shape import Shape
from .unlike import Stage, numbers

#: The signal of repeated ids.
IDS = "(ids)", "duplicates"
#: Rows kept decoded before they are counted, at some 230 bytes each: many at once cost half of few at a time.
MOST_UNCOUNTED = 65_536
#: Bytes that are kept so: distinct texts, numbers, vectors.
MOST_UNCOUNTED_BYTES = 1 << 26
#: Bytes of payloads that are decoded at once: of each a list of what is wrong with it may be made.
MOST_DECODED_BYTES = 1 << 24


@dataclass
class _Counts:
    rows: int = 0
    late: int = 0
    counts: NDArray[np.int64] | None = None
    sums: NDArray[np.int64] | None = None
    unseen: Unseen = field(default_factory=Unseen)
    unlike: NDArray[np.int64] | None = None  #: of kind `ood`


@dataclass
class _Run(OpenRun):
    """With what it is counted in."""

    counts: dict[Target, _Counts] = field(default_factory=dict)
    beside: dict[Target, SideCounts] = field(default_factory=dict)  #: of all segments together
    looked: Looked = field(default_factory=Looked)  #: by target, of all segments together
    unmonitored: Unmonitored = field(default_factory=Unmonitored)
    kept: Kept = field(default_factory=Kept)
    golden: dict[str, tuple[int, int]] = field(default_factory=dict)  #: by evaluation, its rows and the newest bucket


class Tally:
    """Counts one input partition."""

    def __init__(
        self,
        stream: str,
        source: InputPartition,
        decoder: Decoder,
        references: References,
        tiling: Buckets,
        *,
        asked: Asked = ASKED_NOTHING,
        stage: Stage | None = None,
        withheld: bool = False,
    ) -> None:
        """``withheld``: of bad records nothing is told but where they are (`Configuration.withholds`)."""
        self._stream, self._source, self._buckets, self._decoder, self._references = stream, source, tiling, decoder, references
        self._further = Further(source, references, decoder.features, asked, stage)
        self._runs = Runs(_Run, withheld=withheld)
        self._codes: dict[tuple[int, int, tuple[str, ...]], int] = {}  # of a run, a bucket, a model version
        self._groups: list[tuple[int, Target]] = []  # by code, the run and what is counted
        self._shape_of: list[Shape] = []  # by code
        self._shapes: dict[tuple[object, ...], Shape] = {}

    def add(self, records: Records, items: Sequence[Item], aside: Mapping[int, str] = NOTHING_ASIDE) -> list[ClosedRun]:
        """Take what `cut` said of these records; returns the runs that it closed, in order.

        ``aside``: the offsets of records that are no rows, whatever they hold, each with the reason that its dead letter is to say.
        """
        cuts, records, taken = self._runs.take(records, items)
        if taken is not None:
            records = self._runs.set_aside(records, taken.run, aside)
            for some in parts_of(records.values, MOST_DECODED_BYTES):
                chosen = records if some.stop - some.start == len(records) else records.since(some.start).before(some.stop - some.start)
                self._decode(chosen, taken.of(some), aside)
        uncounted = [(shape.rows, shape.bytes) for shape in self._shapes.values()]
        if cuts or sum(rows for rows, _ in uncounted) >= MOST_UNCOUNTED or sum(size for _, size in uncounted) >= MOST_UNCOUNTED_BYTES:
            self._count()
        closed = [self._close(run, cut) for run, cut in self._runs.closed(cuts)]
        for (run, _), told in zip(closed, samples([flagged for _, flagged in closed]), strict=True):
            run.samples = told
        return [run for run, _ in closed]

    def _decode(self, records: Records, taken: Taken, aside: Mapping[int, str]) -> None:
        """Decode them, shape by shape; end records are no rows."""
        keys = records.keys() if self._decoder.needs_keys else None
        headers = records.headers() if self._decoder.needs_headers else None
        identities = self._decoder.identities(records.values, keys, headers)
        if identities.left_out:
            self._runs.skip(taken, [row for row in identities.left_out if not records.ends[row]])
        for row, evaluation in identities.golden.items():
            own = self._runs[int(taken.run[row])].golden
            rows_, newest = own.get(evaluation, (0, 0))
            own[evaluation] = rows_ + 1, max(newest, int(taken.buckets[row]))
        for rejected in identities.rejected:
            if records.ends[rejected.row] or int(records.offsets[rejected.row]) in aside:
                continue
            if self._decoder.is_row(records.values[rejected.row]):
                self._unread(records, taken, rejected.row, "", rejected.reason)
            else:
                self._runs.skip(taken, [rejected.row])
        group = self._groups_of(taken.run, taken.buckets, identities.models, np.where(records.ends, -1, identities.model_of))
        shapes = list(dict.fromkeys(self._shape_of))
        shape_of = np.array([*map(shapes.index, self._shape_of), -1])[group]
        for place, shape in enumerate(shapes):
            rows = np.flatnonzero(shape_of == place)
            if len(rows):
                self._decode_shape(shape, records, rows, taken, group)
        for one in self._runs.all():
            one.keep_first()

    def _unread(self, records: Records, taken: Taken, row: int, model: str, reason: str) -> None:
        """A record cannot be read; the model may be known."""
        self._runs.refuse(records, taken.run, row, None, reason)
        self._runs[int(taken.run[row])].reading.unread(int(taken.buckets[row]), model, records.values[row])

    def _groups_of(
        self, run: NDArray[np.int64], buckets: NDArray[np.int64], models: Sequence[tuple[str, str]], model_of: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """The code of what each row counts for, and in which run; -1: nothing."""
        ends, end_of = _numbered(buckets - buckets.min())
        places, place_of = _numbered((run * len(ends) + end_of) * (len(models) + 1) + model_of + 1)
        codes = np.full(len(places), -1)
        order = np.arange(len(places))
        if any(one.unmonitored.short_of(len(models)) for one in self._runs.all()):
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
                place, target = (run, bucket, (whose, OTHERS, "")), Target(bucket, whose, OTHERS, None, None)
            else:
                place, target = (run, bucket, model), Target(bucket, *model, *holding)
            if place not in self._codes:
                self._shape_of.append(self._shape(target))
                self._groups.append((run, target))
                self._codes[place] = len(self._groups) - 1
            code = self._codes[run, bucket, model] = self._codes[place]
        return code

    def _shape(self, target: Target) -> Shape:
        if target.reference is None:
            return self._shapes.setdefault((), Shape(()))
        monitored = self._references.monitored(target.reference)
        subjects, waits = len(self._further.subjects(target)), self._further.waits(target.model)
        entities = self._further.compares(target.model)
        key = *monitored.shape, waits, subjects, entities
        if key not in self._shapes:
            ids = waits or monitored.counting.layout.find(*IDS) is not None
            shape = Shape(monitored.fields, ids=ids, entities=entities, subjects=subjects, times=monitored.times)
            self._shapes[key] = shape
        return self._shapes[key]

    def _decode_shape(self, shape: Shape, records: Records, rows: NDArray[np.int64], taken: Taken, group: NDArray[np.int64]) -> None:
        """Decode the rows of one shape; those of models without a reference are only counted."""
        if not shape.fields:
            shape.add(None, group[rows], taken.late[rows], records.offsets[rows])
            return
        columns = self._decoder.columns(shape.fields, records.values, rows, ids=shape.ids, entities=shape.entities, times=shape.times)
        if len(none := self._no_rows(columns, shape, records, rows)):
            self._runs.skip(taken, rows[none])
            rows, columns = np.delete(rows, none), taken_of(columns, np.delete(np.arange(len(rows)), none))
        for invalid in columns.invalid:
            self._runs.refuse(records, taken.run, int(rows[invalid.row]), invalid.field, invalid.reason)
        for rejected in columns.rejected:
            row = int(rows[rejected.row])
            self._unread(records, taken, row, self._groups[int(group[row])][1].model, rejected.reason)
        columns = aged(columns, shape.fields, records.timestamps[rows])
        if columns.times is not None:
            for code, ages in ages_by(whole_ages(columns.times, records.timestamps[rows, None]), group[rows]):
                self._beside(code).add_ages(ages)
        if columns.ids is not None:
            for code, ids in grouped(columns.ids, group[rows]):
                if not self._further.reads_ids or self._counts_ids(code):
                    self._beside(code).add_ids(ids)
        for place in rows[looked_at(records.offsets[rows])].tolist():
            monitored = self._references.monitored(self._groups[int(group[place])][1].reference or "")
            found_there = self._decoder.features(records.values[place])
            if monitored.rules:
                found_there = {name: value for name, value in found_there.items() if monitored.rules.settings.dropped(name) is None}
            self._beside(int(group[place])).look(found_there, monitored.known)
        decoded = Rows(columns, records, rows, taken.waters)

        def refuse(row: int, reason: str) -> None:
            self._runs.refuse(records, taken.run, row, None, reason, plain=reason)

        scored = self._further.take(decoded, partial(self._versions, columns, group[rows]), shape.subjects, refuse)
        shape.add(columns, group[rows], taken.late[rows], records.offsets[rows], scored)

    def _versions(self, columns: Columns, group: NDArray[np.int64]) -> Iterator[Version]:
        """Decoded rows by what they count for; ``group``: the code of each."""
        good = np.ones(len(group), dtype=bool)
        good[[rejected.row for rejected in columns.rejected]] = False
        alike = len(group) and bool((group == group[0]).all())
        for code in [int(group[0])] if alike else np.unique(group).tolist():
            number, target = self._groups[code]
            yield Version(self._runs[number].kept, target, np.flatnonzero(good if alike else (group == code) & good))

    def _no_rows(self, columns: Columns, shape: Shape, records: Records, rows: NDArray[np.int64]) -> list[int]:
        """Of the decoded rows, those that are none: records without features."""
        refused = {rejected.row for rejected in columns.rejected}
        found = [row for row in featureless(columns, shape.fields).tolist() if row not in refused]
        return [row for row in found if not self._decoder.is_row(records.values[int(rows[row])])]

    def _counts_ids(self, code: int) -> bool:
        return self._references.monitored(self._groups[code][1].reference or "").counting.layout.find(*IDS) is not None

    def _beside(self, code: int) -> SideCounts:
        run, target = self._groups[code]
        return self._runs[run].beside.setdefault(target, SideCounts())

    def _count(self) -> None:
        """Count all that is decoded, run by run and target by target."""
        for shape in self._shapes.values():
            for part in shape.groups(self._segmenter):
                run, target = self._groups[part.group]
                if part.segment is not None:
                    segmenter = self._segmenter(part.group)
                    assert segmenter is not None
                    target = target._replace(segment=segmenter.names[part.segment])
                whole, total = target._replace(segment=None), self._runs[run].counts.setdefault(target, _Counts())
                total.rows += part.rows
                total.late += part.late
                if target.reference is not None:
                    monitored = self._references.monitored(target.reference)
                    counting = monitored.counting
                    if monitored.one_in is not None:
                        self._runs[run].looked.add(whole, part.numeric, part.offsets, monitored.one_in)
                    counts, sums = counting.count(part.numeric, part.categorical, part.vectors, part.offsets)
                    if part.scored.shape[1]:
                        unlike = numbers(part.scored)
                        total.unlike = unlike if total.unlike is None else total.unlike + unlike
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

    def _close(self, run: _Run, cut: Cut) -> tuple[ClosedRun, list[Flagged]]:
        """What a run comes to, without samples; and of what these are: those of several runs cost less together."""
        nothing = np.zeros(0, dtype=np.int64)
        panes, flagged = [], list[Flagged]()
        for target, total in sorted(run.counts.items(), key=lambda item: (*item[0][:3], item[0].reference or "", item[0].segment or "")):
            # what belongs to all segments stands in the first one's pane: it is summed over them anyway
            whole = target._replace(segment=None)
            beside = run.beside.pop(whole, None) or SideCounts()
            counts = nothing if total.counts is None else self._with_ids(target, total.counts, beside)
            monitored = None if target.reference is None else self._references.monitored(target.reference)
            close = close_of(monitored, whole, run.looked, beside)
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
                magnitudes=close.magnitudes,
                repeated=close.repeated,
                ages=close.ages,
            )
            panes.append(pane)
            beside_it, new = self._further.pane(run.kept, pane, total.unlike)
            panes += beside_it
            flagged += new
        blocks = self._further.blocks(run.kept, self._stream, run.first, run.last, self._buckets)
        candidates = self._further.candidates(run.kept, self._stream, run.first, run.last)
        golden = [Golden(self._source, evaluation, *own) for evaluation, own in run.golden.items()]
        counted = {
            "rows": sum(pane.rows for pane in panes if pane.of == PREDICTIONS),
            "late": sum(pane.late for pane in panes),
            "panes": len(panes),
        }
        counted["golden"] = sum(one.rows for one in golden)
        read = run.reading.told()
        closed = ClosedRun(
            cut, run.bad, run.further_bad, run.skipped, read, panes, blocks, counted=counted, candidates=candidates, golden=golden
        )
        return closed, flagged

    def _with_ids(self, target: Target, counts: NDArray[np.int64], beside: SideCounts) -> NDArray[np.int64]:
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
