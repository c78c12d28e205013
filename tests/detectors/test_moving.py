"""References that move: whatever the past or an hour holds, the same bets go on, and what a part never had is no drift in it."""

import numpy as np
import pytest
from numpy.typing import NDArray

from driftbus.detectors.betting.localised import localised
from driftbus.detectors.counting.layout import layout
from driftbus.detectors.episodes.step import Bucket, Segment, Suite, start, step
from driftbus.schemas.configuration import Model
from driftbus.schemas.configuration.segments import OTHER
from driftbus.schemas.messages.drift import DriftEvent
from driftbus.schemas.stored.reference import Recount, Reference

from .worlds import Floats, categorical_field, compiled_for, counts_of, numeric_field, reference_of

HOUR = 3_600_000
RNG = np.random.default_rng(17)
REFERENCE = reference_of(numeric_field("amount", RNG.uniform(size=24_000)), categorical_field("kind", (16_000, 8_000)))
YEAR = Model.model_validate({"false_alarms": "1 per 365d", "rate": 0.2})


def _fold(tests: Suite, panes: list[NDArray[np.int64]], skipped: int = 0) -> list[DriftEvent]:
    """An hour each; so many without a row are left out in the middle."""
    state, found = start(tests, 0), list[DriftEvent]()
    for place, counts in enumerate(panes):
        number = place + skipped * (2 * place >= len(panes))
        rows = int(counts[tests.layout.signals[0].span].sum())
        ends = number * HOUR, (number + 1) * HOUR
        state, events = step(tests, state, Bucket(*ends, rows, 0, counts, np.zeros(0, dtype=np.int64), True, False))
        found += events
    return found


def _kinds(rows: int) -> Floats:
    return np.where(RNG.random(rows) < 1 / 3, 1.0, 0.0)


def _pane(amount: Floats, kind: Floats) -> NDArray[np.int64]:
    return counts_of(REFERENCE, {"amount": amount, "kind": kind}, len(amount))


def _by_hour(parts: list[NDArray[np.int64]]) -> Reference:
    """Each hour's law is that of its counts."""
    size = layout(REFERENCE).size
    seasons = (Recount(name=f"{hour:02}", rows=1_000, counts=tuple(counts[:size].tolist())) for hour, counts in enumerate(parts))
    return REFERENCE.model_copy(update={"seasons": tuple(seasons)})


TRAILING = Model.model_validate({"false_alarms": "1 per 365d", "rate": 0.2, "trailing": {"length": "8h", "every": "2h", "lag": "1h"}})


def test_a_trailing_reference_follows_to_what_the_one_that_was_built_never_had() -> None:
    tests = compiled_for(REFERENCE, TRAILING)
    strange = np.repeat([0.0, 1.0, 2.0], [796, 400, 4])  # an other value in 300: beneath what is important
    events = _fold(tests, [_pane(RNG.uniform(size=1200), strange) for _ in range(60)])
    assert all(event.severity == "minor" for event in events)


@pytest.mark.parametrize("skipped", [5, 24, 24 * 30])
def test_the_past_before_a_gap_holds_until_there_is_a_new_one(skipped: int) -> None:
    tests = compiled_for(REFERENCE, TRAILING)
    kinds = np.repeat([0.0, 1.0], [667, 333])
    slow = [_pane(RNG.uniform(size=1_000) ** (1 + hour / 300), kinds) for hour in range(60)]  # slower than is important
    assert all(event.severity == "minor" for event in _fold(tests, slow, skipped))
    jump = [_pane(RNG.uniform(size=1_000) ** (2.0 if hour >= 31 else 1.0), kinds) for hour in range(60)]
    opened = [event for event in _fold(tests, jump, skipped) if event.status == "opened"]
    assert [(event.detector, event.severity) for event in opened] == [("esr", "major")]


def test_an_hour_that_has_no_values_has_no_bets_on_them() -> None:
    night = _pane(np.zeros(0), np.zeros(0))
    night[layout(REFERENCE).find("amount", "availability").start + 1] = 1_000  # type: ignore[union-attr]  # it is there
    night[layout(REFERENCE).find("kind", "availability").start + 1] = 1_000  # type: ignore[union-attr]
    day = _pane(RNG.uniform(size=1_000), np.repeat([0.0, 1.0], [667, 333]))
    tests = compiled_for(_by_hour([night] * 6 + [day] * 18), YEAR)
    live = [night if hour % 24 < 6 else _pane(RNG.uniform(size=1_000), _kinds(1_000)) for hour in range(120)]
    assert _fold(tests, live) == []


@pytest.mark.parametrize("rows", [600, 2_000])
def test_a_part_that_fills_few_of_the_bins_is_quiet(rows: int) -> None:
    """Of the hour's rows all lie in a tenth of what the whole knows."""
    day = [_pane((hour % 10 + RNG.random(rows)) / 10, _kinds(rows)) for hour in range(24)]
    tests = compiled_for(_by_hour(day), YEAR)
    live = [_pane((hour % 24 % 10 + RNG.random(rows)) / 10, _kinds(rows)) for hour in range(24 * 8)]
    assert _fold(tests, live) == []


