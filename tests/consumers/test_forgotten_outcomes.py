"""Versions of which no label comes any more, and what comes of an interval that was final."""

from collections.abc import Sequence
from typing import Any

import pytest

from driftbus.consumers.detector.outcomes import Outcomes
from driftbus.consumers.detector.tables import REMEMBERED
from driftbus.detectors.outcomes.layout import layout
from driftbus.schemas.integers import packed, unpacked
from driftbus.schemas.messages.drift import DriftEvent
from driftbus.schemas.messages.pane import REVISIONS
from driftbus.schemas.messages.performance import Performance

from .test_two_references import BEHIND, HOUR, LABELS, MINUTE, START, USUAL, Counted, World, events

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


@pytest.mark.parametrize("restarted", [False, True])
def test_what_comes_of_a_final_interval_is_told_in_a_further_final_record(*, restarted: bool) -> None:
    """Predictions that were held up by a reader that was given up: that they expired is known behind the last word."""
    world, about = World(), (START // HOUR + 1) * HOUR
    world.pane(REVISIONS, "old", about, predicted=LABELS)
    assert of_interval(world.passed(about), about) == [(LABELS, False)]
    final = about + 7 * HOUR
    assert of_interval(world.passed(final), about) == [(LABELS, True)]
    for again in range(2):
        if restarted:
            world.again()
        world.now = final + again * HOUR + MINUTE
        world.pane(REVISIONS, "old", about, predicted=1, expired=2)
        assert of_interval(world.passed(world.now), about) == [(LABELS + again + 1, True)]
        assert of_interval(world.passed(world.now + MINUTE), about) == []


@pytest.mark.parametrize("restarted", [False, True])
def test_what_comes_of_an_interval_that_is_remembered_no_more_does_not_take_its_place(*, restarted: bool) -> None:
    """Alone it says nothing of the interval; what comes beside it of one that is remembered is told."""
    world, first = World(), (START // HOUR + 1) * HOUR
    for number in range(REMEMBERED + 1):
        world.now = first + number * HOUR
        world.pane(REVISIONS, "old", world.now, predicted=LABELS)
        world.passed(world.now)
    newest = world.now
    assert of_interval(world.passed(newest + 8 * HOUR), newest) == [(LABELS, True)]
    if restarted:
        world.again()
    world.now = newest + 9 * HOUR
    for about in (newest, first + HOUR, first):
        world.pane(REVISIONS, "old", about, predicted=1)
    told = world.passed(world.now)
    assert [of_interval(told, about) for about in (first, first + HOUR, newest)] == [[], [(LABELS + 1, True)], [(LABELS + 1, True)]]


def test_what_a_former_release_remembered_in_short_does_not_take_its_place() -> None:
    world, about = World(), (START // HOUR + 1) * HOUR
    world.pane(REVISIONS, "old", about, predicted=LABELS)
    world.passed(about + 7 * HOUR)
    plan, plain = layout(Counted()("m0", "old", "outcomes")), world.outcomes.plain()
    short = plan.sections["cell expired"].span.stop
    plain[0][9] = [[end, packed(unpacked(vector)[:short])] for end, vector in plain[0][9]]
    world.outcomes = Outcomes(world.chosen, "outcomes", Counted())
    world.outcomes.restore(plain)
    world.now = about + 8 * HOUR
    world.pane(REVISIONS, "old", about, predicted=1)
    assert of_interval(world.passed(world.now), about) == []


def test_what_was_never_told_of_an_interval_is_told_late() -> None:
    world, about = World(), (START // HOUR + 1) * HOUR
    world.now = about + 8 * HOUR
    world.passed(world.now - MINUTE)
    world.pane(REVISIONS, "old", about, predicted=LABELS)
    assert of_interval(world.passed(world.now), about) == [(LABELS, True)]
