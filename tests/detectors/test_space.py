"""The vector that is tested: every segment's numbers where its signals look for them, and what a part of the rows is compared with."""

import numpy as np
import pytest
from numpy.typing import NDArray

from driftbus.detectors.counting import Counting
from driftbus.detectors.counting.bins import profile_of
from driftbus.detectors.counting.layout import CELLS, MOMENTS
from driftbus.detectors.episodes.step import Segment
from driftbus.schemas.configuration import Model
from driftbus.schemas.configuration.segments import OTHER
from driftbus.schemas.stored.reference import Recount, Reference
from driftbus.schemas.stored.segmentation import Segmentation

from .worlds import MONTH, compiled_for, numeric_field, reference_of

RNG = np.random.default_rng(23)
#: Of the two segments, amounts and nulls differ.
AMOUNT = {"US": RNG.normal(100, 10, size=2_000), OTHER: RNG.normal(0, 10, size=6_000)}
NULLS = {"US": 1_000, OTHER: 0}


def _numbers(amount: NDArray[np.float64], nulls: int) -> NDArray[np.float64]:
    column = np.append(amount, np.full(nulls, np.nan))
    return np.stack([column, np.arange(len(column)) % 7.0], axis=1)


def _reference() -> Reference:
    columns = np.concatenate([_numbers(AMOUNT[name], NULLS[name]) for name in AMOUNT])
    amount = columns[~np.isnan(columns[:, 0]), 0]
    fields = numeric_field("amount", amount, nulls=1_000), numeric_field("day", columns[:, 1])
    whole = reference_of(*fields).model_copy(update={"volume": profile_of(RNG.poisson(100, size=2_000).astype(np.float64))})
    counting = Counting(whole)
    segments = tuple(
        Recount(name=name, rows=len(AMOUNT[name]) + NULLS[name], counts=tuple(counting.count(_numbers(AMOUNT[name], NULLS[name]), [])[0]))
        for name in AMOUNT
    )
    return whole.model_copy(update={"segments": segments, "segmentation": Segmentation(by="country", names=tuple(AMOUNT))})


REFERENCE = _reference()
TESTS = compiled_for(REFERENCE)


def _vector(parts: dict[str, NDArray[np.float64]], rows: int | None = 100) -> NDArray[np.int64]:
    counting = Counting(REFERENCE.model_copy(update={"segmentation": None}))
    segments = [Segment(name, *counting.count(numbers, [])) for name, numbers in parts.items()]
    counts, sums = (sum(part[place] for part in segments) for place in (1, 2))  # type: ignore[misc]  # of arrays
    return TESTS.space.vector(counts, sums, segments, rows)  # type: ignore[arg-type]


def test_every_segment_s_numbers_stand_where_its_signals_look() -> None:
    parts = {name: _numbers(RNG.normal(50, 30, size=70), 5) for name in AMOUNT}
    vector = _vector(parts)
    counting = Counting(REFERENCE.model_copy(update={"segmentation": None}))
    taken = np.zeros(len(vector), dtype=np.int64)
    for signal in TESTS.space.signals:
        if signal.of == "volume":
            continue
        whole = np.concatenate(list(parts.values())) if signal.segment is None else parts[signal.segment]
        counts, sums = counting.count(whole, [])
        own = next(one for one in counting.layout.signals if (one.name, one.of) == (signal.name, signal.of))
        assert vector[signal.span].tolist() == counts[own.span].tolist(), signal.key
        assert vector[signal.rows].sum() == counts[own.rows].sum(), signal.key
        taken[signal.span] += 1
        if signal.moments is not None and signal.cells is not None and own.moments is not None and own.cells is not None:
            expected = sums[own.moments - len(counts) : own.moments - len(counts) + MOMENTS]
            assert vector[signal.moments : signal.moments + MOMENTS].tolist() == expected.tolist()
            assert vector[signal.cells : signal.cells + CELLS].tolist() == counts[own.cells : own.cells + CELLS].tolist()
            taken[signal.cells : signal.cells + CELLS] += 1
            taken[signal.moments : signal.moments + MOMENTS] += 1
    assert taken.max() == 1


def test_segments_that_the_reference_does_not_know_are_in_the_whole_only() -> None:
    numbers = _numbers(RNG.normal(size=50), 0)
    unknown, known = _vector({"NZ": numbers}), _vector({OTHER: numbers})
    whole = TESTS.layout.size
    assert unknown[:whole].tolist() == known[:whole].tolist()
    assert [signal.key for signal in TESTS.space.signals if signal.segment and unknown[signal.span].any()] == []
    in_other = {signal.segment for signal in TESTS.space.signals if signal.segment and known[signal.span].any()}
    assert in_other == {OTHER}


def test_the_volume_is_told_in_numbers() -> None:
    measure = next(measure for measure in TESTS.measures if measure.signal.of == "volume")
    change = measure.on(sum((_vector({OTHER: _numbers(np.zeros(1), 0)}, rows) for rows in (40, 60)), np.zeros(1, dtype=np.int64)))
    assert change.was is not None
    assert change.was.mean == pytest.approx(100, abs=1)
    assert change.now is not None
    assert (change.now.mean, change.now.distinct) == (50, 2)
    assert change.now.sd == pytest.approx(10, rel=1e-4)
    assert not _vector({OTHER: _numbers(np.zeros(1), 0)}, None)[measure.signal.span].any()


def test_a_segment_is_compared_with_its_own_past() -> None:
    vector = _vector({"US": _numbers(RNG.normal(100, 10, size=200), 100), OTHER: _numbers(RNG.normal(0, 10, size=600), 0)})
    measure = next(m for m in TESTS.measures if m.signal.key == ("amount", "values", "US"))
    change = measure.on(vector)
    assert change.was is not None
    assert change.now is not None
    assert change.was.mean == pytest.approx(100, abs=2)
    assert change.was.sd == pytest.approx(10, abs=1)
    assert change.was.median == pytest.approx(100, abs=2)
    assert change.was.nulls == pytest.approx(1 / 3, abs=1e-5)
    assert change.now.mean == pytest.approx(100, abs=3)
    assert change.effect.nulls == pytest.approx((1 / 3, 1 / 3), abs=1e-5)
    assert change.ratio < 1


def test_whatever_decides_results_is_in_the_fingerprint() -> None:
    written: list[dict[str, object]] = [
        {"min_effect": 0.1},
        {"important": {"ks": 0.2}},
        {"features": {"amount": {"important": {"psi": 0.3}}}},
        {"features": {"amount": {"detectors": ["ks"]}}},
        {"trailing": {"length": "14d"}},
        {"trailing": {"length": "21d"}},
        {"false_alarms": "1 per 60d"},
    ]
    plain = REFERENCE.model_copy(update={"segments": (), "segmentation": None})
    each = [compiled_for(plain, Model.model_validate({**MONTH.model_dump(), **settings})).fingerprint for settings in ({}, *written)]
    assert len(set(each)) == len(each)
