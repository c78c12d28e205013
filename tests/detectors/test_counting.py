"""Counting against a loop that a reader can check, in whatever batches and order the rows come."""

import itertools
import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftbus.consumers.decode.interface import MARKS
from driftbus.detectors.counting import Counting, absent, numbers
from driftbus.detectors.counting.layout import CELLS
from driftbus.schemas.stored.reference import AvailabilityProfile, CategoricalProfile, NumericProfile, ProfiledField, Reference

THERE = AvailabilityProfile(counts=(1, 0, 0, 0))
TINY, HUGE = 5e-324, 1.7e308
EDGES = (-HUGE, -1.0, math.nextafter(-1.0, math.inf), 0.0, TINY, 1.0, math.nextafter(1.0, math.inf), 2.5, HUGE)
NAN = {name: float(np.array(bits, dtype=np.uint64).view(np.float64)) for name, bits in MARKS._asdict().items()}


def numeric(name: str, *, edges: Sequence[float] = EDGES, mean: float = 0.5, sd: float = 2.0) -> ProfiledField:
    bins = len(edges) + 1
    profile = NumericProfile(
        edges=tuple(edges),
        bin_of=(0, *(1 + i // 2 for i in range(bins - 2)), bins // 2 + 1) if bins > 1 else (0,),  # neighbours share a bin
        counts=(0,) * (bins // 2 + 2),
        values=(0.0,) * (bins // 2 + 2),
        above=bins // 2 + 1,
        mean=mean,
        sd=sd,
        minimum=0,
        maximum=1,
    )
    return ProfiledField(name=name, type="numeric", values=profile, availability=THERE)


def categorical(name: str, *categories: str) -> ProfiledField:
    profile = CategoricalProfile(categories=categories, counts=(0,) * (len(categories) + 1))
    return ProfiledField(name=name, type="categorical", values=profile, availability=THERE)


def reference(*fields: ProfiledField) -> Reference:
    return Reference(model="m", version="1", rows=1, fields=fields)


FIELDS = (
    numeric("x"),
    categorical("c", "a", "b"),
    numeric("y", edges=(1.0,), mean=-HUGE, sd=TINY),
    ProfiledField(name="rare", type="numeric", availability=THERE),
    ProfiledField(name="rare text", type="boolean", availability=THERE),
)
COUNTING = Counting(reference(*FIELDS))


def naive(fields: Sequence[ProfiledField], rows: Sequence[Sequence[object]]) -> tuple[list[int], list[int]]:
    """Value by value; rows hold a value or a mark's name per field."""
    values = {f.name: [0] * len(f.values.counts) for f in fields if isinstance(f.values, NumericProfile | CategoricalProfile)}
    available = {f.name: dict.fromkeys(("present", *MARKS._fields), 0) for f in fields}
    sums = {f.name: [0, 0] for f in fields if isinstance(f.values, NumericProfile)}
    for row in rows:
        for f, value in zip(fields, row, strict=True):
            if value in MARKS._fields:
                available[f.name][str(value)] += 1
                continue
            available[f.name]["present"] += 1
            if isinstance(f.values, CategoricalProfile):
                categories = f.values.categories
                values[f.name][categories.index(str(value)) if value in categories else len(categories)] += 1
            elif isinstance(f.values, NumericProfile):
                assert isinstance(value, float)
                values[f.name][f.values.bin_of[sum(edge <= value for edge in f.values.edges)]] += 1
                with np.errstate(over="ignore"):
                    z = float(np.clip(np.divide(np.float64(value) - f.values.mean, f.values.sd), -1000, 1000))
                sums[f.name][0] += round(z * 2**20)
                sums[f.name][1] += round(z * z * 2**10)
    return (
        list(itertools.chain.from_iterable([*values.values(), *(each.values() for each in available.values())])),
        list(itertools.chain.from_iterable(sums.values())),
    )


def columns(
    fields: Sequence[ProfiledField], rows: Sequence[Sequence[object]]
) -> tuple[np.ndarray[tuple[int, int], np.dtype[np.float64]], list[list[object]]]:
    numbers = [i for i, f in enumerate(fields) if f.type == "numeric"]
    table = np.empty((len(rows), len(numbers)))
    for (r, row), (j, i) in itertools.product(enumerate(rows), enumerate(numbers)):
        value = row[i]
        table[r, j] = NAN[value] if isinstance(value, str) else float(str(value))
    marks = MARKS._asdict()
    return table, [[marks.get(str(row[i]), row[i]) for row in rows] for i in range(len(fields)) if i not in numbers]


def counted(fields: Sequence[ProfiledField], rows: Sequence[Sequence[object]]) -> tuple[list[int], list[int]]:
    counting = COUNTING if fields is FIELDS else Counting(reference(*fields))
    counts, sums = counting.count(*columns(fields, rows))
    assert counts.dtype == sums.dtype == np.int64
    signals = counting.layout.signals
    for signal in signals:
        if signal.cells is not None:  # every value falls into one cell of the hash
            assert counts[signal.cells : signal.cells + CELLS].sum() == counts[signal.span].sum()
    return list(itertools.chain.from_iterable(counts[signal.span].tolist() for signal in signals)), sums.tolist()


marks = st.sampled_from(MARKS._fields)
around = st.sampled_from([v for e in EDGES for v in (e, math.nextafter(e, math.inf), math.nextafter(e, -math.inf))] + [-0.0, 0.0])
values = st.one_of(around.filter(math.isfinite), st.floats(allow_nan=False, allow_infinity=False), marks)
rows = st.lists(
    st.tuples(values, st.sampled_from(["a", "b", "c", "", "null"]), values, values, st.one_of(st.sampled_from(["true", "false"]), marks)),
    max_size=30,
)


@given(rows)
def test_it_counts_as_a_loop_would(rows: list[tuple[object, ...]]) -> None:
    assert counted(FIELDS, rows) == naive(FIELDS, rows)


@given(rows, st.data())
def test_neither_order_nor_batches_show(rows: list[tuple[object, ...]], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(rows))
    cut = data.draw(st.integers(0, len(rows)))
    parts = [counted(FIELDS, part) for part in (shuffled[:cut], shuffled[cut:])]
    assert counted(FIELDS, rows) == tuple([a + b for a, b in zip(*vectors, strict=True)] for vectors in zip(*parts, strict=True))


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1.0, 1e3, 1e300]), st.integers(0, 10_000))
def test_many_rows_split_anywhere_sum_exactly(seed: int, spread: float, cut: int) -> None:
    # Beyond one block, and all at the clip: the largest sums there are.
    fields = (numeric("x"), numeric("y", mean=0.1, sd=0.3))
    table = np.random.default_rng(seed).normal(size=(10_000, 2)) * spread
    compiled = Counting(reference(*fields))
    whole = compiled.count(table, [])
    parts = [compiled.count(table[rows], []) for rows in (slice(None, cut), slice(cut, None))]
    for vector, first, second in zip(whole, *parts, strict=True):
        np.testing.assert_array_equal(vector, first + second)


def test_the_largest_sums_are_exact() -> None:
    z = np.random.default_rng(1).uniform(990, 1010, (5 * numbers.BLOCK, 1))
    _, sums = Counting(reference(numeric("x", mean=0, sd=1))).count(z, [])
    clipped = [min(each, 1000.0) for each in z[:, 0].tolist()]
    assert sums.tolist() == [sum(round(each * 2**20) for each in clipped), sum(round(each * each * 2**10) for each in clipped)]


@pytest.mark.parametrize("rows", [[], [["null"]], [["null"]] * 5, [["missing"], [1.0], ["invalid"]], [[-0.0]], [[0.0]]])
def test_few_rows(rows: list[list[object]]) -> None:
    fields = (numeric("x"),)
    assert counted(fields, rows) == naive(fields, rows)


@pytest.mark.parametrize(
    ("fields", "rows"), [((numeric("x", edges=()),), [[1.0], ["null"]]), ((categorical("c", "a"),), [["a"], ["null"]]), ((), [[], []])]
)
def test_fields_without_edges_and_references_without_numbers(fields: Sequence[ProfiledField], rows: list[list[object]]) -> None:
    assert counted(fields, rows) == naive(fields, rows)


def test_the_input_is_left_as_it_was() -> None:
    table, texts = columns(FIELDS, [(1.0, "a", "null", 2.0, "true"), ("missing", "b", 3.0, "invalid", "false")])
    before = table.tobytes()
    COUNTING.count(table, texts)
    assert table.tobytes() == before


def test_marks_are_those_of_the_decoders() -> None:
    assert (absent.NULL, absent.INVALID, absent.MISSING) == MARKS


def test_edges_and_bins_must_fit() -> None:
    field = numeric("x")
    assert isinstance(field.values, NumericProfile)
    wrong = field.model_copy(update={"values": field.values.model_copy(update={"bin_of": (0, 1)})})
    with pytest.raises(ValueError, match="x: 9 edges make 10 intervals, but bin_of has 2"):
        Counting(reference(wrong))
