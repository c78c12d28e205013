"""Rows of an incident as a case, counted directly by the product's own code for bins, magnitudes, groups and outliers: no bus."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from driftbus.detectors.counting.bins import bins_of, profile_of, with_far
from driftbus.detectors.counting.magnitudes import Magnitudes, cells_of, mantissa
from driftbus.detectors.diagnosis.evidence import (
    Agreeing,
    Case,
    Coincident,
    Evaluated,
    FieldOf,
    Outcomes,
    Relation,
    Values,
    Window,
)
from driftbus.detectors.neighbours.rows import RowIndex
from driftbus.detectors.outcomes.grouping import groups_of_bins
from driftbus.schemas.stored.reference import CategoricalProfile, NumericProfile

from .rows import HOUR, Column, Incident, Rows, Table, Trained

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

#: Of magnitudes and repeated values; of unseen categories; of outliers, as panes have them.
MOST_REPEATED, MOST_UNSEEN, MOST_MASKED = 16, 64, 64
#: Categories with a group of their own among those of outcomes.
_OWN_GROUPS = 5
_STEP = 1 << 12
_LARGEST = float(1 << 20)
OUTPUT = "score"


class Reference:
    """Profiles, groups and the index of one trained model."""

    def __init__(self, trained: Trained) -> None:
        table, rows = trained.table, trained.rows
        self.table = table
        columns = {name: column[rows] for name, column in table.features.items()}
        self.fields = (*(_field(table, name, column) for name, column in columns.items()), _output(trained.scores))
        self.of = {field.name: field for field in self.fields}
        self.groups = {name: _groups_of(self.of[name].profile) for name in columns}
        numbers, texts = _split(table, columns)
        names = [*table.numeric, *table.categorical]
        self.index, _ = RowIndex.built(numbers, texts, names, sources=table.sources)
        masks = [mask.name if mask.of == "field" else f"source:{mask.name}" for mask in self.index.masks]
        self.masks = masks
        self.usual = dict(zip(masks, self.index.base().tolist(), strict=True))

    @property
    def layout(self) -> tuple[tuple[str, int], ...]:
        """Features that outcomes are grouped by."""
        return tuple((name, int(groups.max()) + 1) for name, groups in self.groups.items())


def _field(table: Table, name: str, column: Column) -> FieldOf:
    if name in table.numeric:
        profile = with_far(profile_of(np.asarray(column, dtype=np.float64)))
        return FieldOf(name, "feature", profile, mantissa(profile), table.sources.get(name))
    values, counts = np.unique(np.array([value for value in column if value is not None], dtype=str), return_counts=True)
    order = np.argsort(-counts, kind="stable")[:MOST_UNSEEN]
    rest = int(counts.sum() - counts[order].sum())
    categories = CategoricalProfile(
        categories=tuple(str(values[place]) for place in order), counts=(*counts[order].tolist(), rest), distinct=len(values)
    )
    return FieldOf(name, "feature", categories, 0, table.sources.get(name))


def _output(scores: Floats) -> FieldOf:
    profile = profile_of(scores)
    return FieldOf(OUTPUT, "score", profile, mantissa(profile))


def _groups_of(profile: NumericProfile | CategoricalProfile) -> Integers:
    if isinstance(profile, NumericProfile):
        return groups_of_bins(profile)
    return np.minimum(np.arange(len(profile.categories) + 1), _OWN_GROUPS - 1)


def _split(table: Table, columns: dict[str, Column]) -> tuple[Floats, list[list[object]]]:
    numbers = np.stack([np.asarray(columns[name], dtype=np.float64) for name in table.numeric], axis=1)
    return numbers, [list(columns[name]) for name in table.categorical]


def case_of(incident: Incident, reference: Reference, *, without: Sequence[str] = ()) -> Case:
    """All of it, as of its last window; ``without`` kinds of evidence."""
    windows = [window_of(rows, reference) for rows in incident.windows]
    base = [window for rows, window in zip(incident.windows, windows, strict=True) if rows.number < 0]
    evaluated = [Evaluated(_time(number), "g1", "1", loss, 800) for number, loss in incident.evaluated]
    coincident = [Coincident(_time(number), "model", f"v{number}") for number in incident.deployed]
    case = Case(
        fields=reference.fields,
        groups=reference.layout,
        binary=reference.table.binary,
        baseline=base,
        monitored=windows[len(base) :],
        evaluated=evaluated,
        coincident=coincident,
        usual=reference.usual,
    )
    for kind in without:
        lacking(case, kind)
    return case


def _time(number: int) -> int:
    return Rows(number, {}, np.zeros(0)).end - HOUR // 2


def lacking(case: Case, kind: str) -> None:
    """The case without a kind of evidence; ``masks``: of outliers their share alone."""
    case.absent[kind] = "not configured"
    if kind == "golden":
        case.evaluated = []
    if kind == "model":
        case.coincident = []
    for window in [*case.baseline, *case.ladder, *case.monitored]:
        window.counted = None
        if kind == "agreement":
            window.agreeing = None
        if kind == "arrivals":
            window.outcomes = None
        if kind in ("ood", "masks"):
            window.masked, window.cured = 0, {}
        if kind == "ood":
            window.scored = window.outliers = 0
        for values in window.values.values():
            if kind == "ages":
                values.age = None
            if kind == "ood":
                values.scored = values.outside = values.outliers = None


def window_of(rows: Rows, reference: Reference) -> Window:
    """One window's sums."""
    table, n = reference.table, len(rows.scores)
    numbers, texts = _split(table, rows.features)
    cells = reference.index.cells(numbers, texts)
    outliers = np.flatnonzero(cells >= 3)
    left = reference.index.left(numbers[outliers[:MOST_MASKED]], [[column[row] for row in outliers[:MOST_MASKED]] for column in texts])
    bins = {name: _bins(reference.of[name].profile, column) for name, column in rows.features.items()}
    values = {name: _values(rows, reference, name, bins[name], cells) for name in rows.features}
    values[OUTPUT] = Values(n, 0, 0, 0, _counted(reference.of[OUTPUT].profile, _bins(reference.of[OUTPUT].profile, rows.scores)))
    cured = dict(zip(reference.masks, left.cured.sum(axis=0).tolist(), strict=True)) if len(outliers) else {}
    return Window(
        start=rows.end - HOUR,
        end=rows.end,
        rows=n,
        values=values,
        scored=n,
        outliers=len(outliers),
        masked=min(len(outliers), MOST_MASKED),
        cured=cured,
        agreeing=None if rows.paired is None else {name: _agreeing(reference.of[name], *sides) for name, sides in rows.paired.items()},
        outcomes=None if rows.outcomes is None else _outcomes(rows, reference, bins, cells < 3),
    )


