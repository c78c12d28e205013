"""A trailing reference through the product: it follows what is slow, but not unseen; what is quick is drift all the same."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftbus.schemas.messages.drift import DriftEvent

from ..replaying import BEGINNING, replayed

EVERY, DAY = 300, 288  # a row in five minutes
DAYS = 80


def run(folder: Path, mean: NDArray[np.float64], **model: Any) -> list[DriftEvent]:
    draw = np.random.default_rng(11)
    quiet, live = draw.normal(size=20 * DAY), draw.normal(size=len(mean)) + mean
    return replayed(
        folder, {"load": quiet.tolist()}, {"load": live.tolist()}, pane="6h", every=EVERY, false_alarms="1 per 365d", **model
    ).events


def day(event: DriftEvent) -> float:
    begun = np.datetime64(BEGINNING + 20 * 86_400, "s")
    return float((np.datetime64(event.bucket[1].removesuffix("Z")) - begun) / np.timedelta64(1, "D"))


TRAILING = {"length": "14d", "every": "2d", "lag": "1d"}


def test_what_slides_slowly_is_followed_and_the_guard_says_so_once(tmp_path: Path) -> None:
    events = run(tmp_path, np.linspace(0, 0.7, DAYS * DAY), trailing=TRAILING)
    far = [event for event in events if event.severity != "minor"]
    assert [(event.status, event.severity, event.detector) for event in far] == [
        ("opened", "moderate", "trailing"),
        ("updated", "major", "trailing"),
    ]
    assert far[0].signals[0].change == "mean up"
    assert far[0].signals[0].now is not None
    assert 0.15 < (far[0].signals[0].now.mean or 0) < 0.35
    assert 25 < day(far[0]) < 50


def test_without_it_the_slide_is_an_episode_soon(tmp_path: Path) -> None:
    first, *_ = run(tmp_path, np.linspace(0, 1.0, DAYS * DAY))
    assert (first.detector, day(first) < 40) == ("esr", True)


def test_a_jump_is_drift_and_never_becomes_normal_by_itself(tmp_path: Path) -> None:
    mean = np.zeros(DAYS * DAY)
    mean[40 * DAY :] = 0.8
    events = run(tmp_path, mean, trailing=TRAILING)
    assert [(event.status, event.detector) for event in events] == [("opened", "esr")]
    assert 40 < day(events[0]) < 41.5


def test_a_new_normal_that_is_no_drift_from_day_to_day_is_learnt(tmp_path: Path) -> None:
    assert run(tmp_path, np.minimum(np.linspace(0, 0.2, DAYS * DAY), 0.15), trailing=TRAILING) == []
