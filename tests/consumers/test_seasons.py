"""A daily swing through the product: with a reference by the hour it is no drift, and what happens within an hour is."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from driftbus.schemas.messages.drift import DriftEvent

from ..replaying import BEGINNING, Columns, Replayed, replayed

#: A row a minute.
EVERY, DAY = 60, 1440


def swinging(draw: np.random.Generator, first: int, rows: int, up: NDArray[np.float64] | float = 0.0) -> Columns:
    """Two of amplitude 1.5 sd, and nulls that come at night."""
    hour = (first + np.arange(rows)) * EVERY / 3600 % 24
    swing = 1.5 * np.sin(2 * np.pi * hour / 24)
    load = draw.normal(size=rows) + swing + up
    idle = np.where(draw.random(rows) < np.where(hour < 6, 0.5, 0.02), np.nan, draw.normal(size=rows))
    kind = np.where(draw.random(rows) < 0.3 + 0.2 * np.sin(2 * np.pi * hour / 24), "web", "shop")
    return {"load": load.tolist(), "idle": [None if np.isnan(value) else value for value in idle.tolist()], "kind": kind.tolist()}


def run(folder: Path, up: NDArray[np.float64] | float, **model: Any) -> Replayed:
    draw, days = np.random.default_rng(3), 12
    live = swinging(draw, days * DAY, 6 * DAY, up)
    return replayed(folder, swinging(draw, 0, days * DAY), live, pane="1h", every=EVERY, false_alarms="1 per 365d", **model)


def names(events: list[DriftEvent]) -> set[str]:
    return {signal.name for event in events if event.status == "opened" for signal in event.signals}


def test_a_swing_is_no_drift(tmp_path: Path) -> None:
    assert run(tmp_path, 0.0, season="day").events == []


def test_a_change_within_an_hour_is_found_at_once_and_comes_to_an_end(tmp_path: Path) -> None:
    up = np.zeros(6 * DAY)
    up[2 * DAY : 3 * DAY] = 1.2  # a day that stays within what other hours know
    opened, *later = run(tmp_path, up, season="day").events
    assert names([opened]) == {"load"}
    assert opened.signals[0].change == "mean up"
    begun = BEGINNING + 14 * DAY * EVERY
    assert opened.bucket[1] <= str(np.datetime64(begun + 3 * 3600, "s")) + "Z"
    assert opened.signals[0].effect.wasserstein_sd == pytest.approx(0.8, abs=0.35)
    assert [event.status for event in later][-1] == "resolved"
    assert sum(event.status == "opened" for event in later) == 0


def test_a_reference_without_seasons_is_slower(tmp_path: Path) -> None:
    up = np.zeros(6 * DAY)
    up[2 * DAY : 2 * DAY + 360] = 1.2
    with_season, without = run(tmp_path, up, season="day").events, run(tmp_path, up).events
    assert names(with_season) == {"load"}
    assert min((event.bucket for event in without), default=("9", "9")) > with_season[0].bucket


def test_too_few_rows_an_hour_are_refused(tmp_path: Path) -> None:
    said = run(tmp_path, 0.0, season="week", check=False).output
    assert "models.m.season: 168 of 168 hours have fewer than 500 rows in the reference (first: Mon 00)" in said
