"""Masked outliers as sums: as the rows themselves they name a broken field, a broken source, or none."""

from collections.abc import Callable

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from driftbus.detectors.neighbours.causes import Causes, causes
from driftbus.detectors.neighbours.cures import Blame
from driftbus.detectors.neighbours.masked import PLACES, SAMPLES, counted, distinct, judged, length, profiles
from driftbus.detectors.neighbours.rows import RowIndex
from driftbus.schemas.stored.familiarity import FamiliarityProfile, MaskProfile

from .tables import Rows, index, table


def profile() -> FamiliarityProfile:
    """Of the index of tables."""
    own, (outliers, cured) = index()[0], index()[0].outliers
    left = own.left(*table(500, seed=9))
    masks = profiles(left, own.masks, own.names, cured)
    counts = {"outliers": outliers, "masks": masks, "pairs": own.outliers_paired}
    return FamiliarityProfile(of="row", kind="row", index="", rows=1, cells=(1, 1, 1), **counts)


def told(change: Callable[[Rows], None], parts: int = 1) -> tuple[Causes, Causes]:
    """By sums of so many runs, and by the rows, where one row in ten is changed."""
    own, fresh = index()[0], table(4_000, seed=1)
    rows = np.arange(0, 4_000, 10)
    changed = fresh.at(rows)
    change(changed)
    fresh.numeric[rows] = changed.numeric
    for column, values in zip(fresh.texts, changed.texts, strict=True):
        column[::10] = values
    outliers = np.flatnonzero(own.cells(*fresh) >= 3)
    chosen = outliers[:: max(1, len(outliers) // 64)]
    total = np.zeros(length(len(own.masks), len(own.pairs)), dtype=np.int64)
    for some in np.array_split(chosen, parts):
        left = own.left(*fresh.at(some))
        total += counted(left, own.masks, own.paired(left))
    rate = len(outliers) / 4_000
    return judged(profile(), total, rate=rate), causes(own, *fresh.at(chosen), rate=rate)


def scaled(rows: Rows) -> None:
    rows.numeric[:, 3] *= 1_000


def unknown(rows: Rows) -> None:
    rows.texts[0][:] = ["never seen"] * len(rows.texts[0])


def station(rows: Rows) -> None:
    rows.numeric[:, 2], rows.numeric[:, 3] = -4.0, 1e9


def cluster(rows: Rows) -> None:
    rows.numeric[:] = [[2.0, 0.1, 1.0, 1_100.0]]
    rows.texts[0][:] = ["k0"] * len(rows.texts[0])


@pytest.mark.parametrize(
    ("change", "blame"),
    [
        (scaled, Blame("field", ("d",))),
        (unknown, Blame("field", ("kind",))),
        (station, Blame("source", ("station",))),
        (cluster, Blame("novelty")),
    ],
)
def test_sums_say_what_the_rows_say(change: Callable[[Rows], None], blame: Blame) -> None:
    by_sums, by_rows = told(change)
    assert by_sums.blame == by_rows.blame == blame
    assert by_sums.fields == pytest.approx(by_rows.fields)
    assert by_sums.sources == pytest.approx(by_rows.sources)
    assert told(change, parts=7)[0] == by_sums


def two(rows: Rows) -> None:
    rows.numeric[:, 3] *= 1_000
    rows.texts[0][:] = ["never seen"] * len(rows.texts[0])


def test_two_fields_that_break_together_are_told_by_sums_alone() -> None:
    """The rows, as they are judged without pairs, seem new: neither field alone makes them familiar."""
    by_sums, by_rows = told(two)
    assert by_sums.blame == Blame("both", ("d", "kind"))
    assert by_sums.pair > 0.85 > 0.3 > max(by_sums.fields.values())
    assert by_rows.blame == Blame("novelty")
    assert told(two, parts=7)[0] == by_sums


def test_an_index_without_pairs_counts_none() -> None:
    """As one that was stored before there were any."""
    own = RowIndex.decoded(index()[0].encoded())
    assert own.pairs == index()[0].pairs != ()
    assert own.outliers_paired == index()[0].outliers_paired
    plain = msgspec.msgpack.decode(index()[0].encoded())
    del plain["pairs"]
    older, rows = RowIndex.decoded(msgspec.msgpack.encode(plain)), table(10)
    left = older.left(*rows)
    assert len(counted(left, older.masks, older.paired(left))) == length(len(older.masks), 0)


def made(rows: int, cured: list[int], places: NDArray[np.int64] | None = None) -> tuple[FamiliarityProfile, NDArray[np.int64]]:
    """Two fields, and counts."""
    usual = tuple(0.9 * most for most in SAMPLES)
    masks = tuple(MaskProfile(name=name, of="field", fields=(name,), cured=1, distinct=usual) for name in "ab")
    own = FamiliarityProfile(of="row", kind="row", index="", rows=1, cells=(1, 1, 1), outliers=50, masks=masks)
    spread = np.bincount(np.arange(sum(cured)) % PLACES, minlength=PLACES) if places is None else places
    return own, np.array([rows, *cured, *spread])


@pytest.mark.parametrize(
    ("rows", "cured", "said"),
    [
        (15, [15, 0], Blame("unknown")),
        (16, [16, 0], Blame("field", ("a",))),
        (16, [12, 0], Blame("unknown")),
        (64, [45, 0], Blame("novelty")),
        (16, [2, 0], Blame("novelty")),
        (64, [60, 60], Blame("either", ("a", "b"))),
    ],
)
def test_of_few_outliers_no_more_is_said_than_is_known(rows: int, cured: list[int], said: Blame) -> None:
    own, counts = made(rows, cured)
    assert judged(own, counts, rate=0.2).blame == said
    assert judged(own, counts, rate=0.03).blame == Blame("unknown")


def test_what_lies_in_one_place_is_new() -> None:
    places = np.zeros(PLACES, dtype=np.int64)
    places[:3] = 20
    own, counts = made(64, [60, 0], places)
    assert judged(own, counts, rate=0.2).blame == Blame("novelty")


def test_counts_of_other_masks_are_refused() -> None:
    own, counts = made(64, [60, 0])
    with pytest.raises(ValueError, match=f"{length(2, 0) - 1} counts of masked outliers, where 2 masks and 0 pairs make {length(2, 0)}"):
        judged(own, counts[:-1], rate=0.2)


def test_no_rows_count_nothing() -> None:
    own = index()[0]
    none = table(0)
    left = own.left(*none)
    assert counted(left, own.masks, own.paired(left)).tolist() == [0] * length(len(own.masks), len(own.pairs))
    assert profiles(own.left(*table(10)), own.masks, own.names, [0] * len(own.masks)) == ()


@given(st.lists(st.integers(0, 50), min_size=1, max_size=30).filter(lambda counts: sum(counts) > 0), st.data())
def test_distinct_places_are_those_of_a_part_of_the_rows(counts: list[int], data: st.DataObject) -> None:
    places = np.array(counts)
    rows = data.draw(st.integers(1, sum(counts)))
    found = float(distinct(places, rows))
    assert 1 - 1e-9 <= found <= min(rows, int(np.count_nonzero(places))) + 1e-9
    assert distinct(places, sum(counts)) == pytest.approx(np.count_nonzero(places))
