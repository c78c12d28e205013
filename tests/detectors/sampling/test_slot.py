"""Drawing a slot: against brute force, and what it promises of probabilities and of merging."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftbus.detectors.sampling.chance import draws, unit
from driftbus.detectors.sampling.slot import GROWS, draw, needed

Numbers = np.ndarray[Any, np.dtype[np.float64]]
CHANCES = st.lists(st.sampled_from([0.1, 0.25, 0.5, 0.75, 1.0]) | st.floats(1e-9, 1.0), max_size=24)
WEIGHTS = st.sampled_from([0.2, 0.225, 0.5, 1.5, 3.0])


@st.composite
def slots(drawing: st.DrawFn) -> tuple[Numbers, Numbers, int, int]:
    """Few rows and many, equal chances among them; a budget of none, of some, of more than there are."""
    chances = np.array(drawing(CHANCES))
    weights = np.array([drawing(WEIGHTS) for _ in chances])
    cases = drawing(st.integers(0, 12))
    return chances, weights, cases, drawing(st.integers(0, 12))


def by_brute_force(chances: Numbers, weights: Numbers, cases: int, uniform: int) -> set[int]:
    """Row by row, as it is written down."""
    uniform = min(cases, uniform)
    order = sorted(range(len(chances)), key=lambda row: (chances[row], row))
    first, rest = order[:uniform], order[uniform:]
    rest.sort(key=lambda row: chances[row] / weights[row])
    return {*first, *rest[: cases - uniform]}


@given(slots())
def test_so_many_are_drawn_as_are_asked_for_and_those_that_brute_force_draws(slot: tuple[Numbers, Numbers, int, int]) -> None:
    chances, weights, cases, uniform = slot
    drawn = draw(chances, weights, cases, uniform)
    assert len(drawn.rows) == len(set(drawn.rows.tolist())) == min(cases, len(chances))
    assert set(drawn.rows.tolist()) == by_brute_force(chances, weights, cases, uniform)
    assert drawn.uniform.sum() == min(uniform, cases, len(chances))
    assert ((drawn.probability > 0) & (drawn.probability <= 1)).all()


@given(slots())
def test_a_rows_probability_is_how_often_it_would_be_drawn_by_a_chance_of_its_own(slot: tuple[Numbers, Numbers, int, int]) -> None:
    """Below it the row is drawn, above it not, the chances of all others held fast."""
    chances, weights, cases, uniform = slot
    drawn = draw(chances, weights, cases, uniform)
    for row, probability in zip(drawn.rows.tolist(), drawn.probability.tolist(), strict=True):
        for share, expected in ((0.999, True), (1.001, False)):
            if share * probability > 1:
                continue
            other = chances.copy()
            other[row] = share * probability
            again = draw(other, weights, cases, uniform).rows.tolist()
            assert (row in again) == expected


@given(slots(), st.integers(1, 4), st.randoms(use_true_random=False))
def test_parts_hold_all_that_a_whole_slot_needs(slot: tuple[Numbers, Numbers, int, int], parts: int, chance: Any) -> None:
    """However rows are divided, and though weights grow in between, some more than others."""
    chances, weights, cases, uniform = slot
    uniform = min(uniform, cases)
    part = np.array([chance.randrange(parts) for _ in chances], dtype=np.int64)
    grown = weights * np.array([chance.choice([1.0, 1.5, GROWS]) for _ in chances])
    kept = np.zeros(len(chances), dtype=np.bool_)
    for number in range(parts):
        rows = np.flatnonzero(part == number)
        kept[rows[needed(chances[rows], weights[rows], cases, uniform)]] = True
    rows = np.flatnonzero(kept)
    rows = rows[needed(chances[rows], weights[rows], cases, uniform)]  # and merged
    whole, merged = draw(chances, grown, cases, uniform), draw(chances[rows], grown[rows], cases, uniform)
    assert rows[merged.rows].tolist() == whole.rows.tolist()
    assert merged.probability.tolist() == whole.probability.tolist()
    assert merged.uniform.tolist() == whole.uniform.tolist()


@pytest.mark.parametrize("uniform", [0, 3, 10])
def test_sums_over_what_is_drawn_have_the_sums_over_all_as_their_mean(uniform: int) -> None:
    generator = np.random.default_rng(1)
    weights = generator.choice([0.2, 0.5, 3.0], 60)
    values = generator.normal(0, 1, 60) + weights  # those drawn more often differ
    sums = []
    for _ in range(4_000):
        drawn = draw(generator.random(60), weights, 10, uniform)
        sums.append((values[drawn.rows] / drawn.probability).sum())
    assert abs(np.mean(sums) - values.sum()) < 3 * np.std(sums) / np.sqrt(len(sums))


def test_what_is_kept_is_little() -> None:
    generator = np.random.default_rng(2)
    assert needed(generator.random(100_000), generator.choice([0.2, 0.5, 1.5], 100_000), 10, 3).sum() < 60


def test_chances_are_uniform_and_differ_between_partitions_and_topics() -> None:
    offsets = np.arange(100_000)
    one = unit(draws("t", 0, offsets))
    assert abs(np.histogram(one, 100, (0, 1))[0] - 1_000).max() < 150
    for other in (draws("t", 1, offsets), draws("u", 0, offsets)):
        assert abs(np.corrcoef(one, unit(other))[0, 1]) < 0.02
    assert (draws("t", 0, offsets[500:]) == draws("t", 0, offsets)[500:]).all()
