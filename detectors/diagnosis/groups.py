"""Groups that values are compared by: about ten of equal mass of a feature's bins, so that 500 rows fill each."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...schemas.stored.reference import CategoricalProfile, NumericProfile
from ..counting.bins import SAME, SAME_AS_ZERO, bins_of
from ..outcomes.grouping import groups_of_bins
from .evidence import FieldOf

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

GROUPS = 10
#: Categories that are groups of their own, the commonest; all others that the reference knows are one, what it does not know is the last.
MOST_CATEGORIES = 30
#: An interval between edges that is narrower, in its values' sizes, holds one value and what may be the same.
_ATOM = 4 * SAME
_NOTHING = np.zeros(0, dtype=np.int64)


class Grouped(NamedTuple):
    """One field's groups."""

    group_of: Integers  #: by bin
    groups: int
    outside: Integers  #: bins below and above the reference's values
    atoms: frozenset[int]  #: bins of numbers that hold one repeated value each
    atoms_mass: float  #: of the reference's rows


def grouped(field: FieldOf) -> Grouped:
    """The groups of a field of the reference."""
    if isinstance(field.profile, NumericProfile):
        return _of_numbers(field.profile)
    return _of_categories(field.profile)


def _of_numbers(profile: NumericProfile) -> Grouped:
    group_of = groups_of_bins(profile, GROUPS)
    atoms = frozenset(_atoms(profile))
    mass = sum(profile.counts[bin_] for bin_ in atoms) / max(sum(profile.counts), 1)
    return Grouped(group_of, int(group_of.max()) + 1, np.array(profile.outside, dtype=np.int64), atoms, mass)


def _atoms(profile: NumericProfile) -> list[int]:
    edges = np.asarray(profile.edges)
    narrow = np.diff(edges) <= _ATOM * np.maximum(np.abs(edges[1:]), np.abs(edges[:-1]))
    narrow |= edges[1:] == np.nextafter(edges[:-1], np.inf)
    narrow |= (edges[:-1] < 0) & (edges[1:] > 0) & (np.diff(edges) <= 4 * SAME_AS_ZERO * np.abs(edges).max())  # 0 has no size of its own
    inner = np.asarray(profile.bin_of)[1:-1]
    return sorted({int(bin_) for bin_ in inner[narrow] if bin_ not in profile.rare})


def _of_categories(profile: CategoricalProfile) -> Grouped:
    known = len(profile.categories)
    order = sorted(range(known), key=lambda place: (-profile.counts[place], profile.categories[place]))
    group_of = np.full(known + 1, min(known, MOST_CATEGORIES), dtype=np.int64)
    group_of[order[:MOST_CATEGORIES]] = np.arange(min(known, MOST_CATEGORIES))
    group_of[known] = min(known, MOST_CATEGORIES) + (known > MOST_CATEGORIES)
    return Grouped(group_of, int(group_of[known]) + 1, np.array([known], dtype=np.int64), frozenset(), 0.0)


def bin_of(profile: NumericProfile, value: float) -> int:
    """Of one number."""
    return int(bins_of(profile, np.array([value]))[0])


class Layout:
    """Where each field's groups stand side by side: features first, then the output that is watched."""

    def __init__(self, fields: Sequence[FieldOf]) -> None:
        self.features = tuple(field for field in fields if field.role == "feature")
        outputs = [field for role in ("score", "prediction") for field in fields if field.role == role]
        self.fields = (*self.features, *outputs[:1])
        self.names = tuple(field.name for field in self.features)
        self.output = outputs[0].name if outputs else None
        self.of = {field.name: field for field in self.fields}
        self.grouped = {field.name: grouped(field) for field in self.fields}
        sizes = [self.grouped[field.name].groups for field in self.fields]
        self.starts = np.cumsum([0, *sizes])[:-1].astype(np.int64)
        self.sizes = np.array(sizes, dtype=np.int64)
        self.width = int(sum(sizes))
        self._bins = [len(self.grouped[field.name].group_of) for field in self.fields]
        placed = (self.grouped[field.name].group_of + start for field, start in zip(self.fields, self.starts, strict=True))
        self._group_of = np.concatenate([_NOTHING, *placed])
        self.place = {field.name: number for number, field in enumerate(self.fields)}
        members = {source: [field.name for field in self.features if field.source == source] for source in self.sources}
        self.members = {source: tuple(names) for source, names in members.items()}

    @property
    def sources(self) -> tuple[str, ...]:
        """Where values come from, by name."""
        return tuple(sorted({field.source for field in self.features if field.source is not None}))

    def span(self, name: str) -> slice:
        """A field's groups."""
        start = int(self.starts[self.place[name]])
        return slice(start, start + self.grouped[name].groups)

    def counts(self, bins: Sequence[Integers | None]) -> Floats:
        """Of every field its bins as groups; zeros where they are not of its reference, or not there."""
        fits = [one for one in bins if one is not None]
        if [len(one) for one in fits] != self._bins:
            fits = [
                one if one is not None and len(one) == length else np.zeros(length, dtype=np.int64)
                for one, length in zip(bins, self._bins, strict=True)
            ]
        whole = np.concatenate([_NOTHING, *fits])
        return np.bincount(self._group_of, weights=whole, minlength=self.width).astype(np.float64)
