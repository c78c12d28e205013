"""Layouts follow from a basis alone, and a basis says no to what cannot be counted by."""

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from driftbus.detectors.outcomes.basis import of_categories, of_numbers
from driftbus.detectors.outcomes.counting import log_losses
from driftbus.detectors.outcomes.layout import NAMES, layout
from driftbus.detectors.outcomes.values import NONE, UNIT, Classes, numbers_of, value_of_class, values_of_numbers
from driftbus.schemas.integers import LONGEST
from driftbus.schemas.stored.outcomes import MOST_CLASSES, MOST_FEATURES, GroupedFeature, OutcomeBasis
from tests.detectors.outcomes.rows import EVERY

every_task = pytest.mark.parametrize("basis", EVERY.values(), ids=EVERY)


@every_task
def test_sections_stand_one_behind_the_other(basis: OutcomeBasis) -> None:
    found = layout(basis)
    spans = [section.span for section in found.sections.values()]
    assert [span.start for span in spans] == [0, *(span.stop for span in spans[:-1])]
    assert spans[-1].stop == found.size
    assert found.arrivals in [span.stop for span in spans]


@every_task
def test_a_basis_is_the_same_when_it_is_read_again(basis: OutcomeBasis) -> None:
    again = OutcomeBasis.model_validate_json(basis.model_dump_json())
    assert again == basis
    assert layout(again) == layout(basis)


def test_every_section_is_named() -> None:
    assert frozenset(name for basis in EVERY.values() for name in layout(basis).sections) == NAMES


def test_room_for_inner_rows_is_asked_for() -> None:
    without, with_ = (layout(OutcomeBasis(task="binary", inner=inner)) for inner in (False, True))
    assert with_.sections.keys() - without.sections.keys() == {f"inner {name}" for name in ("rows", "y", "yy", "r", "rr", "hh", "hy", "hr")}


def test_the_largest_layout_can_travel() -> None:
    features = tuple(GroupedFeature(name=str(place), groups=16) for place in range(MOST_FEATURES))
    classes = tuple(map(str, range(MOST_CLASSES)))
    assert layout(OutcomeBasis(task="category", classes=classes, features=features, inner=True)).size < LONGEST


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"task": "category"}, "0 classes"),
        ({"task": "binary", "classes": ("a",)}, "1 classes"),
        ({"task": "category", "classes": ("a", "a")}, "twice"),
        ({"task": "binary", "edges": (1.0,)}, "edges"),
        ({"task": "number", "edges": (1.0, 1.0)}, "larger"),
        ({"task": "number", "losses": (2, 1)}, "larger"),
        ({"task": "number", "scale": 0.0}, "greater than 0"),
        ({"task": "number", "scale": float("inf")}, "finite"),
        ({"task": "number", "centre": float("nan")}, "finite"),
        ({"task": "binary", "features": ({"name": "a"}, {"name": "a"})}, "twice"),
        ({"task": "binary", "own": ("a", "a")}, "twice"),
    ],
)
def test_what_cannot_be_counted_by_is_refused(fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        OutcomeBasis.model_validate(fields)


@given(st.lists(st.text(max_size=5), min_size=1, max_size=30))
def test_categories_are_told_apart(texts: list[str]) -> None:
    basis = of_categories(texts)
    assert set(basis.classes) == set(texts)
    codes = Classes(basis).of(np.array([value_of_class(text) for text in texts]))
    assert [basis.classes[code] for code in codes.tolist()] == texts
    assert Classes(basis).of(np.array([NONE, -1])).tolist() == [len(basis.classes)] * 2


def test_rarer_categories_are_other() -> None:
    texts = [str(place) for place in range(MOST_CLASSES + 5)] + ["7", "199", "204"]
    basis = of_categories(texts)
    assert len(basis.classes) == MOST_CLASSES
    assert basis.classes[:3] == ("199", "204", "7")


@given(st.lists(st.tuples(st.floats(), st.floats()), max_size=30))
def test_a_number_has_a_basis_if_any_row_is_finite(rows: list[tuple[float, float]]) -> None:
    outcomes, predictions = (np.array([row[side] for row in rows], dtype=np.float64) for side in (0, 1))
    if (np.isfinite(outcomes) & np.isfinite(predictions)).any():
        basis = of_numbers(outcomes, predictions)
        assert layout(basis).size > 0
    else:
        with pytest.raises(ValueError, match="no row"):
            of_numbers(outcomes, predictions)


@given(st.lists(st.floats(), max_size=20))
@example([-0.0])  # whose bits are those of `NONE`
def test_numbers_are_their_values(numbers: list[float]) -> None:
    values = values_of_numbers(np.array(numbers, dtype=np.float64))
    assert NONE not in values.tolist()
    assert np.array_equal(numbers_of(values), np.array(numbers, dtype=np.float64), equal_nan=True)


def test_no_loss_depends_on_a_logarithms_last_digit() -> None:
    """Logarithms differ between machines in it; sums of losses must not. So none lies near the middle between two whole numbers."""
    scores = np.arange(1, UNIT)
    exact = -np.log(scores / UNIT) * UNIT
    assert np.abs(exact - np.floor(exact) - 0.5).min() > 1e-7
    assert (log_losses(scores, np.ones(len(scores), dtype=np.bool_)) == np.rint(exact)).all()


def test_parts_of_equal_mass() -> None:
    rng = np.random.default_rng(7)
    predictions = rng.normal(size=16_000)
    basis = of_numbers(predictions + rng.normal(size=16_000), predictions)
    counts = np.bincount(np.searchsorted(basis.edges, predictions, side="right"))
    assert len(counts) == 16
    assert np.ptp(counts) <= 1
    assert all(low < high for low, high in itertools.pairwise(basis.losses))
