"""Predictions, labels and scores as whole numbers: what two sides must agree on to compare them."""

import numpy as np
from numpy.typing import NDArray

from ...schemas.outcome import class_code
from ...schemas.stored.outcomes import OutcomeBasis

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
Rows = NDArray[np.void]  # structured, as the joiner's

#: No value: of a label, that it is taken back. It is also how -0.0 is written, so numbers enter by `values_of_numbers` alone.
NONE = int(np.iinfo(np.int64).min)
#: Fixed point, of probabilities and of what is measured in a scale: steps of 2^-20.
BITS = 20
UNIT = 1 << BITS
#: No probability came with the prediction.
NO_SCORE = -1


def value_of_class(text: str) -> int:
    """A class as a value: 63 bits of its hash, so that it is never `NONE`.

    >>> value_of_class("good") == value_of_class("good"), value_of_class("good") == value_of_class("Good"), value_of_class("") >= 0
    (True, False, True)
    """
    return class_code(text)


def values_of_numbers(numbers: Floats) -> Integers:
    """Numbers as values: the bits of float64, with one zero only.

    >>> values_of_numbers(np.array([0.0, -0.0])).tolist()
    [0, 0]
    """
    return np.ascontiguousarray(numbers + 0.0, dtype=np.float64).view(np.int64)


def numbers_of(values: Integers) -> Floats:
    """What `values_of_numbers` wrote."""
    return np.ascontiguousarray(values, dtype=np.int64).view(np.float64)


def scores_of(probabilities: Floats) -> NDArray[np.int32]:
    """Probabilities in fixed point; what is none has no score.

    >>> scores_of(np.array([0.0, 0.5, 1.0, 1.1, np.nan])).tolist()
    [0, 524288, 1048576, -1, -1]
    """
    known = (probabilities >= 0) & (probabilities <= 1)
    return np.where(known, np.rint(np.where(known, probabilities, 0.0) * UNIT), NO_SCORE).astype(np.int32)


class Classes:
    """The known classes of a basis as codes 0 to K - 1; K is *other*."""

    def __init__(self, basis: OutcomeBasis) -> None:
        self.names = ("0", "1") if basis.task == "binary" else basis.classes
        values = np.array([0, 1] if basis.task == "binary" else [value_of_class(name) for name in basis.classes], dtype=np.int64)
        self._order = np.argsort(values)
        self._sorted = values[self._order]

    def of(self, values: Integers) -> Integers:
        """The code of every value.

        >>> Classes(OutcomeBasis(task="category", classes=("a", "b"))).of(np.array([value_of_class(c) for c in "bxa"])).tolist()
        [1, 2, 0]
        """
        place = np.minimum(np.searchsorted(self._sorted, values), len(self._sorted) - 1)
        return np.where(self._sorted[place] == values, self._order[place], len(self.names))
