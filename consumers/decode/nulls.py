"""Values that stand for none: ``nulls: ["", "None", -999]`` of the configuration."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .interface import MARKS
from .scalars import category_text


class Nulls(NamedTuple):
    """The texts and the numbers that do. A number does so as a text, too."""

    texts: frozenset[str] = frozenset()
    numbers: frozenset[float] = frozenset()

    @classmethod
    def of(cls, written: Sequence[str | float]) -> "Nulls":
        """As they are written.

        >>> Nulls.of(["", -999]) == Nulls(frozenset(["", "-999"]), frozenset([-999.0]))
        True
        """
        return cls(
            frozenset(one if isinstance(one, str) else category_text(one) for one in written),
            frozenset(float(one) for one in written if not isinstance(one, str)),
        )

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self.texts or self.numbers)

    def hold(self, value: object) -> bool:
        """Whether it stands for none."""
        if isinstance(value, str):
            return value in self.texts
        return isinstance(value, int | float) and not isinstance(value, bool) and value in self.numbers

    def put(self, numbers: NDArray[np.float64]) -> None:
        """Mark them in a column of numbers."""
        if self.numbers:
            numbers.view(np.uint64)[np.isin(numbers, list(self.numbers))] = MARKS.null
