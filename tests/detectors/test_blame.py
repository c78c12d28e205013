"""Who is named by an alarm."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from driftbus.detectors.betting.blame import best_bet, e_bh, log_evidence, shares, winner

from .worlds import compiled_for, numeric_field, reference_of

TWIN = np.random.default_rng(2).normal(size=1000)
TESTS = compiled_for(reference_of(numeric_field("b", TWIN), numeric_field("a", TWIN), numeric_field("c", TWIN)))


@given(st.lists(st.floats(-50, 50), min_size=1, max_size=12))
def test_e_bh_names_the_largest_set_whose_least_is_large_enough(log_e: list[float]) -> None:
    named = e_bh(np.array(log_e))
    sizes = [k for k in range(1, len(log_e) + 1) if sorted(log_e, reverse=True)[k - 1] >= np.log(len(log_e) / 0.05) - np.log(k)]
    assert named.sum() >= max(sizes, default=0)
    assert not named.any() or min(np.array(log_e)[named]) > max(np.array(log_e)[~named], default=-np.inf)
    assert bool(sizes) == bool(named.any())


def test_of_equal_signals_the_first_by_name_wins() -> None:
    evidence = log_evidence(TESTS.bets, np.zeros(len(TESTS.bets.owner)))
    assert TESTS.bets.signals[winner(TESTS.bets, evidence)].name == "a"


def test_evidence_is_the_weighted_mean_even_beyond_the_floats() -> None:
    values = np.full(len(TESTS.bets.owner), 5000.0)
    values[TESTS.bets.of(2)] = -np.inf  # a signal that never had a row
    values[TESTS.bets.of(0)] = np.linspace(0, 9000, TESTS.bets.of(0).stop)
    evidence = log_evidence(TESTS.bets, values)
    assert evidence[1] == 5000
    assert evidence[2] == -np.inf
    assert best_bet(TESTS.bets, values, 0) == TESTS.bets.of(0).stop - 1
    assert np.argmax(shares(TESTS.bets, evidence)) == 0
    assert np.isclose(shares(TESTS.bets, evidence).sum(), 1)
