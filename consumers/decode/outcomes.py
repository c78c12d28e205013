"""What a value says of an outcome, as the whole number by which predictions and labels are compared (`driftbus.schemas.outcome`)."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from ...schemas.configuration import Labels
from ...schemas.outcome import NO_VALUE, class_code, number_code
from .interface import MARKS
from .scalars import category_text, classify, quoted

#: Distinct values that are remembered, and characters of each: longer ones are read anew.
_MOST_KNOWN, _LONGEST_KNOWN = 10_000, 100
_WANTED = {
    "binary": "true or false, 1 or 0 (of words: `positive` names the one that counts as 1)",
    "category": "a text, number or boolean",
    "number": "a number",
}


class NoOutcome(ValueError):
    """A value that says nothing of the outcome; the text says why."""


class Outcomes:
    """Reads the values of one label stream, and the predictions that are compared with them.

    >>> binary = Outcomes(Labels(topics=("t",)))
    >>> binary.of(True), binary.of("0"), binary.of(1.0)
    (1, 0, 1)
    >>> Outcomes(Labels(topics=("t",), positive="fraud")).of("fraud")
    1
    """

    def __init__(self, labels: Labels) -> None:
        self._labels = labels
        self._known: dict[tuple[type, object], int] = {}
        self._read: Callable[[object], int] = {"binary": self._binary, "category": self._category, "number": self._number}[labels.outcome]

    def of(self, value: object) -> int:
        """The number of a value that is there. Raises `NoOutcome`."""
        if self._labels.outcome == "number":
            return self._read(value)
        known = self._known.get((type(value), value)) if isinstance(value, str | int | float) else None
        if known is None:
            known = self._read(value)
            if len(self._known) < _MOST_KNOWN and not (isinstance(value, str) and len(value) > _LONGEST_KNOWN):
                self._known[type(value), value] = known
        return known

    def of_predictions(self, column: Sequence[object] | NDArray[np.float64]) -> NDArray[np.int64]:
        """Of a prediction's column as a decoder gives it; `NO_VALUE` where there is none, or nothing that could be compared."""
        values = column.tolist() if isinstance(column, np.ndarray) else column
        found = {value: self._of_prediction(value) for value in set(values)}
        return np.fromiter(map(found.__getitem__, values), dtype=np.int64, count=len(values))

    def _of_prediction(self, value: object) -> int:
        if (isinstance(value, float) and value != value) or type(value) is int:  # a mark
            return NO_VALUE
        try:
            return self.of(value)
        except NoOutcome:
            return NO_VALUE

    def of_scores(self, scores: NDArray[np.float64]) -> NDArray[np.int64]:
        """Binary, where there is nothing but a score: 1 from a half on."""
        return np.where(np.isnan(scores), NO_VALUE, scores >= 0.5).astype(np.int64)

    def _binary(self, value: object) -> int:
        positive = self._labels.positive
        if positive is not None and isinstance(value, str | int | float):
            return int(category_text(value) == positive)
        text = classify("boolean", True, value)
        if not isinstance(text, str):
            raise NoOutcome(self._complaint(value))
        return int(text == "true")

    def _category(self, value: object) -> int:
        text = classify("categorical", False, value)
        if not isinstance(text, str):
            raise NoOutcome(self._complaint(value))
        return class_code(text)

    def _number(self, value: object) -> int:
        number = classify("numeric", True, value)
        if not isinstance(number, float):
            raise NoOutcome(self._complaint(value))
        return number_code(number)

    def _complaint(self, value: object) -> str:
        return f"{quoted(value)} is not {_WANTED[self._labels.outcome]}"


def is_null(value: object) -> bool:
    """Whether it is a value that says that there is none: JSON's null, or NaN."""
    return classify("categorical", False, value) == MARKS.null if not isinstance(value, str) else False
