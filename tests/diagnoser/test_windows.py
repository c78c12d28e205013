"""Windows of rows enough: when they close, which are the baseline, where late evidence goes, and what is kept of the past."""

import itertools
import random
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from driftbus.detectors.diagnosis.sums import MOST_NAMES, Place, Read, Sums, added
from driftbus.detectors.diagnosis.windows import (
    BASELINE,
    BEFORE_A_CHANGE,
    LEAST_BASELINE,
    LEAST_ROWS,
    MOST_AWAITED,
    NEWEST,
    OF_EACH_LENGTH,
    Span,
    Windows,
)


def filled(count: int, *, amiss: tuple[Span, ...] = (), since: int = -1) -> Windows:
    """So many windows of one grain of 10 each."""
    windows = Windows()
    for number in range(count):
        windows.opened(10 * number).sums.rows += LEAST_ROWS
        assert windows.close(10 * number + 10)
        windows.settle([span for span in amiss if span.start <= 10 * number + 10], since)
    return windows


def test_a_window_closes_at_the_first_grain_at_which_it_holds_rows_enough() -> None:
    windows = Windows()
    windows.opened(0).sums.rows += LEAST_ROWS - 1
    assert not windows.close(10)
    windows.opened(10).sums.rows += 1
    assert windows.close(20)
    [window] = windows.newest
    assert (window.start, window.end, window.first) == (0, 20, 0)
    assert not windows.close(30), "nothing is open"


def test_the_baseline_is_the_first_windows_in_which_nothing_was_amiss() -> None:
    windows = filled(BASELINE + 4, amiss=(Span(15, 35),))
    assert [one.first for one in windows.baseline] == [0, *range(4, BASELINE + 3)]
    assert [one.first for one in windows.newest] == [1, 2, 3, BASELINE + 3]
    assert windows.stands
    assert not windows.doubtful


def test_before_a_change_fewer_do() -> None:
    change = Span(10 * BEFORE_A_CHANGE + 5)
    assert not filled(BEFORE_A_CHANGE + 2, amiss=(Span(10 * BEFORE_A_CHANGE - 5),)).stands
    windows = filled(BEFORE_A_CHANGE + 2, amiss=(change,))
    assert [one.first for one in windows.baseline] == list(range(BEFORE_A_CHANGE))


def test_what_is_amiss_again_as_soon_as_it_is_over_has_been_all_along() -> None:
    """An episode of what production is like that ends and opens again: the second is a change, what was before it is the baseline."""
    windows = filled(LEAST_BASELINE + 4, amiss=(Span(0, 10 * LEAST_BASELINE), Span(10 * LEAST_BASELINE)))
    assert [one.first for one in windows.baseline] == list(range(LEAST_BASELINE))
    assert windows.doubtful
    assert not filled(LEAST_BASELINE + 4, amiss=(Span(0, 10 * LEAST_BASELINE), Span(10 * LEAST_BASELINE + 5))).stands


def test_where_something_is_always_amiss_the_first_are_taken_and_that_is_said() -> None:
    windows = filled(MOST_AWAITED, amiss=(Span(0),))
    assert windows.doubtful
    assert [one.first for one in windows.baseline] == list(range(BASELINE))


def test_older_windows_are_merged_in_pairs_until_nothing_is_about_them() -> None:
    windows = filled(BASELINE + NEWEST + 100)
    lengths = [[one.last - one.first + 1 for one in of_length] for of_length in windows.older]
    assert lengths == [[2**place] * len(own) for place, own in enumerate(lengths)]
    assert all(len(own) <= OF_EACH_LENGTH for own in lengths)
    kept = sorted((one.first, one.last) for one in windows.all())
    assert [one for first, last in kept for one in range(first, last + 1)] == list(range(BASELINE + NEWEST + 100)), "none is lost"
    assert sum(one.sums.rows for one in windows.all()) == LEAST_ROWS * (BASELINE + NEWEST + 100)
    short = filled(BASELINE + NEWEST + 100, since=10 * (BASELINE + NEWEST + 60))
    assert min(one.end for of_length in short.older for one in of_length) > 10 * (BASELINE + NEWEST + 60)


@given(st.integers(0, 10 * (BASELINE + NEWEST + 60)))
def test_late_evidence_finds_the_window_that_it_is_about(time: int) -> None:
    windows = filled(BASELINE + NEWEST + 60)
    found = windows.containing(time)
    if time == 0:
        assert found is None
    else:
        assert found is not None
        assert found.start < time <= found.end


def test_what_is_remembered_is_what_was_written() -> None:
    windows = filled(BASELINE + NEWEST + 30, amiss=(Span(15, 35),))
    windows.opened(10**6).sums.rows += 3
    plain, sums = windows.plain()
    again = Windows.restored(plain, sums.__getitem__)
    assert again.plain() == (plain, sums)


def test_a_window_that_does_not_change_is_not_written_again() -> None:
    windows = filled(BASELINE + 3)
    _, before = windows.plain()
    windows.newest[0].sums.rows += 1
    windows.newest[0].changed()
    _, after = windows.plain()
    assert [name for name in before if after[name] is not before[name]] == [f"{BASELINE}-{BASELINE}"]


