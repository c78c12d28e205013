"""Outcomes that come late tell a drift all the same: of windows that the baseline took, and of older ones that were merged."""

from dataclasses import fields, replace

import numpy as np

from driftbus.detectors.diagnosis.evidence import Outcomes, Relation

from .made import Columns, case, confirmed, model


def _turned(columns: Columns, y: np.ndarray, number: int, draw: np.random.Generator) -> np.ndarray:
    """From the first monitored window on, nearly all outcomes are as they would have been least."""
    return np.where(draw.random(len(y)) < 0.9, draw.random(len(y)) < 1 - model(columns), y).astype(np.float64)


def test_what_outcomes_tell_that_came_when_the_baseline_was_settled() -> None:
    late = case(outcomes=_turned)
    for window in late.monitored[6:]:
        window.outcomes = None
    late.baseline, late.monitored = [*late.baseline, *late.monitored[:3]], late.monitored[3:]
    assert set(confirmed(late)) == {"feature_drift"}
    for window in late.baseline[-2:]:
        window.outcomes = None
    late.monitored[2].outcomes = None
    assert not confirmed(late), "of three windows nothing is said"


def test_older_windows_that_were_merged_count_as_those_that_they_were() -> None:
    """Labels that come after days find the windows they are about as one."""
    late = case(outcomes=_turned)
    older, late.monitored = late.monitored[:6], late.monitored[6:]
    for window in late.monitored:
        window.outcomes = None
    assert not confirmed(late)
    late.ladder = [replace(older[0], end=older[-1].end, outcomes=_together([one.outcomes for one in older if one.outcomes is not None]))]
    assert set(confirmed(late)) == {"feature_drift"}
    late.ladder = [replace(older[0], outcomes=_together([one.outcomes for one in older[:2] if one.outcomes is not None]))]
    assert not confirmed(late), "of two windows nothing is said"


def _together(parts: list[Outcomes]) -> Outcomes:
    def summed(of: list[Relation]) -> Relation:
        return Relation(*(sum(getattr(one, part.name) for one in of) for part in fields(Relation)))

    every, inner = ([one for of in parts if (one := getattr(of, name)) is not None] for name in ("relation", "inner"))
    labelled, predicted, expired, loss = (sum(getattr(one, name) for one in parts) for name in ("labelled", "predicted", "expired", "loss"))
    return Outcomes(labelled, predicted, expired, loss, summed(every), summed(inner))
