"""What is said of a signal's change."""

from typing import NamedTuple

from ...schemas.messages.drift import Effect, Histogram, Statistics


class Change(NamedTuple):
    """An effect, and the largest of its parts in units of the bound from which on it is important; then and now."""

    effect: Effect
    ratio: float
    rows: int
    reference: Histogram = Histogram()
    current: Histogram = Histogram()
    was: Statistics | None = None
    now: Statistics | None = None


def rounded(value: float) -> float:
    """As it stands in events: six significant digits.

    >>> rounded(0.123456789)
    0.123457
    """
    return float(f"{value:.6g}")
