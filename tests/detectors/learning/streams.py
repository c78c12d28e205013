"""Two models that err alike, or of which one is better, on days that hang together."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
ROWS = 200  #: of a day
#: Days: of the backtest, until anything is bet, and from then on.
BACKTEST, BEGINS, DAYS = 50, 62.5, 60


def advantages(seed: int, runs: int, days: int, sway: float, follows: float, better: float, *, length: int = 1) -> Iterator[Floats]:
    """Of the second over the first, by row: in the mean of all runs ``better``.

    ``sway``: of spells of ``length`` days, which favour now the one that leans up, now the one that leans down; ``follows``: how much a
    spell is like the last.
    """
    draw = np.random.default_rng(seed)
    found = []
    for _ in range(runs):
        spells = draw.normal(size=-(-days // length)) * sway
        for number in range(1, len(spells)):
            spells[number] = follows * spells[number - 1] + np.sqrt(1 - follows**2) * spells[number]
        day = np.repeat(spells, length)[:days]
        inputs = draw.normal(size=(days, ROWS)) * 0.8 - 1.1
        label = draw.random(inputs.shape) < _chance(inputs + day[:, None])
        first = _chance(inputs + 0.15 + 0.3 * draw.normal(size=inputs.shape))
        second = _chance(inputs - 0.15 + 0.3 * draw.normal(size=inputs.shape))
        apart = np.abs(first - second) * np.maximum(first + second, 2 - first - second)
        found.append((((first - label) ** 2 - (second - label) ** 2) / np.maximum(apart, 1e-9)).ravel())
    mean = np.mean([one.mean() for one in found])
    for one in found:
        yield np.clip(one - mean + better, -1, 1)


def _chance(log_odds: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-log_odds)))
