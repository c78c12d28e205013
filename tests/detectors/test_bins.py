"""Bins: every value has one, and the profile says what numpy says of the same column."""

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import special

from driftbus.detectors.betting.scores import probabilities, scores
from driftbus.detectors.counting.bins import BINS, Filling, bins_of, cut_points, profile_of, widths
from driftbus.schemas.stored.reference import CategoricalProfile, NumericProfile

Floats = NDArray[np.float64]

_FINITE = st.floats(allow_nan=False, allow_infinity=False)
_AWKWARD = st.sampled_from(
    [0.0, -0.0, 5e-324, -5e-324, 1.0, np.nextafter(1.0, 2), 1.7976931348623157e308, -1.7976931348623157e308, 1e-310, 1e9]
)
#: Few distinct values, many of each: atoms, ties, constant columns.
_ATOMS = st.lists(_FINITE | _AWKWARD, min_size=1, max_size=5).flatmap(lambda few: st.lists(st.sampled_from(few), min_size=1, max_size=300))
columns = st.one_of(
    st.lists(_FINITE | _AWKWARD, min_size=1, max_size=300), _ATOMS, st.lists(st.integers(-9, 9), min_size=1, max_size=300)
).map(lambda values: np.array(values, dtype=np.float64))


def regular(profile: NumericProfile) -> list[int]:
    return [b for b in range(len(profile.counts)) if b not in {0, profile.above, profile.gap}]


def _same(column: Floats, value: float) -> NDArray[np.bool_]:
    """Which values may be this one but for their last digits: it reaches as far as theirs, and theirs as far as its own."""
    largest = max(float(np.abs(column).max()), abs(value))
    with np.errstate(over="ignore"):
        return np.abs(column - value) <= 2 * np.maximum(widths(column, largest), widths(np.array([value]), largest))


@given(column=columns)
@example(column=np.array([1.7976931348623157e308, -1.7976931348623157e308]))
def test_a_profile_is_whole(column: Floats) -> None:
    profile = profile_of(column)
    bins = len(profile.counts)
    assert len(profile.bin_of) == len(profile.edges) + 1
    assert all(a < b for a, b in zip(profile.edges, profile.edges[1:], strict=False))
    assert all(map(math.isfinite, [*profile.edges, *profile.values, profile.mean, profile.sd, *profile.quantiles]))
    assert set(profile.bin_of) <= set(range(bins))
    assert len(profile.values) == bins
    assert sum(profile.counts) == len(column)
    assert profile.counts[0] == profile.counts[profile.above] == 0
    assert (profile.gap is None) == (bins == profile.above + 1)
    assert profile.gap is None or profile.counts[profile.gap] == 0
    assert all(profile.counts[b] > 0 for b in regular(profile))
    values = [profile.values[b] for b in regular(profile)]
    assert values == sorted(set(values))
    assert profile.sd > 0
    assert profile.distinct == len(np.unique(column))


@given(column=columns)
def test_counts_are_those_of_the_bins_of_the_values(column: Floats) -> None:
    profile = profile_of(column)
    assert np.bincount(bins_of(profile, column), minlength=len(profile.counts)).tolist() == list(profile.counts)


@given(column=columns, value=_FINITE | _AWKWARD)
def test_a_value_is_where_its_neighbours_say(column: Floats, value: float) -> None:
    profile = profile_of(column)
    (bin_,) = bins_of(profile, np.array([value])).tolist()
    if value not in column and _same(column, value).any():
        return  # it may be another's value, written otherwise
    if value < column.min():
        assert bin_ == 0
    elif value > column.max():
        assert bin_ == profile.above
    elif value in column:
        assert profile.counts[bin_] >= (column == value).sum()
    else:
        assert bin_ in {*regular(profile), profile.gap}


@given(column=columns)
def test_a_frequent_value_is_a_bin_of_its_own(column: Floats) -> None:
    profile = profile_of(column)
    values, counts = np.unique(column, return_counts=True)
    for value, rows in zip(values.tolist(), counts.tolist(), strict=True):
        if rows * BINS >= len(column):
            (bin_,) = bins_of(profile, np.array([value])).tolist()
            same = _same(column, value)
            assert rows <= profile.counts[bin_] <= same.sum()
            assert _same(column, profile.values[bin_])[column == value].all()


