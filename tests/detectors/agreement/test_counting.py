"""Pairs to sums: exact, whatever the values, the batches, the order, and what is taken back."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from driftbus.detectors.agreement import Comparison, Counting, Ledger
from driftbus.detectors.agreement.codes import code_of_text, codes_of_numbers, contents
from driftbus.detectors.agreement.counting import LOW_BITS, product
from driftbus.detectors.agreement.layout import SUMS
from driftbus.detectors.agreement.ledger import MOST_COMMON, Basis
from driftbus.detectors.counting.absent import INVALID, MISSING
from driftbus.detectors.counting.bins import profile_of
from driftbus.detectors.counting.segments import Coded
from driftbus.detectors.joining.rows import NONE, Happening, told
from driftbus.schemas.outcome import NO_VALUE
from driftbus.schemas.stored.reference import AvailabilityProfile, CategoricalProfile, ProfiledField

Integers = NDArray[np.int64]
PRESENT = AvailabilityProfile(counts=(100, 0, 0, 0))
LARGEST = 1.7976931348623157e308


def field(name: str, values: NDArray[np.float64]) -> ProfiledField:
    return ProfiledField(name=name, type="numeric", values=profile_of(values), availability=PRESENT)


FIELDS = (
    field("usual", np.linspace(-2, 2, 1_000)),
    field("constant", np.zeros(100)),
    field("huge", np.array([-LARGEST, LARGEST])),
    ProfiledField(
        name="colour", type="categorical", values=CategoricalProfile(categories=("", "a"), counts=(1, 2, 0)), availability=PRESENT
    ),
    ProfiledField(name="nothing", type="categorical", values=CategoricalProfile(categories=(), counts=(3,)), availability=PRESENT),
    ProfiledField(name="text", type="text", availability=PRESENT),
    ProfiledField(name="age", type="timestamp", values=profile_of(np.arange(9.0)), availability=PRESENT),
)
COMPARISON = Comparison(FIELDS, 24)
numbers = st.one_of(
    st.sampled_from([0.0, -0.0, 5e-324, LARGEST, -LARGEST, math.nan, 1e-7, 1.0, 1.0000001]),
    st.floats(allow_nan=False, allow_infinity=False),
)
texts = st.sampled_from(["", "a", "b", "ünseen", MISSING])


class Pairs(NamedTuple):
    """Codes of both sides, shape [n, features]."""

    served: Integers
    offline: Integers


@st.composite
def pairs(draw: st.DrawFn) -> Pairs:
    """Of both sides of some rows; often the same."""
    rows = draw(st.integers(0, 12))

    def side() -> Integers:
        found = [codes_of_numbers(np.array(draw(st.lists(numbers, min_size=rows, max_size=rows)), dtype=np.float64)) for _ in range(3)]
        found += [np.array([code_of_text(draw(texts)) for _ in range(rows)], dtype=np.int64) for _ in range(2)]
        return np.stack(found, axis=1)

    served, other = side(), side()
    same = np.array(draw(st.lists(st.booleans(), min_size=rows, max_size=rows)), dtype=bool)
    return Pairs(served, np.where(same[:, None], served, other))


def counted(found: Pairs, order: list[int], batch: int) -> Integers:
    counting = Counting(COMPARISON.features)
    table = np.zeros((1, counting.layout.size), dtype=np.int64)
    for start in range(0, len(order), batch):
        rows = np.array(order[start : start + batch], dtype=np.int64)
        counting.add(table, np.zeros(len(rows), dtype=np.int64), found.served[rows], found.offline[rows], 1)
    whole: Integers = table[0]
    return whole


def test_texts_and_ages_are_not_compared() -> None:
    assert [one.name for one in COMPARISON.features] == ["usual", "constant", "huge", "colour", "nothing"]
    assert Comparison(FIELDS, ["colour", "text", "unknown"]).fields == (FIELDS[3],)
    assert Comparison(FIELDS, 1).name not in ("", COMPARISON.name)
    assert Comparison((), 5).name == ""


@given(found=pairs(), data=st.data())
def test_neither_order_nor_batches_show(found: Pairs, data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(found.served))))
    whole = counted(found, list(range(len(order))), 100)
    assert (counted(found, list(order), data.draw(st.integers(1, 5))) == whole).all()


@given(found=pairs())
def test_what_is_taken_back_leaves_nothing(found: Pairs) -> None:
    counting, rows = Counting(COMPARISON.features), np.zeros(len(found.served), dtype=np.int64)
    table = np.zeros((1, counting.layout.size), dtype=np.int64)
    for sign in (1, -1):
        counting.add(table, rows, *found, sign)
    assert not table.any()


@given(found=pairs())
def test_the_sums_are_those_of_whole_numbers(found: Pairs) -> None:
    whole, layout = counted(found, list(range(len(found.served))), 7), Counting(COMPARISON.features).layout
    place, feature = layout.places[0], COMPARISON.features[0]
    profile, sums = FIELDS[0].values, [0] * 5
    differing = 0
    for y, x in zip(found.served[:, 0].view(np.float64).tolist(), found.offline[:, 0].view(np.float64).tolist(), strict=True):
        there = all(code != NO_VALUE for code in codes_of_numbers(np.array([x, y]))) and math.copysign(1, x + 0.0) in (1, -1)
        absent = any(math.copysign(1, one) < 0 and one == 0 for one in (x, y))
        if absent or not there or not abs(x - y) > feature.tolerance * max(abs(x), abs(y), profile.sd):  # type: ignore[union-attr]
            continue
        differing += 1
        a, b = (round(min(max((one - profile.mean) / profile.sd * 4096, -(2.0**32)), 2.0**32)) for one in (x, y))  # type: ignore[union-attr]
        sums = [one + more for one, more in zip(sums, (a, b, a * a, a * b, b * b), strict=True)]
    x, y, *limbs = whole[place.sums : place.sums + len(SUMS)].tolist()
    assert [x, y, *((high << LOW_BITS) + low for high, low in zip(limbs[::2], limbs[1::2], strict=True))] == sums
    assert whole[place.start + 1] == differing == whole[place.cells : place.cells + 16].sum()
    assert whole[place.start] == whole[place.offline : place.offline + place.bins].sum()


@given(a=st.integers(-(2**32), 2**32), b=st.integers(-(2**32), 2**32))
def test_products_are_exact(a: int, b: int) -> None:
    high, low = product(np.array([a]), np.array([b]))
    assert (int(high[0]) << LOW_BITS) + int(low[0]) == a * b


def test_absent_values_have_one_code() -> None:
    absent = np.array([INVALID, MISSING], dtype=np.uint64).view(np.float64)
    assert codes_of_numbers(absent).tolist() == [NO_VALUE, NO_VALUE]
    codes = COMPARISON.codes(np.stack([absent] * 4, axis=1), Coded([np.array([0, 1])] * 3, [[MISSING, "a"]] * 3), 6)
    assert codes.shape == (2, 6)
    assert (codes[:, [0, 1, 2, 5]] == NO_VALUE).all()
    assert codes[1, 3] >= 0
    assert (contents(codes) >= 0).all()
    assert len({*contents(codes).tolist()}) == 2


def happening(served: list[float], offline: list[float], former: list[float | None]) -> Happening:
    rows = np.zeros(len(served), told(0, 1))
    rows["about"] = 10
    rows["served"], rows["offline"] = (codes_of_numbers(np.array(one))[:, None] for one in (served, offline))
    rows["former"] = codes_of_numbers(np.array([0.0 if one is None else one for one in former]))[:, None]
    rows["label"] = contents(rows["offline"])
    before = np.where([one is None for one in former], NONE, contents(rows["former"]))
    return Happening("changed", rows, before)


@pytest.mark.parametrize(
    "split", [lambda whole: [whole], lambda whole: [Happening(whole.what, whole.rows[[i]], whole.before[[i]]) for i in range(9)]]
)
def test_the_commonest_differing_values_are_named(split: Callable[[Happening], list[Happening]]) -> None:
    ledger = Ledger(lambda *_: Basis(Comparison(FIELDS[:1], 1), 1_000))
    for one in split(happening([7.0] * 4 + [8.0, 9.0, 10.0, 11.0, 1.0], [1.0] * 9, [None] * 8 + [2.0])):
        ledger.add(10, one)
    (revision,) = ledger.revisions()
    named = revision.vector[Counting(COMPARISON.features[:1]).layout.size :].reshape(-1, 3)
    assert (revision.about, len(named)) == (1_000, MOST_COMMON)
    assert named[0].tolist() == [0, int(codes_of_numbers(np.array([7.0]))[0]), 4]
    assert ledger.revisions() == []
    taken_back = {int(code): int(rows) for _, code, rows in named.tolist()}.get(int(codes_of_numbers(np.array([1.0]))[0]))
    assert taken_back == -1  # it differed from what was known before
