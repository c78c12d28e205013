"""Tables of correlated numbers and categories, of which something can be broken."""

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from driftbus.detectors.counting.absent import NULL
from driftbus.detectors.neighbours.rows import RowIndex, RowReport

Floats = NDArray[np.float64]
Texts = list[list[object]]
NAMES = ("a", "b", "c", "d", "kind", "place")
SOURCES = {"a": "till", "b": "till", "c": "station", "d": "station", "kind": "till"}


class Rows(NamedTuple):
    """By row and numeric field, by categorical field."""

    numeric: Floats
    texts: Texts

    def at(self, rows: slice | NDArray[np.int64]) -> "Rows":
        """These."""
        chosen = np.arange(len(self.numeric))[rows].tolist()
        return Rows(self.numeric[rows].copy(), [[column[row] for row in chosen] for column in self.texts])


def table(rows: int, seed: int = 0) -> Rows:
    """A normal and a skewed number, a tenth null; whole numbers of 1 to 9; two categories that follow the first number."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(rows, 4)) * 0.6 + rng.normal(size=(rows, 1)) * 0.8
    numeric = np.stack([z[:, 0], np.exp(z[:, 1]), np.clip(np.round(z[:, 2] * 2 + 5), 1, 9), z[:, 3] * 100 + 900], axis=1)
    numeric[rng.random(rows) < 0.1, 3] = np.nan
    kinds: list[object] = [f"k{int(np.clip(x + 2, 0, 3))}" for x in z[:, 0]]
    places: list[object] = [NULL if x < 0.02 else f"p{int(40 * x * x)}" for x in rng.random(rows)]
    return Rows(numeric, [kinds, places])


@cache
def index() -> tuple[RowIndex, RowReport]:
    """Of 9,000 rows."""
    return RowIndex.built(*table(9_000), NAMES, size=4_500, sources=SOURCES)
