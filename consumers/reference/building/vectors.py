"""A column of vectors on its way to a profile."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ....detectors.counting.principal import Axes, principal
from ....detectors.counting.sampling import drawn
from ....schemas.stored.reference import EmbeddingProfile, ProfiledField
from .availability import FEWEST_VALUES, Availability
from .columns import PRESENT, Column, Integers, Key, states_of
from .series import Series

#: Numbers in the sample that the axes are found from.
_SAMPLED_NUMBERS = 1 << 21


class EmbeddingField:
    """Vectors of one size: first, from a sample, where to look at them from; then what they look like from there."""

    def __init__(self, key: Key, size: int) -> None:
        self.key, self._size = key, size
        self._availability = Availability()
        self._rows = 0
        self._sample = _Sample(max(_SAMPLED_NUMBERS // size, FEWEST_VALUES))
        self._axes: Axes | None = None
        self._series: list[Series] = []

    def orient(self, column: Column) -> None:
        """A pass before the others."""
        vectors, states = self._read(column)
        self._rows += int((states == PRESENT).sum())
        self._sample.add(vectors[states == PRESENT])

    def look(self, column: Column, sampled: NDArray[np.bool_]) -> None:
        """First pass."""
        if not self._enough:
            return
        if self._axes is None:
            self._axes = principal(self._sample.vectors())
            self._series = [Series() for _ in range(len(self._axes.axes) + 1)]
        there = self._read(column)[1] == PRESENT
        for series, values in self._derived(column):
            series.look(values, sampled[there])

    def count(self, column: Column) -> None:
        """Second pass."""
        self._availability.add(self._read(column)[1])
        for series, values in self._derived(column):
            series.count(values)

    def follow(self, column: Column) -> None:
        """Third pass."""
        for series, values in self._derived(column):
            series.follow(values)

    def _derived(self, column: Column) -> Iterator[tuple[Series, NDArray[np.float64]]]:
        if self._axes is not None:
            vectors, states = self._read(column)
            yield from zip(self._series, np.ascontiguousarray(self._axes.derived(vectors[states == PRESENT]).T), strict=True)

    def _read(self, column: Column) -> tuple[NDArray[np.float64], Integers]:
        vectors = np.asarray(column, dtype=np.float64)
        return vectors, states_of(vectors[:, 0])

    @property
    def _enough(self) -> bool:
        return self._rows >= FEWEST_VALUES

    def profiled(self, name: str) -> ProfiledField:
        """The result."""
        values = None
        if self._axes is not None:
            *components, distance = (series.profile() for series in self._series)
            values = EmbeddingProfile(
                size=self._size,
                centroid=tuple(self._axes.centroid.tolist()),
                unit=self._axes.unit,
                axes=tuple(tuple(axis) for axis in self._axes.axes.tolist()),
                components=tuple(components),
                distance=distance,
            )
        return ProfiledField(name=name, role=self.key.role, type="embedding", values=values, availability=self._availability.profile())


class _Sample:
    """At most so many vectors, drawn by their number: when there are too many, half of them go."""

    def __init__(self, most: int) -> None:
        self._most, self._part, self._rows = most, 1.0, 0
        self._numbers: list[Integers] = []
        self._kept: list[NDArray[np.float64]] = []

    def add(self, vectors: NDArray[np.float64]) -> None:
        """The next ones."""
        numbers = np.arange(self._rows, self._rows + len(vectors))
        self._rows += len(vectors)
        self._keep(numbers, vectors)
        while sum(map(len, self._numbers)) > self._most:
            self._part /= 2
            kept = list(zip(self._numbers, self._kept, strict=True))
            self._numbers, self._kept = [], []
            for numbers, of in kept:
                self._keep(numbers, of)

    def _keep(self, numbers: Integers, vectors: NDArray[np.float64]) -> None:
        chosen = drawn(numbers, self._part)
        self._numbers.append(numbers[chosen])
        self._kept.append(vectors[chosen])

    def vectors(self) -> NDArray[np.float64]:
        """Those that were kept, in order."""
        return np.concatenate(self._kept)
