"""What all causes are told by: steps in series of windows, distances of counts, and how much a number says."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Windows that a baseline needs, and that must follow an onset: fewer have no spread, or are a blip.
LEAST_BASELINE, LEAST_AFTER = 4, 3
#: The standard deviation of normal values, as a multiple of their median absolute deviation.
_MAD = 1.4826
#: Standard deviations beyond which the window before is part of a ramp.
_RAMP = 3.0
#: Windows whose mean is a step's level, and of which the first two are less than half where it rises slowly.
_LEVEL, _FIRST = 6, 2
#: Of the newest windows' mean, of the level: a weak effect may miss a window.
_STILL = 0.6
#: Rows without which a window's distribution says nothing.
_LEAST_ROWS = 20
#: Digits that linear algebra gives alike on all machines.
DIGITS = 6


class Noise(NamedTuple):
    """What a series does when nothing happens."""

    floor: float | Floats  #: of its standard deviation; of each series its own, or one of all
    smaller: float = 1.0  #: times, for windows that have fewer rows than the baseline's


@dataclass(frozen=True)
class Step:
    """Where a series went up, and stayed."""

    z: float
    level: float  #: above the mean before
    before: float
    onset: int  #: of the monitored windows, the first that shows it
    gradual: bool = False
    live: bool = True  #: the newest window, or the newest three together, still show it


def rounded(value: float) -> float:
    """As it is compared and told."""
    return round(float(value), DIGITS)


def steps(base: Floats, now: Floats, noise: Noise, *, gate: float, live: float) -> list[Step | None]:
    """Of every series [series, windows] the strongest step up, NaN where a window says nothing; None where its z is not above the gate.

    The onset t has the largest z = (mean after - mean before) / (sd sqrt(1 / n_after + 1 / n_before)), all series and onsets at once by
    cumulative sums; then it moves back along a ramp, while the window before is beyond three sd.
    """
    known, seen = np.isfinite(base), np.isfinite(now)
    enough = (known.sum(axis=1) >= LEAST_BASELINE) & (seen.sum(axis=1) >= LEAST_AFTER)
    found: list[Step | None] = [None] * len(now)
    if not enough.any():
        return found
    sds = _sds(base, known, noise)
    filled, count = np.where(seen, now, 0.0), _one_of_all(seen.astype(np.float64))
    after, rows_after = np.cumsum(filled[:, ::-1], axis=1)[:, ::-1], np.cumsum(count[:, ::-1], axis=1)[:, ::-1]
    of_base, rows_base = np.where(known, base, 0.0).sum(axis=1, keepdims=True), _one_of_all(known.sum(axis=1, keepdims=True))
    rows_before = rows_base + rows_after[:, :1] - rows_after
    before = of_base + after[:, :1] - after
    possible = seen & (rows_after >= LEAST_AFTER) & enough[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        z = (after / rows_after - before / rows_before) / (sds[:, None] * np.sqrt(1 / rows_after + 1 / rows_before))
    z, rows_before = np.where(possible, z, -np.inf), np.broadcast_to(rows_before, z.shape)
    for place in np.flatnonzero(z.max(axis=1) > gate).tolist():
        onset = int(z[place].argmax())
        found[place] = _told(
            now[place], onset, float(z[place, onset]), float(before[place, onset] / rows_before[place, onset]), sds[place], live
        )
    return found


def step(base: Floats, now: Floats, noise: Noise, *, gate: float, live: float) -> Step | None:
    """The same of one series [windows]."""
    return steps(base[None], now[None], noise, gate=gate, live=live)[0]


def _one_of_all(rows: Floats) -> Floats:
    """The first row, where all are like it: what is made of it is made once."""
    return rows[:1] if (rows == rows[:1]).all() else rows


def _sds(base: Floats, known: NDArray[np.bool_], noise: Noise) -> Floats:
    """Of every series: the larger one of the standard deviation, what the median absolute deviation says it is, and its floor."""
    found, whole = np.ones(len(base)), known.all(axis=1)
    for rows in (np.flatnonzero(whole), *np.flatnonzero(~whole)[:, None]):  # all that lack nothing at once, the others one by one
        if len(rows) and known[rows[0]].sum() >= LEAST_BASELINE:
            values = base if len(rows) == len(base) and whole.all() else base[np.ix_(rows, known[rows[0]])]
            deviation = medians(np.abs(values - medians(values)[:, None]))
            found[rows] = np.maximum(values.std(axis=1, ddof=1), _MAD * deviation)
    return np.asarray(np.maximum(np.maximum(found, noise.floor), 1e-12) * noise.smaller, dtype=np.float64)


def medians(values: Floats) -> Floats:
    """Of every row; of few numbers to sort them is quickest."""
    ordered, middle = np.sort(values, axis=1), values.shape[1] // 2
    return ordered[:, middle] if values.shape[1] % 2 else 0.5 * (ordered[:, middle - 1] + ordered[:, middle])


def _told(series: Floats, onset: int, z: float, before: float, sd: float, live: float) -> Step:
    places = np.flatnonzero(np.isfinite(series))
    values = series[places] - before
    first = int(np.searchsorted(places, onset))
    while first > 0 and values[first - 1] > _RAMP * sd:
        first -= 1
    since = values[first:]
    level = float(since[-_LEVEL:].mean())
    gradual = bool(since[:_FIRST].mean() < 0.5 * level)
    return Step(rounded(z), rounded(level), rounded(before), int(places[first]), gradual, still(since, values, live))


def still(since: Floats, values: Floats, live: float) -> bool:
    """Whether the newest values still are where the highest third of the last six since the onset are."""
    highest = np.sort(since[-_LEVEL:])
    top = float(highest[-max(1, len(highest) // 3) :].mean())
    return bool(values[-1] >= live * top or values[-3:].mean() >= _STILL * top)


def shares(counts: Floats) -> Floats:
    """Of each row's sum; zeros where there is none."""
    return np.asarray(counts / np.maximum(counts.sum(axis=-1, keepdims=True), 1e-12), dtype=np.float64)


