"""By how long a stretch of time causes are looked for: what follows from a reference, a pane and a season."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftbus.consumers.streams.grain import grain
from driftbus.schemas.configuration import HOUR_MS, pane_length
from driftbus.schemas.stored.reference import Reference

MINUTE, DAY = 60_000, 24 * HOUR_MS


def reference(rows: int, length: int | None) -> Reference:
    """So many rows in so many ms."""
    times = {} if length is None else {"first": 0, "last": length}
    return Reference(model="m", version="1", rows=rows, fields=(), **times)


@pytest.mark.parametrize(
    ("pane", "rows", "length", "season", "expected"),
    [
        ("10s", 100_000, HOUR_MS, None, MINUTE),  # 28 rows a second
        ("10s", 3_600, HOUR_MS, None, 10 * MINUTE),  # 1 row a second: 500 s
        ("10s", 1_000_000, 2 * DAY, None, HOUR_MS),  # it spans two days
        ("10s", 1_000_000, DAY, "day", HOUR_MS),
        ("10s", 1_000_000, DAY, "week", 8 * HOUR_MS),
        ("45s", 100_000, HOUR_MS, None, 15 * MINUTE),  # the first that is a whole number of panes
        ("7s", 100_000, HOUR_MS, None, 63_000),  # none is
        ("1h", 100, 10 * DAY, None, DAY),  # 10 rows a day: a day is enough
        ("1d", 10_000_000, DAY, None, DAY),
        ("10s", 100, None, None, MINUTE),
        ("500 rows", 100, None, None, 500_000),
    ],
)
def test_the_rule(pane: str, rows: int, length: int | None, season: str | None, expected: int) -> None:
    assert grain(reference(rows, length), pane_length(pane), season) == expected  # type: ignore[arg-type]  # one of the two


def test_a_rate_that_is_configured_stands_for_times() -> None:
    assert grain(reference(100, None), pane_length("10s"), rate=1.0) == 10 * MINUTE


@given(st.integers(1, 3 * DAY), st.integers(1, 10**9), st.integers(1, 400 * DAY))
def test_whole_panes_never_much_longer_than_needed(pane: int, rows: int, length: int) -> None:
    found = grain(reference(rows, length), pane_length(f"{pane}ms"))
    assert found % pane == 0
    assert found >= MINUTE
    assert found <= max(DAY, pane + DAY)
