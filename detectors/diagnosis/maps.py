"""Simple maps between quantiles of old and of new values: by what a feature may have been re-expressed."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from .matrices import HIGH, INNER, LOW, SHARES
from .statistics import rounded

Floats = NDArray[np.float64]
Form = Literal["scale", "affine", "log1p", "expm1", "affine_log1p"]

#: Factors that units and conventions differ by.
CONSTANTS = {
    1000.0: "x 1000 (unit prefix)",
    100.0: "x 100 (percent, cents)",
    60.0: "x 60 (minutes, seconds)",
    24.0: "x 24 (days, hours)",
    7.0: "x 7 (weeks, days)",
    12.0: "x 12 (years, months)",
    1.609344: "miles to kilometres",
    2.54: "inches to centimetres",
    3.28084: "metres to feet",
    2.2046: "kilograms to pounds",
    10.0: "x 10",
    1.8: "degrees Celsius to Fahrenheit",
    1e6: "x 1,000,000",
    3600.0: "x 3600 (hours, seconds)",
}
#: Maps of a factor and a shift that units differ by.
CONVERSIONS = {
    "degrees Fahrenheit to Celsius": (1 / 1.8, -32 / 1.8),
    "degrees Celsius to Fahrenheit": (1.8, 32.0),
    "degrees Celsius to kelvins": (1.0, 273.15),
    "kelvins to degrees Celsius": (1.0, -273.15),
    "degrees Fahrenheit to kelvins": (1 / 1.8, 273.15 - 32 / 1.8),
    "kelvins to degrees Fahrenheit": (1.8, 32.0 - 1.8 * 273.15),
}
#: A constant that speaks for itself; in logarithms, how near one must be at least, however few rows there are.
LARGE, _NEAR = 3.5, 0.06
#: What a form's further freedom costs it, in its error.
_COSTS: dict[Form, float] = {"scale": 0.0, "log1p": 0.002, "affine": 0.006, "expm1": 0.004, "affine_log1p": 0.012}
#: Above it nobody means an exponential.
_LARGEST_EXPONENT = 50.0


class Fit(NamedTuple):
    """new = a x old + b, of the logarithm or exponential of old where the form says so."""

    form: Form
    error: float  #: root mean square, in spreads of the new quantiles
    a: float
    b: float


def spread(quantiles: Floats) -> float:
    """Between the 10 and 90 % quantiles."""
    return float(spreads(quantiles))


def spreads(many: Floats) -> Floats:
    """The same of many at once, [..., quantiles]: [...]."""
    return np.asarray(np.maximum(many[..., HIGH] - many[..., LOW], 1e-12), dtype=np.float64)


def distance(one: Floats, other: Floats, unit: float) -> float:
    """Root mean square difference of inner quantiles, in a unit."""
    return float(distances(one, other, unit))


def distances(many: Floats, other: Floats, unit: float | Floats) -> Floats:
    """The same of many at once, [..., quantiles] each: [...]."""
    with np.errstate(over="ignore"):
        off = (many - other)[..., INNER] / unit
        return np.asarray(np.sqrt(np.add.reduce(off * off, axis=-1) / off.shape[-1]), dtype=np.float64)


def logarithm(values: Floats) -> Floats:
    """log(1 + x), of negative ones by their size."""
    return np.asarray(np.sign(values) * np.log1p(np.abs(values)), dtype=np.float64)


def fitted(old: Floats, new: Floats) -> dict[Form, Fit]:
    """The best map of each form."""
    logs = logarithm(old)
    sides: dict[Form, tuple[Floats, bool]] = {
        "scale": (old, False),
        "affine": (old, True),
        "log1p": (logs, False),
        "affine_log1p": (logs, True),
    }
    if old.min() >= 0 and old.max() < _LARGEST_EXPONENT:
        sides["expm1"] = np.expm1(old), False
    return {form: _fit(form, x, new, shifted=shifted) for form, (x, shifted) in sides.items()}


def scaling(old: Floats, new: Floats) -> Fit:
    """The best factor alone."""
    return _fit("scale", old, new, shifted=False)


def best(fits: dict[Form, Fit]) -> Fit:
    """The one of the least error and freedom."""
    return min(fits.values(), key=lambda fit: rounded(fit.error + _COSTS[fit.form]))


def _fit(form: Form, x: Floats, y: Floats, *, shifted: bool) -> Fit:
    unit = spread(y)
    x_mean, y_mean = (float(x[INNER].mean()), float(y[INNER].mean())) if shifted else (0.0, 0.0)
    dx, dy = (x[INNER] - x_mean) / unit, (y[INNER] - y_mean) / unit
    square = float(dx @ dx)
    a = float(dx @ dy) / square if square > 0 else 0.0
    b = y_mean - a * x_mean
    return Fit(form, rounded(distance(a * x + b, y, unit)), a, b)


def recognised(factor: float, tolerance: float, off: float = 0.0) -> str | None:
    """What a factor, or its inverse, is known for; of a large one, which lie far apart, within what sampling leaves (``off``), too.

    >>> recognised(0.01, 0.01), recognised(3.0, 0.01)
    ('1 / 100 (percent, cents)', None)
    >>> recognised(0.0105, 0.01), recognised(0.0105, 0.01, off=0.06)
    (None, '1 / 100 (percent, cents)')
    """
    if factor == 0:
        return None
    if abs(np.log(abs(factor))) > np.log(LARGE):
        tolerance = max(tolerance, min(off, _NEAR))
    for known, name in CONSTANTS.items():
        if abs(np.log(abs(factor) / known)) < tolerance:
            return name
        if abs(np.log(abs(factor) * known)) < tolerance:
            return f"1 / {name.removeprefix('x ')}" if name.startswith("x ") else f"{name}, inverse"
    return None


def mixed(old: Floats, new: Floats, parts: Sequence[float]) -> Floats:
    """Quantiles of mixtures that have such shares of new values, from those of both (piecewise linear): [parts, quantiles]."""
    places, of = np.sort(np.concatenate([old, new])), np.array(parts)[:, None]
    behind = (1 - of) * np.interp(places, old, SHARES, left=0.0, right=1.0) + of * np.interp(places, new, SHARES, left=0.0, right=1.0)
    rising = np.maximum.accumulate(behind + 1e-12 * np.arange(len(places)), axis=1)
    return np.array([np.interp(SHARES, one, places) for one in rising]).reshape(len(parts), len(SHARES))


def varies(windows: Floats, old: Floats) -> float:
    """By how much the factor by which windows differ from old quantiles varies between them, as a part of it; 0 of one alone.

    >>> old = np.arange(len(SHARES)) + 1.0
    >>> varies(np.array([1.2 * old, 1.2 * old]), old), varies(np.array([1.1 * old, 1.2 * old, 1.3 * old]), old)
    (0.0, 0.083333)
    """
    factors = np.add.reduce(windows[:, INNER] * old[INNER], axis=1)
    return rounded(factors.std(ddof=1) / max(abs(factors.mean()), 1e-12)) if len(factors) > 1 else 0.0


def settled(now: Floats, noise: float) -> Floats:
    """Windows whose values are those of all that follow: of one in which old and new ones are mixed no map holds."""
    while len(now) > 1:
        rest = now[1:].mean(axis=0)
        if distance(now[0], rest, spread(rest)) <= noise:
            return now
        now = now[1:]
    return now


def differs(before: Floats, old: Floats, length: int) -> float:
    """By how much stretches of the baseline [windows, quantiles] differ from the whole of it."""
    stretches = sliding_window_view(before, min(length, len(before)), axis=0)[::2].mean(axis=-1)
    return float(distances(stretches, old, spread(old)).max())
