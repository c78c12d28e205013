"""Labels as they were written: by the numbers by which they are compared."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...schemas.configuration import Labels
from ...schemas.outcome import number_of
from ...schemas.text import CATEGORY, fitted
from ..decode.outcomes import Outcomes
from ..decode.scalars import classify


class Classes(Outcomes):
    """Reads values, and remembers the texts of classes: a number of theirs is a hash.

    >>> classes = Classes(Labels(topics=("t",), outcome="category"))
    >>> classes.text(classes.of("late"))
    'late'
    """

    def __init__(self, labels: Labels) -> None:
        super().__init__(labels)
        self._outcome = labels.outcome
        self._texts: dict[int, str] = {}

    def _category(self, value: object) -> int:
        code = super()._category(value)
        self._texts[code] = fitted(str(classify("categorical", False, value)), CATEGORY)
        return code

    def text(self, code: int) -> str:
        """Of a class."""
        return self._texts[code] if self._outcome == "category" else str(bool(code)).lower() if self._outcome == "binary" else str(code)

    @property
    def type(self) -> str:
        """Of a column of labels."""
        return {"binary": "BOOLEAN", "category": "VARCHAR", "number": "DOUBLE"}[self._outcome]

    @property
    def counted(self) -> bool:
        """Whether there are classes."""
        return self._outcome != "number"

    def column(self, codes: NDArray[np.int64]) -> NDArray[Any]:  # numbers, or texts
        """As they are written."""
        if self._outcome == "number":
            return number_of(codes)
        found = np.empty(len(codes), dtype=object)
        found[:] = [self.text(code) for code in codes.tolist()]
        return found