SPARSE = st.dictionaries(st.integers(-(2**62), 2**62), st.integers(1, 2**40), max_size=5).map(
    lambda own: np.array([sorted(own), [own[key] for key in sorted(own)]], dtype=np.int64)
)
READS = st.builds(
    Read,
    counts=st.lists(st.integers(-(2**40), 2**40), min_size=3, max_size=3).map(lambda own: ((0, np.array(own, dtype=np.int64)),)),
    inside=st.none() | st.lists(st.integers(0, 9), min_size=2, max_size=4).map(lambda own: (1, np.array(own, dtype=np.int64))),
    masked=st.none() | st.lists(st.integers(0, 9), min_size=3, max_size=3).map(lambda own: np.array(own, dtype=np.int64)),
    unseen=st.dictionaries(st.sampled_from("ab"), st.dictionaries(st.text(max_size=2), st.integers(1, 9), max_size=3), max_size=2),
    magnitudes=st.dictionaries(st.sampled_from("ab"), SPARSE, max_size=2),
    repeated=st.dictionaries(st.sampled_from("ab"), SPARSE, max_size=2),
    ages=st.dictionaries(st.sampled_from("ab"), st.tuples(st.integers(0, 2**40), st.integers(0, 2**20)), max_size=2),
)


TRIPLES = st.lists(st.tuples(st.integers(0, 2), st.integers(-(2**62), 2**62), st.integers(-9, 9)), max_size=4)
PAIRS = st.tuples(
    st.lists(st.integers(-(2**40), 2**40), min_size=2, max_size=2).map(lambda own: np.array(own, dtype=np.int64)),
    TRIPLES.map(lambda own: np.array(own, dtype=np.int64).reshape(-1, 3)),
)


@given(st.lists(READS, max_size=6), st.lists(PAIRS, max_size=4), st.integers(0, 10**6))
def test_sums_do_not_depend_on_order_or_on_what_was_summed_first(reads: list[Read], pairs: list[Any], seed: int) -> None:
    mixed = random.Random(seed).sample(reads, len(reads))
    whole, other, parts = Sums(), Sums(), [Sums(), Sums()]
    for one, another, part in zip(reads, mixed, itertools.cycle(parts)):
        whole.add(one, 3)
        other.add(another, 3)
        part.add(one, 3)
    for one, another, part in zip(pairs, random.Random(seed).sample(pairs, len(pairs)), itertools.cycle(parts)):
        whole.add_pairs(*one)
        other.add_pairs(*another)
        part.add_pairs(*one)
    assert whole.encoded() == other.encoded() == added(parts).encoded()
    assert Sums.decoded(whole.encoded()).encoded() == whole.encoded()


def test_names_have_a_bound() -> None:
    sums = Sums()
    names = {f"n{number:03}": 1 + number % 7 for number in range(3 * MOST_NAMES)}
    places = np.array([range(3 * MOST_NAMES), [1 + number % 7 for number in range(3 * MOST_NAMES)]], dtype=np.int64)
    sums.add(Read(unseen={"colour": names}, repeated={"amount": places}), 0)
    triples = [(feature, number, 1 + number % 7) for feature in range(2) for number in range(3 * MOST_NAMES)]
    sums.add_pairs(np.zeros(1, dtype=np.int64), np.array(triples, dtype=np.int64))
    sums.trim()
    assert len(sums.commonest) == 2 * MOST_NAMES
    assert sums.commonest[:, 2].min() >= 5
    assert len(sums.unseen["colour"]) == sums.repeated.whole["amount"].shape[1] == MOST_NAMES
    assert min(sums.unseen["colour"].values()) >= 5
    assert sums.repeated.whole["amount"][1].min() >= 5


def test_offsets_are_those_of_all_parts() -> None:
    one, other = Sums(), Sums()
    one.read_from(Place("t", 0), 5, 9)
    other.read_from(Place("t", 0), 2, 6)
    other.read_from(Place("t", 1), 1, 1)
    assert added((one, other)).offsets == {Place("t", 0): (2, 9), Place("t", 1): (1, 1)}


def test_what_was_amiss_from_the_beginning_stays_out_of_it_when_something_changes() -> None:
    """Production has nulls that training had not: that is no reason to wait, and is said."""
    change = Span(10 * LEAST_BASELINE + 5)
    windows = filled(LEAST_BASELINE + 2, amiss=(Span(0), change))
    assert [one.first for one in windows.baseline] == list(range(LEAST_BASELINE))
    assert windows.doubtful


def test_what_may_be_a_season_needs_more_windows_before_it() -> None:
    season = Span(10 * BEFORE_A_CHANGE + 5, None, LEAST_BASELINE)
    assert not filled(BEFORE_A_CHANGE + 4, amiss=(season,)).stands
    later = Span(10 * LEAST_BASELINE + 5, None, LEAST_BASELINE)
    assert filled(LEAST_BASELINE + 2, amiss=(season, later)).stands


def test_a_field_that_is_amiss_holds_up_its_own_baseline_and_what_spans_fields() -> None:
    spans = Span(15, 45, about=frozenset({"a"})), Span(65, 105, about=frozenset({"a"}))
    windows = filled(BASELINE + 2, amiss=spans)
    assert not windows.stands
    assert [one.first for one in windows.of_field("b", spans)] == list(range(BASELINE))
    assert not windows.of_field("a", spans)
    assert not windows.of_field("b", (*spans, Span(25, 45), Span(65, 95)))
