"""What is told of the predictions behind an event: how they turned out, how sure that is, and what was to be expected of them."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...schemas.cloud_events import iso
from ...schemas.messages.drift import DriftedSignal, ToldPerformance
from ...schemas.stored.baseline import OutcomeBaseline
from ..effects import rounded
from ..outcomes.delays import quantile
from ..outcomes.estimate import Estimate
from ..outcomes.interval import Interval as Within
from ..outcomes.interval import Z, wilson
from ..outcomes.layout import Layout
from ..outcomes.metrics import accuracy_within, is_whole
from .intervals import Interval
from .losses import middles
from .space import ERRORS, RELATION

Counts = NDArray[np.int64]


def told(
    plan: Layout,
    spans: Sequence[Interval],
    known: Counts | None,
    baseline: OutcomeBaseline,
    onset: int | None,
    signals: Sequence[DriftedSignal],
) -> ToldPerformance:
    """How the predictions of these intervals turned out; where nothing is known of them yet, those whose labels made the ``signals``.

    ``known``: the sums of labelled predictions by which is estimated.
    """
    numeric = plan.basis.task == "number"
    shown = _before(baseline, numeric=numeric).model_copy(
        update={
            "onset": None if onset is None else iso(onset),
            "assumption_broken": any(signal.name == RELATION for signal in signals),
        }
    )
    vector = np.zeros(plan.size, dtype=np.int64)
    for span in spans:
        vector[: len(span.vector)] += span.vector[: plan.size]
    if not plan.number(vector, "labelled") or not is_whole(plan, vector):
        return _by_labels(shown, signals, baseline, numeric=numeric)
    now, within = _of_numbers(plan, vector, baseline) if numeric else _of_classes(plan, vector, baseline)
    estimate = None if known is None or not is_whole(plan, known) else Estimate(plan, known).of(vector)
    estimated = None if estimate is None else estimate.estimated.get(shown.metric)
    return shown.model_copy(
        update={
            "now": None if now is None else rounded(now),
            "low": None if within is None else rounded(within.low),
            "high": None if within is None else rounded(within.high),
            "about": (iso(spans[0].known.start), iso(spans[-1].known.end)),
            "predicted": plan.number(vector, "predicted"),
            "labelled": plan.number(vector, "labelled"),
            "expired": plan.number(vector, "expired"),
            "delay": quantile(plan.take(vector, "delays").sum(axis=0), 0.5),
            "estimated": None if estimated is None else rounded(estimated),
            "assumes": None if estimate is None else estimate.assumes,
        }
    )


def told_by_people(baseline: OutcomeBaseline, signals: Sequence[DriftedSignal]) -> ToldPerformance:
    """How those predictions turned out whose answers made the ``signals``. Nobody knows it of the others: nothing is told of intervals."""
    numeric = bool(baseline.losses)
    return _by_labels(_before(baseline, numeric=numeric), signals, baseline, numeric=numeric).model_copy(update={"by": "reviews"})


def _before(baseline: OutcomeBaseline, *, numeric: bool) -> ToldPerformance:
    """The metric, and how it was."""
    rows = sum(baseline.losses) if numeric else baseline.labelled
    was = None if rows == 0 else baseline.absolute * baseline.unit / rows if numeric else 1 - baseline.wrong / rows
    return ToldPerformance(metric="mae" if numeric else "accuracy", was=None if was is None else rounded(was))


def _by_labels(shown: ToldPerformance, signals: Sequence[DriftedSignal], baseline: OutcomeBaseline, *, numeric: bool) -> ToldPerformance:
    now = next((one.now for one in signals if one.now is not None and (one.name == ERRORS or not numeric)), None)
    if now is None or now.mean is None:
        return shown
    if numeric:
        return shown.model_copy(update={"now": now.mean, "labelled": now.rows})
    within = wilson(round((1 - now.mean) * now.rows), now.rows, baseline.dependence)
    bounds = {} if within is None else {"low": rounded(within.low), "high": rounded(within.high)}
    return shown.model_copy(update={"now": rounded(1 - now.mean), "labelled": now.rows, **bounds})


def _of_classes(plan: Layout, vector: Counts, baseline: OutcomeBaseline) -> tuple[float | None, Within | None]:
    labelled = plan.number(vector, "labelled")
    accuracy = (labelled - plan.number(vector, "errors")) / labelled if labelled else None
    return accuracy, accuracy_within(plan, vector, baseline.dependence)


def _of_numbers(plan: Layout, vector: Counts, baseline: OutcomeBaseline) -> tuple[float | None, Within | None]:
    """The mean loss by the exact sum; how it spreads, by the bins."""
    losses, n = plan.take(vector, "cell losses").sum(axis=0), plan.number(vector, "measured")
    if n <= 0:
        return None, None
    mean, values = plan.number(vector, "absolute") / n, middles(plan.basis.losses)
    sd = math.sqrt(float(((values - mean) ** 2 * (losses / n)).sum()))
    wide = Z * sd * math.sqrt(baseline.dependence / n)
    unit = baseline.unit
    return mean * unit, Within(max(mean - wide, 0.0) * unit, (mean + wide) * unit)
