"""Rows as the joiner tells of them, and random ones."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from driftbus.detectors.outcomes.cells import cells_of
from driftbus.detectors.outcomes.values import NONE, Floats, Integers, Rows, scores_of, value_of_class, values_of_numbers
from driftbus.schemas.stored.outcomes import GroupedFeature, OutcomeBasis

FEATURES = (GroupedFeature(name="a", groups=3), GroupedFeature(name="b"), GroupedFeature(name="c", groups=1))
BINARY = OutcomeBasis(task="binary", features=FEATURES, inner=True)
CATEGORY = OutcomeBasis(task="category", classes=("ant", "bee", "cat"), features=FEATURES, inner=True)
NUMBER = OutcomeBasis(
    task="number", centre=3.0, scale=2.0, edges=(-1.0, 0.0, 2.5), losses=(1, 1 << 19, 1 << 20), features=FEATURES, inner=True
)
#: By name, for tests that hold for all of them.
EVERY = {"binary": BINARY, "category": CATEGORY, "number": NUMBER}

_ROW = [
    *(("hi", "<u8"), ("lo", "<u8"), ("value", "<i8"), ("about", "<i8"), ("version", "<u4"), ("place", "<u4")),
    *(("score", "<i4"), ("model", "<u2"), ("cell", "<u2"), ("flags", "u1")),
]


class Told(NamedTuple):
    """What the joiner tells a ledger."""

    what: str
    rows: Rows
    before: Integers


class Met(NamedTuple):
    """Labels that met nothing."""

    about: Integers
    model: NDArray[np.uint16]


def told(basis: OutcomeBasis, predicted: Integers, label: Integers, probabilities: Floats | None = None) -> Rows:
    """Rows with these values; all else is 0."""
    rows = np.zeros(len(predicted), np.dtype([*_ROW, ("bins", "u1", (len(basis.features),)), ("label", "<i8"), ("delay", "<i8")]))
    rows["value"], rows["label"] = predicted, label
    rows["score"] = scores_of(np.full(len(rows), np.nan) if probabilities is None else probabilities)
    rows["cell"] = cells_of(basis, rows["value"], rows["score"])
    return rows


def of_texts(texts: Sequence[str]) -> Integers:
    """Categories as values."""
    return np.array([value_of_class(text) for text in texts], dtype=np.int64)


#: Values that a task knows, some that it does not, and such as nobody should send.
VALUES = {
    "binary": np.array([0, 1, 2]),
    "category": of_texts(["ant", "bee", "cat", "dog", "emu"]),
    "number": values_of_numbers(
        np.array([0.0, 1.0, 3.0, 3.1, -7.25, 2.5, 1e-300, 1e9, -1e300, 1.7e308, -1.7e308, np.inf, -np.inf, np.nan])
    ),
}


@st.composite
def many(draw: st.DrawFn, basis: OutcomeBasis, most: int = 40) -> Rows:
    """Rows of any kind, with outcomes or none."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    n = draw(st.integers(0, most))
    values = VALUES[basis.task][: draw(st.integers(1, len(VALUES[basis.task])))]
    scores = rng.choice([np.nan, 0.0, 1.0, 0.5, *rng.random(4)], n)
    rows = told(basis, rng.choice(values, n), rng.choice([NONE, *values.tolist()], n), scores)
    rows["bins"] = rng.choice([0, 1, 2, 3, 4, 5, 255], rows["bins"].shape)
    rows["flags"] = rng.integers(0, 4, n)
    rows["about"] = 60 * rng.integers(1, 5, n)
    rows["place"] = rng.integers(0, 2, n)
    rows["delay"] = rng.choice([0, -60, 999, 1_024, 3_600_000, 2**36 - 1, 2**36, 2**62], n)
    return rows
