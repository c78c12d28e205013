"""A case's windows as matrices, a row a window: what all features are tested by at once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..counting.magnitudes import quantiles
from .evidence import Counted, Values, Window
from .groups import Layout

Floats = NDArray[np.float64]

#: At which quantiles are compared: 1 %, 5 to 95 %, 99 %.
SHARES = np.array([0.01, *np.arange(0.05, 0.96, 0.05).round(2), 0.99])
#: Of these, those that fits look at: the outer two at either end are the noisiest.
INNER = slice(2, -2)
#: The places of 10 and 90 %, between which a spread lies.
LOW, HIGH = 2, -3


@dataclass(frozen=True)
class Matrices:
    """Of windows [n]; groups [n, G] and features [n, F] as in a layout."""

    rows: Floats
    groups: Floats
    scored: Floats
    outside: Floats
    outlying: Floats
    offline: Floats
    present: Floats
    absent: Floats
    invalid: Floats
    age: Floats
    pairs: Floats
    differing: Floats
    compared: Floats  #: [n] rows compared with the training data
    outliers: Floats  #: [n]
    labelled: Floats  #: [n]
    predicted: Floats  #: [n]
    loss: Floats  #: [n], summed

    @classmethod
    def of(cls, windows: Sequence[Window], layout: Layout) -> "Matrices":
        """Windows side by side."""
        made = [counted(window, layout) for window in windows]
        features = len(layout.features)
        outcomes = [window.outcomes for window in windows]
        return cls(
            rows=np.array([window.rows for window in windows], dtype=np.float64),
            groups=_stacked([one.groups for one in made], layout.width),
            scored=_stacked([one.scored for one in made], layout.width),
            outside=_stacked([one.outside for one in made], layout.width),
            outlying=_stacked([one.outliers for one in made], layout.width),
            offline=_stacked([one.offline for one in made], layout.width),
            present=_stacked([one.present for one in made], features),
            absent=_stacked([one.absent for one in made], features),
            invalid=_stacked([one.invalid for one in made], features),
            age=_stacked([one.age for one in made], features),
            pairs=_stacked([one.pairs for one in made], features),
            differing=_stacked([one.differing for one in made], features),
            compared=np.array([window.scored for window in windows], dtype=np.float64),
            outliers=np.array([window.outliers for window in windows], dtype=np.float64),
            labelled=np.array([0 if one is None else one.labelled for one in outcomes], dtype=np.float64),
            predicted=np.array([0 if one is None else one.predicted for one in outcomes], dtype=np.float64),
            loss=np.array([0.0 if one is None else one.loss for one in outcomes], dtype=np.float64),
        )


def _stacked(rows: list[Floats], width: int) -> Floats:
    return np.stack(rows) if rows else np.zeros((0, width))


def counted(window: Window, layout: Layout) -> Counted:
    """What a window's values come to, made once."""
    if window.counted is None:
        window.counted = _counted(window, layout)
    return window.counted


_NOTHING = Values(present=0, null=0, invalid=0, missing=0, bins=np.zeros(0, dtype=np.int64))


def _counted(window: Window, layout: Layout) -> Counted:
    values = [window.values.get(field.name, _NOTHING) for field in layout.fields]
    own = values[: len(layout.features)]
    pairs = [None if window.agreeing is None else window.agreeing.get(name) for name in layout.names]
    sides = [*((None if one is None else one.offline) for one in pairs), *(None for _ in layout.fields[len(pairs) :])]

    def side_by_side(vectors: Sequence[NDArray[np.int64] | None]) -> Floats:
        parts = [layout.counts(field.name, vector) for field, vector in zip(layout.fields, vectors, strict=True)]
        return np.concatenate([np.zeros(0), *parts])

    def each(numbers: Sequence[float]) -> Floats:
        return np.array(numbers, dtype=np.float64)

    return Counted(
        groups=side_by_side([one.bins for one in values]),
        scored=side_by_side([one.scored for one in values]),
        outside=side_by_side([one.outside for one in values]),
        outliers=side_by_side([one.outliers for one in values]),
        offline=side_by_side(sides),
        present=each([one.present for one in own]),
        absent=each([one.null + one.missing for one in own]),
        invalid=each([one.invalid for one in own]),
        age=each([one.age[0] / one.age[1] if one.age is not None and one.age[1] > 0 else np.nan for one in own]),
        pairs=each([0 if one is None else one.pairs for one in pairs]),
        differing=each([0 if one is None else one.differing + one.missing for one in pairs]),
    )


def quantiles_of(window: Window, layout: Layout, name: str) -> Floats | None:
    """A numeric feature's quantiles at `SHARES` in one window, made once; None where it counted no magnitudes."""
    values = window.values.get(name)
    if values is None or values.magnitudes is None or values.magnitudes.rows.sum() <= 0:
        return None
    kept = counted(window, layout).quantiles
    if name not in kept:
        kept[name] = quantiles(values.magnitudes, layout.of[name].mantissa, SHARES)
    return kept[name]


def looked_at(values: Values | None) -> int:
    """Rows of which magnitudes and repeated values were counted."""
    return 0 if values is None or values.magnitudes is None else int(values.magnitudes.rows.sum())
