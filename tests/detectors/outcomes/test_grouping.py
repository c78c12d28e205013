"""Groups of features: what a row's bytes say, compared with a plain search among the reference's bins."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from driftbus.detectors.counting.absent import INVALID, MISSING, NULL
from driftbus.detectors.counting.bins import bins_of, profile_of, with_far
from driftbus.detectors.counting.segments import Coded
from driftbus.detectors.outcomes.grouping import ABSENT, GROUPS, Grouping
from driftbus.schemas.stored.outcomes import MOST_GROUPS
from driftbus.schemas.stored.reference import AvailabilityProfile, CategoricalProfile, NumericProfile, ProfiledField, Role

ABSENCES = np.array([NULL, INVALID, MISSING], dtype=np.uint64).view(np.float64)
NO_TEXTS = Coded([], [])


def field(name: str, values: NumericProfile | CategoricalProfile | None, role: Role = "feature") -> ProfiledField:
    kind: Any = "numeric" if isinstance(values, NumericProfile) else "categorical"
    return ProfiledField(name=name, role=role, type=kind, values=values, availability=AvailabilityProfile(counts=(1, 0, 0, 0)))


def of_numbers(profile: NumericProfile, values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return Grouping([field("x", profile)], 1).codes(values[:, None], NO_TEXTS)[:, 0]


LAWS: dict[str, Callable[[np.random.Generator], np.ndarray[Any, Any]]] = {
    "normal": lambda draw: draw.normal(0, 1, 5_000),
    "heavy-tailed": lambda draw: draw.standard_cauchy(5_000),
    "mostly zero": lambda draw: draw.exponential(1, 5_000) * (draw.random(5_000) < 0.05),
    "zero in the middle": lambda draw: draw.normal(0, 1, 5_000) * (draw.random(5_000) < 0.5),
    "two values": lambda draw: draw.integers(0, 2, 5_000).astype(np.float64),
    "two heaps": lambda draw: draw.normal(0, 1, 5_000) + 1e6 * draw.integers(0, 2, 5_000),
    "constant": lambda draw: np.full(5_000, 7.0),
    "one row": lambda draw: np.array([3.0]),
}


@pytest.mark.parametrize("law", LAWS)
def test_groups_are_whole_bins_in_order_of_about_equal_mass(law: str) -> None:
    values = LAWS[law](np.random.default_rng(0))
    profile = profile_of(values)
    codes = of_numbers(profile, values)
    bins = bins_of(profile, values)
    assert len(set(zip(bins.tolist(), codes.tolist(), strict=True))) == len(set(bins.tolist()))  # of a bin all rows in one group
    rows = np.bincount(codes, minlength=1)
    if profile.gap is None:
        order = np.argsort(values, kind="stable")
        assert (np.diff(codes[order].astype(int)) >= 0).all()
    heavy = np.array(profile.counts) * GROUPS >= len(values)
    for bin_ in np.flatnonzero(heavy).tolist():
        assert len(set(bins[codes == codes[bins == bin_][0]].tolist())) == 1  # a heavy one is a group by itself
    light = rows[[g for g in range(len(rows)) if rows[g] and not heavy[bins[codes == g]].any()]]
    assert (light <= 1.5 * len(values) / GROUPS).all()
    assert Grouping([field("x", profile)], 1).features[0].groups <= MOST_GROUPS


def test_what_lies_beyond_joins_the_ends_and_what_lies_between_is_by_itself() -> None:
    profile = with_far(profile_of(LAWS["two values"](np.random.default_rng(0))))
    assert profile.gap is not None
    assert Grouping([field("x", profile)], 1).features[0].groups == 3
    codes = of_numbers(profile, np.array([-1e30, -2.0, 0.0, 0.5, 1.0, 2.0, 1e30, *ABSENCES]))
    assert codes.tolist() == [0, 0, 0, 2, 1, 1, 1, ABSENT, ABSENT, ABSENT]


numbers = st.one_of(st.sampled_from([0.0, 1.0, -1e300, 1.7e308, 5e-324]), st.floats(allow_nan=False, allow_infinity=False))


@given(arrays(np.float64, st.integers(1, 80), elements=numbers), arrays(np.float64, st.integers(0, 20), elements=numbers))
def test_whatever_the_numbers_each_has_a_group(reference: np.ndarray[Any, Any], values: np.ndarray[Any, Any]) -> None:
    profile = profile_of(reference)
    grouping = Grouping([field("x", profile)], ["x"])
    codes = grouping.codes(values[:, None], NO_TEXTS)
    assert codes.shape == (len(values), 1)
    assert (codes < grouping.features[0].groups).all()


def test_the_commonest_categories_are_groups_and_all_others_one() -> None:
    names = tuple("abcdefg")
    profile = CategoricalProfile(categories=names, counts=(1, 50, 3, 20, 10, 9, 1, 0))
    few = CategoricalProfile(categories=("yes", "no"), counts=(5, 5, 0))
    grouping = Grouping([field("many", profile), field("few", few), field("none", None)], 20)
    assert [(one.name, one.groups) for one in grouping.features] == [("many", 5), ("few", 3)]
    texts = Coded(
        [np.arange(9), np.arange(9) % 4, np.zeros(9, dtype=np.int64)], [[*names, "new", NULL], ["no", "yes", "maybe", MISSING], [0]]
    )
    codes = grouping.codes(np.zeros((9, 0)), texts)
    assert codes[:, 0].tolist() == [4, 0, 4, 1, 2, 3, 4, 4, ABSENT]
    assert codes[:, 1].tolist() == [0, 1, 2, ABSENT, 0, 1, 2, ABSENT, 0]


def test_features_are_those_that_are_named_or_the_first() -> None:
    profile = profile_of(np.arange(100.0))
    fields = [field(name, profile, "score" if name == "s" else "feature") for name in "sabc"]
    assert [one.name for one in Grouping(fields, 2).features] == ["a", "b"]
    assert [one.name for one in Grouping(fields, ["c", "gone", "a", "s"]).features] == ["c", "a"]
    assert Grouping(fields, 0).name == ""
    row = np.array([[0.0, 10.0, 50.0, 99.0]])
    assert Grouping(fields, ["c", "a"]).codes(row, NO_TEXTS).tolist() == [[4, 0]]


def test_groupings_have_one_name_if_bytes_mean_the_same() -> None:
    profile, other = profile_of(np.arange(100.0)), profile_of(np.arange(100.0) + 1)
    names = {
        Grouping([field("a", profile)], 1).name,
        Grouping([field("a", profile), field("b", profile)], ["a"]).name,
        Grouping([field("a", other)], 1).name,
        Grouping([field("b", profile)], 1).name,
        Grouping([field("a", profile), field("b", profile)], 2).name,
    }
    assert len(names) == 4
