"""Versions of which no label comes any more, and what comes of an interval that was told for the last time."""

from collections.abc import Sequence
from typing import Any

import pytest

from driftbus.schemas.messages.drift import DriftEvent
from driftbus.schemas.messages.pane import REVISIONS
from driftbus.schemas.messages.performance import Performance

from .test_two_references import BEHIND, HOUR, LABELS, MINUTE, START, USUAL, World, events

DAY = 24 * HOUR
#: Behind the last label.
QUIET = 100


def told_when(said: Sequence[int]) -> list[DriftEvent]:
    """Of errors that become commoner, and labels that come again when `QUIET` days are over; ``said``: behind which of these days it was
    said that nothing has come.
    """
    world = World()
    found = [told for number in range(USUAL + BEHIND) for told in world.step("old", errors=0.1 if number < USUAL else 0.4)]
    last = world.now
    for days in said:
        found += world.passed(last + days * DAY)
    world.now = last + QUIET * DAY
    return events([*found, *world.step("old", errors=0.4)])


@pytest.mark.parametrize("said", [[89], [91], [95, 99]])
def test_when_a_version_is_forgotten_is_no_matter_of_how_often_progress_is_said(said: list[int]) -> None:
    found = told_when(said)
    assert [event.status for event in found][-1] == "resolved"
    assert found == told_when([])


def of_interval(told: Sequence[Any], about: int) -> list[tuple[int, bool]]:
    return [(one.predicted, one.final) for one in told if isinstance(one, Performance) and one.about == about]


def test_what_comes_behind_the_last_word_on_an_interval_does_not_take_its_place() -> None:
    """A prediction that was held up by a reader that was given up: alone it says nothing of the interval."""
    world, about = World(), (START // HOUR + 1) * HOUR
    world.pane(REVISIONS, "old", about, predicted=LABELS)
    assert of_interval(world.passed(about), about) == [(LABELS, False)]
    final = about + 7 * HOUR
    assert of_interval(world.passed(final), about) == [(LABELS, True)]
    for again in range(2):
        world.now = final + again * HOUR + MINUTE
        world.pane(REVISIONS, "old", about, predicted=1)
        assert of_interval(world.passed(world.now), about) == []


def test_what_was_never_told_of_an_interval_is_told_late() -> None:
    world, about = World(), (START // HOUR + 1) * HOUR
    world.now = about + 8 * HOUR
    world.passed(world.now - MINUTE)
    world.pane(REVISIONS, "old", about, predicted=LABELS)
    assert of_interval(world.passed(world.now), about) == [(LABELS, True)]
