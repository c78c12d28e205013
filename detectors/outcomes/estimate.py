"""Performance without labels: what is to be expected if predictions are as often right as such ones were in the reference.

It sees inputs that moved to where the model is less sure. A relation of inputs to outcome that changed it cannot see: every estimate says
what it assumes, and is never one number with what was realised.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .cells import CELLS_OF_CLASS, SCORE_BINS
from .confusion import OfClass, macro, of_class, ratio
from .layout import Layout
from .metrics import is_whole
from .ranking import auc
from .values import UNIT, Floats, Integers

#: Of which predictions: all; those whose outcome is not known, or not yet; those whose time is over.
Which = Literal["predicted", "unlabelled", "expired"]

ASSUMES_RIGHT = "P(right | class, score) unchanged"
ASSUMES_CLASS = "P(right | class, score) and P(true class | class predicted wrongly) unchanged"
ASSUMES_RESIDUAL = "mean absolute residual by prediction unchanged: a guess"


@dataclass(frozen=True)
class Estimated:
    """What is expected of predictions, whose outcomes need not be known."""

    rows: int
    assumes: str
    estimated: Mapping[str, float | None]
    classes: Mapping[str, OfClass] = field(default_factory=dict)  #: of a category, by class


@dataclass(frozen=True)
class Completed:
    """What is known of the labelled predictions, and expected of the others, together."""

    rows: int
    labelled: int
    assumes: str
    completed: Mapping[str, float | None]
    classes: Mapping[str, OfClass] = field(default_factory=dict)


class Estimate:
    """Estimates by one reference.

    Parameters
    ----------
    layout
        Of the reference's vector and of all that are estimated.
    reference
        The sums of its labelled rows.
    """

    def __init__(self, layout: Layout, reference: Integers) -> None:
        if not is_whole(layout, reference):
            msg = "what estimates are made by takes back more rows than it has: give it the sums of whole rows"
            raise ValueError(msg)
        self._layout = layout
        self._known = layout.number(reference, "measured" if layout.basis.task == "number" else "labelled")
        if layout.basis.task == "number":
            self._absolute = _residuals(layout, reference)
        else:
            self._true = _true_classes(layout, reference)

    def of(self, vector: Integers, which: Which = "predicted") -> Estimated | None:
        """What is expected; None without rows, or without any in the reference."""
        cells = self._rows(vector, which)
        if cells is None or not self._known or not cells.sum():
            return None
        metrics, classes = self._told(cells, None)
        return Estimated(int(cells.sum()), self._assumes, metrics, classes)

    def completed(self, vector: Integers) -> Completed | None:
        """The realised outcomes, with what is expected of the rows that have none."""
        cells = self._rows(vector, "unlabelled")
        if cells is None or not self._known:
            return None
        labelled = self._layout.number(vector, "labelled")
        if not cells.sum() + labelled:
            return None
        metrics, classes = self._told(cells, vector)
        return Completed(int(cells.sum()) + labelled, labelled, self._assumes, metrics, classes)

    @property
    def _assumes(self) -> str:
        return {"binary": ASSUMES_RIGHT, "category": ASSUMES_CLASS, "number": ASSUMES_RESIDUAL}[self._layout.basis.task]

    def _rows(self, vector: Integers, which: Which) -> Integers | None:
        """Rows by cell."""
        if not is_whole(self._layout, vector):
            return None
        rows = self._layout.take(vector, "cell expired" if which == "expired" else "cell rows").copy()
        if which == "unlabelled":
            rows = np.maximum(rows - self._layout.take(vector, "cell labelled"), 0)
        if self._layout.basis.task == "number":
            rows[-1] = 0  # predictions that are no finite numbers have no residual
        return rows

    def _told(self, cells: Integers, realised: Integers | None) -> tuple[dict[str, float | None], dict[str, OfClass]]:
        """Of expected rows by cell, and the realised ones in a vector."""
        if self._layout.basis.task == "number":
            return self._guessed(cells, realised), {}
        by_class = cells.reshape(-1, CELLS_OF_CLASS, 1) * self._true  # [predicted, bin of the score, true]
        confusion = by_class.sum(axis=1).T
        right = float(np.einsum("pbp->", by_class))
        if realised is not None:
            confusion = confusion + self._layout.take(realised, "confusion")
            right += self._layout.number(realised, "labelled") - self._layout.number(realised, "errors")
        accuracy = {"accuracy": ratio(right, float(confusion.sum()))}
        if self._layout.basis.task == "binary":
            bins = by_class.sum(axis=0)[:SCORE_BINS, :2]
            if realised is not None:
                bins = bins + self._layout.take(realised, "score bins").reshape(SCORE_BINS, -1, 2).sum(axis=1)
            return {**accuracy, **of_class(confusion, 1)._asdict(), "auc": auc(bins[:, 0], bins[:, 1])}, {}
        classes = {name: of_class(confusion, place) for place, name in enumerate(self._layout.classes)}
        return {**accuracy, **macro([*classes.values()])._asdict()}, classes

    def _guessed(self, cells: Integers, realised: Integers | None) -> dict[str, float | None]:
        total, rows = float(cells @ self._absolute), int(cells.sum())
        if realised is not None:
            total += self._layout.number(realised, "absolute")
            rows += self._layout.number(realised, "measured")
        mean = ratio(total, rows)
        return {"mae": None if mean is None else mean * self._layout.basis.scale / UNIT}


def _true_classes(layout: Layout, reference: Integers) -> Floats:
    """How likely each class is the true one, by predicted class and bin of the score: [K + 1, bins, K + 1].

    One right row and one wrong one are added to every cell. Which class it is when the prediction was wrong is taken from the whole
    column of the confusion, and one row more that is of all classes alike.
    """
    labelled, right = (layout.take(reference, name).reshape(-1, CELLS_OF_CLASS) for name in ("cell labelled", "cell right"))
    share = (right + 1) / (labelled + 2)
    classes = len(layout.classes) + 1
    wrong = layout.take(reference, "confusion").T.astype(np.float64)  # [predicted, true]
    known = classes - 1 if layout.basis.task == "binary" else classes  # what is neither 0 nor 1 is not to be expected
    wrong[:, :known] += 1 / known
    wrong[:, known:] = 0
    np.fill_diagonal(wrong, 0.0)
    wrong /= wrong.sum(axis=1, keepdims=True)
    true = (1 - share)[:, :, None] * wrong[:, None, :]
    true[np.arange(classes), :, np.arange(classes)] += share
    return np.asarray(true, dtype=np.float64)


def _residuals(layout: Layout, reference: Integers) -> NDArray[np.float64]:
    """The mean absolute residual by bin of the prediction, in fixed point; one row like all of them is added to each."""
    rows, absolute = layout.take(reference, "cell measured"), layout.take(reference, "cell absolute")
    overall = layout.number(reference, "absolute") / max(layout.number(reference, "measured"), 1)
    return np.asarray((absolute + overall) / (rows + 1), dtype=np.float64)
