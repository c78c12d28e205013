"""Counting categories: how often each value occurs, among those of the reference."""

from collections import Counter
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ...schemas.stored.reference import CategoricalProfile
from ...schemas.text import CATEGORY, UNKNOWN_CATEGORY, fitted
from .absent import INVALID, MISSING, NULL
from .layout import Signal


class Categories:
    """One categorical field, or the availability alone of any that is decoded as one."""

    def __init__(self, available: Signal, values: Signal | None) -> None:
        self._available = available.start
        self._places: dict[object, int] = {NULL: available.start + 1, INVALID: available.start + 2, MISSING: available.start + 3}
        self._other: int | None = None
        if values is not None:
            assert isinstance(values.profile, CategoricalProfile)
            self._places |= {fitted(text, CATEGORY): values.start + i for i, text in enumerate(values.profile.categories)}
            self._other = values.start + len(values.profile.categories)

    def unseen(self, frequencies: Mapping[object, int]) -> dict[str, int]:
        """The values that the reference does not know, and their rows."""
        if self._other is None:
            return {}
        found = Counter[str]()
        for value, rows in frequencies.items():
            if isinstance(value, str) and value not in self._places:
                found[fitted(value, UNKNOWN_CATEGORY)] += rows
        return dict(found)

    def add(self, frequencies: Mapping[object, int], rows: int, vector: NDArray[np.int64]) -> None:
        """Count how often each value, or mark of an absent one, occurs in so many rows."""
        for value, times in frequencies.items():
            place = self._places.get(value, self._other)
            if place is not None:
                vector[place] += times
        available = self._available
        vector[available] += rows - sum(frequencies.get(mark, 0) for mark in (NULL, INVALID, MISSING))
