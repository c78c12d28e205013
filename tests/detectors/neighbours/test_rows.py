"""Familiar rows: uniform p, the same in any batch, and no table that breaks it."""

import hashlib
import itertools
import os
import subprocess
import sys

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftbus.detectors.neighbours.drawing import HELD_OUT, drawn, hashes_of
from driftbus.detectors.neighbours.rows import NOTHING, RowIndex
from driftbus.schemas.form import NewerForm

from .tables import NAMES, SOURCES, Floats, Rows, Texts, index, table
from .test_coordinates import tables

FRESH = table(4_000, seed=1)


def test_of_fresh_rows_as_many_are_flagged_as_the_level_says() -> None:
    cells = index()[0].cells(*FRESH)
    shares = [(cells >= cell).mean() for cell in (1, 2, 3, 4)]
    assert shares == pytest.approx([0.2, 0.05, 0.01, 0.005], rel=0.35)


def test_flags_cells_scores_and_p_tell_the_same() -> None:
    own, report = index()
    exact, flags, cells = own.exact(*FRESH.at(slice(500))), own.flags(*FRESH), own.cells(*FRESH)
    assert report.reference == len(own.rows) == 4_500
    np.testing.assert_array_equal(flags[:500], (exact.p <= 0.05).astype(int) + (exact.p <= 0.005))
    np.testing.assert_array_equal(cells[:500], sum((exact.p <= level).astype(int) for level in (0.2, 0.05, 0.01, 0.005)))
    np.testing.assert_array_equal(exact.scores, own.scores(*FRESH.at(slice(500))))
    np.testing.assert_array_equal(flags, (cells >= 2).astype(int) + (cells >= 4))


@settings(max_examples=10, deadline=None)
@given(cuts=st.sets(st.integers(1, 1_399), max_size=5))
def test_no_batch_shows(cuts: set[int]) -> None:
    own = index()[0]
    rows = FRESH.at(slice(1_400))
    bounds = [0, *sorted(cuts), 1_400]
    parts = [own.flags(*rows.at(slice(a, b))) for a, b in itertools.pairwise(bounds)]
    np.testing.assert_array_equal(np.concatenate(parts), own.flags(*rows))


