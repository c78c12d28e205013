"""Values that come again and again, of a feature that has few: which a change at their source would have made new."""

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from ...schemas.stored.reference import NumericProfile
from .evidence import Window
from .groups import bin_of
from .inquiry import Inquiry

Floats = NDArray[np.float64]

#: Repeated values that make a feature one of few values.
_DISCRETE = 0.4


def new_atoms(inquiry: Inquiry, name: str, onset: int) -> float:
    """Of the values that come again and again those that training never repeated; 0 of a feature whose values do not."""
    return _unknown(inquiry, name, _rows(inquiry.behind(onset), name)) if _discrete(inquiry, name) else 0.0


def expected_atoms(inquiry: Inquiry, name: str, image: Callable[[Floats], Floats]) -> float:
    """The same, had all values of the baseline become their images under a map."""
    rows = _rows(inquiry.case.baseline, name)
    if not rows or not _discrete(inquiry, name):
        return 0.0
    with np.errstate(over="ignore"):
        images = image(np.array([*rows], dtype=np.float64))
    return _unknown(inquiry, name, dict(zip(images.tolist(), rows.values(), strict=True)))


def _discrete(inquiry: Inquiry, name: str) -> bool:
    return inquiry.layout.grouped[name].atoms_mass >= _DISCRETE


def _rows(windows: Iterable[Window], name: str) -> dict[float, int]:
    """By repeated value its rows; not of 0, which no scale and no logarithm moves."""
    rows: dict[float, int] = {}
    for window in windows:
        values = window.values.get(name)
        for value, count in ({} if values is None else values.repeated).items():
            rows[value] = rows.get(value, 0) + count
    rows.pop(0.0, None)
    return rows


def _unknown(inquiry: Inquiry, name: str, rows: dict[float, int]) -> float:
    """Of these rows, those with a value that training never repeated."""
    own, profile = inquiry.layout.grouped[name], inquiry.layout.of[name].profile
    assert isinstance(profile, NumericProfile)
    total = sum(rows.values())
    known = sum(count for value, count in rows.items() if bin_of(profile, value) in own.atoms)
    return 0.0 if not total else (total - known) / total
