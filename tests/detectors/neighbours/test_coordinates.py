"""Rank space: whole numbers, the same distance by product and field by field, and nothing that it cannot hold."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftbus.detectors.neighbours.coordinates import SCALE, Coordinates, category_field, number_field
from driftbus.detectors.neighbours.distances import NEAREST, Space, by_field

from .tables import Floats, Texts, table

NUMBERS = st.sampled_from([0.0, -0.0, 1.0, 2.0, 2.5, -7.0, 1e300, -1e300, 5e-324, np.nan, np.inf, -np.inf])
VALUES = st.sampled_from(["", "a", "b", "c", None, 3])


@st.composite
def tables(draw: st.DrawFn, least: int = 1) -> tuple[Floats, Texts]:
    rows = draw(st.integers(least, 12))
    numeric = np.array(draw(st.lists(st.lists(NUMBERS, min_size=2, max_size=2), min_size=rows, max_size=rows)))
    return numeric, [draw(st.lists(VALUES, min_size=rows, max_size=rows)) for _ in range(2)]


@settings(max_examples=60, deadline=None)
@given(known=tables(), asked=tables())
def test_products_and_fields_tell_the_same_distances(known: tuple[Floats, Texts], asked: tuple[Floats, Texts]) -> None:
    coordinates = Coordinates.of(*known)
    reference, coded = coordinates.coded(*known), coordinates.coded(*asked)
    exact = by_field(coordinates, coded, reference).sum(axis=1)
    space = Space(coordinates, reference)
    most = min(NEAREST, reference.rows)
    np.testing.assert_array_equal(space.nearest(coded), np.sort(exact, axis=1)[:, :most].sum(axis=1))
    rows, squares = space.ordered(coded)
    np.testing.assert_array_equal(rows[:, :most], np.argsort(exact, axis=1, kind="stable")[:, :most])
    np.testing.assert_array_equal(squares[:, :most], np.sort(exact, axis=1)[:, :most])
    assert (rows[:, most:] == -1).all()


def test_what_float32_does_not_hold_is_computed_in_float64() -> None:
    rng = np.random.default_rng(0)
    numeric = rng.normal(size=(200, 300))
    coordinates = Coordinates.of(numeric, [])
    reference = coordinates.coded(numeric, [])
    asked = coordinates.coded(np.concatenate((numeric[:5] * 1e6, numeric[5:9])), [])
    exact = np.sort(by_field(coordinates, asked, reference).sum(axis=1), axis=1)[:, :NEAREST].sum(axis=1)
    assert exact[0] > 2**24
    np.testing.assert_array_equal(Space(coordinates, reference).nearest(asked), exact)


def test_beyond_the_range_a_number_lies_further_the_further_it_is_up_to_a_bound() -> None:
    values = np.linspace(0, 10, 1_001)
    coordinates = Coordinates.of(values[:, None], [])
    asked = np.array([[-1e300], [-8.0], [-0.001], [0.0], [5.0], [10.0], [10.001], [18.0], [1e300]])
    ranks = coordinates.coded(asked, []).ranks[:, 0] / SCALE
    assert ranks.tolist() == pytest.approx([-4.25, -1.25 - np.log(2), -1.25, -1, 0, 1, 1.25, 1.25 + np.log(2), 4.25], abs=0.005)


@given(values=st.lists(NUMBERS, min_size=1, max_size=20))
def test_ranks_are_monotone(values: list[float]) -> None:
    field = number_field(np.array(values))
    assert (np.diff(field.ranks) >= 0).all()
    assert (np.diff(field.edges) >= 0).all()
    assert field.unit > 0


def test_a_number_that_a_column_of_few_never_had_is_unseen_but_for_its_last_digits() -> None:
    few = np.repeat([1.0, 2.0, 4.0, 0.3], 50)
    coordinates = Coordinates.of(np.stack((few, np.random.default_rng(0).normal(size=200)), axis=1), [])
    asked = np.array([[3.0, 0.1], [4.0, 0.2], [0.1 + 0.2, 99.0], [np.nan, np.nan], [-1.0, 0.0]])
    assert coordinates.coded(asked, []).unseen.tolist() == [[True, False], [False, False], [False, False], [False, False], [True, False]]


def test_rare_categories_are_one_and_then_none_is_unknown() -> None:
    field = category_field([f"v{place // 2}" for place in range(200)])
    assert len(field.codes) == 64
    assert field.others == 65
    assert category_field(["a", "b"]).others == -1


def test_two_values_of_a_seldom_changing_field_are_further_apart() -> None:
    def apart(*values: str) -> int:
        coordinates = Coordinates.of(np.zeros((len(values), 0)), [list(values)])
        coded = coordinates.coded(np.zeros((2, 0)), [["a", "b"]])
        return int(by_field(coordinates, coded.at(slice(1)), coded.at(slice(1, 2)))[0, 0, 0])

    assert apart(*"ab") < apart(*"aaaab") < apart(*"aaaaaaaaab") == apart(*"a" * 99, "b")


def test_rows_of_other_fields_are_refused() -> None:
    coordinates = Coordinates.of(*table(10))
    with pytest.raises(ValueError, match="3 numeric and 2 categorical fields, but the reference has 4 and 2"):
        coordinates.coded(table(5).numeric[:, :3], table(5).texts)
