"""Who serves: equal models are seldom switched, a better one is found, and what is remembered can be written down."""

import math

import numpy as np
import pytest

from driftbus.detectors.learning.contest import Contest, Dependence, advantage

from .streams import BACKTEST, BEGINS, DAYS, ROWS, Floats, advantages

PLAYED = int(BEGINS + DAYS)


def won_on(found: Floats) -> float:
    """The day behind the first bet on which the second one wins."""
    contest = Contest(BACKTEST * ROWS)
    for row, one in enumerate(found.tolist()):
        if contest.take(one):
            return row / ROWS - BEGINS
    return math.inf


@pytest.mark.parametrize(
    ("sway", "follows"),
    [(0.0, 0.0), (0.3, 0.0), (0.3, 0.8), (0.6, 0.95)],
    ids=["independent", "days", "days that follow", "closely"],
)
def test_equal_models_are_seldom_switched(sway: float, follows: float) -> None:
    won = [won_on(one) for one in advantages(11, 12, PLAYED, sway, follows, 0.0)]
    assert sum(math.isfinite(day) for day in won) <= 2  # of 12, where 5 % are allowed: more has a chance of 2 %


def test_one_that_is_better_by_three_hundredths_is_found_in_some_weeks() -> None:
    won = [won_on(one) for one in advantages(12, 8, PLAYED, 0.0, 0.0, 0.03)]
    assert np.median(won) < 30


def test_the_advantage_is_bounded_and_turns_round() -> None:
    for serving, challenger in ((0.1, 0.9), (0.3, 0.31), (0.0, 1.0)):
        both = [advantage(serving, challenger, label) for label in (True, False)]
        assert max(map(abs, both)) == pytest.approx(1.0)
        assert [advantage(challenger, serving, label) for label in (True, False)] == [-one for one in both]


def test_whoever_has_lost_wins_back_by_the_same_evidence() -> None:
    contest = Contest(0)
    assert any(contest.take(0.5) for _ in range(60))
    assert contest.serving == 1
    assert any(contest.take(-0.5) for _ in range(60))
    assert contest.serving == 0


def test_nobody_wins_in_the_backtest_and_what_was_gained_in_it_counts() -> None:
    contest = Contest(1_000)
    assert not any(contest.take(0.1) for _ in range(1_250))
    assert contest.take(0.1)


@pytest.mark.parametrize(("behind", "soon"), [(100, 8), (140, 10)])
def test_a_lead_that_comes_late_is_no_swing_of_the_labels(behind: int, soon: int) -> None:
    """It was one of all lengths: the challenger that was better from a day on never served."""
    (equal,) = advantages(19, 1, behind + 40, 0.0, 0.0, 0.0)
    found = np.clip(equal + np.where(np.arange(len(equal)) < behind * ROWS, 0.0, 0.3), -1, 1)
    assert behind < won_on(found) + BEGINS < behind + soon


def test_days_that_are_alike_count_for_more_than_what_was_seen_of_them() -> None:
    """Swings of twenty days, of which fifty have been seen: no batch is so long that it tells of a whole one."""
    draw, day = np.random.default_rng(6), 0.0
    taus = []
    for _ in range(20):
        dependence = Dependence()
        for _ in range(50):
            day = 0.9 * day + draw.normal() * 0.44
            for value in (day * 0.3 + draw.normal(size=ROWS)).tolist():
                dependence.add(value)
        taus.append(dependence.tau(12))
    assert np.median(taus) > 0.09 * ROWS * 19 / 1.09  # what it comes to in the long run


def test_what_they_are_apart_while_both_begin_with_nothing_is_no_swing() -> None:
    """It counted as one for ever: then the better one never served."""
    (steady,) = advantages(17, 1, PLAYED, 0.0, 0.0, 0.08)
    found = np.clip(steady + np.where(np.arange(len(steady)) < BACKTEST * ROWS // 4, 0.4, 0.0), -1, 1)
    assert math.isfinite(won_on(steady))
    assert won_on(found) == won_on(steady)


def test_how_labels_hang_together_is_forgotten_by_half_in_a_fifth_of_a_backtest() -> None:
    """Where tau was low for a moment, equal models changed places."""
    (found,) = advantages(18, 1, 60, 0.6, 0.95, 0.0)
    contest, taus = Contest(BACKTEST * ROWS), list[float]()
    for one in found.tolist():
        contest.take(one)
        taus.append(contest.tau)
    looked = np.array(taus[::64])
    assert (looked[1:] < looked[:-1]).any()
    assert (looked[1:] >= looked[:-1] * 0.5 ** (64 / (BACKTEST * ROWS / 5)) * 0.999_999).all()


def test_a_state_with_a_longer_open_window_goes_on_with_shorter_ones() -> None:
    """A former release's windows were as long as the backtest."""
    contest = Contest(1_000)
    for one in np.tile([0.5, -0.4], 1_000).tolist():
        contest.take(one)
    plain = contest.plain()[:-1]
    plain[6:9] = [900, plain[2], []]
    former = Contest.of(1_000, plain)
    former.take(0.1)
    assert former.window.rows == 1
    assert len(former.windows) == 1


def test_what_a_former_release_wrote_goes_on() -> None:
    contest = Contest(1_000)
    for one in np.tile([0.5, -0.4], 1_000).tolist():
        contest.take(one)
    for known in (5, 6):
        former = Contest.of(1_000, contest.plain()[:known])
        assert former.plain()[:6] == contest.plain()[:6]
        assert not former.take(0.1)


def test_tau_is_about_the_length_of_what_hangs_together() -> None:
    draw = np.random.default_rng(5)
    for length in (1, 16, 128):
        dependence = Dependence()
        for value in np.repeat(draw.normal(size=40_000 // length), length).tolist():
            dependence.add(value)
        assert length <= dependence.tau(12) <= 5 * length


def test_written_down_it_goes_on_to_the_last_digit() -> None:
    (found,) = advantages(13, 1, 30, 0.3, 0.8, 0.05)
    one = Contest(1_000)
    for value in found[:3_000].tolist():
        one.take(value)
    other = Contest.of(1_000, one.plain())
    for value in found[3_000:].tolist():
        assert one.take(value) == other.take(value)
    assert one.plain() == other.plain()
