"""Counting what needs several values of a row at once: in a sample of the rows."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...schemas.stored.reference import NumericProfile, Reference
from .joint import Distance
from .layout import Layout
from .numbers import Column, Numbers
from .products import Products
from .ranks import Ranks
from .sampling import drawn

#: Rows at a time: few enough that they stay in the cache.
_BLOCK = 512


class _Joint(NamedTuple):
    columns: NDArray[np.int64]
    distance: Distance
    counted: Numbers


class Sampled:
    """What one reference's rows are counted for in one of ``Reference.sample``: pairs of numeric fields, and the joint distance of many."""

    def __init__(self, reference: Reference, layout: Layout) -> None:
        joint = reference.joint
        names = {name for pair in reference.pairs for name in (pair.first, pair.second)} | set(() if joint is None else joint.fields)
        columns = [place for place, field in enumerate(layout.numeric) if field.name in names]
        self._columns, self._part = np.array(columns, dtype=np.int64), 1 / reference.sample
        fields = [layout.numeric[place] for place in columns]
        self._ranks = Ranks([field.values for field in fields if isinstance(field.values, NumericProfile)])
        place_of = {field.name: place for place, field in enumerate(fields)}
        pairs = zip(reference.pairs, (signal for signal in layout.signals if signal.of == "pair"), strict=True)
        self._products = Products([(place_of[pair.first], place_of[pair.second], signal) for pair, signal in pairs])
        self._joint: _Joint | None = None
        if joint is not None:
            column = Column(joint.distance, layout.find("(joint distance)", "joint distance"))
            places = np.array([place_of[name] for name in joint.fields], dtype=np.int64)
            self._joint = _Joint(places, Distance(np.asarray(joint.axes)), Numbers([column]))

    def add(self, numbers: NDArray[np.float64], offsets: NDArray[np.int64], vector: NDArray[np.int64]) -> None:
        """Count those of these rows whose offsets are drawn: numbers by row and field."""
        if not len(self._columns):
            return
        rows = np.flatnonzero(drawn(offsets, self._part))
        distances = []
        for start in range(0, len(rows), _BLOCK):
            places = self._ranks.places(numbers[rows[start : start + _BLOCK, None], self._columns])
            scores = self._ranks.at(places)
            self._products.add(scores, vector)
            if self._joint is not None:
                whole = np.flatnonzero((places[:, self._joint.columns] >= 0).all(axis=1))
                distances.append(self._joint.distance.of(scores[whole[:, None], self._joint.columns]))
        if self._joint is not None and distances:
            self._joint.counted.add(np.concatenate(distances)[:, None], vector)
