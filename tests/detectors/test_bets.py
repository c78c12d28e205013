"""No bet gains while nothing has changed, and each is the likelihood ratio that its formula says."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from numpy.typing import NDArray

from driftbus.detectors.betting import TILTS, Concession, availability_shares, two_point
from driftbus.detectors.betting.bet import LOCATION_WEIGHTS
from driftbus.detectors.betting.numbers import SPIKE_SHARE
from driftbus.detectors.betting.scores import probabilities, scores
from driftbus.detectors.episodes.step import Suite
from driftbus.schemas.configuration import Model
from driftbus.schemas.stored.reference import AvailabilityProfile, CategoricalProfile, NumericProfile, Reference

from .worlds import MONTH, categorical_field, compiled_for, numeric_field, reference_of, references

NORMAL = numeric_field("amount", np.random.default_rng(5).normal(size=4000), nulls=40)


def _per_row(tests: Suite) -> list[NDArray[np.float64]]:
    """By signal, the log likelihood ratio of every bet on one row in each of its bins: [bin, bet]."""
    found = []
    for place, signal in enumerate(tests.bets.signals):
        unit = np.zeros((signal.size, tests.layout.size), dtype=np.int64)
        unit[np.arange(signal.size), signal.start + np.arange(signal.size)] = 1
        found.append(np.array([tests.bets.log_ratios(row)[0][tests.bets.of(place)] for row in unit]))
    return found


def _shares(tests: Suite, place: int) -> NDArray[np.float64]:
    signal = tests.bets.signals[place]
    if isinstance(signal.profile, AvailabilityProfile):
        return availability_shares(signal.profile)
    assert isinstance(signal.profile, NumericProfile | CategoricalProfile)
    return probabilities(signal.profile)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(reference=references())
def test_the_mean_of_every_bet_under_the_reference_is_at_most_one(reference: Reference) -> None:
    tests = compiled_for(reference)
    for place, ratios in enumerate(_per_row(tests)):
        means = (_shares(tests, place)[:, None] * np.exp(ratios)).sum(axis=0)
        assert np.isfinite(ratios).all()
        assert means.max() <= 1 + 1e-9
        assert math.isclose(tests.bets.weight[tests.bets.of(place)].sum(), 1, rel_tol=1e-12)
    assert tests.bets.signal_weight.sum() <= 0.6 + 1e-12


def test_the_mean_stays_at_most_one_for_every_tilt_within_the_smallest_effect() -> None:
    smallest = 0.1
    tests = compiled_for(reference_of(NORMAL), MONTH.model_copy(update={"min_effect": smallest}))
    assert isinstance(NORMAL.values, NumericProfile)
    tilted = probabilities(NORMAL.values) * np.exp(smallest * scores(NORMAL.values)[0])
    means = ((tilted / tilted.sum())[:, None] * np.exp(_per_row(tests)[0])).sum(axis=0)
    location = np.array([words.startswith("mean") for words in tests.bets.words[tests.bets.of(0)]])
    assert means[location].max() <= 1 + 1e-3  # to first order: the tilt of .1 sd moves the score's mean by .1
    two_points = np.array([bool(bins) for bins in tests.bets.bins[tests.bets.of(0)]])
    assert means[two_points].max() <= 1


def test_smooth_bets_follow_their_formula() -> None:
    profile = NORMAL.values
    assert isinstance(profile, NumericProfile)
    tests = compiled_for(reference_of(NORMAL), Model.model_validate({"rate": 0.01, "min_effect": 0.05}))
    p, phi = probabilities(profile), scores(profile)[1]
    place = next(k for k, words in enumerate(tests.bets.words) if words == "spread down")
    tilt, margin = TILTS[0], max(0.5, math.log10(0.01 * 30 * 86_400 / 4000))
    psi = math.log((p * np.exp(-tilt * phi)).sum())
    a = max(tilt, math.sqrt((p * (np.exp(-tilt * phi - psi) - 1) ** 2).sum()))
    expected = -tilt * phi - psi - margin * a / math.sqrt(4000) - tilt * 0.05
    np.testing.assert_allclose(_per_row(tests)[0][:, place], expected, rtol=1e-9, atol=1e-12)


def test_dependence_tempers_every_bet() -> None:
    profile = NORMAL.values
    assert isinstance(profile, NumericProfile)
    tempered = NORMAL.model_copy(update={"values": profile.model_copy(update={"tau": (20.0, 1.0, 1.0, 1.0)})})
    plain, slow = (_per_row(compiled_for(reference_of(field))) for field in (NORMAL, tempered))
    mean = next(k for k, words in enumerate(compiled_for(reference_of(NORMAL)).bets.words) if words == "mean up")
    assert np.abs(slow[0][:, mean]).max() < np.abs(plain[0][:, mean]).max() / 15
    # Values never met, and nulls, have no dependence to measure: they inherit the location's.
    below = next(k for k, words in enumerate(compiled_for(reference_of(tempered)).bets.words) if words == "new mass below minimum")
    assert slow[0][0, below] < 0.5 < 2 < plain[0][0, below]
    assert slow[1][1].max() < plain[1][1].max() / 10


def test_what_the_margin_swallows_is_dropped() -> None:
    concession = Concession(rows=1000, margin=3.5, min_effect=0)
    assert not list(two_point(0.01, 0.012, (0,), 1, concession, ""))
    assert not list(two_point(0.5, 0.96, (0,), 1, concession, ""))
    (bet,) = two_point(0.01, 0.2, (0,), 1, concession, "")
    base = 0.01 + 3.5 * math.sqrt(0.01 * 0.99 / 1000)
    assert bet.slope + bet.intercept == pytest.approx(math.log(0.2 / base))
    assert bet.intercept == pytest.approx(math.log(0.8 / (1 - base)))


def test_weights_prefer_location_and_leave_other_a_ninth() -> None:
    tests = compiled_for(reference_of(NORMAL, categorical_field("colour", (500, 300, 200), other=50)))
    values, colour = tests.bets.of(0), tests.bets.of(1)
    by_words = Counter[str]()
    for word, weight in zip(tests.bets.words[values], tests.bets.weight[values].tolist(), strict=True):
        by_words[word] += weight
    assert by_words["mean up"] == pytest.approx(20 * sum(LOCATION_WEIGHTS) / len(LOCATION_WEIGHTS) / 0.2 * by_words["tails heavier"])
    assert by_words["spread up"] == pytest.approx(1.15 / 0.2 * by_words["skew down"])
    assert sum(weight for word, weight in by_words.items() if "values" in word or "value" in word) == pytest.approx(SPIKE_SHARE)
    other = np.array([bins == (3,) for bins in tests.bets.bins[colour]])
    assert tests.bets.weight[colour][other].sum() == pytest.approx(1 / 9)


def test_of_what_a_reference_never_had_there_cannot_be_less() -> None:
    settings = Model.model_validate({"false_alarms": "1 per 1000 rows", "rate": 1})
    full = numeric_field("amount", np.random.default_rng(5).normal(size=4000))
    tests = compiled_for(reference_of(full), settings)
    place = next(i for i, signal in enumerate(tests.bets.signals) if signal.of == "availability")
    assert _per_row(tests)[place][0].max() <= 0  # a row with a value gains nothing
