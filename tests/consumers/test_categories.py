"""New categories are told by their names, however the log was cut."""

from pathlib import Path

import numpy as np

from ..replaying import Columns, replayed


def rows(draw: np.random.Generator, number: int, new: tuple[str, ...] = ()) -> Columns:
    known = draw.choice(["DE", "FR", "US"], size=number, p=[0.5, 0.3, 0.2])
    country = np.where(draw.random(number) < 0.05 * bool(new), draw.choice(new or ("",), size=number), known)
    return {"country": country.tolist(), "amount": draw.normal(size=number).tolist()}


def test_new_categories_are_named(tmp_path: Path) -> None:
    draw = np.random.default_rng(1)
    new = ("SE", "SE", "SE", "NO", "NO", "FI", *(f"X{i}" for i in range(3)))
    quiet, live = rows(draw, 10_000), rows(draw, 4_000, new)
    events = replayed(tmp_path, quiet, live).events
    (signal,) = events[0].signals
    assert (signal.name, signal.change) == ("country", "new categories")
    assert signal.effect.new_categories[0] == "SE"
    assert {*signal.effect.new_categories} <= {*new}
