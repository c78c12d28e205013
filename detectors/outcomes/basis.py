"""From rows whose outcomes are known to the basis that a version's outcomes are counted by, and to what its estimates are made by."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ...schemas.stored.outcomes import MOST_CLASSES, GroupedFeature, OutcomeBasis
from .counting import Counting
from .layout import LARGEST, Layout
from .target import Target
from .values import NONE, UNIT, Floats, Integers, Rows

#: Bins of predicted numbers, and of residuals, of about equal mass.
BINS = 16

_Number = TypeVar("_Number", np.int64, np.float64)


def of_categories(texts: Sequence[str], features: Sequence[GroupedFeature] = (), own: Sequence[str] = ()) -> OutcomeBasis:
    """Of a category, by the labels of the reference: the commonest first, of equally common ones the first by name.

    >>> of_categories(["b", "a", "c", "b"]).classes
    ('b', 'a', 'c')
    """
    names, counts = np.unique(np.array(texts, dtype=object), return_counts=True)
    commonest = sorted(zip(names.tolist(), counts.tolist(), strict=True), key=lambda each: (-each[1], each[0]))
    return OutcomeBasis(
        task="category", classes=tuple(name for name, _ in commonest[:MOST_CLASSES]), features=tuple(features), own=tuple(own)
    )


def of_numbers(outcomes: Floats, predictions: Floats, features: Sequence[GroupedFeature] = (), own: Sequence[str] = ()) -> OutcomeBasis:
    """Of a number, by outcomes and predictions of the reference; rows that lack either, or have infinite ones, are left out.

    >>> found = of_numbers(np.array([1.0, 2.0, 3.0, np.nan]), np.array([1.0, 2.0, 2.0, 2.0]))
    >>> found.centre, round(found.scale, 4), found.edges, found.losses
    (2.0, 0.8165, (1.0, 2.0), (1, 1284238))
    """
    there = np.isfinite(outcomes) & np.isfinite(predictions)
    outcomes, predictions = outcomes[there], predictions[there]
    if not len(outcomes):
        msg = "no row has a finite outcome and a finite prediction: there is nothing to say how far apart they are"
        raise ValueError(msg)
    # In units in which no sum overflows.
    exponent = int(np.frexp(np.abs(outcomes).max())[1])
    scaled = np.ldexp(outcomes, -exponent)
    centre, spread = float(np.ldexp(scaled.mean(), exponent)), float(np.ldexp(scaled.std(), exponent))
    scale = spread if np.isfinite(spread) and spread > 0 else max(abs(centre), 1.0)
    with np.errstate(over="ignore"):  # what overflows is cut
        residuals = np.minimum(np.abs(outcomes - predictions) / scale, LARGEST)
    fixed = np.rint(residuals * UNIT).astype(np.int64)
    return OutcomeBasis(
        task="number",
        centre=centre,
        scale=scale,
        edges=tuple(_cuts(predictions).tolist()),
        losses=tuple(_cuts(np.maximum(fixed, 1)).tolist()),
        features=tuple(features),
        own=tuple(own),
    )


def _cuts(values: NDArray[_Number]) -> NDArray[_Number]:
    """Where values are cut into parts of about equal mass."""
    ordered = np.sort(values)
    return np.unique(ordered[len(ordered) * np.arange(1, BINS) // BINS])


def summed(layout: Layout, rows: Rows) -> Integers:
    """The vector of rows that were predicted, and whose outcomes, as ``label``, are known or `NONE`: a reference's."""
    counting = Counting(layout)
    flat = np.zeros(layout.size + 1, dtype=np.int64)
    target = Target(flat, np.zeros(len(rows), dtype=np.int64), layout.size)
    counting.each("predicted", target)
    counting.in_cells("cell rows", target, rows)
    counting.change(target, rows, np.full(len(rows), NONE), rows["label"])
    return flat[:-1]
