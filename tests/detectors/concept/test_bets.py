"""No bet on outcomes gains while nothing has changed, and each is the likelihood ratio that its formula says."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from driftbus.detectors.betting.errors import FEWEST_IN_CELL, ODDS, ODDS_SCALE, Odds
from driftbus.detectors.betting.margin import margin
from driftbus.detectors.concept import OutcomeSuite
from driftbus.detectors.concept.space import ERRORS, RELATION
from driftbus.schemas.stored.baseline import OutcomeBaseline

from .worlds import baseline_of, baselines, counts, suite_of

CELLS = baseline_of([2_000, 60, 400, 0, 3], [100, 25, 40, 0, 3])


def _ratios(tests: OutcomeSuite, name: str, rows: list[int], errors: list[int]) -> NDArray[np.float64]:
    """Of a step, the log ratio of every bet on a signal."""
    place = next(place for place, one in enumerate(tests.bets.signals) if one.name == name)
    vector = tests.space.vector(np.array([*rows, *errors]), np.zeros(0, dtype=np.int64), (), None)
    return tests.bets.log_ratios(vector)[0][tests.bets.of(place)]


def _mean(tests: OutcomeSuite, name: str, rows: list[int], law: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of every bet under a law of errors per cell, exactly: over all that may become of so many rows."""
    mean = np.zeros(1)
    for errors in itertools.product(*(range(n + 1) for n in rows)):
        chance = math.prod(stats.binom.pmf(e, n, p) for e, n, p in zip(errors, rows, law, strict=True))
        mean = mean + chance * np.exp(_ratios(tests, name, rows, list(errors)))
    return mean


@pytest.mark.parametrize("tau", [1.0, 7.0])
@pytest.mark.parametrize(
    ("rows", "wrong"), [(5_000, 500), (5_000, 2_500), (5_000, 4_500), (5_000, 0), (5_000, 5_000), (5_000, 3), (500, 50)]
)
def test_the_mean_of_every_bet_on_errors_is_at_most_one(rows: int, wrong: int, tau: float) -> None:
    tests = suite_of(baseline_of([rows], [wrong], tau=tau))
    for n in (1, 2, 7):
        assert _mean(tests, ERRORS, [n], np.array([wrong / rows])).max() <= 1 + 1e-12


@pytest.mark.parametrize("tau", [1.0, 7.0])
def test_the_mean_of_every_bet_on_the_relation_is_at_most_one_whatever_the_inputs(tau: float) -> None:
    baseline = CELLS.model_copy(update={"tau": round(1000 * tau)})
    tests, law = suite_of(baseline), Odds(baseline, 0.0).p
    for rows in ([1, 0, 0, 0, 0], [3, 2, 0, 1, 1], [0, 4, 0, 0, 0], [0, 0, 1, 3, 3], [2, 2, 2, 0, 0]):
        assert _mean(tests, RELATION, rows, law).max() <= 1


def test_without_a_margin_the_mean_is_one() -> None:
    odds = Odds(CELLS, 0.0)
    mean = np.zeros(len(ODDS))
    for errors in itertools.product(range(3), range(4), range(2)):
        chance = math.prod(stats.binom.pmf(e, n, p) for e, n, p in zip(errors, (2, 3, 1), odds.p, strict=False))
        mean += chance * np.exp(odds.gains(np.array([2, 3, 1, 5, 5]), np.array([*errors, 0, 5])) / ODDS_SCALE)
    np.testing.assert_allclose(mean, 1, atol=2e-6)
    assert mean.max() <= 1


def test_bets_on_errors_are_likelihood_ratios_of_the_binomial() -> None:
    tests, share = suite_of(baseline_of([5_000], [500])), 0.1
    c, place = margin(100_000, 5_000), next(place for place, one in enumerate(tests.bets.signals) if one.name == ERRORS)
    ratios, own = _ratios(tests, ERRORS, [50], [9]), tests.bets.of(place)
    assert len(ratios) == 10
    for ratio, target in zip(ratios.tolist(), tests.bets.targets[own], strict=True):
        base = share + math.copysign(c * math.sqrt(share * (1 - share) / 5_000), target - share)
        assert ratio == pytest.approx(stats.binom.logpmf(9, 50, target) - stats.binom.logpmf(9, 50, base), rel=1e-9)