def _bins(profile: NumericProfile | CategoricalProfile, column: Column) -> Integers:
    """Of every value its bin, -1 where it is absent."""
    if isinstance(profile, NumericProfile):
        numbers = np.asarray(column, dtype=np.float64)
        return np.where(np.isfinite(numbers), bins_of(profile, np.nan_to_num(numbers)), -1)
    place = {category: number for number, category in enumerate(profile.categories)}
    return np.array([-1 if value is None else place.get(str(value), len(place)) for value in column], dtype=np.int64)


def _counted(profile: NumericProfile | CategoricalProfile, bins: Integers) -> Integers:
    return np.bincount(bins[bins >= 0], minlength=len(profile.counts)).astype(np.int64)


def _values(rows: Rows, reference: Reference, name: str, bins: Integers, cells: NDArray[np.uint8]) -> Values:
    profile, column, n = reference.of[name].profile, rows.features[name], len(rows.scores)
    present, invalid = int((bins >= 0).sum()), int(rows.invalid[name].sum()) if name in rows.invalid else 0
    found = Values(
        present=present,
        null=n - present - invalid,
        invalid=invalid,
        missing=0,
        bins=_counted(profile, bins),
        age=None if rows.ages is None else (int(np.rint(rows.ages[name] * 60).sum()), n),
        scored=_counted(profile, bins),
        outside=_counted(profile, bins[cells > 0]),
        outliers=_counted(profile, bins[cells >= 3]),
    )
    if isinstance(profile, CategoricalProfile):
        names, counts = np.unique(
            np.array([str(column[row]) for row in np.flatnonzero(bins == len(profile.categories))]), return_counts=True
        )
        order = sorted(zip(names.tolist(), counts.tolist(), strict=True), key=lambda one: (-one[1], one[0]))
        found.unseen = dict(order[:MOST_UNSEEN])
        return found
    numbers = np.asarray(column, dtype=np.float64)[bins >= 0]
    where, counts = np.unique(cells_of(numbers, reference.of[name].mantissa), return_counts=True)
    found.magnitudes = Magnitudes(where, counts.astype(np.int64))
    values, counts = np.unique(numbers, return_counts=True)
    often = counts >= max(2.0, len(numbers) / 32)
    order = sorted(zip(values[often].tolist(), counts[often].tolist(), strict=True), key=lambda one: (-one[1], one[0]))
    found.repeated = dict(order[:MOST_REPEATED])
    return found


