"""A case's windows as matrices, a row a window: what all features are tested by at once."""

from collections.abc import Sequence
from functools import cached_property

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


class Matrices:
    """Of windows [n] side by side; groups [n, G] and features [n, F] as in a layout. What few ask for is made then."""

    def __init__(self, windows: Sequence[Window], layout: Layout) -> None:
        self._made, self._width = [counted(window, layout) for window in windows], layout.width
        # [n]; `compared`: rows compared with the training data; `loss`: summed
        of_windows = _side_by_side([one.window for one in self._made], _OF_WINDOW)
        self.rows, self.compared, self.outliers, self.labelled, self.predicted, self.loss = of_windows.T
        of_features = _side_by_side([one.features for one in self._made], _OF_FEATURES, len(layout.features))
        self.present, self.absent, self.invalid, self.age, self.pairs, self.differing = of_features.swapaxes(0, 1)
        self.groups = _side_by_side([one.groups for one in self._made], layout.width)

    @cached_property
    def offline(self) -> Floats:
        """Groups of the offline sides of pairs."""
        return _side_by_side([one.offline for one in self._made], self._width)

    @cached_property
    def scored(self) -> Floats:
        """Groups of rows compared with the training data."""
        return self._of_compared(0)

    @cached_property
    def outside(self) -> Floats:
        """Of these, of those outside the core."""
        return self._of_compared(1)

    @cached_property
    def outlying(self) -> Floats:
        """Of these, of outliers."""
        return self._of_compared(2)

    def _of_compared(self, number: int) -> Floats:
        return _side_by_side([None if one.compared is None else one.compared[number] for one in self._made], self._width)


#: Numbers of a window, and of every feature.
_OF_WINDOW, _OF_FEATURES = 6, 6


def _side_by_side(windows: Sequence[Floats | None], *shape: int) -> Floats:
    """A row each; zeros where there is none."""
    none = np.zeros(shape)
    rows = [none if one is None else one for one in windows]
    return np.concatenate(rows).reshape(len(rows), *shape) if rows else np.zeros((0, *shape))


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

    outcomes = (0, 0, 0.0) if (of := window.outcomes) is None else (of.labelled, of.predicted, of.loss)
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
        window=np.array([window.rows, window.scored, window.outliers, *outcomes], dtype=np.float64),
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
