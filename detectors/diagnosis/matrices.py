"""A case's windows as matrices, a row a window: what all features are tested by at once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..counting.magnitudes import quantiles
from .evidence import Counted, Values, Window
from .groups import Layout

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

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
        outcomes = [window.outcomes for window in windows]
        each = np.array(
            [
                (window.rows, window.scored, window.outliers, *((0, 0, 0.0) if one is None else (one.labelled, one.predicted, one.loss)))
                for window, one in zip(windows, outcomes, strict=True)
            ],
            dtype=np.float64,
        ).reshape(len(windows), 6)
        made = [counted(window, layout) for window in windows]
        features = _side_by_side([one.features for one in made], _OF_FEATURES, len(layout.features))
        inside = _side_by_side([one.compared for one in made], _OF_COMPARED, layout.width)
        rows, compared, outliers, labelled, predicted, loss = each.T
        present, absent, invalid, age, pairs, differing = features.swapaxes(0, 1)
        scored, outside, outlying = inside.swapaxes(0, 1)
        return cls(
            rows=rows,
            groups=_side_by_side([one.groups for one in made], layout.width),
            scored=scored,
            outside=outside,
            outlying=outlying,
            offline=_side_by_side([one.offline for one in made], layout.width),
            present=present,
            absent=absent,
            invalid=invalid,
            age=age,
            pairs=pairs,
            differing=differing,
            compared=compared,
            outliers=outliers,
            labelled=labelled,
            predicted=predicted,
            loss=loss,
        )


#: Numbers of every feature, and vectors of groups of rows that were compared with the training data.
_OF_FEATURES, _OF_COMPARED = 6, 3


def _side_by_side(windows: Sequence[Floats | None], *shape: int) -> Floats:
    """A row each; zeros where there is none."""
    found = np.zeros((len(windows), *shape))
    for place, one in enumerate(windows):
        if one is not None:
            found[place] = one
    return found


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

    by_feature = [
        [one.present for one in own],
        [one.null + one.missing for one in own],
        [one.invalid for one in own],
        [one.age[0] / one.age[1] if one.age is not None and one.age[1] > 0 else np.nan for one in own],
        [0 if one is None else one.pairs for one in pairs],
        [0 if one is None else one.differing + one.missing for one in pairs],
    ]
    inside = [[getattr(one, name) for one in values] for name in ("scored", "outside", "outliers")]
    return Counted(
        groups=layout.counts([one.bins for one in values]),
        features=np.array(by_feature, dtype=np.float64),
        compared=np.stack([layout.counts(each) for each in inside]) if _any(*inside) else None,
        offline=layout.counts(sides) if _any(sides) else None,
    )


def _any(*vectors: Sequence[Integers | None]) -> bool:
    return any(one is not None for each in vectors for one in each)


def looked_at(window: Window, layout: Layout, name: str) -> int:
    """Rows of one window of which a numeric feature's magnitudes and repeated values were counted, made once."""
    kept = counted(window, layout).looked_at
    if name not in kept:
        values = window.values.get(name)
        kept[name] = 0 if values is None or values.magnitudes is None else int(values.magnitudes.rows.sum())
    return kept[name]


def quantiles_of(window: Window, layout: Layout, name: str) -> Floats | None:
    """A numeric feature's quantiles at `SHARES` in one window, made once; None where it counted no magnitudes."""
    kept = counted(window, layout).quantiles
    if name not in kept:
        values = window.values.get(name) if looked_at(window, layout, name) > 0 else None
        there = None if values is None else values.magnitudes
        kept[name] = None if there is None else quantiles(there, layout.of[name].mantissa, SHARES)
    return kept[name]


def quantiles_in(windows: Sequence[Window], layout: Layout, name: str) -> Floats:
    """The same of those windows that counted magnitudes [windows, quantiles]."""
    found = [one for window in windows if (one := quantiles_of(window, layout, name)) is not None]
    return np.array(found).reshape(len(found), len(SHARES))


def common_of(window: Window, layout: Layout, name: str) -> tuple[Floats, Floats] | None:
    """A numeric feature's values that many rows share in one window, and their shares, made once; None where no rows were looked at."""
    kept = counted(window, layout).common
    if name not in kept:
        rows = looked_at(window, layout, name)
        values = window.values.get(name) if rows else None
        kept[name] = None if values is None else (np.array([*values.repeated]), np.array([*values.repeated.values()]) / rows)
    return kept[name]


def shares_of(windows: Sequence[Window], layout: Layout, name: str, wanted: Sequence[float]) -> Floats:
    """Of these values of a numeric feature, the share that each has in every window [values, windows]; NaN where no rows were looked at."""
    found = [common_of(window, layout, name) for window in windows]
    known = [one for one in found if one is not None]
    shares = np.full((len(wanted), len(windows)), np.nan)
    shares[:, [one is not None for one in found]] = 0.0
    if known:
        window = np.repeat([place for place, one in enumerate(found) if one is not None], [len(values) for values, _ in known])
        value, place = np.nonzero(np.array(wanted)[:, None] == np.concatenate([values for values, _ in known]))
        shares[value, window[place]] = np.concatenate([own for _, own in known])[place]
    return shares
