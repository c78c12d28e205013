"""The ledger's sums are those of a plain dictionary, whatever the order and the batches."""

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftbus.detectors.outcomes.delays import quantile
from driftbus.detectors.outcomes.layout import layout
from driftbus.detectors.outcomes.ledger import NO_VERSION, Ledger, Sums
from driftbus.detectors.outcomes.values import NONE, Integers
from driftbus.schemas.stored.outcomes import OutcomeBasis
from tests.detectors.outcomes.plain import Name, Plain, spelled
from tests.detectors.outcomes.rows import BINARY, EVERY, VALUES, Met, Told, many, told

WHAT = ("predicted", "duplicate", "expired", "changed", "first", "due")
#: Version v is counted by the v-th.
BASES = [*EVERY.values()]
LAYOUTS = [layout(basis) for basis in BASES]


def basis_of(version: int, place: int) -> OutcomeBasis:
    return BASES[version]


def interval(bucket: int, version: int = 0, place: int = 0) -> int:
    """Of two buckets of 60."""
    return -(-bucket // 120) * 120


def new() -> Ledger:
    return Ledger(basis_of, interval)


@st.composite
def happenings(draw: st.DrawFn, most: int = 12) -> list[Told]:
    """Of several versions at once; what happens need not be possible."""
    found = []
    for what in draw(st.lists(st.sampled_from(WHAT), max_size=5)):
        parts, before = [], []
        for version in draw(st.lists(st.integers(0, len(BASES) - 1), min_size=1, max_size=3, unique=True)):
            rows = draw(many(BASES[version], most))
            values = VALUES[BASES[version].task]
            if what == "first":
                rows = rows[rows["label"] != NONE]
            rows["version"] = version
            parts.append(rows)
            chance = np.random.default_rng(draw(st.integers(0, 2**32)))
            before.append(chance.choice([NONE, *values.tolist()], len(rows)))
        together = np.concatenate(parts)
        order = np.random.default_rng(draw(st.integers(0, 2**32))).permutation(len(together))
        found.append(Told(what, together[order], np.concatenate(before)[order]))
    return found


def spelled_out(told_: list[Sums]) -> dict[tuple[int | None, int, int], dict[Name, int]]:
    return {(sums.about, sums.version, sums.place): spelled(LAYOUTS[sums.version], sums.vector) for sums in told_}


def of_plain(sums: dict[tuple[int | None, int, int], Counter[Name]]) -> dict[tuple[int | None, int, int], dict[Name, int]]:
    found = {key: {name: value for name, value in counter.items() if value} for key, counter in sums.items()}
    return {key: each for key, each in found.items() if each}


def same(one: list[Sums], other: list[Sums]) -> bool:
    return [each[:3] for each in one] == [each[:3] for each in other] and all(
        (a.vector == b.vector).all() for a, b in zip(one, other, strict=True)
    )


@given(happenings())
@settings(max_examples=100)
def test_sums_are_those_of_a_dictionary(told_: list[Told]) -> None:
    ledger, plain = new(), Plain(basis_of, interval)
    for each in told_:
        ledger.add(0, each)
        plain.add(each)
    revisions, arrivals = ledger.revisions(), ledger.arrivals(0)
    assert spelled_out(revisions) == of_plain({(key[0], key[1], key[2]): sums for key, sums in plain.revised.items()})
    assert spelled_out(arrivals) == of_plain({(None, *key): sums for key, sums in plain.arrived.items()})
    assert [each[:3] for each in revisions] == sorted(each[:3] for each in revisions)
    assert [each[1:3] for each in arrivals] == sorted(each[1:3] for each in arrivals)
    assert ledger.revisions() == ledger.arrivals(1) == []


def parts_of(each: Told, pieces: int, order: Integers) -> list[Told]:
    return [Told(each.what, each.rows[some], each.before[some]) for some in np.array_split(order, pieces)]


@given(happenings(40), st.integers(1, 7), st.integers(0, 2**32))
@settings(max_examples=60)
def test_order_does_not_matter(told_: list[Told], pieces: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    parts = [part for each in told_ for part in parts_of(each, pieces, rng.permutation(len(each.rows)))]
    one, other = new(), new()
    for each in told_:
        one.add(0, each)
    for place in rng.permutation(len(parts)).tolist():
        other.add(place, parts[place])
    assert same(one.revisions(), other.revisions())
    assert same(one.arrivals(0), other.arrivals(99))


@given(happenings(40), st.integers(0, 2**32))
@settings(max_examples=50)
def test_what_is_taken_back_leaves_nothing(told_: list[Told], seed: int) -> None:
    changes = [each for each in told_ if each.what == "changed"]
    ledger = new()
    for each in changes:
        ledger.add(0, each)
    for each in reversed(changes):
        back = each.rows.copy()
        back["label"] = each.before
        for part in parts_of(Told("changed", back, each.rows["label"].copy()), 3, np.arange(len(back))):
            ledger.add(1, part)
    assert ledger.revisions() == []


@given(happenings(40), st.data())
@settings(max_examples=50)
def test_revisions_add_up_however_often_they_are_told(told_: list[Told], data: st.DataObject) -> None:
    often, once = new(), new()
    sums: dict[tuple[int | None, int, int], Integers] = {}
    for each in told_:
        often.add(0, each)
        once.add(0, each)
        if data.draw(st.booleans()) or each is told_[-1]:
            for about, version, place, vector in often.revisions():
                key = about, version, place
                sums[key] = sums.get(key, np.zeros_like(vector)) + vector
    expected = once.revisions()
    left = [Sums(*key, vector) for key, vector in sorted(sums.items(), key=lambda item: item[0][1:]) if vector.any()]
    assert same(sorted(left, key=lambda each: each[:3]), expected)
    assert often.revisions() == []


def test_a_correction_moves_only_what_it_changes() -> None:
    rows = told(BINARY, np.array([1]), np.array([0]), np.array([0.75]))
    rows["about"] = 60
    ledger = new()
    ledger.add(0, Told("changed", rows, np.array([1])))
    (sums,) = ledger.revisions()
    found = spelled(LAYOUTS[0], sums.vector)
    assert {name: value for name, value in found.items() if name[0] in ("labelled", "rows", "hh", "scored")} == {}
    assert found["confusion", (1, 1)] == -1
    assert found["confusion", (0, 1)] == found["errors", (0,)] == 1


def test_unmatched_labels_stand_under_their_model() -> None:
    ledger = new()
    ledger.add_unmatched(0, Met(np.array([60, 60, 180, 120]), np.array([3, 65_535, 3, 3], dtype=np.uint16)))
    ledger.add_unmatched(5, Met(np.array([120]), np.array([3], dtype=np.uint16)))
    told_ = [(*sums[:3], sums.vector.tolist()) for sums in ledger.revisions()]
    assert told_ == [(120, NO_VERSION, 3, [3]), (120, NO_VERSION, 65_535, [1]), (240, NO_VERSION, 3, [1])]
    assert ledger.revisions() == []


def test_many_keys_have_room() -> None:
    rows = np.repeat(told(BINARY, np.array([1]), np.array([1]), np.array([0.5])), 5_000)
    rows["about"], rows["place"] = 60 * (1 + np.arange(5_000) % 500), np.arange(5_000) // 500
    ledger = new()
    ledger.add(0, Told("predicted", rows, np.full(5_000, NONE)))
    told_ = ledger.revisions()
    assert len(told_) == 250 * 10
    assert sum(LAYOUTS[0].number(sums.vector, "predicted") for sums in told_) == 5_000


def test_each_place_has_its_own_basis() -> None:
    """A reference that comes in the middle: its rows have other places, and may be counted by another basis."""
    other = BINARY.model_copy(update={"features": ()})
    ledger = Ledger(lambda version, place: other if place else BINARY, interval)
    rows = np.repeat(told(BINARY, np.array([1]), np.array([1]), np.array([0.5])), 4)
    rows["place"], rows["about"] = [0, 1, 1, 2], 60
    ledger.add(0, Told("predicted", rows, np.full(4, NONE)))
    assert [(sums.place, len(sums.vector)) for sums in ledger.revisions()] == [
        (place, layout(other if place else BINARY).size) for place in (0, 1, 2)
    ]


def test_codes_of_bins_and_cells_that_no_basis_has_count_nowhere() -> None:
    rows = told(BINARY, np.array([1]), np.array([1]), np.array([0.5]))
    rows["bins"], rows["cell"] = 255, 60_000
    ledger = new()
    for what, before in itertools.product(("predicted", "changed", "first", "expired"), (NONE,)):
        ledger.add(0, Told(what, rows, np.array([before])))
    (revision,), (arrival,) = ledger.revisions(), ledger.arrivals(0)
    assert not any(name.startswith("cell") or name.startswith("h") for name, _ in spelled(LAYOUTS[0], revision.vector))
    assert spelled(LAYOUTS[0], arrival.vector) == {("labelled", (0,)): 1, ("delays", (0, 0)): 1}


def test_a_correction_does_not_move_the_delay_of_the_first_outcome() -> None:
    rows = told(BINARY, np.array([1]), np.array([0]), np.array([0.75]))
    rows["about"], rows["delay"] = 60, 5_000
    ledger = new()
    for what, before, label in (("changed", NONE, 0), ("first", NONE, 0), ("changed", 0, 1)):
        rows["label"] = label
        ledger.add(0, Told(what, rows.copy(), np.array([before])))
    (revision,), (arrival,) = ledger.revisions(), ledger.arrivals(0)
    delays = LAYOUTS[0].take(arrival.vector, "delays")
    assert delays.sum() == 1
    assert quantile(delays[1], 0.5) == pytest.approx(5_000, rel=0.07)
    assert (LAYOUTS[0].take(revision.vector, "delays") == delays).all()
    assert LAYOUTS[0].number(revision.vector, "errors") == 0


def test_what_is_not_known_to_happen_is_refused() -> None:
    rows = told(BINARY, np.array([1]), np.array([1]))
    with pytest.raises(ValueError, match="'lost'"):
        new().add(0, Told("lost", rows, np.array([NONE])))


def test_nothing_happens_to_no_rows() -> None:
    ledger = new()
    for what in WHAT:
        ledger.add(0, Told(what, told(BINARY, np.zeros(0, int), np.zeros(0, int)), np.zeros(0, dtype=np.int64)))
    assert ledger.revisions() == ledger.arrivals(0) == []
