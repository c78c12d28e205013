"""Magnitudes and repeated values against a loop that a reader can check, in whatever parts and order the rows come."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from driftbus.consumers.decode.interface import MARKS
from driftbus.detectors.counting import closely
from driftbus.detectors.counting.bins import profile_of
from driftbus.detectors.counting.closely import MOST_REPEATED, SHARED, Looked
from driftbus.detectors.counting.magnitudes import (
    LEAST_MANTISSA,
    MOST_MANTISSA,
    Magnitudes,
    bounds_of,
    cells_of,
    coarser,
    mantissa,
    quantiles,
)
from driftbus.detectors.counting.sampling import drawn
from driftbus.detectors.counting.sparse import merged

Floats = NDArray[np.float64]

ABSENT = [float(np.array(bits, dtype=np.uint64).view(np.float64)) for bits in MARKS]
EXTREME = [0.0, -0.0, 5e-324, -5e-324, 1.7e308, -1.7e308, float(np.finfo(np.float64).max), 1.0, -1.0, 0.1]
finite = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from(EXTREME)
value = finite | st.integers(-3, 3).map(float) | st.sampled_from(ABSENT)
bits = st.integers(LEAST_MANTISSA, MOST_MANTISSA)


@st.composite
def tables(draw: st.DrawFn) -> Floats:
    """Rows by field: of any kind, of few values, constant, without a value."""
    rows, fields = draw(st.integers(0, 90)), draw(st.integers(1, 3))
    kinds = st.sampled_from([value, st.integers(-1, 1).map(float), st.just(7.25), st.sampled_from(ABSENT)])
    columns = [draw(st.lists(draw(kinds), min_size=rows, max_size=rows)) for _ in range(fields)]
    return np.array(columns, dtype=np.float64).reshape(fields, rows).T


def naive_cells(column: Floats, mantissa_: int) -> dict[int, int]:
    """Value by value, by the power of two and the part of it."""
    return dict(Counter(int(cells_of(np.array([one]), mantissa_)[0]) for one in column.tolist() if not math.isnan(one)))


def naive_repeated(column: Floats) -> dict[float, int]:
    there = [one + 0.0 for one in column.tolist() if not math.isnan(one)]
    shared = [(value, rows) for value, rows in Counter(there).items() if len(there) <= SHARED or rows >= max(2, len(there) / SHARED)]
    return dict(sorted(shared, key=lambda each: (-each[1], each[0]))[:MOST_REPEATED])


def plain(found: NDArray[np.int64]) -> dict[int, int]:
    assert (np.diff(found[0]) > 0).all()
    return dict(zip(*found.tolist(), strict=True))


def named(found: NDArray[np.int64]) -> dict[float, int]:
    return dict(zip(np.ascontiguousarray(found[0]).view(np.float64).tolist(), found[1].tolist(), strict=True))


@given(table=tables(), cut=st.integers(0, 90), mantissa_=bits)
def test_any_parts_come_to_what_a_loop_counts(table: Floats, cut: int, mantissa_: int) -> None:
    looked, offsets = Looked(), np.arange(len(table))
    for part in (slice(cut, None), slice(cut)):
        looked.add("pane", table[part], offsets[part])
    told = looked.told("pane", dict.fromkeys(range(table.shape[1]), mantissa_), len(table))
    for column, cells, repeated in zip(table.T, told.magnitudes, told.repeated, strict=True):
        assert plain(cells) == naive_cells(column, mantissa_)
        assert named(repeated) == naive_repeated(column)
    assert not any(
        array.size for array in (*looked.told("pane", {0: mantissa_}, 1).magnitudes, *looked.told("other", {0: mantissa_}, 1).repeated)
    )


@given(cut=st.integers(1, 999), most=st.integers(1, 2_000), one_in=st.integers(1, 3))
def test_of_too_many_rows_the_same_stay_whatever_the_parts(cut: int, most: int, one_in: int) -> None:
    rows, offsets = np.arange(2_000.0).reshape(1_000, 2), np.arange(1_000)
    found = []
    for parts in ([slice(None)], [slice(cut, None), slice(cut)]):
        looked = Looked(most)
        for part in parts:
            looked.add("a", rows[part], offsets[part], one_in)
            looked.add("b", rows[part][offsets[part] < 5], offsets[part][offsets[part] < 5], one_in)
        found.append([looked.told(name, {0: 9, 1: 9}, 1_000).magnitudes[0] for name in "ab"])
    whole, parted = found
    assert [each.tolist() for each in whole] == [each.tolist() for each in parted]
    times = int(np.gcd.reduce(whole[0][1]))
    assert whole[0][1].sum() == times * drawn(offsets, 1 / (one_in * max(times, 1))).sum()


@given(cut=st.integers(1, 999), most=st.integers(0, 1_200), one_in=st.integers(1, 3), kept=st.integers(500, 4_000))
def test_of_a_pane_so_many_rows_are_looked_at_whatever_the_parts(cut: int, most: int, one_in: int, kept: int) -> None:
    rows, offsets, found = np.arange(2_000.0).reshape(1_000, 2), np.arange(1_000), []
    for parts in ([slice(None)], [slice(cut, None), slice(cut)]):
        looked = Looked(kept)
        for part in parts:
            looked.add("a", rows[part], offsets[part], one_in)
        found.append(looked.told("a", {0: 9, 1: 9}, most).magnitudes[0])
    whole, parted = found
    assert whole.tolist() == parted.tolist()
    times = max(1, int(np.gcd.reduce(whole[1])))
    assert whole[1].sum() // times <= most
    assert whole[1].sum() == times * drawn(offsets, 1 / (one_in * times)).sum() or not whole.size
    assert times == 1 or drawn(offsets, 2 / (one_in * times)).sum() > min(most, kept // 2), "no more went than had to"


@given(values=st.lists(finite, min_size=1, max_size=50), mantissa_=bits)
def test_cells_hold_their_values_in_order(values: list[float], mantissa_: int) -> None:
    column = np.sort(np.array(values))
    cells = cells_of(column, mantissa_)
    low, high = bounds_of(cells, mantissa_)
    assert (np.diff(cells) >= 0).all()
    assert ((low <= column) & (column <= high)).all()
    assert np.isfinite([low, high]).all()


@given(values=st.lists(finite, max_size=50), mantissa_=bits)
@example(values=[2.3e-309], mantissa_=4)
@example(values=[-2.3e-309, 0.0, 5e-324, 1e-300], mantissa_=9)
def test_quantiles_lie_within_a_cell_of_the_exact_ones(values: list[float], mantissa_: int) -> None:
    column, shares = np.sort(np.array(values)), np.array([0.0, 0.05, 0.5, 0.95, 1.0])
    found = quantiles(magnitudes_of(column, mantissa_), mantissa_, shares)
    if not values:
        assert np.isnan(found).all()
        return
    exact = column[np.minimum((shares * len(column)).astype(int), len(column) - 1)]
    low, high = bounds_of(cells_of(exact, mantissa_), mantissa_)
    normal = np.abs(exact) >= np.finfo(np.float64).tiny
    assert ((low <= found) & (found <= high))[normal].all()
    assert not found[~normal].any(), "what no difference can be divided by is 0"


@given(values=st.lists(finite, max_size=50), by=st.integers(0, 5))
def test_coarser_cells_are_those_of_fewer_bits(values: list[float], by: int) -> None:
    fine, coarse = (magnitudes_of(np.array(values), bits_) for bits_ in (9, 9 - by))
    found = coarser(fine, by)
    assert [found.cells.tolist(), found.rows.tolist()] == [coarse.cells.tolist(), coarse.rows.tolist()]


def magnitudes_of(column: Floats, mantissa_: int) -> Magnitudes:
    return Magnitudes(*np.unique(cells_of(column, mantissa_), return_counts=True))


def test_panes_add_up() -> None:
    table = np.random.default_rng(0).normal(100, 20, (900, 1)).round(1)
    parts = []
    for part in (slice(0, 300), slice(300, 900)):
        looked = Looked()
        looked.add("", table[part], np.arange(900)[part])
        parts.append(looked.told("", {0: 5}, 1_000).magnitudes[0])
    assert plain(merged(parts)) == naive_cells(table[:, 0], 5)
    assert merged([]).shape == (2, 0)


def test_values_that_are_all_over_have_fewer_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(closely, "MOST_CELLS", 40)
    looked = Looked()
    looked.add("", np.logspace(-300, 300, 1_000)[:, None], np.arange(1_000))
    cells = looked.told("", {0: 9}, 1_000).magnitudes[0]
    assert 20 < cells.shape[1] <= 40
    assert cells[1].sum() == 1_000


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(-10_000.0, 100_000.0, 4), (20_000.0, 100_000.0, 5), (-71.0, -70.0, 9), (5.0, 5.0, 9), (-1e308, 1e308, 4), (0.0, 0.0, 9)],
)
def test_bits_tell_a_field_apart(low: float, high: float, expected: int) -> None:
    assert mantissa(profile_of(np.linspace(low / 2, high / 2, 1_001) * 2)) == expected
