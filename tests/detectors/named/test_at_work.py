"""Detectors by name in the fold: beside the mixture, under one budget, in one episode."""

from collections.abc import Mapping

import numpy as np
import pytest

from driftbus.detectors.episodes.step import Bucket, State, Suite, fits, start, step
from driftbus.schemas.configuration import Model
from driftbus.schemas.messages.drift import DriftEvent

from ..worlds import bucket_of, categorical_field, compiled_for, counts_of, numeric_field, reference_of

ROWS = 200
RNG = np.random.default_rng(8)
REFERENCE = reference_of(
    numeric_field("a", RNG.normal(size=10_000)), numeric_field("b", RNG.normal(size=10_000)), categorical_field("c", (9_000, 1_000))
)


def _settings(**features: Mapping[str, object]) -> Model:
    return Model.model_validate({"false_alarms": "1 per 1d", "rate": 20, "pairs": "off", "features": features})


def _buckets(count: int, a: tuple[float, int, int], c: float = 0.1, seed: int = 1) -> list[Bucket]:
    """The mean of ``a`` is so much higher from one bucket to another; category 1 of c has this share."""
    rng, found = np.random.default_rng(seed), []
    for number in range(count):
        shift = a[0] if a[1] <= number < a[2] else 0.0
        columns = {"a": rng.normal(size=ROWS) + shift, "b": rng.normal(size=ROWS), "c": (rng.random(ROWS) < c).astype(np.float64)}
        found.append(bucket_of(number, counts_of(REFERENCE, columns, ROWS), ROWS))
    return found


def _fold(tests: Suite, buckets: list[Bucket], *, through_bytes: bool = False) -> tuple[State, list[DriftEvent]]:
    state, events = start(tests, 0), list[DriftEvent]()
    for bucket in buckets:
        state, new = step(tests, State.decoded(state.encoded()) if through_bytes else state, bucket)
        events += new
    return state, events


def _told(event: DriftEvent) -> dict[str, list[str]]:
    return {signal.name: [alarm.detector for alarm in signal.alarms] for signal in event.signals}


def test_the_budget_is_shared() -> None:
    alone, together = compiled_for(REFERENCE, _settings()), compiled_for(REFERENCE, _settings(**{"[ab]": {"detectors": ["ks", "adwin"]}}))
    assert together.budget_seconds == 2 * alone.budget_seconds == 2 * 86_400
    assert [(one.name, one.signal.name, one.watcher.rate) for one in together.named.placed] == [
        ("ks", "a", 1 / (2 * 86_400 * 4)),
        ("adwin", "a", None),
        ("ks", "b", 1 / (2 * 86_400 * 4)),
        ("adwin", "b", None),
    ]


def test_a_mixture_that_alarms_later_is_listed_too() -> None:
    tests = compiled_for(REFERENCE, _settings(a={"detectors": [{"psi": {"rows": 200}}, {"wasserstein": {"rows": 200}}]}))
    _, events = _fold(tests, _buckets(60, (0.6, 30, 60)))
    assert {event.episode for event in events} == {events[0].episode}
    assert set(_told(events[-1])["a"]) == {"esr", "psi", "wasserstein"}
    assert events[0].detector == _told(events[0])["a"][0]


def test_one_is_silent_in_an_episode_it_has_told_of_and_begins_anew_after_it() -> None:
    tests = compiled_for(REFERENCE, _settings(a={"detectors": [{"ks": {"rows": 200}}], "min_effect": 3}))
    _, events = _fold(tests, _buckets(220, (1.0, 20, 60)))
    assert [event.status for event in events if event.status != "updated"] == ["opened", "resolved"]
    assert _told(events[-1]) == {"a": ["ks"]}
    _, again = _fold(tests, _buckets(220, (1.0, 20, 60)) + _later(220, _buckets(40, (1.0, 20, 40), seed=2)))
    assert [event.status for event in again if event.status != "updated"] == ["opened", "resolved", "opened"]


def _later(number: int, buckets: list[Bucket]) -> list[Bucket]:
    return [bucket_of(number + place, bucket.counts, ROWS) for place, bucket in enumerate(buckets)]


@pytest.mark.parametrize("detectors", [["ks", "psi"], ["adwin", "page_hinkley"], [{"kswin": {"window_size": 300}}]], ids=str)
def test_restoring_anywhere_continues_exactly(detectors: list[object]) -> None:
    tests = compiled_for(REFERENCE, _settings(a={"detectors": detectors}, c={"detectors": ["hddm_w", "chi_square"]}))
    buckets = _buckets(12, (0.5, 6, 12), c=0.12)
    whole, expected = _fold(tests, buckets)
    state, events = _fold(tests, buckets, through_bytes=True)
    assert [event.model_dump_json() for event in events] == [event.model_dump_json() for event in expected]
    assert expected
    assert state.encoded() == whole.encoded()


def test_other_settings_do_not_fit() -> None:
    state = start(compiled_for(REFERENCE, _settings(a={"detectors": ["ks"]})), 0)
    assert fits(compiled_for(REFERENCE, _settings(a={"detectors": ["ks"]})), state)
    assert not fits(compiled_for(REFERENCE, _settings(a={"detectors": [{"ks": {"rows": 2000}}]})), state)
    assert not fits(compiled_for(REFERENCE, _settings(a={"detectors": ["ks", "psi"]})), state)
    assert not fits(compiled_for(REFERENCE, _settings(b={"detectors": ["ks"]})), state)
