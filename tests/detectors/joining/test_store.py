"""The rows that wait, against a dictionary; ids that collide, that never change, that are not uniform; memory, and how it is given back."""

from collections import defaultdict, deque

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftbus.detectors.joining.store import SLOTS, Store

ROW = np.dtype([("hi", "<u8"), ("lo", "<u8"), ("number", "<u4"), ("older", "<u4"), ("label", "<f4")])


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
        for hi, lo, number, *_ in new.tolist():
            self.waiting.append(((hi, lo), number))
            self.by_id[hi, lo].append(number)

    def leave(self, count: int) -> None:
        for _ in range(count):
            key, number = self.waiting.popleft()
            self.by_id[key].remove(number)


def agree(store: Store, plain: Plain, ids: np.ndarray) -> None:
    asked, spots = store.find(ids[:, 0], ids[:, 1])
    found = defaultdict[int, list[int]](list)
    for which, number in zip(asked.tolist(), store.rows["number"][spots].tolist(), strict=True):
        found[which].append(number)
    for which, (hi, lo) in enumerate(ids.tolist()):
        assert found[which] == plain.by_id[hi, lo][::-1], "the youngest first"
    assert store.waiting == len(plain.waiting)
    assert oldest(store, 3)["number"].tolist() == [number for _, number in list(plain.waiting)[:3]]


def oldest(store: Store, most: int) -> np.ndarray:
    return store.rows[store.at(np.arange(min(most, store.waiting)))]


@given(
    steps=st.lists(st.tuples(st.sampled_from(["enter", "leave"]), st.integers(0, 60)), max_size=40),
    kinds=st.integers(1, 200),
    capacity=st.integers(0, 40),
    seed=st.integers(0, 1_000),
)
def test_it_is_a_dictionary_of_rows(steps: list[tuple[str, int]], kinds: int, capacity: int, seed: int) -> None:
    draw = np.random.default_rng(seed)
    ids = draw.integers(0, 2**64, (kinds, 2), dtype=np.uint64)
    ids[::3, 1] = ids[0, 1]  # halves that many share
    ids[::5, 0] = ids[0, 0]
    ids = np.unique(ids, axis=0)
    store, plain, number = Store(ROW, capacity), Plain(), 0
    for what, count in steps:
        if what == "enter":
            new = rows(ids[draw.integers(0, len(ids), count)], number)
            number += count
            at = store.enter(new)
            assert (store.rows["number"][at] == new["number"]).all()
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


def colliding(count: int) -> np.ndarray:
    """Ids that are one id to the index: hi * C + lo is the same."""
    hi = np.arange(1, count + 1, dtype=np.uint64)
    return np.stack((hi, np.uint64(0) - hi * np.uint64(0x9E3779B97F4A7C15)), axis=1)


def test_ids_that_find_no_slot_lie_apart() -> None:
    """While they come, twice, while the ring goes round, grows, and is given back."""
    ids, store, plain = colliding(3 * 2 * SLOTS), Store(ROW, 64), Plain()
    others = np.random.default_rng(0).integers(0, 2**64, (5_000, 2), dtype=np.uint64)
    for turn, (new_ids, gone) in enumerate([(ids, 0), (ids[::2], 20), (others[:40], 20), (ids[1::2], 30), (others, 60), (ids, 5_000)]):
        new = rows(new_ids, turn * 10_000)
        store.enter(new)
        plain.enter(new)
        agree(store, plain, ids)
        store.leave(gone)
        plain.leave(gone)
        agree(store, plain, np.concatenate((ids, others[:100])))
    assert store.waiting < 200
    assert store.nbytes < 1_100 * (ROW.itemsize + 8)


@pytest.mark.parametrize("of", ["a partition", "a sample", "both", "numbers", "the first half", "the second half"])
def test_ids_need_not_be_uniform(of: str) -> None:
    """All ids of a partition are congruent, those of a sample lie below a bound: without mixing most of them share a few buckets."""
    draw, count = np.random.default_rng(0), 100_000
    ids = draw.integers(0, 2**64, (count, 2), dtype=np.uint64)
    if of in {"a partition", "both"}:
        ids[:, 1] = ids[:, 1] // np.uint64(64) * np.uint64(64) + np.uint64(5)
    if of in {"a sample", "both"}:
        ids[:, 0] //= np.uint64(1_000)
    if of == "numbers":
        ids[:, 0], ids[:, 1] = 0, np.arange(count)
    if of in {"the first half", "the second half"}:
        ids[:, int(of == "the first half")] = 7
    store = Store(ROW)
    for start in range(0, count, 10_000):
        store.enter(rows(ids[start : start + 10_000], start))
    assert len(store.find(ids[:, 0], ids[:, 1]).asked) == count
    assert len(store._apart) <= 2, "more than a few have found no slot"


def test_few_lie_apart_when_many_have_come_and_gone() -> None:
    draw, store = np.random.default_rng(0), Store(ROW)
    for turn in range(300):
        store.enter(rows(draw.integers(0, 2**64, (500, 2), dtype=np.uint64), turn))
        store.leave(max(store.waiting - 20_000, 0))
    assert len(store._apart) < 20


@pytest.mark.parametrize("waits", [0, 1, 100, 5_000])
def test_its_memory_is_that_of_what_waits(waits: int) -> None:
    """Whatever has gone through it; and what is written to a row stays with it when the ring grows."""
    draw, store = np.random.default_rng(waits), Store(ROW)
    for turn in range(60):
        new = rows(draw.integers(0, 2**64, (500, 2), dtype=np.uint64), turn * 500)
        at = store.enter(new)
        store.rows["label"][at] = new["number"] / 2
        store.leave(max(store.waiting - waits, 0))
        assert (oldest(store, waits)["label"] == oldest(store, waits)["number"] / 2).all()
    assert store.nbytes <= 1.5 * (waits + 1_100) * (ROW.itemsize + 8)


def test_memory_is_given_back() -> None:
    draw, store, plain = np.random.default_rng(1), Store(ROW), Plain()
    ids = np.concatenate([draw.integers(0, 2**64, (50_000, 2), dtype=np.uint64), np.ones((300, 2), dtype=np.uint64)])
    new = rows(ids, 0)
    store.enter(new)
    plain.enter(new)
    assert store.nbytes > 50_000 * ROW.itemsize
    for gone in (30_000, 19_900):
        store.leave(gone)
        plain.leave(gone)
        agree(store, plain, np.unique(ids[-500:], axis=0))
    assert store.nbytes < 2_000 * (ROW.itemsize + 8)


def test_nothing_is_found_in_nothing() -> None:
    none = np.zeros(0, np.uint64)
    store = Store(ROW)
    assert [len(part) for part in store.find(none, none)] == [0, 0]
    assert len(store.enter(np.zeros(0, ROW))) == 0
    store.leave(0)
    assert len(oldest(store, 10)) == 0
    assert [len(part) for part in store.find(np.zeros(1, np.uint64), np.zeros(1, np.uint64))] == [0, 0]
