"""Which group a feature's value lies in: a few groups of about equal mass, of which a row has one byte a feature.

Of numbers a group is a stretch of neighbouring bins of the reference; a bin that has a group's mass is one by itself, values below and
above the reference's join the ends, and what lies in intervals without a reference row is a group of its own. Of categories the commonest
are groups, and all others are one. What is absent is in none.
"""

import itertools
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from ...schemas.identity import content_hash
from ...schemas.stored.outcomes import GroupedFeature
from ...schemas.stored.reference import CategoricalProfile, NumericProfile, ProfiledField
from ...schemas.text import CATEGORY, fitted

#: Groups of about equal mass: products are of every two of all features' groups, so they grow with the square.
GROUPS = 5
#: The byte of a value that is absent.
ABSENT = 255
#: Characters of an identity.
_SHORT = 16

Bytes = NDArray[np.uint8]


class LookedUp(Protocol):
    """Columns of texts of which each distinct value is asked for once."""

    def looked_up(self, column: int, found: Callable[[object], int]) -> NDArray[np.int64]:
        """A number for every row, by its value."""
        ...


class _OfNumbers(NamedTuple):
    edges: NDArray[np.float64]
    group_of: Bytes  # by interval between them


class _Numbers:
    """Columns of numbers together: they have so few edges that to compare with each is several times as fast as to search among them."""

    def __init__(self, columns: Sequence[tuple[int, int, _OfNumbers]]) -> None:
        most = max((len(one.edges) for _, _, one in columns), default=0)
        self._places, self._columns = [place for place, _, _ in columns], [column for _, column, _ in columns]
        self._edges = np.full((most, len(columns)), np.inf)
        self._group_of = np.zeros((len(columns), most + 1), dtype=np.uint8)
        for number, (_, _, one) in enumerate(columns):
            self._edges[: len(one.edges), number] = one.edges
            self._group_of[number, : len(one.group_of)] = one.group_of

    def put(self, numeric: NDArray[np.float64], codes: Bytes) -> None:
        """The bytes of these columns in their places."""
        numbers = numeric[:, self._columns]
        interval = np.zeros(numbers.shape, dtype=np.uint16)
        for edges in self._edges:
            interval += numbers >= edges
        groups = self._group_of[np.arange(len(self._columns)), interval]
        groups[np.isnan(numbers)] = ABSENT
        codes[:, self._places] = groups


class _OfTexts(NamedTuple):
    groups: dict[str, int]

    def code(self, value: object) -> int:
        return self.groups.get(value, len(self.groups)) if isinstance(value, str) else ABSENT


class Grouping:
    """The groups of some of a reference's features.

    Parameters
    ----------
    fields
        All fields of the reference.
    chosen
        The names of the features, or how many: then they are those that the model's output depends on most, as far as the reference says.
    """

    def __init__(self, fields: Sequence[ProfiledField], chosen: Sequence[str] | int) -> None:
        numbers: list[tuple[int, int, _OfNumbers]] = []  # byte of a row, column of the numbers, groups
        self._texts: list[tuple[int, int, _OfTexts]] = []
        features: list[GroupedFeature] = []
        numeric = [field.name for field in fields if field.type in ("numeric", "timestamp")]
        texts = [field.name for field in fields if field.type in ("categorical", "boolean", "text")]
        grouped = {field.name: field.values for field in fields if field.role == "feature" and has_groups(field)}
        for name in _most_related(fields, [*grouped], chosen) if isinstance(chosen, int) else [name for name in chosen if name in grouped]:
            profile, place = grouped[name], len(features)
            if isinstance(profile, NumericProfile):
                found, groups = _of_numbers(profile)
                numbers.append((place, numeric.index(name), found))
            else:
                assert isinstance(profile, CategoricalProfile)
                own = _of_texts(profile)
                self._texts.append((place, texts.index(name), own))
                groups = len(own.groups) + 1
            features.append(GroupedFeature(name=name, groups=groups))
        self.features, self._numbers = tuple(features), _Numbers(numbers)
        #: Equal where rows' bytes mean the same; of no features "".
        self.name = content_hash(self._written(numbers)).partition(":")[2][:_SHORT] if features else ""

    def codes(self, numeric: NDArray[np.float64], texts: LookedUp) -> Bytes:
        """Of every row a byte a feature, shape [rows, features], from all decoded columns."""
        found = np.full((len(numeric), len(self.features)), ABSENT, dtype=np.uint8)
        self._numbers.put(numeric, found)
        for place, column, categories in self._texts:
            found[:, place] = texts.looked_up(column, categories.code)
        return found

    def _written(self, numbers: Sequence[tuple[int, int, _OfNumbers]]) -> bytes:
        edges = [[place, own.edges.tolist(), own.group_of.tolist()] for place, _, own in numbers]
        texts = [[place, own.groups] for place, _, own in self._texts]
        return msgspec.json.encode([[one.name for one in self.features], edges, texts])


