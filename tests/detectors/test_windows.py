"""Dyadic windows: few runs, whatever the age, and every run an exact sum."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftbus.detectors.episodes import windows
from driftbus.detectors.episodes.windows import Bucket, Offsets, Windows


def _filled(buckets: int) -> Windows:
    """Bucket i, from i to i + 1, counts 2^i rows, so that every sum names its buckets."""
    filled = Windows()
    for place in range(buckets):
        counts = np.array([2**place], dtype=np.int64)
        offsets = (Offsets("t", place % 2, place, place),)
        filled.add(Bucket(place, place + 1, 1, 0, counts, counts, True, False, offsets), counts)
    return filled


@given(st.integers(1, 60))
def test_at_most_two_runs_of_a_length_and_none_lost(buckets: int) -> None:
    runs = _filled(buckets).runs
    lengths = [run.length for run in runs]
    assert lengths == sorted(lengths, reverse=True)
    assert all(lengths.count(length) <= 2 for length in lengths)
    assert sum(int(run.counts[0]) for run in runs) == 2**buckets - 1
    assert [run.end for run in runs[:-1]] == [run.start for run in runs[1:]]


@given(st.integers(1, 60), st.integers(-1, 60))
def test_the_run_since_a_time_reaches_it_and_no_further_than_needed(buckets: int, time: int) -> None:
    filled = _filled(buckets)
    recent = filled.since(time)
    assert recent.start <= max(min(time, buckets - 1), 0)
    assert int(recent.counts[0]) == 2**buckets - 2**recent.start
    shorter = [run.start for run in filled.runs if run.start > recent.start]
    assert not shorter or min(shorter) > time


@given(st.integers(1, 60), st.integers(0, 60))
def test_runs_after_a_time_do_not_reach_back(buckets: int, time: int) -> None:
    found = list(_filled(buckets).after(time))
    assert [recent.start for recent in found] == sorted((recent.start for recent in found), reverse=True)
    assert all(recent.start >= time and int(recent.counts[0]) == 2**buckets - 2**recent.start for recent in found)
    assert bool(found) == (time < buckets)


def test_offsets_are_merged_per_partition() -> None:
    filled = _filled(7)
    assert filled.offsets(0) == (Offsets("t", 0, 0, 6), Offsets("t", 1, 1, 5))
    assert filled.offsets(6) == (Offsets("t", 0, 6, 6),)


def test_what_is_older_than_the_longest_run_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows, "LONGEST", 4)
    filled = _filled(40)
    assert [run.length for run in filled.runs][:2] == [4, 4]
    assert len(filled.runs) <= 6
    assert filled.runs[0].start > 0