@given(column=columns, cuts=st.lists(st.integers(0, 300), max_size=4))
def test_counts_do_not_depend_on_chunks(column: Floats, cuts: list[int]) -> None:
    whole = profile_of(column)
    filling = Filling(column, float(column.min()), float(column.max()))
    for part in np.split(column, sorted(min(c, len(column)) for c in cuts)):
        filling.add(part)
    parts = filling.profile()
    assert parts.counts == whole.counts
    assert parts.edges == whole.edges
    assert parts.mean == pytest.approx(whole.mean, rel=1e-12, abs=1e-12 * float(np.abs(column).max()) + 1e-300)


def test_numbers_are_those_of_numpy() -> None:
    column = np.random.default_rng(3).lognormal(3, 1, 20_000)
    profile = profile_of(column)
    assert profile.mean == pytest.approx(column.mean(), rel=1e-12)
    assert profile.sd == pytest.approx(column.std(), rel=1e-12)
    assert (profile.minimum, profile.maximum) == (column.min(), column.max())
    assert profile.quantiles[3] == np.quantile(column, 0.5, method="inverted_cdf")
    places = bins_of(profile, column)
    means = [column[places == b].mean() for b in regular(profile)]
    np.testing.assert_allclose([profile.values[b] for b in regular(profile)], means, rtol=1e-12)
    assert len(profile.counts) == BINS + 2
    assert np.ptp([profile.counts[b] for b in regular(profile)]) <= 1


def test_a_narrow_column_far_from_zero_keeps_its_spread() -> None:
    column = 1e9 + np.random.default_rng(4).normal(0, 1e-3, 5_000)
    assert profile_of(column).sd == pytest.approx(column.std(), rel=1e-9)


def test_beside_an_atom_the_bins_of_the_rest_hold_as_much_as_usual() -> None:
    draw = np.random.default_rng(5)
    column = np.where(draw.random(10_000) < 0.9, 0.0, draw.exponential(1, 10_000) + 1)
    profile = profile_of(column)
    assert profile.counts[1] == (column == 0).sum()
    assert len(regular(profile)) == 1 + round(BINS * (column > 0).mean())


def test_a_constant_column_has_one_bin() -> None:
    profile = profile_of(np.full(1_000, 7.5))
    assert (profile.counts, profile.values, profile.sd, profile.gap) == ((0, 1_000, 0), (7.5, 7.5, 7.5), 1.0, None)
    assert not scores(profile).any()


def test_what_a_sample_missed_is_counted_all_the_same() -> None:
    filling = Filling(np.zeros(100), 0.0, 2.0)
    filling.add(np.concatenate((np.zeros(990), np.linspace(1, 2, 10))))
    assert (filling.profile().counts, filling.profile().gap) == ((0, 990, 10, 0), None)
    assert filling.profile().values[2] == pytest.approx(1.5)


def test_nothing_to_cut_is_said() -> None:
    with pytest.raises(ValueError, match="none of 2 values is a finite number"):
        profile_of(np.array([np.nan, np.inf]))


def test_edges_hold_the_extremes() -> None:
    edges = cut_points(np.arange(100.0), -5.0, 200.0)
    assert edges[0] == -5.0
    assert edges[-1] == np.nextafter(200.0, np.inf)


@given(column=columns)
def test_scores_are_standardised(column: Floats) -> None:
    profile = profile_of(column)
    p, phi = probabilities(profile), scores(profile)
    assert p.sum() == pytest.approx(1)
    assert (p > 0).all()
    assert np.isfinite(phi).all()
    filled = sum(count > 0 for count in profile.counts)
    for order, row in enumerate(phi, start=1):
        if row.any():
            assert order <= filled - 1
            assert row @ p == pytest.approx(0, abs=1e-9)
            assert row**2 @ p == pytest.approx(1, rel=1e-9)


def test_the_first_score_is_the_normal_score() -> None:
    column = np.random.default_rng(6).normal(size=64_000)
    profile = profile_of(column)
    location = scores(profile)[0]
    assert (np.diff(location[: profile.above]) > 0).all()
    assert np.corrcoef(location[1 : profile.above], profile.values[1 : profile.above])[0, 1] > 0.999
    assert location[1] == pytest.approx(float(special.ndtri(1 / 128)), abs=0.05)


def test_the_gap_stands_at_its_value() -> None:
    column = np.repeat([0.0, 1.0, 10.0], 100)
    profile = profile_of(column)
    assert profile.gap is not None
    below, zero, one, ten, above, gap = scores(profile)[0].tolist()
    assert below < zero < one < gap < ten < above


def test_other_is_a_rare_category() -> None:
    p = probabilities(CategoricalProfile(categories=("a",), counts=(9, 0)))
    assert p[1] == pytest.approx(0.1 / 1.1)
