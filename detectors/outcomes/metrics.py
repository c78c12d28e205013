"""Metrics from sums of outcomes. What cannot be known is None, never a number and never NaN."""

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from .cells import CELLS_OF_CLASS, SCORE_BINS
from .confusion import OfClass, macro, of_class, ratio
from .counting import SQUARE_BITS
from .interval import Interval, wilson
from .layout import Layout, squares
from .ranking import auc, average_precision
from .values import UNIT, Integers


class Realised(NamedTuple):
    """What outcomes say of the predictions that they are known of."""

    predicted: int
    duplicates: int
    expired: int
    labelled: int
    clipped: int  #: labelled rows so far out that they count as nearer: what is measured of numbers may then be more
    metrics: Mapping[str, float | None]
    classes: Mapping[str, OfClass]  #: of a category, by class


def realised(layout: Layout, vector: Integers) -> Realised | None:
    """Counts and metrics of a vector; None of what is only a part: one that takes back more than it adds.

    binary
        ``accuracy``, ``precision``, ``recall``, ``f1`` of outcome 1; ``auc``, ``average_precision`` by 64 bins of the score; ``log_loss``,
        ``brier``, ``calibration_error`` of the score.
    category
        ``accuracy``; ``precision``, ``recall``, ``f1`` as means over the known classes; ``confidence_log_loss``, ``confidence_brier``,
        ``calibration_error`` of the score as the probability of being right.
    number
        ``mae``, ``rmse``, ``bias`` (the mean of outcome less prediction), ``r2``.
    """
    if not is_whole(layout, vector):
        return None
    predicted, duplicates, expired, labelled = (layout.number(vector, name) for name in ("predicted", "duplicates", "expired", "labelled"))
    metrics: dict[str, float | None]
    classes: dict[str, OfClass] = {}
    clipped = 0
    if layout.basis.task == "number":
        metrics, clipped = _of_numbers(layout, vector), layout.number(vector, "clipped")
    else:
        metrics = {"accuracy": ratio(labelled - layout.number(vector, "errors"), labelled)}
        confusion, losses = layout.take(vector, "confusion"), _of_scores(layout, vector)
        if layout.basis.task == "binary":
            bins = layout.take(vector, "score bins")
            ranked = {"auc": auc(bins[:, 0], bins[:, 1]), "average_precision": average_precision(bins[:, 0], bins[:, 1])}
            metrics |= {**of_class(confusion, 1)._asdict(), **ranked, **losses}
        else:
            classes = {name: of_class(confusion, place) for place, name in enumerate(layout.classes)}
            metrics |= macro([*classes.values()])._asdict()
            metrics |= {name if name == "calibration_error" else f"confidence_{name}": loss for name, loss in losses.items()}
    return Realised(predicted, duplicates, expired, labelled, clipped, metrics, classes)


def is_whole(layout: Layout, vector: Integers) -> bool:
    """Whether it can be of some rows: a part of a sum, that takes back what another part added, may have less than none."""
    return not (vector[layout.counts] < 0).any()


def accuracy_within(layout: Layout, vector: Integers, tau: float = 1.0) -> Interval | None:
    """Wilson's interval of the accuracy; ``tau``: the dependence of errors, in rows."""
    labelled = layout.number(vector, "labelled")
    return wilson(labelled - layout.number(vector, "errors"), labelled, tau)


def _of_scores(layout: Layout, vector: Integers) -> dict[str, float | None]:
    scored = layout.number(vector, "scored")
    return {
        "log_loss": ratio(layout.number(vector, "log loss") / UNIT, scored),
        "brier": ratio(layout.number(vector, "squares") / 2**SQUARE_BITS, scored),
        "calibration_error": _calibration_error(layout, vector),
    }


def _calibration_error(layout: Layout, vector: Integers) -> float | None:
    """The mean distance, over 16 bins of the score and weighted by rows, of how often it happened from what the scores said."""
    if layout.basis.task == "binary":
        by_bin = layout.take(vector, "score bins").reshape(SCORE_BINS, -1, 2).sum(axis=1)
        rows, happened = by_bin.sum(axis=1), by_bin[:, 1]
    else:
        rows, happened = _by_bin(layout, vector, "cell labelled"), _by_bin(layout, vector, "cell right")
    off = np.abs(happened - _by_bin(layout, vector, "cell scores") / UNIT)
    return ratio(float(off.sum()), int(rows.sum()))


def _by_bin(layout: Layout, vector: Integers, name: str) -> Integers:
    return np.asarray(layout.take(vector, name).reshape(-1, CELLS_OF_CLASS).sum(axis=0)[:SCORE_BINS], dtype=np.int64)


def _of_numbers(layout: Layout, vector: Integers) -> dict[str, float | None]:
    measured, scale = layout.number(vector, "measured"), layout.basis.scale / UNIT
    (y,), (r,) = layout.take(vector, "y").tolist(), layout.take(vector, "r").tolist()
    (yy,), (rr,) = squares(layout.take(vector, "yy")), squares(layout.take(vector, "rr"))
    mean_square = ratio(rr, measured)
    # In whole numbers, for what differs only far behind the first digits.
    spread = measured * yy - y * y
    return {
        "mae": _finite(ratio(layout.number(vector, "absolute"), measured), scale),
        "rmse": None if mean_square is None or mean_square < 0 else _finite(math.sqrt(mean_square), scale),
        "bias": _finite(ratio(r, measured), scale),
        "r2": 1 - measured * rr / spread if measured > 0 and spread > 0 else None,
    }


def _finite(value: float | None, scale: float) -> float | None:
    """In the outcome's own unit; None if it cannot be told in it."""
    return value * scale if value is not None and math.isfinite(value * scale) else None
