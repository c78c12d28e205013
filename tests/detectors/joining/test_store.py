"""The rows that wait, against a dictionary; ids that collide, that come for ever, and more of them than there was room for."""

from collections import defaultdict, deque

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftbus.detectors.joining.store import SLOTS, Store

ROW = np.dtype([("hi", "<u8"), ("lo", "<u8"), ("number", "<u4"), ("label", "<f4")])


def rows(ids: np.ndarray, first: int) -> np.ndarray:
    made = np.zeros(len(ids), ROW)
    made["hi"], made["lo"], made["number"] = ids[:, 0], ids[:, 1], first + np.arange(len(ids))
    return made


class Plain:
    """What the store should be."""

    def __init__(self) -> None:
        self.waiting = deque[tuple[tuple[int, int], int]]()
        self.by_id = defaultdict[tuple[int, int], list[int]](list)

    def enter(self, new: np.ndarray) -> None:
        for hi, lo, number, _ in new.tolist():
            self.waiting.append(((hi, lo), number))
            self.by_id[hi, lo].append(number)

    def leave(self, count: int) -> None:
        for _ in range(count):
            key, number = self.waiting.popleft()
            self.by_id[key].remove(number)


def agree(store: Store, plain: Plain, ids: np.ndarray) -> None:
    asked, places = store.find(ids[:, 0], ids[:, 1])
    found = defaultdict[int, list[int]](list)
    for which, number in zip(asked.tolist(), store.rows["number"][places].tolist(), strict=True):
        found[which].append(number)
    for which, (hi, lo) in enumerate(ids.tolist()):
        assert sorted(found[which]) == sorted(plain.by_id[hi, lo])
    assert store.waiting == len(plain.waiting)
    assert store.oldest(3)["number"].tolist() == [number for _, number in list(plain.waiting)[:3]]


@given(
    steps=st.lists(st.tuples(st.sampled_from(["enter", "leave"]), st.integers(0, 60)), max_size=40),
    kinds=st.integers(1, 200),
    capacity=st.integers(0, 40),
    seed=st.integers(0, 1_000),
)
def test_it_is_a_dictionary_of_rows(steps: list[tuple[str, int]], kinds: int, capacity: int, seed: int) -> None:
    draw = np.random.default_rng(seed)
    ids = draw.integers(0, 2**64, (kinds, 2), dtype=np.uint64)
    ids[::3, 1] = ids[0, 1]  # one bucket for many
    store, plain, number = Store(ROW, capacity), Plain(), 0
    for what, count in steps:
        if what == "enter":
            new = rows(ids[draw.integers(0, kinds, count)], number)
            number += count
            at = store.enter(new)
            assert (store.rows[at] == new).all()
            plain.enter(new)
        else:
            gone = min(count, store.waiting)
            store.leave(gone)
            plain.leave(gone)
        agree(store, plain, ids)


@pytest.mark.parametrize("of_one_id", [1, 2 * SLOTS, 2 * SLOTS + 1, 500])
def test_one_id_may_have_any_number_of_rows(of_one_id: int) -> None:
    ids = np.repeat(np.array([[7, 9], [7, 10], [8, 9], [7 << 56, 9]], dtype=np.uint64), of_one_id, axis=0)
    store, plain = Store(ROW, 64), Plain()
    for turn in range(4):
        new = rows(ids, turn * len(ids))
        store.enter(new)
        plain.enter(new)
        agree(store, plain, np.unique(ids, axis=0))
    while store.waiting:
        gone = min(of_one_id, store.waiting)
        store.leave(gone)
        plain.leave(gone)
        agree(store, plain, np.unique(ids, axis=0))


@pytest.mark.parametrize("waits", [0, 1, 100, 5_000])
def test_its_memory_is_that_of_what_waits(waits: int) -> None:
    """Whatever has gone through it; and what is written to a row stays with it when the ring grows."""
    draw, store = np.random.default_rng(waits), Store(ROW)
    for turn in range(60):
        new = rows(draw.integers(0, 2**64, (500, 2), dtype=np.uint64), turn * 500)
        at = store.enter(new)
        store.rows["label"][at] = new["number"] / 2
        store.leave(max(store.waiting - waits, 0))
        assert (store.oldest(waits)["label"] == store.oldest(waits)["number"] / 2).all()
    assert store.nbytes <= 1.5 * (waits + 1_100) * (ROW.itemsize + 8)


def test_nothing_is_found_in_nothing() -> None:
    none = np.zeros(0, np.uint64)
    store = Store(ROW)
    assert [len(part) for part in store.find(none, none)] == [0, 0]
    assert len(store.enter(np.zeros(0, ROW))) == 0
    store.leave(0)
    assert len(store.oldest(10)) == 0
    assert [len(part) for part in store.find(np.zeros(1, np.uint64), np.zeros(1, np.uint64))] == [0, 0]
