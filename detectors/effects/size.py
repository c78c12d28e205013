"""An effect with its importance."""

from typing import NamedTuple

from ...schemas.drift import Effect


class Size(NamedTuple):
    """An effect, and the largest of its parts in units of the bound from which on it is important."""

    effect: Effect
    ratio: float


def rounded(value: float) -> float:
    """As it stands in events: six significant digits.

    >>> rounded(0.123456789)
    0.123457
    """
    return float(f"{value:.6g}")