def total_variation(one: Floats, other: Floats) -> float:
    """Half the sum of absolute differences of two counts' shares.

    >>> total_variation(np.array([1.0, 1.0]), np.array([4.0, 0.0]))
    0.5
    """
    return float(0.5 * np.abs(shares(one) - shares(other)).sum())


def phi2(counts: Floats, usual: Floats, starts: NDArray[np.int64]) -> Floats:
    """Of windows of counts of several features side by side [windows, groups]: chi2 / n - (K - 1) / n of each, [features, windows].

    Without the second term, which chance alone comes to, a small window would seem to differ more. NaN below 20 rows.
    """
    sizes = np.diff(np.append(starts, counts.shape[1]))
    expected = usual + 0.5
    expected = expected / np.repeat(np.add.reduceat(expected, starts), sizes)
    rows = np.add.reduceat(counts, starts, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = np.add.reduceat(counts * counts / expected, starts, axis=1) / (rows * rows) - 1 - (sizes - 1) / rows
    return np.asarray(np.where(rows < _LEAST_ROWS, np.nan, found).T, dtype=np.float64)


def strength(value: float, threshold: float) -> float:
    """How far beyond its threshold a number is.

    >>> strength(1.0, 1.0), strength(2.0, 1.0)
    (0.5, 0.75)
    """
    return 1 - 0.5 / max(value / threshold, 0.5)


def confidence(*strengths: float, missing: int = 0, against: int = 0) -> float:
    """A score, not a probability: the geometric mean of strengths, less for every stream that is missing, and for what contradicts.

    >>> confidence(0.9, 0.9), confidence(0.9, missing=1)
    (0.9, 0.765)
    """
    mean = float(np.prod(strengths)) ** (1 / len(strengths)) if min(strengths) > 0 else 0.0
    return rounded(min(max(mean * 0.85**missing * 0.8**against, 0.05), 0.99))
