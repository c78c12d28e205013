"""Bets on the rate of one of two categories, and on change in one direction only."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftbus.detectors.betting import Concession, UnusableDirection
from driftbus.detectors.betting.bet import Bet
from driftbus.detectors.betting.direction import words_of
from driftbus.detectors.betting.rates import TILTS, WEIGHTS, rate
from driftbus.detectors.episodes.step import Suite, start, step
from driftbus.schemas.configuration import Model
from driftbus.schemas.stored.reference import AvailabilityProfile, CategoricalProfile, NumericProfile, ProfiledField, Reference, TextProfile

from .worlds import bucket_of, categorical_field, compiled_for, counts_of, numeric_field, reference_of

DRAW = np.random.default_rng(8)
LATENCY = numeric_field("latency", DRAW.exponential(size=4000))
FAILED = categorical_field("failed", (3600, 400))
MINE = reference_of(LATENCY, FAILED)


def settings(**directions: str) -> Model:
    features = {name: {"direction": direction} for name, direction in directions.items()}
    return Model.model_validate({"false_alarms": "1 per 30d", "rate": 10, "features": features})


def words(tests: Suite, name: str) -> set[str]:
    """Of the bets on a field's values."""
    place = next(i for i, signal in enumerate(tests.bets.signals) if signal.name == name and signal.of == "values")
    return set(tests.bets.words[tests.bets.of(place)])


#: A bet must give something away.
HARDLY = 1e-9


def rates(counts: tuple[int, int], margin: float = HARDLY, **concession: bool) -> list[Bet]:
    profile = CategoricalProfile(categories=("false", "true"), counts=(*counts, 0))
    rows = sum(counts)
    return list(rate(profile, (counts[0] / rows, counts[1] / rows), 1.0, Concession(rows, margin, 0.0, **concession)))


@given(counts=st.tuples(st.sampled_from((1, 3, 500, 10**7)), st.sampled_from((1, 3, 500, 10**7))))
def test_with_hardly_a_margin_the_mean_of_every_bet_is_one(counts: tuple[int, int]) -> None:
    bets = rates(counts)
    assert [bet.weight for bet in bets] == [weight for weight in WEIGHTS for _ in range(2)]
    rarer = counts.index(min(counts))
    share = counts[rarer] / sum(counts)
    for bet in bets:
        assert bet.bins == (rarer,)
        assert share * math.exp(bet.slope + bet.intercept) + (1 - share) * math.exp(bet.intercept) == pytest.approx(1, rel=1e-6)
        assert (bet.slope > 0) == ((bet.words == "more 'true'") == (rarer == 1))


def test_a_rate_moves_by_so_many_sd_and_back_by_the_same_odds() -> None:
    bets = rates((900, 100))
    odds = [math.exp(bet.slope) for bet in bets]  # E inside over E outside: the ratio of the odds
    for tilt, up, down in zip(TILTS, odds[::2], odds[1::2], strict=True):
        target = 0.1 + tilt * 0.3
        assert up == pytest.approx(target * 0.9 / (0.1 * (1 - target)))
        assert down == pytest.approx(1 / up)


def test_of_what_never_came_there_cannot_be_less() -> None:
    assert {bet.words for bet in rates((1000, 0))} == {"more 'true'"}
    assert {bet.words for bet in rates((0, 1000))} == {"fewer 'true'"}
    by_hours = [rates(counts, 0.5, aligned=True) for counts in ((1000, 0), (0, 1000), (400, 600), (999, 1))]
    assert len({tuple(bet.words for bet in bets) for bets in by_hours}) == 1, "references by season have the same bets at every hour"


@pytest.mark.parametrize(
    ("direction", "end", "tail", "rate_"), [("up", "above maximum", "upper", "more"), ("down", "below minimum", "lower", "fewer")]
)
def test_only_bets_of_that_direction_are_left_with_all_the_weight(direction: str, end: str, tail: str, rate_: str) -> None:
    tests = compiled_for(MINE, settings(latency=direction, failed=direction))
    assert words(tests, "latency") == {f"mean {direction}", f"new mass {end}", f"{tail} tail heavier"}
    assert words(tests, "failed") == {f"{rate_} 'c1'"}
    for place, signal in enumerate(tests.bets.signals):
        assert tests.bets.weight[tests.bets.of(place)].sum() == pytest.approx(1), signal.name
    assert {signal.of for signal in tests.bets.signals if signal.name == "latency"} == {"values", "availability"}


def test_a_flag_that_was_never_raised_can_only_rise() -> None:
    never = CategoricalProfile(categories=("false",), counts=(1000, 0), boolean=True)
    always = CategoricalProfile(categories=("true",), counts=(1000, 0), boolean=True)
    assert words_of(never, "up") == words_of(always, "down") == ("new categories",)
    assert words_of(never, "down") == words_of(always, "up") == ()


def opened(direction: str, latency: float, failures: float) -> list[str]:
    """The changes told in 200 buckets of 100 rows, whose latencies are so many times the reference's, and whose failures are so many."""
    tests, draw = compiled_for(MINE, settings(latency=direction, failed=direction)), np.random.default_rng(3)
    state, told = start(tests, 0), list[str]()
    for number in range(200):
        rows = {"latency": latency * draw.exponential(size=100), "failed": (draw.random(100) < failures).astype(np.float64)}
        state, events = step(tests, state, bucket_of(number, counts_of(MINE, rows, 100), 100))
        told += [signal.change for event in events if event.status == "opened" for signal in event.signals]
    return told


def test_a_change_in_the_other_direction_raises_nothing() -> None:
    assert opened("both", 0.5, 0.02)
    assert opened("up", 0.5, 0.02) == opened("down", 2.0, 0.3) == []
    assert "more 'c1'" in opened("up", 1.0, 0.2)
    assert "mean up" in opened("up", 1.5, 0.1)
    assert "fewer 'c1'" in opened("down", 1.0, 0.02)


@pytest.mark.parametrize(
    ("name", "type_", "what"),
    [("colour", "categorical", "colour is categorical and has not two categories"), ("note", "text", "note is text")],
)
def test_what_has_no_direction_is_refused_by_its_key(name: str, type_: str, what: str) -> None:
    reference = with_field(name, type_)
    with pytest.raises(
        UnusableDirection, match=rf"^models\.fraud\.features\.{name}\.direction: up: {what}, so it goes neither up nor down; "
    ):
        compiled_for(reference, settings(**{name: "up"}))
    with pytest.raises(UnusableDirection, match=r"^models\.fraud\.features\.\*\.direction: down: "):
        compiled_for(reference, settings(latency="up", **{"*": "down"}))
    compiled_for(reference, settings(**{"*": "down", name: "both"}))


def with_field(name: str, type_: str) -> Reference:
    """Beside the others one that has no direction."""
    if type_ == "categorical":
        return reference_of(LATENCY, FAILED, categorical_field(name, (100, 200, 300)))
    assert isinstance(LATENCY.values, NumericProfile)
    states = AvailabilityProfile(counts=(4000, 0, 0, 0))
    return reference_of(
        LATENCY, FAILED, ProfiledField(name=name, type="text", values=TextProfile(length=LATENCY.values), availability=states)
    )
