"""Warnings of a reference too short for what it should know."""

from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from driftbus.consumers.reference.building.build import build_reference
from driftbus.consumers.reference.building.columns import Chunk, Column, Key
from driftbus.schemas.configuration import Model
from driftbus.schemas.stored.reference import CategoricalProfile

ROWS = 5_000
DAY_MS = 86_400_000
PHASE = np.arange(ROWS) / ROWS


class Columns:
    """Columns whose rows come evenly over so many days."""

    label = "rows"

    def __init__(self, days: float, **columns: Column) -> None:
        self._columns = {Key("feature", name): column for name, column in columns.items()}
        self._times = (PHASE * days * DAY_MS).astype(np.int64)

    def chunks(self, keys: Sequence[Key] | None = None) -> Iterator[Chunk]:
        yield Chunk(ROWS, self._times, {key: self._columns[key] for key in keys or self._columns})

    def remarks(self) -> Sequence[str]:
        return []


def warned(source: Columns, **settings: object) -> tuple[str, ...]:
    return build_reference(source, "fraud", "1", Model.model_validate(settings)).warnings


def noise(seed: int = 0) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.random.default_rng(seed).normal(size=ROWS)


def test_independent_rows_of_two_days_are_enough() -> None:
    assert not any(warned(Columns(2.01, **{f"f{seed}": noise(seed) for seed in range(20)}), pairs="off"))


def test_less_than_two_days_are_told() -> None:
    (warning,) = warned(Columns(0.25, x=noise()))
    assert warning == (
        "the reference covers 6.0 hours: values that follow the hour of the day are told as drift; "
        "give two days or more, or take a trailing reference (models.fraud.trailing)"
    )


@pytest.mark.parametrize("cycles", [0.5, 0.8, 1, 1.3])
def test_a_cycle_that_is_not_covered_is_told_by_name(cycles: float) -> None:
    (warning,) = warned(Columns(3, steady=noise(1), wave=noise(2) + np.sin(2 * np.pi * (cycles * PHASE + 0.1))), pairs="off")
    assert warning.startswith("the reference shows less than two cycles of wave (")
    assert "give two cycles or more" in warning


def test_a_trend_is_told_of_the_largest_first() -> None:
    columns = {f"f{place}": noise(place) + (0.5 + place / 2) * PHASE for place in range(7)}
    (warning,) = warned(Columns(3, **columns), pairs="off")
    named = [warning.index(f"f{place} (") for place in range(6, 1, -1)]
    assert named == sorted(named)
    assert "and 2 more" in warning


def test_categories_move_too() -> None:
    rare = np.random.default_rng(0).random(ROWS) < 0.1 + 0.3 * PHASE
    source = Columns(3, kind=["rare" if one else "common" for one in rare.tolist()])
    (warning,) = warned(source)
    assert "cycles of kind (" in warning
    profile = build_reference(source, "fraud", "1").fields[0].values
    assert isinstance(profile, CategoricalProfile)
    assert profile.swing == pytest.approx(0.3 / 0.43, rel=0.25)  # in the indicator's sd


@pytest.mark.parametrize("cycles", [2, 3, 10])
def test_cycles_that_are_covered_are_not_told(cycles: float) -> None:
    assert not warned(Columns(cycles + 0.01, wave=noise() + np.sin(2 * np.pi * cycles * PHASE)))


def test_a_reference_that_moves_along_needs_none() -> None:
    assert not warned(Columns(0.25, x=noise() + PHASE), trailing={})
