"""Principal axes: the few numbers in which a vector is watched, and the axes themselves, the same to the byte on every machine.

Sums of products are of integers, and below 2^53: floats hold every one of them, so their order does not show in the result.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from ...schemas.stored.reference import EmbeddingProfile
from .sampling import drawn

Floats = NDArray[np.float64]

AXES = 8
#: Coordinates are multiples of 2^-11 units within +-2^9 units, axes of 2^-20: with 4,096 coordinates no sum of squares, nor, by the
#: inequality of Cauchy and Schwarz, any part of a component, exceeds 2^52.
_STEPS, _MOST_STEPS = 2.0**11, 2.0**20
_AXIS_STEPS = 2.0**20
#: Rounds of the search for the axes: what is still askew then has neighbours of almost the same variance.
_ROUNDS = 30
#: What is left of a vector, once it is made orthogonal to others, if it lay in their plane: rounding.
_NOTHING = 1e-6
#: Coordinates at a time: few enough that they stay in the cache.
_BLOCK = 1 << 15


@dataclass(frozen=True)
class Axes:
    """Where vectors are looked at from: a centroid, and orthonormal axes through it."""

    centroid: Floats
    axes: Floats  #: [axis, coordinate]
    unit: float  #: of a coordinate's deviation; a power of two

    @classmethod
    def of(cls, profile: EmbeddingProfile) -> "Axes":
        """Those of a reference."""
        return cls(np.array(profile.centroid), np.array(profile.axes).reshape(-1, profile.size), profile.unit)

    def derived(self, vectors: Floats) -> Floats:
        """The components of vectors along the axes, and their distances from the centroid: shape [n, axes + 1].

        >>> axes = Axes(np.array([1.0, 0.0]), np.array([[0.0, 1.0]]), 1.0)
        >>> axes.derived(np.array([[1.0, 2.0], [4.0, 4.0]])).tolist()
        [[2.0, 2.0], [4.0, 5.0]]
        """
        derived = np.empty((len(vectors), len(self.axes) + 1))
        weights = np.rint(self.axes * _AXIS_STEPS)
        block = max(1, _BLOCK // len(self.centroid))
        for start in range(0, len(vectors), block):
            steps = self._steps(vectors[start : start + block])
            rows = derived[start : start + block]
            rows[:, :-1] = np.einsum("nj,kj->nk", steps, weights) / _AXIS_STEPS
            rows[:, -1] = np.sqrt(np.einsum("nj,nj->n", steps, steps))
        derived *= self.unit / _STEPS
        return derived

    def _steps(self, vectors: Floats) -> Floats:
        with np.errstate(over="ignore"):  # what overflows is clipped
            steps = (vectors - self.centroid) * (_STEPS / self.unit)
        return np.clip(np.rint(steps, out=steps), -_MOST_STEPS, _MOST_STEPS, out=steps)


def principal(sample: Floats) -> Axes:
    """The principal axes of a sample of vectors, shape [rows, coordinates], largest variance first: by orthogonal iteration.

    Golub & Van Loan, *Matrix Computations*, 8.2.4, with rounded multiples of 2^-20 for its axes. Each points to where its largest
    coordinate is positive.

    >>> principal(np.array([[3.0, 4.0], [-3.0, -4.0], [0.8, -0.6], [-0.8, 0.6]])).axes.round(3).tolist()
    [[0.6, 0.8], [0.8, -0.6]]
    """
    size = sample.shape[1]
    with np.errstate(over="ignore", invalid="ignore"):
        centroid = np.nan_to_num(sample.sum(axis=0) / len(sample))
        spread = float(np.sqrt(np.mean((sample - centroid) ** 2)))
    unit = 2.0 ** (math.frexp(spread)[1] - 1) if 0 < spread < math.inf else 1.0
    chosen = min(AXES, size)
    start = np.where(drawn(np.arange(chosen * size), 0.5), 1.0, -1.0).reshape(chosen, size)
    found = Axes(centroid, _orthonormal(start), unit)
    steps = found._steps(sample)
    for _ in range(_ROUNDS):
        components = np.einsum("nj,kj->nk", steps, found.axes * _AXIS_STEPS)
        # So many bits that the sum over all rows, of products with coordinates of 20 bits, stays below 2^53.
        kept = 32 - len(sample).bit_length()
        step = 2.0 ** (math.frexp(float(np.abs(components).max()))[1] - kept)
        turned = np.einsum("nk,nj->kj", np.rint(components / max(step, 1.0)), steps)
        found = Axes(centroid, _orthonormal(turned), unit)
    variances = [-math.fsum(component * component) for component in found.derived(sample).T[:-1]]
    axes = found.axes[np.argsort(variances, kind="stable")]
    axes *= np.sign(axes[np.arange(chosen), np.abs(axes).argmax(axis=1)])[:, None]
    return Axes(centroid, axes + 0.0, unit)


def _orthonormal(vectors: Floats) -> Floats:
    """Gram and Schmidt's: each less what lies along those before; one that has nothing left is replaced by a coordinate's axis."""
    found: list[Floats] = []
    for vector in vectors:
        found.append(next(_fresh(vector, found)))
    return np.rint(np.array(found) * _AXIS_STEPS) / _AXIS_STEPS


def _fresh(vector: Floats, others: list[Floats]) -> Iterator[Floats]:
    for candidate in chain([vector], _coordinates(len(vector))):
        length = _length(candidate)
        if length == 0:
            continue
        rest = candidate / length
        for _ in range(2):  # twice is enough (Giraud et al. 2005)
            for other in others:
                rest = rest - math.fsum(rest * other) * other
        left = _length(rest)
        if left > _NOTHING:
            yield rest / left


def _coordinates(size: int) -> Iterator[Floats]:
    for place in range(size):
        axis = np.zeros(size)
        axis[place] = 1.0
        yield axis


def _length(vector: Floats) -> float:
    largest = float(np.abs(vector).max())
    return largest * math.sqrt(math.fsum((vector / largest) ** 2)) if largest else 0.0
