"""The fold as a whole: what a stream of buckets makes it say, and that restoring it continues exactly."""

from collections.abc import Callable, Iterable

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from driftbus.detectors.episodes.step import Bucket, State, Suite, close, fits, start, step
from driftbus.schemas.messages.drift import DriftEvent
from driftbus.schemas.stored.reference import Reference

from ..benchmarks.arl import BUDGET_ROWS, arl, delays
from .worlds import MONTH, bucket_of, categorical_field, compiled_for, counts_of, numeric_field, panes, reference_of, references

ROWS = 100
RNG = np.random.default_rng(8)
NAMES = ("a", "b", "c")
REFERENCE = reference_of(*(numeric_field(name, RNG.normal(size=10_000)) for name in NAMES))
TESTS = compiled_for(REFERENCE)

Columns = dict[str, NDArray[np.float64]]
Law = Callable[[int, np.random.Generator], Columns]


def _normal(rng: np.random.Generator, **shifts: float) -> Columns:
    return {name: rng.normal(size=ROWS) + shifts.get(name, 0.0) for name in NAMES}


def _buckets(law: Law, count: int, seed: int = 1) -> list[Bucket]:
    rng = np.random.default_rng(seed)
    return [bucket_of(number, counts_of(REFERENCE, law(number, rng), ROWS), ROWS) for number in range(count)]


def _fold(buckets: Iterable[Bucket], tests: Suite = TESTS) -> tuple[State, list[DriftEvent]]:
    state, events = start(tests, 0), []
    for bucket in buckets:
        state, new = step(tests, state, bucket)
        events += new
    return state, events


def test_nothing_is_said_while_nothing_changes() -> None:
    state, events = _fold(_buckets(lambda _, rng: _normal(rng), 1500))
    assert not events
    assert len(state.windows.runs) < 22


@pytest.mark.parametrize("features", [1, 10])
def test_false_alarms_keep_to_the_budget(features: int) -> None:
    assert arl(features, pane=200, references=3, runs=4)["arl"] >= BUDGET_ROWS


def test_delays_are_those_of_the_scoreboard() -> None:
    assert delays(50, "1 sd", references=3, runs=8)["median"] <= 75
    assert delays(50, ".25 sd", references=3, runs=8)["median"] <= 400


def test_a_change_opens_one_episode_and_its_end_resolves_it() -> None:
    law: Law = lambda number, rng: _normal(rng, b=1.0 if 100 <= number < 200 else 0.0)  # noqa: E731
    state, events = _fold(_buckets(law, 400))
    opened, *others, resolved = events
    assert [event.sequence for event in events] == list(range(len(events)))
    assert {event.episode for event in events} == {opened.episode}
    assert opened.status == "opened"
    assert [event.status for event in others] == ["updated"] * len(others)
    assert (resolved.status, resolved.reason) == ("resolved", "recovered")
    (signal,) = opened.signals
    assert (signal.name, signal.of, signal.role, signal.open) == ("b", "values", "feature", True)
    assert (signal.change, opened.kind, opened.severity) == ("mean up", "input", "major")
    assert opened.onset == "1970-01-01T00:16:40Z"  # the end of bucket 99
    assert opened.bucket[1] <= "1970-01-01T00:17:10Z"
    assert signal.share > 0.9
    assert signal.log_evidence > 15
    assert signal.rows == sum(signal.current.counts) == opened.panes[0].offsets[1] + 1 - opened.panes[0].offsets[0]
    assert not resolved.signals[0].open
    assert "1970-01-01T00:33:20Z" < resolved.bucket[1] < "1970-01-01T00:45:00Z"
    assert not state.episodes
    assert state.mixture.tested.all()


def test_a_change_that_stays_is_not_reported_again() -> None:
    _, events = _fold(_buckets(lambda number, rng: _normal(rng, b=0.5 if number >= 50 else 0.0), 800))
    assert [event.status for event in events if event.status != "updated"] == ["opened"]
    assert len(events) <= 2


def test_an_open_episode_does_not_hide_the_next_change() -> None:
    law: Law = lambda number, rng: _normal(rng, a=0.8 * (number >= 50), c=0.8 * (number >= 300))  # noqa: E731
    _, events = _fold(_buckets(law, 400))
    opened = [event for event in events if event.status == "opened"]
    assert [event.signals[0].name for event in opened] == ["a", "c"]
    assert opened[1].onset == "1970-01-01T00:50:00Z"


def test_signals_that_follow_at_once_join_the_episode() -> None:
    law: Law = lambda number, rng: _normal(rng, a=1.5 * (number >= 50), c=0.4 * (number >= 50))  # noqa: E731
    _, events = _fold(_buckets(law, 120))
    assert [event.status for event in events][:1] == ["opened"]
    assert {event.episode for event in events} == {events[0].episode}
    assert {signal.name for signal in events[-1].signals} == {"a", "c"}


def test_a_signal_returns_alone_and_the_last_one_resolves() -> None:
    law: Law = lambda number, rng: _normal(rng, a=1.5 * (50 <= number < 150), c=1.5 * (50 <= number < 400))  # noqa: E731
    _, events = _fold(_buckets(law, 700))
    returned = next(event for event in events if not all(signal.open for signal in event.signals))
    assert returned.status == "updated"
    assert {signal.name: signal.open for signal in returned.signals} == {"a": False, "c": True}
    assert events[-1].status == "resolved"