def test_an_artifact_is_the_same_index_and_the_same_bytes() -> None:
    own = index()[0]
    content = own.encoded()
    again = RowIndex.decoded(content)
    assert again.encoded() == content
    assert (again.names, again.sources, again.masks) == (own.names, own.sources, own.masks)
    some = FRESH.at(slice(300))
    for one, other in zip(again.exact(*some), own.exact(*some), strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(again.masked(*some), own.masked(*some))
    np.testing.assert_array_equal(again.base(), own.base())
    with pytest.raises(NewerForm, match="form 2"):
        RowIndex.decoded(msgspec.msgpack.encode({"form": 2}))
    with pytest.raises(ValueError, match="this is no index of rows"):
        RowIndex.decoded(msgspec.msgpack.encode({"form": 1, "kind": "texts"}))


_CHILD = """
import hashlib
from tests.detectors.neighbours.tables import NAMES, table
from driftbus.detectors.neighbours.rows import RowIndex
own, _ = RowIndex.built(*table(1_500), NAMES)
asked = table(300, seed=1)
print(hashlib.sha256(own.encoded() + own.scores(*asked).tobytes() + own.masked(*asked).tobytes()).hexdigest())
"""


def test_processors_and_threads_do_not_show() -> None:
    own, _ = RowIndex.built(*table(1_500), NAMES)
    asked = table(300, seed=1)
    here = hashlib.sha256(own.encoded() + own.scores(*asked).tobytes() + own.masked(*asked).tobytes()).hexdigest()
    for core, threads in (("Haswell", "1"), ("Sandybridge", "2")):
        environment = {**os.environ, "OPENBLAS_CORETYPE": core, "OPENBLAS_NUM_THREADS": threads, "NPY_DISABLE_CPU_FEATURES": "AVX512F"}
        done = subprocess.run([sys.executable, "-c", _CHILD], env=environment, capture_output=True, text=True, check=True, timeout=60)
        assert done.stdout.strip() == here


def test_the_order_of_a_table_does_not_show() -> None:
    rows = table(800)
    turned = np.random.default_rng(0).permutation(800)
    (one, report), (other, _) = (RowIndex.built(*table_, NAMES) for table_ in (rows, rows.at(turned)))
    np.testing.assert_array_equal(turned[other.rows], one.rows)
    assert not set(report.held_out.tolist()) & set(one.rows.tolist())
    other.rows = one.rows
    assert one.encoded() == other.encoded()


def test_the_nearest_rows_are_those_of_the_data() -> None:
    rows = table(800)
    own, _ = RowIndex.built(*rows, NAMES)
    some = own.rows[:20]
    np.testing.assert_array_equal(own.exact(*rows.at(some)).nearest[:, 0], some)


def test_duplicates_are_left_out() -> None:
    rows = table(900)
    five = rows.at(np.tile(np.arange(900), 5))
    once, five_times = RowIndex.built(*rows, NAMES), RowIndex.built(*five, NAMES)
    assert five_times[0].encoded() == once[0].encoded()
    assert (five_times[1].rows, five_times[1].duplicates) == (4_500, 3_600)


def test_the_newest_rows_are_held_out() -> None:
    times = np.arange(1_000)[::-1].copy()
    found = drawn(hashes_of(*table(1_000)), times)
    assert times[found.held_out].min() > times[found.pool].max()
    assert len(found.held_out) == HELD_OUT * 1_000


def test_classes_have_calibrations_of_their_own_where_they_have_rows_enough() -> None:
    rows = table(4_000)
    classes = ["much" if x > 0.5 else "rare" if x < -2.5 else "little" for x in rows.numeric[:, 0]]
    own, report = RowIndex.built(*rows, NAMES, classes=classes, sources=SOURCES)
    assert own.calibrated.names == (("little", 0), ("much", 0))
    assert report.classes == 2
    fresh = table(4_000, seed=2)
    of = ["much" if x > 0.5 else "little" for x in fresh.numeric[:, 0]]
    flags = own.flags(*fresh, of) > 0
    for name in ("much", "little", "never heard of"):
        chosen = np.array(of) == name
        if chosen.any():
            assert flags[chosen].mean() == pytest.approx(0.05, abs=0.025)
    assert RowIndex.decoded(own.encoded()).encoded() == own.encoded()
    assert own.masked(*fresh.at(slice(50)), of[:50]).shape == (50, len(own.masks))


@settings(max_examples=40, deadline=None)
@given(known=tables(), asked=tables(), classed=st.booleans(), timed=st.booleans())
def test_no_table_breaks_it(known: tuple[Floats, Texts], asked: tuple[Floats, Texts], classed: bool, timed: bool) -> None:
    rows = len(known[0])
    if len(np.unique(hashes_of(*known))) == 1:
        with pytest.raises(ValueError, match=f"{rows} rows, all of them the same"):
            RowIndex.built(*known, "abcd")
        return
    own, report = RowIndex.built(
        *known, "abcd", classes=["x"] * rows if classed else None, times=np.zeros(rows, dtype=np.int64) if timed else None
    )
    n = len(asked[0])
    assert set(own.flags(*asked, ["y"] * n).tolist()) <= {0, NOTHING}  # too few for a level
    exact = own.exact(*asked)
    assert ((exact.p > 0) & (exact.p <= 1)).all()
    assert own.masked(*asked).shape == (n, 4)
    assert np.isfinite(own.base()).all()
    assert RowIndex.decoded(own.encoded()).encoded() == own.encoded()
    assert "distinct held-out rows" in report.warnings[0]


def test_a_row_without_any_value_has_nothing_to_score() -> None:
    nothing = Rows(np.full((2, 4), np.nan), [[None, 3], [None, None]])
    assert index()[0].flags(*nothing).tolist() == [NOTHING, NOTHING]


@pytest.mark.parametrize(("rows", "names"), [(0, NAMES), (5, NAMES[1:]), (5, ())])
def test_a_table_without_rows_or_with_other_names_is_refused(rows: int, names: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=f"{rows} rows of 4 numeric and 2 categorical fields, with {len(names)} names"):
        RowIndex.built(*table(rows), names)


def test_constant_columns_and_two_hundred_of_them() -> None:
    rng = np.random.default_rng(0)
    numeric = np.concatenate((np.full((700, 100), 3.0), rng.normal(size=(700, 100))), axis=1)
    own, _ = RowIndex.built(numeric, [["same"] * 700], [f"f{place}" for place in range(201)])
    other = numeric[:40].copy()
    other[:, 3:9] = 4.0
    assert (own.flags(other, [["same"] * 40]) > 0).mean() > 0.9
    other[:, 7] = 3.0
    assert own.masked(other[:4], [["same"] * 4]).shape == (4, 201)
