"""Estimates from reviewed samples, simulated: their bias, how far they scatter, and how often their intervals hold the truth.

``python -m tests.benchmarks.reviewed [--samples 2000]``. A population of predictions is held fast; every sample draws it anew, slot by
slot, as the reviewer does. In *busy* the later half has three times the rows, and the later of these are worse: there a sample at a fixed
rate with a cap is off by some points.
"""

import argparse
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from driftbus.detectors.sampling.estimate import hajek
from driftbus.detectors.sampling.slot import draw
from driftbus.detectors.sampling.weights import DRIFTING, FLAGGED, of_scores

Numbers = NDArray[np.float64]
#: Rows of a usual slot.
ROWS = 1_000


class Population(NamedTuple):
    """Predictions, slot by slot."""

    weights: Sequence[Numbers]
    right: Sequence[Numbers]

    @property
    def share(self) -> float:
        """The truth."""
        return float(np.concatenate(self.right).mean())


def population(kind: str, slots: int, seed: int = 0) -> Population:
    """``uniform``: all weigh the same; ``weighted``: by score, flags and a drifting segment; ``busy``: the later half of the
    slots hold three times the rows, and those are right less often.
    """
    generator = np.random.default_rng(seed)
    weights, right = [], []
    for slot in range(slots):
        late = slot * 2 >= slots
        rows = ROWS * 3 if kind == "busy" and late else ROWS
        score = generator.beta(0.6, 0.6, rows)
        flagged, drifting = generator.random(rows) < 0.07, generator.random(rows) < 0.2
        probability = np.maximum(score, 1 - score) - 0.1 * flagged - (0.15 * np.linspace(0, 1, rows) if kind == "busy" and late else 0)
        right.append((generator.random(rows) < probability).astype(np.float64))
        weights.append(
            np.ones(rows) if kind == "uniform" else of_scores(score) * np.where(flagged, FLAGGED, 1.0) * np.where(drifting, DRIFTING, 1.0)
        )
    return Population(weights, right)


class Result(NamedTuple):
    """Of many samples."""

    kind: str
    cases: int
    truth: float
    bias: float
    error: float  #: standard error of the bias
    deviation: float
    covered: float  #: share of the intervals that hold the truth
    uniform_bias: float  #: of the uniform part alone
    uniform_error: float
    uniform_covered: float


def simulated(kind: str, slots: int, samples: int, *, cases: int = 10, uniform: int = 3, seed: int = 1) -> Result:
    """Draw so many samples of a population."""
    of, generator = population(kind, slots), np.random.default_rng(seed)
    found = np.empty((samples, 2))
    inside = np.empty((samples, 2))
    for sample in range(samples):
        right, probability, part, part_probability = [], [], [], []
        for weights, truth in zip(of.weights, of.right, strict=True):
            drawn = draw(1 - generator.random(len(weights)), weights, cases, uniform)
            right.append(truth[drawn.rows])
            probability.append(drawn.probability)
            part.append(truth[drawn.rows[drawn.uniform]])
            part_probability.append(np.full(uniform, uniform / len(weights)))
        both: Any = ((right, probability), (part, part_probability))  # arrays by slot
        for place, (values, chances) in enumerate(both):
            estimate = hajek(np.concatenate(values), np.concatenate(chances))
            found[sample, place] = estimate.share
            inside[sample, place] = estimate.low <= of.share <= estimate.high
    bias, error = found.mean(axis=0) - of.share, found.std(axis=0, ddof=1) / np.sqrt(samples)
    covered = inside.mean(axis=0)
    return Result(
        kind=kind,
        cases=slots * cases,
        truth=of.share,
        bias=float(bias[0]),
        error=float(error[0]),
        deviation=float(found[:, 0].std(ddof=1)),
        covered=float(covered[0]),
        uniform_bias=float(bias[1]),
        uniform_error=float(error[1]),
        uniform_covered=float(covered[1]),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    samples = asked.samples
    print(f"{samples} samples, 10 cases a slot, 3 of them uniform")
    for kind in ("uniform", "weighted", "busy"):
        for slots in (10, 30):
            one = simulated(kind, slots, samples, seed=asked.seed)
            print(
                f"{kind:9} n = {one.cases:4.0f}: truth {one.truth:.4f}, bias {one.bias:+.4f} (2 se {2 * one.error:.4f}), "
                f"sd {one.deviation:.4f}, covered {one.covered:.3f}; uniform part {one.uniform_bias:+.4f} "
                f"({2 * one.uniform_error:.4f}), {one.uniform_covered:.3f}"
            )


if __name__ == "__main__":
    main()
