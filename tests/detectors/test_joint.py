"""The joint distance: the same in whatever batches, and told of what neither fields nor pairs tell."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftbus.detectors.betting.companions import Companions
from driftbus.detectors.counting import Counting
from driftbus.detectors.counting.bins import profile_of
from driftbus.detectors.counting.joint import Distance, Moments, extended
from driftbus.detectors.counting.layout import layout
from driftbus.detectors.counting.ranks import RANK_SCALE, Ranks

from ..benchmarks.pairs import JOINT, compiled, events, linked, reference_of

X = linked(0.8)(np.random.default_rng(1), 3_000)[:, :4]
RANKS = Ranks([profile_of(column) for column in X.T])
SCORES = RANKS.at(RANKS.places(X))
MOMENTS = Moments(4)
MOMENTS.add(SCORES)
REFERENCE = reference_of(X, joint=True)


def test_the_second_score_is_large_at_both_ends_and_of_variance_one() -> None:
    second = extended(SCORES)[:, 4:] / RANK_SCALE
    assert second.mean(axis=0) == pytest.approx(np.zeros(4), abs=0.01)
    assert second.std(axis=0) == pytest.approx(np.ones(4), abs=0.02)
    assert second[SCORES[:, 0].argmin(), 0] == pytest.approx(5**0.5, abs=0.15)


def test_along_its_axes_the_reference_is_uncorrelated() -> None:
    along = extended(SCORES) @ MOMENTS.axes() / 2**12 / RANK_SCALE
    np.testing.assert_allclose(along.T @ along / len(along), np.eye(8), atol=0.01)
    assert float((Distance(MOMENTS.axes()).of(SCORES) ** 2).mean()) == pytest.approx(1, abs=0.01)


def test_a_field_that_is_another_s_copy_makes_no_distance_infinite() -> None:
    twice = np.concatenate((SCORES, SCORES[:, :1]), axis=1)
    moments = Moments(5)
    moments.add(twice)
    parted = twice[:1].copy()
    parted[0, 4] = -parted[0, 4]
    distance = Distance(moments.axes())
    assert np.isfinite(distance.of(twice)).all()
    assert distance.of(parted)[0] > 1.5 * distance.of(twice)[0]


@settings(max_examples=20)
@given(seed=st.integers(0, 99), cuts=st.sets(st.integers(1, 1_399), max_size=4))
def test_no_batch_shows_in_what_is_counted(seed: int, cuts: set[int]) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(1_400, 4)) * 2
    x[rng.random(x.shape) < 0.05] = np.nan
    counting = Counting(REFERENCE)
    whole = counting.count(x, [])
    bounds = [0, *sorted(cuts), 1_400]
    parts = [counting.count(x[a:b], []) for a, b in itertools.pairwise(bounds)]
    for place in (0, 1):
        assert np.sum([part[place] for part in parts], axis=0).tolist() == whole[place].tolist()
    signal = layout(REFERENCE).find("(joint distance)", "joint distance")
    assert signal is not None
    assert int(whole[0][signal.span].sum()) == int((~np.isnan(x).any(axis=1)).sum())


@pytest.mark.parametrize("name", JOINT)
def test_what_no_pair_sees_is_found(name: str) -> None:
    before, behind = JOINT[name]
    rng = np.random.default_rng(2)
    reference = reference_of(before(rng, 10_000), joint=True)
    assert not list(events(reference, before, rng, 5_000))
    rows, opened = next(events(reference, behind, rng, 6_000))
    assert [signal.name for signal in opened.signals] == ["(joint distance)"]
    assert rows <= 4_000


def test_the_joint_distance_is_silent_beside_any_number_or_pair() -> None:
    signals = compiled(REFERENCE).bets.signals
    place = {(signal.name, signal.of): index for index, signal in enumerate(signals)}
    companions, joint = Companions(signals), place["(joint distance)", "joint distance"]
    assert companions.tested([])[joint]
    for leader in (place["f2", "values"], place["f0 × f1", "pair"]):
        assert not companions.tested([leader])[joint]
        assert companions.blamed([leader, joint]) == {leader}
    assert companions.tested([place["f2", "availability"]])[joint]
