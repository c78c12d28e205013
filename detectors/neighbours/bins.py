"""In which of the reference's bins rows lie whose p-value is known: all of them, those outside the core, the outliers. All sums."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...schemas.stored.familiarity import FamiliarityProfile
from ...schemas.stored.reference import CategoricalProfile, NumericProfile
from ...schemas.text import CATEGORY, fitted
from ..counting.bins import bins_of
from ..counting.layout import Layout, Signal

Integers = NDArray[np.int64]
Bytes = NDArray[np.uint8]

#: Cells of p (`driftbus.detectors.neighbours.rows.RowIndex.cells`) from which on a row is outside the core, and an outlier.
OUTSIDE, OUTLIERS = 1, 3
#: What is counted, in this order.
KINDS = ("scored", "outside", "outliers")


def leading(profiles: Sequence[FamiliarityProfile]) -> int | None:
    """Which of what is compared says whether a row is in the core, or an outlier: rows, before fields by themselves; None: nothing is.

    >>> def one(kind, of): return FamiliarityProfile(of=of, kind=kind, index="", rows=9, cells=(0, 1, 19))
    >>> leading([one("text", "question"), one("row", "row")]), leading([])
    (1, None)
    """
    order = sorted(range(len(profiles)), key=lambda place: (not profiles[place].masks, profiles[place].kind != "row", place))
    return order[0] if order else None


class InBins:
    """The bins of a reference's numeric and categorical features, field behind field in one vector.

    Parameters
    ----------
    layout
        Of the reference's panes.
    """

    def __init__(self, layout: Layout) -> None:
        self._numbers = [(column, found) for column, field in enumerate(layout.numeric) if (found := _values(layout, field.name))]
        self._texts = [(column, found) for column, field in enumerate(layout.categorical) if (found := _values(layout, field.name))]
        self.signals: tuple[Signal, ...] = tuple(signal for _, signal in (*self._numbers, *self._texts))
        self._starts = np.cumsum([0, *(signal.size for signal in self.signals)], dtype=np.int64)
        self._categories = [_places(signal) for _, signal in self._texts]

    @property
    def size(self) -> int:
        """Length of a vector of counts."""
        return int(self._starts[-1])

    def span(self, name: str) -> slice:
        """A feature's part of it."""
        place = next(place for place, signal in enumerate(self.signals) if signal.name == name)
        return slice(int(self._starts[place]), int(self._starts[place + 1]))

    def codes(self, numeric: NDArray[np.float64], texts: Sequence[Sequence[object]]) -> Integers:
        """Of every row the place of each feature's value in the vector, [n, features]; -1 where it is absent. From all decoded columns."""
        found = np.full((len(numeric), len(self.signals)), -1, dtype=np.int64)
        for place, (column, signal) in enumerate(self._numbers):
            assert isinstance(signal.profile, NumericProfile)
            there = np.isfinite(numeric[:, column])
            found[there, place] = self._starts[place] + bins_of(signal.profile, np.ascontiguousarray(numeric[there, column]))
        for place, ((column, _), known) in enumerate(zip(self._texts, self._categories, strict=True), start=len(self._numbers)):
            other = len(known)
            own = [known.get(value, other) if isinstance(value, str) else -1 for value in texts[column]]
            bins = np.array(own, dtype=np.int64)
            found[:, place] = np.where(bins < 0, -1, self._starts[place] + bins)
        return found

    def counts(self, codes: Integers, cells: Bytes) -> Integers:
        """Of the rows with these codes and cells of p, how many lie in each bin: [`KINDS`, size]."""
        chosen = (codes, codes[cells >= OUTSIDE], codes[cells >= OUTLIERS])
        return np.stack([np.bincount(part.ravel() + 1, minlength=self.size + 1)[1:] for part in chosen]).astype(np.int64)


def _values(layout: Layout, name: str) -> Signal | None:
    found = layout.find(name, "values")
    return found if found is not None and found.role == "feature" else None


def _places(signal: Signal) -> dict[object, int]:
    assert isinstance(signal.profile, CategoricalProfile)
    return {fitted(name, CATEGORY): place for place, name in enumerate(signal.profile.categories)}