def _most_related(fields: Sequence[ProfiledField], names: Sequence[str], most: int) -> list[str]:
    """So many of these, in their order; of equal ones the first."""
    related = {field.name: field.related or 0.0 for field in fields}
    kept = {*sorted(names, key=lambda name: -related[name])[:most]}
    return [name for name in names if name in kept]


def has_groups(field: ProfiledField) -> bool:
    """Whether a field's values are watched as one series of numbers or categories."""
    return isinstance(field.values, NumericProfile | CategoricalProfile)


def groups_of_bins(profile: NumericProfile, groups: int = GROUPS) -> NDArray[np.int64]:
    """The group of every bin, where about so many are of equal mass."""
    counts = np.asarray(profile.counts, dtype=np.int64)
    found = np.zeros(len(counts), dtype=np.int64)
    inner = [bin_ for bin_ in range(len(counts)) if bin_ not in profile.rare]
    of_inner = _stretches(counts[inner], groups)
    found[inner] = of_inner
    last = int(of_inner[-1]) if len(of_inner) else 0
    low, high = {0, *(profile.far or ())[:1]}, {profile.above, *(profile.far or ())[1:]}
    found[[*low]], found[[*high]] = 0, last
    if profile.gap is not None:
        found[profile.gap] = last + 1
    return found


def _of_numbers(profile: NumericProfile) -> tuple[_OfNumbers, int]:
    of_bin = groups_of_bins(profile)
    of_interval = of_bin[np.asarray(profile.bin_of, dtype=np.int64)]
    kept = np.flatnonzero(of_interval[1:] != of_interval[:-1])
    edges = np.asarray(profile.edges, dtype=np.float64)[kept]
    return _OfNumbers(edges, of_interval[np.append(0, kept + 1)].astype(np.uint8)), int(of_bin.max()) + 1


def _stretches(counts: NDArray[np.int64], wanted: int = GROUPS) -> NDArray[np.int64]:
    """The group of each of neighbouring bins, where about so many are wanted.

    >>> _stretches(np.array([1, 1, 1, 1, 1, 1, 1, 1, 1, 1])).tolist()
    [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    >>> _stretches(np.array([95, 1, 1, 1, 1, 1])).tolist()
    [0, 1, 1, 1, 1, 1]
    """
    total = max(int(counts.sum()), 1)
    heavy = counts * wanted >= total
    groups = np.zeros(len(counts), dtype=np.int64)
    following = 0  # the next group
    begins = np.flatnonzero(np.concatenate(([True], (heavy[1:] | heavy[:-1]))))[: len(counts)].tolist()
    for begin, end in itertools.pairwise([*begins, len(counts)]):
        own = counts[begin:end]
        mass = int(own.sum())
        parts = max(1, (2 * wanted * mass + total) // (2 * total))  # rounded
        middle = np.cumsum(own) - own / 2
        place = np.minimum((middle * parts / max(mass, 1)).astype(np.int64), parts - 1)
        place = np.unique(place, return_inverse=True)[1]  # none is empty
        groups[begin:end] = following + place
        following += int(place[-1]) + 1
    return groups


def _of_texts(profile: CategoricalProfile) -> _OfTexts:
    order = sorted(range(len(profile.categories)), key=lambda place: (-profile.counts[place], profile.categories[place]))
    return _OfTexts({fitted(profile.categories[place], CATEGORY): group for group, place in enumerate(order[: GROUPS - 1])})
