"""Counting what needs several values of a row at once: in a sample of the rows."""

import numpy as np
from numpy.typing import NDArray

from ...schemas.reference import NumericProfile, Reference
from ..layout import Layout
from ..ranks import Ranks
from ..sampling import drawn
from .products import Products


class Sampled:
    """What one reference's rows are counted for in one of ``Reference.sample``: the pairs of numeric fields."""

    def __init__(self, reference: Reference, layout: Layout) -> None:
        names = {name: None for pair in reference.pairs for name in (pair.first, pair.second)}
        self._columns = [place for place, field in enumerate(layout.numeric) if field.name in names]
        fields = [layout.numeric[place] for place in self._columns]
        self._part = 1 / reference.sample
        self._ranks = Ranks([field.values for field in fields if isinstance(field.values, NumericProfile)])
        place_of = {field.name: place for place, field in enumerate(fields)}
        pairs = zip(reference.pairs, (signal for signal in layout.signals if signal.of == "pair"), strict=True)
        self._products = Products([(place_of[pair.first], place_of[pair.second], signal) for pair, signal in pairs])

    def add(self, numbers: NDArray[np.float64], offsets: NDArray[np.int64], vector: NDArray[np.int64]) -> None:
        """Count those of these rows whose offsets are drawn: numbers by row and field."""
        if not self._columns:
            return
        scores = self._ranks.of(numbers[np.ix_(drawn(offsets, self._part), self._columns)])
        self._products.add(scores, vector)