def test_severity_rises_and_never_falls_within_an_episode() -> None:
    law: Law = lambda number, rng: _normal(rng, a=0.15 if 50 <= number < 200 else 2.0 if number >= 200 else 0.0)  # noqa: E731
    _, events = _fold(_buckets(law, 300))
    assert [event.status for event in events] == ["opened"] + ["updated"] * (len(events) - 1)
    order = [("minor", "moderate", "major").index(event.severity) for event in events]
    assert order == sorted(order)
    assert events[0].severity != "major"
    assert events[-1].severity == "major"


@pytest.mark.parametrize(
    ("law", "change", "kind"),
    [
        (lambda rng: _normal(rng, a=-1.0), "mean down", "input"),
        (lambda rng: _normal(rng) | {"a": 2 * rng.normal(size=ROWS)}, "spread up", "input"),
        (lambda rng: _normal(rng) | {"a": np.append(rng.normal(size=ROWS - 5), np.full(5, 99.0))}, "new mass above maximum", "input"),
        (lambda rng: _normal(rng) | {"a": np.append(rng.normal(size=ROWS - 5), np.full(5, -99.0))}, "new mass below minimum", "input"),
        (lambda rng: _normal(rng) | {"a": rng.normal(size=ROWS // 2)}, "more nulls", "availability"),
    ],
    ids=["mean", "spread", "above", "below", "nulls"],
)
def test_the_change_is_told_in_words(law: Callable[[np.random.Generator], Columns], change: str, kind: str) -> None:
    _, events = _fold(_buckets(lambda number, rng: law(rng) if number >= 40 else _normal(rng), 60))
    assert (events[0].signals[0].name, events[0].signals[0].change, events[0].kind) == ("a", change, kind)
    if kind == "availability":
        assert events[0].signals[0].effect.nulls == (0.0, 0.5)


def test_categories_and_outputs() -> None:
    output = categorical_field("label", (700, 300)).model_copy(update={"role": "prediction"})
    reference = reference_of(output)
    rng, tests = np.random.default_rng(0), compiled_for(reference)
    law = [0.7, 0.3], [0.4, 0.6], [0.7, 0.1, 0.2]
    buckets = [
        bucket_of(number, counts_of(reference, {"label": rng.choice(len(p), ROWS, p=p).astype(float)}, ROWS), ROWS)
        for number, p in enumerate([law[0]] * 30 + [law[1]] * 5)
    ]
    _, events = _fold(buckets, tests)
    assert events[0].kind == "output"
    assert events[0].signals[0].change in {"more 'c1'", "fewer 'c0'"}
    new = [bucket_of(n, counts_of(reference, {"label": rng.choice(3, ROWS, p=law[2]).astype(float)}, ROWS), ROWS) for n in range(3)]
    _, events = _fold(new, tests)
    assert events[0].signals[0].change == "new categories"


def test_an_end_from_outside_resolves_what_is_open() -> None:
    state, events = _fold(_buckets(lambda number, rng: _normal(rng, a=2.0 * (number > 20)), 40))
    (resolved,) = close(TESTS, state, (400_000, 410_000), "replaced")
    assert (resolved.status, resolved.reason, resolved.episode) == ("resolved", "replaced", events[0].episode)
    assert resolved.sequence == events[-1].sequence + 1
    assert resolved.bucket == ("1970-01-01T00:06:40Z", "1970-01-01T00:06:50Z")
    assert not any(signal.open for signal in resolved.signals)
    assert not close(TESTS, state, (400_000, 410_000), "replaced")


def test_a_state_of_other_tests_is_told() -> None:
    state = start(TESTS, 0)
    assert fits(TESTS, State.decoded(state.encoded()))
    assert not fits(compiled_for(REFERENCE, MONTH.model_copy(update={"min_effect": 0.1})), state)
    assert not fits(compiled_for(REFERENCE, MONTH.model_copy(update={"rate": 1000.0})), state)


def test_restoring_anywhere_continues_exactly() -> None:
    law: Law = lambda number, rng: _normal(rng, a=1.0 * (20 <= number < 60), b=0.7 * (number >= 40))  # noqa: E731
    buckets = _buckets(law, 110)
    whole, expected = _fold(buckets)
    state, events = start(TESTS, 0), []
    for bucket in buckets:
        state, new = step(TESTS, State.decoded(state.encoded()), bucket)
        events += new
    assert [event.model_dump_json() for event in events] == [event.model_dump_json() for event in expected]
    assert len(expected) >= 3
    assert state.encoded() == whole.encoded()


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.data(), references(), st.integers(0, 5))
def test_whatever_is_counted_events_are_finite_and_states_restore(data: st.DataObject, reference: Reference, cut: int) -> None:
    tests = compiled_for(reference)
    buckets = [bucket_of(number, data.draw(panes(reference)), 50) for number in range(6)]
    whole, expected = _fold(buckets, tests)
    state, events = _fold(buckets[:cut], tests)
    state = State.decoded(state.encoded())
    for bucket in buckets[cut:]:
        state, new = step(tests, state, bucket)
        events += new
    assert [event.model_dump_json() for event in events] == [event.model_dump_json() for event in expected]
    assert state.encoded() == whole.encoded()
    text = "".join(event.model_dump_json() for event in expected)
    assert "NaN" not in text
    assert "Infinity" not in text
