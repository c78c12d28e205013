"""Effect sizes of binned values, of categories, of availability."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ...schemas.configuration import Important
from ...schemas.messages.drift import Effect, Histogram, Statistics
from ...schemas.stored.reference import AVAILABILITY, AvailabilityProfile, CategoricalProfile, NumericProfile
from ..counting.layout import Signal
from .size import Change, rounded
from .statistics import Telling, of_reference
from .two_sample import ks, psi, wasserstein

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]

#: Groups of neighbouring bins in a histogram; values beyond or between those of the reference, and *other*, are groups of their own.
GROUPS = 10
#: Categories with a group of their own, by their reference rows.
NAMED_CATEGORIES = 8
#: The mean of the Kolmogorov distribution, in units of sqrt(1/n + 1/m).
_KS_MEAN = 0.87
#: The mean of |Z|, Z standard normal.
_ABSOLUTE_MEAN = math.sqrt(2 / math.pi)


def grouped(signal: Signal) -> tuple[Counts, tuple[str, ...]]:
    """Every bin's group, and the groups' labels."""
    match signal.profile:
        case NumericProfile() as profile:
            return _numeric_groups(profile)
        case CategoricalProfile() as profile:
            return _category_groups(profile)
    return np.arange(len(AVAILABILITY)), AVAILABILITY


def _numeric_groups(profile: NumericProfile) -> tuple[Counts, tuple[str, ...]]:
    bin_of = np.asarray(profile.bin_of)
    apart = {0: f"< {profile.minimum:.6g}", profile.above: f"> {profile.maximum:.6g}"}
    if profile.gap is not None:
        apart[profile.gap] = "gaps"
    regular = np.array([bin_ for bin_ in range(len(profile.counts)) if bin_ not in profile.rare], dtype=np.int64)
    mass = np.asarray(profile.counts, dtype=np.float64)[regular]
    middle = (np.cumsum(mass) - mass / 2) / max(float(mass.sum()), 1.0)
    group_of = np.zeros(len(profile.counts), dtype=np.int64)
    _, part = np.unique(np.minimum((middle * GROUPS).astype(np.int64), GROUPS - 1), return_inverse=True)
    group_of[regular] = part + 1
    labels = [apart[0]]
    for group in range(1, int(part.max(initial=-1)) + 2):
        intervals = np.flatnonzero(np.isin(bin_of, regular[part + 1 == group]))
        low, high = f"{profile.edges[intervals[0] - 1]:.6g}", f"{profile.edges[min(intervals[-1], len(profile.edges) - 1)]:.6g}"
        labels.append(low if low == high else f"{low} .. {high}")
    for bin_ in sorted(set(apart) - {0}, key=lambda bin_: bin_ == profile.gap):
        group_of[bin_] = len(labels)
        labels.append(apart[bin_])
    if profile.far is not None:
        group_of[list(profile.far)] = group_of[[0, profile.above]]
    return group_of, tuple(labels)


def _category_groups(profile: CategoricalProfile) -> tuple[Counts, tuple[str, ...]]:
    names = profile.categories
    commonest = sorted(range(len(names)), key=lambda bin_: (-profile.counts[bin_], bin_))
    named, rest = sorted(commonest[:NAMED_CATEGORIES]), commonest[NAMED_CATEGORIES:]
    labels = [names[bin_] for bin_ in named] + ([f"{len(rest)} rarer ones"] if rest else []) + ["other values"]
    group_of = np.full(len(names) + 1, len(labels) - 1, dtype=np.int64)
    group_of[named] = np.arange(len(named))
    group_of[rest] = len(named)
    return group_of, tuple(labels)


@dataclass(frozen=True)
class _Law:
    """What counts are compared with."""

    counts: Counts
    groups: Counts  # rows per group
    ordered: Counts  # rows per distinct value
    width: float  # of the distribution: the integral of sqrt(F (1 - F)), in reference sd


@dataclass(frozen=True)
class CountsMeasure:
    """One signal's effect sizes against its reference, or against what the season lets expect."""

    signal: Signal
    available: Signal | None  #: the field's availability, where it has any
    important: Important
    expected: int | None  #: where a vector's counts to expect begin, where they are not always the reference's
    parts: int  #: of the reference's rows, of which one by itself says what to expect: hours
    labels: tuple[str, ...]
    _group_of: Counts
    _rank: Counts | None  # a bin's place among the distinct values, of a numeric signal
    _values: Floats  # distinct, in reference sd

    @classmethod
    def of(
        cls, signal: Signal, available: Signal | None, important: Important, expected: int | None = None, parts: int = 1
    ) -> "CountsMeasure":
        """What needs to be computed once."""
        group_of, labels = grouped(signal)
        rank, values = None, np.zeros(0)
        if isinstance(signal.profile, NumericProfile):
            values, rank = np.unique(np.asarray(signal.profile.values) / signal.profile.sd, return_inverse=True)
        return cls(signal, available, important, expected, parts, labels, group_of, rank, values)

    @cached_property
    def _reference(self) -> _Law:
        return self._law(self.signal.reference_counts)

    @cached_property
    def _was(self) -> Statistics:
        nulls = None if self.available is None else _absent(self.available.reference_counts)
        return of_reference(self.signal, nulls) if self.signal.segment is None else self._telling.law(self.signal.reference_counts, nulls)

    @cached_property
    def _telling(self) -> Telling:
        return Telling(self.signal)

    def _law(self, counts: Counts) -> _Law:
        groups = _added(counts, self._group_of, len(self.labels))
        if self._rank is None:
            return _Law(counts, groups, counts, 0.0)
        ordered = _added(counts, self._rank, len(self._values))
        below = np.cumsum(ordered)[:-1] / max(int(ordered.sum()), 1)
        width = float((np.sqrt(below * (1 - below)) * np.diff(self._values)).sum())
        return _Law(counts, groups, ordered, width)

    def _expected(self, vector: Counts, signal: Signal) -> Counts:
        """What a signal's counts are compared with: as many rows as tell it, of a season those of an hour."""
        known = signal.reference_counts
        own = np.zeros(0) if self.expected is None else vector[self.expected + signal.start : self.expected + signal.start + signal.size]
        return np.rint(own / own.sum() * (known.sum() // self.parts)).astype(np.int64) if own.sum() > 0 else known

    def on(self, vector: Counts) -> Change:
        """The change in a vector of the space."""
        current = np.maximum(vector[self.signal.span], 0)  # a correction may have taken more than there was
        nulls, law, was = self._nulls(vector), self._reference, self._was
        if self.expected is not None:
            law = self._law(self._expected(vector, self.signal))
            was = self._telling.law(law.counts, None if nulls is None else nulls[0])
        effect, ratio = self._effect(current, law, nulls)
        return Change(
            effect,
            ratio,
            int(current.sum()),
            reference=Histogram(bins=self.labels, counts=tuple(law.groups.tolist())),
            current=Histogram(counts=tuple(_added(current, self._group_of, len(self.labels)).tolist())),
            was=was,
            now=self._telling.of(vector, None if nulls is None else nulls[1]),
        )

    def _nulls(self, vector: Counts) -> tuple[float, float] | None:
        """Share of the field's values that are not there: of the reference, and now."""
        if self.available is None:
            return None
        now = np.maximum(vector[self.available.span], 0)
        return (_absent(self._expected(vector, self.available)), _absent(now)) if now.sum() > 0 else None

    def _effect(self, current: Counts, law: _Law, nulls: tuple[float, float] | None) -> tuple[Effect, float]:
        n, rows = int(current.sum()), int(law.counts.sum())
        if n <= 0 or rows <= 0:
            return Effect(nulls=nulls), 0.0
        noise, bounds = 1 / n + 1 / rows, self.important
        if isinstance(self.signal.profile, AvailabilityProfile):
            return Effect(nulls=nulls), _moved(current, law.counts, noise) / bounds.nulls
        parts = {"psi": psi(law.groups, _added(current, self._group_of, len(self.labels))) - (len(self.labels) - 1) * noise}
        unseen = law.counts == 0
        parts["unseen"] = int(current[unseen].sum()) / n - int(unseen.sum()) / (rows + 1)
        if self._rank is not None:
            ordered = _added(current, self._rank, len(self._values))
            parts["ks"] = ks(law.ordered, ordered) - _KS_MEAN * math.sqrt(noise)
            parts["wasserstein_sd"] = wasserstein(law.ordered, ordered, self._values) - _ABSOLUTE_MEAN * math.sqrt(noise) * law.width
        sizes = {name: max(part, 0.0) for name, part in parts.items()}
        ratio = max(size / getattr(bounds, name) for name, size in sizes.items())
        return Effect(nulls=nulls, **{name: rounded(size) for name, size in sizes.items()}), ratio

    def rows(self, vector: Counts) -> int:
        """Rows counted in the signal."""
        return int(np.maximum(vector[self.signal.span], 0).sum())


def _moved(current: Counts, reference: Counts, noise: float) -> float:
    """The share of rows whose availability is another: that of new nulls, but also of nulls that became missing."""
    expected = reference / reference.sum()
    apart = np.abs(current / current.sum() - expected) - _ABSOLUTE_MEAN * np.sqrt(expected * (1 - expected) * noise)
    return max(float(apart.sum()) / 2, 0.0)


def _absent(available: Counts) -> float:
    return rounded(1 - int(available[0]) / max(int(available.sum()), 1))


def _added(counts: Counts, place: Counts, size: int) -> Counts:
    """Counts summed over the bins of one place; exact below 2^53."""
    return np.bincount(place, weights=counts, minlength=size).astype(np.int64)