def test_rows_where_a_part_had_none_are_found_at_once() -> None:
    day = [_pane((hour % 10 + RNG.random(1_000)) / 10, _kinds(1_000)) for hour in range(24)]
    tests = compiled_for(_by_hour(day), YEAR)
    far = _pane(np.concatenate((RNG.random(900) / 10, np.full(100, 0.95))), _kinds(1_000))
    opened, *_ = _fold(tests, [far])
    assert (opened.signals[0].name, opened.severity) == ("amount", "major")
    assert opened.signals[0].effect.unseen == pytest.approx(0.1, abs=0.06)


def test_what_is_localised_keeps_its_bins() -> None:
    signal = layout(REFERENCE).signals[0]
    counts = np.zeros(signal.size, dtype=np.int64)
    counts[5] = 700
    assert localised(signal.profile, counts).counts == tuple(counts.tolist())  # type: ignore[union-attr]  # no pair


def test_what_an_hour_lets_expect_is_what_is_told() -> None:
    def hour(amount: Floats, nulls: int) -> NDArray[np.int64]:
        return counts_of(REFERENCE, {"amount": amount, "kind": np.zeros(len(amount) + nulls)}, len(amount) + nulls)

    night, day = hour(RNG.uniform(0, 0.2, size=500), 500), hour(RNG.uniform(size=1_000), 0)
    tests = compiled_for(_by_hour([night] * 6 + [day] * 18), YEAR)
    events = _fold(tests, [hour(RNG.uniform(0, 0.2, size=800), 200)] * 3)
    (nulls,) = (signal for signal in events[-1].signals if signal.of == "availability")
    assert nulls.change == "fewer nulls"
    assert nulls.effect.nulls == (0.5, 0.2)
    amount = next(measure for measure in tests.measures if measure.signal.key == ("amount", "values", ""))
    vector = tests.space.vector(night, np.zeros(0, dtype=np.int64), (), None)
    assert tests.seasonal is not None
    tests.space.expect(vector, tests.seasonal.at(0).shares)
    change = amount.on(vector)
    assert change.was is not None
    assert change.was.mean == pytest.approx(0.1, abs=0.01)
    assert change.was.nulls == 0.5
    assert change.ratio < 0.2


def test_an_hour_is_known_by_its_own_rows() -> None:
    """An hour's 1,000 rows say less than the 24,000 of all hours: chance must not be told as an effect."""
    hours = [_pane(RNG.uniform(size=1_000), _kinds(1_000)) for _ in range(24)]
    tests = compiled_for(_by_hour(hours), YEAR)
    assert tests.seasonal is not None
    amount = next(measure for measure in tests.measures if measure.signal.key == ("amount", "values", ""))
    found = []
    for hour in range(24):
        vector = tests.space.vector(_pane(RNG.uniform(size=500), np.zeros(500)), np.zeros(0, dtype=np.int64), (), None)
        tests.space.expect(vector, tests.seasonal.at(hour * HOUR).shares)
        found.append(amount.on(vector).effect)
    assert np.mean([effect.psi or 0 for effect in found]) < 0.009
    assert np.mean([effect.ks or 0 for effect in found]) < 0.011


def test_an_hour_of_one_value_only() -> None:
    constant, one = np.full(1_000, 0.5), np.zeros(1_000)
    tests = compiled_for(_by_hour([_pane(constant, one)] * 24), YEAR)
    assert _fold(tests, [_pane(constant, one)] * 60) == []
    (opened, *_) = _fold(tests, [_pane(np.append(constant[:-100], RNG.uniform(size=100)), one)] * 2)
    assert {signal.name for signal in opened.signals} == {"amount"}


def test_one_category_and_all_rows_in_one_segment() -> None:
    reference = reference_of(numeric_field("amount", RNG.uniform(size=4_000)), categorical_field("kind", (4_000,)))
    reference = reference.model_copy(update={"rows": 4_000})

    def pane(amount: Floats) -> NDArray[np.int64]:
        return counts_of(reference, {"amount": amount, "kind": np.zeros(len(amount))}, len(amount))

    plan = layout(reference)
    every = Recount(name=OTHER, rows=4_000, counts=tuple(pane(RNG.uniform(size=4_000))[: plan.size].tolist()))
    tests = compiled_for(reference.model_copy(update={"segments": (every,)}), YEAR)
    state, found = start(tests, 0), list[DriftEvent]()
    for number in range(60):
        counts = pane(RNG.uniform(size=1_000) + 0.5 * (number >= 40))
        segments = () if number in (5, 6) else (Segment(OTHER, counts[: plan.size], counts[plan.size :]),)
        ends = number * HOUR, (number + 1) * HOUR
        bucket = Bucket(*ends, 1_000, 0, counts[: plan.size], counts[plan.size :], True, False, segments=segments)
        state, events = step(tests, state, bucket)
        found += events
    assert [(event.status, event.bucket[0]) for event in found] == [("opened", "1970-01-02T16:00:00Z")]
    assert {signal.name for signal in found[0].signals} == {"amount"}