def test_bets_on_the_relation_move_the_odds_of_every_cell_that_is_known() -> None:
    odds, rows, wrong = Odds(CELLS, 0.0), np.array([40, 12, 9, 5, 2]), np.array([6, 7, 1, 2, 2])
    assert odds.heard.tolist() == [True, True, True, False, False]
    for gain, lam in zip(odds.gains(rows, wrong).tolist(), ODDS, strict=True):
        moved = odds.p * np.exp(lam) / (1 - odds.p + odds.p * np.exp(lam))
        exact = np.asarray(stats.binom.logpmf(wrong, rows, moved) - stats.binom.logpmf(wrong, rows, odds.p))
        assert gain / ODDS_SCALE == pytest.approx(exact[odds.heard].sum(), abs=2e-6)


def test_the_margin_grows_with_what_the_baseline_hardly_knows() -> None:
    baseline = baseline_of([4_000, FEWEST_IN_CELL], [400, 3])
    plain, careful = Odds(baseline, 0.0), Odds(baseline, 2.0)

    def given_away(rows: list[int]) -> NDArray[np.float64]:
        none = np.zeros(2, dtype=np.int64)
        return np.asarray((plain.gains(np.array(rows), none) - careful.gains(np.array(rows), none)) / ODDS_SCALE)

    known, thin = given_away([200, 0]), given_away([0, 200])
    assert (thin > 5 * known).all()
    # Of one row, and where cells come as in the baseline, it is lam c sd / sqrt(n), or the sd of E where that is more.
    least = np.abs(ODDS) * 2 * plain.sd / math.sqrt(4_030)
    assert (given_away([1, 0]) >= least - 2e-6).all()
    assert given_away([1, 0]) == pytest.approx(least, rel=0.6)


def test_cells_are_to_the_margin_what_fields_are() -> None:
    rows, errors = [40, 12, 9, 5, 2], [6, 7, 1, 2, 2]
    for tau in (1.0, 4.0):
        baseline = CELLS.model_copy(update={"tau": round(1000 * tau)})
        odds = Odds(baseline, margin(100_000, 2_463, fields=3))
        expected = odds.gains(np.array(rows), np.array(errors)) / ODDS_SCALE / tau
        assert _ratios(suite_of(baseline), RELATION, rows, errors) == pytest.approx(expected)


def test_of_what_never_was_there_cannot_be_less() -> None:
    for wrong, words in ((0, "fewer 'errors'"), (1_000, "more 'errors'")):
        tests = suite_of(baseline_of([1_000], [wrong]))
        place = next(place for place, one in enumerate(tests.bets.signals) if one.name == ERRORS)
        assert words not in tests.bets.words[tests.bets.of(place)]
        usual = _ratios(tests, ERRORS, [40], [40 if wrong else 0])
        assert usual.max() <= 0


def test_errors_and_relation_have_their_weights_of_the_one_budget() -> None:
    tests = suite_of(CELLS)
    weights = {one.name: float(weight) for one, weight in zip(tests.bets.signals, tests.bets.signal_weight, strict=True)}
    assert weights == {ERRORS: 0.1, RELATION: 0.05}
    assert tests.bets.joint_weight.sum() == pytest.approx(0.15)
    up = suite_of(CELLS, direction="up")
    assert {words for words, owner in zip(up.bets.words, up.bets.owner, strict=True) if owner == 0} == {"more 'errors'"}


@settings(max_examples=150, deadline=None)
@given(baseline=baselines(), data=st.data())
def test_whatever_comes_every_ratio_is_a_number(baseline: OutcomeBaseline, data: st.DataObject) -> None:
    tests = suite_of(baseline)
    rows, errors = data.draw(counts(len(baseline.rows)))
    losses = np.array(baseline.losses, dtype=np.int64)
    vector = tests.space.vector(np.concatenate((rows, errors, losses)).astype(np.int64), np.zeros(0, dtype=np.int64), (), None)
    ratios, counted = tests.bets.log_ratios(vector)
    assert np.isfinite(ratios).all()
    assert (counted >= 0).all()
    if not sum(rows) and not losses.any():
        assert (ratios == 0).all()
