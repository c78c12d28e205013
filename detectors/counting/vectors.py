"""Counting vectors: their components along the reference's principal axes, and their distances from its centroid."""

import numpy as np
from numpy.typing import NDArray

from ...schemas.stored.reference import EmbeddingProfile, NumericProfile, ProfiledField
from .layout import Layout, parts_of
from .numbers import Column, Numbers
from .principal import Axes


class Vectors:
    """One embedding."""

    def __init__(self, field: ProfiledField, layout: Layout) -> None:
        available = layout.find(field.name, "availability")
        assert available is not None
        signals = [layout.find(field.name, part.of) for part in parts_of(field)]
        columns = [Column(s.profile, s) for s in signals if s is not None and isinstance(s.profile, NumericProfile)]
        # All numbers derived from a vector are there, or none of them is: the first one says it for all.
        first = columns[0] if columns else Column(None, None)
        self._numbers = Numbers([first._replace(available=available.start), *columns[1:]])
        self._axes = Axes.of(field.values) if isinstance(field.values, EmbeddingProfile) else None

    def add(self, vectors: NDArray[np.float64], vector: NDArray[np.int64]) -> None:
        """Count vectors, shape [rows, size]; of one that is not there the first number is one of the NaNs of `absent`."""
        first = np.ascontiguousarray(vectors[:, :1])
        if self._axes is None:
            self._numbers.add(first, vector)
            return
        derived = self._axes.derived(vectors)
        absent = np.isnan(first[:, 0])
        derived.view(np.uint64)[absent] = first.view(np.uint64)[absent]
        self._numbers.add(derived, vector)