def _agreeing(field: FieldOf, online: Column, offline: Column) -> Agreeing:
    profile = field.profile
    side = _counted(profile, _bins(profile, offline))
    if isinstance(profile, CategoricalProfile):
        missing = np.array([one is None and other is not None for one, other in zip(online, offline, strict=True)], dtype=bool)
        differing = np.array([one != other for one, other in zip(online, offline, strict=True)], dtype=bool) & ~missing
        return Agreeing(len(online), int(differing.sum()), int(missing.sum()), offline=side)
    here, there = np.asarray(online, dtype=np.float64), np.asarray(offline, dtype=np.float64)
    both = np.isfinite(here) & np.isfinite(there)
    missing_rows = int((~np.isfinite(here) & np.isfinite(there)).sum())
    x, y = there[both], here[both]
    bad = np.abs(x - y) > 1e-6 * np.maximum(1.0, np.abs(x))
    x, y = x[bad], y[bad]
    zx, zy = (
        np.clip(np.rint((side_ - profile.mean) / profile.sd * _STEP), -_LARGEST * _STEP, _LARGEST * _STEP).astype(np.int64).astype(object)
        for side_ in (x, y)
    )
    values, counts = np.unique(y, return_counts=True)
    commonest = sorted(zip(values.tolist(), counts.tolist(), strict=True), key=lambda one: (-one[1], one[0]))[:4]
    sums = (sum(zx), sum(zy), sum(zx * zx), sum(zx * zy), sum(zy * zy)) if len(x) else (0, 0, 0, 0, 0)
    return Agreeing(len(online), int(bad.sum()), missing_rows, sums, {repr(value): rows for value, rows in commonest}, side)


def _outcomes(rows: Rows, reference: Reference, bins: dict[str, Integers], inside: NDArray[np.bool_]) -> Outcomes:
    assert rows.outcomes is not None
    y, r = rows.outcomes, rows.outcomes - rows.scores
    columns = []
    for name, groups in reference.layout:
        own = bins[name]
        group = np.where(own >= 0, reference.groups[name][np.maximum(own, 0)], -1)
        columns.append(group[:, None] == np.arange(groups))
    design = np.concatenate(columns, axis=1).astype(np.float64)

    def of(chosen: NDArray[np.bool_]) -> Relation:
        h, own_y, own_r = design[chosen], y[chosen], r[chosen]
        return Relation(
            int(chosen.sum()),
            float(own_y.sum()),
            float((own_y**2).sum()),
            float(own_r.sum()),
            float((own_r**2).sum()),
            h.T @ h,
            h.T @ own_y,
            h.T @ own_r,
        )

    n = len(y)
    return Outcomes(n, n, 0, float((r**2).sum()), of(np.ones(n, dtype=bool)), of(inside))
