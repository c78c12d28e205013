"""The streams of the scoreboard: seeded, so that every detector sees the same rows."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import signal, special

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

SEED = 20_260_418
#: So that no reference's luck decides; over these the standard errors are taken.
REFERENCES = 24
RUNS = 28
REFERENCE_ROWS = 10_000
#: The mean run to a false alarm that everyone is tuned to.
TARGET = 10_000
#: Rows of a quiet stream, and behind a change. A run that is longer is counted with this length.
HORIZON = 30_000
#: Quiet rows before a change. Uniform, so that no window's or pane's phase is favoured; a run with an alarm in them is left out.
QUIET = (2_000, 3_000)
OUTLIER = 10.0
DAY = 1_440


def _mean(shift: float) -> Callable[[Floats, Floats, Floats], Floats]:
    return lambda z, uniform, time: z + shift


def _laplace(z: Floats, uniform: Floats, time: Floats) -> Floats:
    # Its quantile function at the normal's probability; both tails from the smaller one, where no digit is lost.
    tail = np.maximum(2 * special.ndtr(-np.abs(z)), 1e-300)
    return np.asarray(-np.sign(z) * np.log(tail) / np.sqrt(2), dtype=np.float64)


def _log_normal(x: Floats, mean: float, sd: float) -> Floats:
    return np.asarray(-((x - mean) ** 2) / (2 * sd * sd) - np.log(sd), dtype=np.float64)


@dataclass(frozen=True)
class Change:
    """What becomes of standard normal rows z, and the log likelihood ratio of a row for whom both laws are known."""

    name: str
    of: Callable[[Floats, Floats, Floats], Floats]  #: from z, independent uniform rows, and rows since the change
    log_ratio: Callable[[Floats], Floats] | None  #: none where the law goes on changing
    mirrored: bool = True  #: in every other run, so that nobody gains who looks in one direction only


CHANGES = (
    Change("mean +.25 sd", _mean(0.25), lambda x: 0.25 * x - 0.25**2 / 2),
    Change("mean +.5 sd", _mean(0.5), lambda x: 0.5 * x - 0.5**2 / 2),
    Change("mean +1 sd", _mean(1.0), lambda x: x - 0.5),
    Change("variance x1.5", lambda z, u, t: z * 1.5**0.5, lambda x: _log_normal(x, 0, 1.5**0.5) - _log_normal(x, 0, 1)),
    Change("scale x100", lambda z, u, t: z * 100, lambda x: _log_normal(x, 0, 100) - _log_normal(x, 0, 1)),
    Change("Laplace, same variance", _laplace, lambda x: 0.5 * np.log(np.pi) - np.sqrt(2) * np.abs(x) + x * x / 2),
    Change("slide of 1 sd in 10,000 rows", lambda z, u, t: z + np.minimum(t / 10_000, 1), None),
    Change(
        "5 % outliers",
        lambda z, u, t: np.where(u < 0.05, z + OUTLIER, z),
        lambda x: np.logaddexp(np.log(0.95), np.log(0.05) + _log_normal(x, OUTLIER, 1) - _log_normal(x, 0, 1)),
    ),
    Change("20 % null", lambda z, u, t: np.where(u < 0.2, np.nan, z), lambda x: np.where(np.isnan(x), 20.0, np.log(0.8))),
)


def generator(*purpose: int) -> np.random.Generator:
    """Of one purpose, one reference."""
    return np.random.default_rng([SEED, *purpose])


@dataclass(frozen=True)
class Law:
    """Rows in order, from standard normal ones; ``first`` is the number of the first row, for seasons."""

    name: str
    of: Callable[[Floats, int], Floats]


def _normal(z: Floats, first: int) -> Floats:
    return z


def _ar1(z: Floats, first: int) -> Floats:
    noise = z * 0.75**0.5
    noise[..., 0] = z[..., 0]  # from the first row on with the same law
    return np.asarray(signal.lfilter([1.0], [1.0, -0.5], noise), dtype=np.float64)


def _season(z: Floats, first: int) -> Floats:
    phase = 2 * np.pi * (first + np.arange(z.shape[-1])) / DAY
    return np.asarray((np.sin(phase) + z) / 1.5**0.5, dtype=np.float64)


def _heavy(z: Floats, first: int) -> Floats:
    return np.asarray(special.stdtrit(3, np.clip(special.ndtr(z), 1e-15, 1 - 1e-15)), dtype=np.float64)


NORMAL = Law("normal", _normal)
#: Quiet streams on which nothing changes although rows are not independent, or not normal.
LAWS = (NORMAL, Law("heavy tails (Student, 3 degrees)", _heavy), Law("AR(1) .5", _ar1), Law("daily season", _season))


def reference(number: int, law: Law = NORMAL, feature: int = 0) -> Floats:
    """A reference's rows."""
    return law.of(generator(0, number, feature).normal(size=REFERENCE_ROWS), 0)


def quiet(number: int, runs: int = RUNS, law: Law = NORMAL, feature: int = 0, rows: int = HORIZON) -> Floats:
    """Streams like the reference, shape [run, row]."""
    return law.of(generator(1, number, feature).normal(size=(runs, rows)), REFERENCE_ROWS)


def changed(number: int, change: Change, runs: int = RUNS, rows: int = HORIZON) -> tuple[Floats, Integers]:
    """Streams that change, and the number of quiet rows of each."""
    rng = generator(2, number)
    starts = rng.integers(*QUIET, size=runs)
    z = rng.normal(size=(runs, QUIET[1] + rows))
    uniform = rng.random(size=z.shape)
    sign = np.where(change.mirrored & (np.arange(runs) % 2 == 1), -1.0, 1.0)[:, None]
    since: Floats = np.arange(1.0, z.shape[1] + 1.0)[None, :] - starts[:, None]
    return np.where(since > 0, sign * change.of(sign * z, uniform, since), z), starts.astype(np.int64)


def quantile(share: float) -> float:
    """Of the standard normal law."""
    return float(special.ndtri(share))


def more_errors(before: float, behind: float) -> Change:
    """A share of errors becomes another: what lies above the quantile of ``before`` is an error (see `measuring.World`)."""
    shift = quantile(1 - before) - quantile(1 - behind)
    gain, loss = math.log(behind / before), math.log((1 - behind) / (1 - before))
    return Change(f"{before:.2f} to {behind:.2f}", _mean(shift), lambda x: loss + (gain - loss) * x, mirrored=False)


ERRORS = tuple(more_errors(0.1, behind) for behind in (0.12, 0.15, 0.2, 0.3))
