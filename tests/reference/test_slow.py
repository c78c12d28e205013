"""What moves slowly, by a trend or a cycle that the reference does not hold twice: such a movement must not hide what was never seen."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from .round_trip import settings
from .test_same_data import LIVE, ROWS, Values, as_csv, as_lines, as_parquet, compared, rows_of, same


def rising(first: float, step: float, noise: float) -> Values:
    """A trend, which goes on in what comes after the reference."""
    return lambda draw, i: first + step * i + noise * float(draw.normal())


def half(broken: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Every other value is broken."""
    turns = iter(range(10 * LIVE))
    return lambda value: broken(value) if next(turns) % 2 else value


def epoch(draw: np.random.Generator, i: int) -> int:
    return 1_767_225_600 + i - int(draw.exponential(600))


def category(draw: np.random.Generator, i: int) -> str:
    """One is replaced by another in the course of the reference."""
    return "new" if draw.random() < 0.1 + 0.8 * min(i / ROWS, 1) else "old"


def tide(draw: np.random.Generator, i: int) -> float:
    """Three quarters of a cycle."""
    return 20 + 10 * float(np.sin(1.5 * np.pi * i / ROWS)) + float(draw.normal())


#: How it is written, its values, and what becomes of half of them.
HIDDEN: dict[str, tuple[Callable[..., str], Values, Callable[[Any], Any]]] = {
    "seconds, milliseconds": (as_lines, epoch, lambda v: v * 1000),
    "ids, none": (as_csv, lambda _, i: 500_000 + 7 * i, lambda _: None),
    "prices, cents": (as_parquet("DOUBLE"), rising(10.0, 0.001, 0.5), lambda v: v * 100),
    "a meter, a default": (as_csv, rising(3_000.0, 0.5, 40.0), lambda _: -9999),
    "a tide, a text": (as_lines, tide, lambda _: "n/a"),
    "a tide, a default": (as_parquet("DOUBLE"), tide, lambda _: -99.0),
    "a category, none": (as_lines, category, lambda _: None),
    "a category, another": (as_lines, category, lambda _: "another"),
}


@pytest.mark.parametrize("name", HIDDEN)
def test_a_slow_movement_hides_nothing_that_was_never_seen(tmp_path: Path, name: str) -> None:
    write, make, broken = HIDDEN[name]
    chosen = settings(tmp_path, {"file": write(tmp_path, rows_of(make, ROWS, 0), same), "time": "at"})
    found, beside = compared(chosen, make, half(broken))
    assert any(each.startswith("x") for each in found)
    assert "steady" in beside
