"""What every detector by name promises, whatever it is."""

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import ValidationError

from driftbus.detectors.counting.bins import profile_of
from driftbus.detectors.named.built_in import BUILT_IN
from driftbus.detectors.named.interface import Plain, Seen, Unsuited, WatchedSignal
from driftbus.schemas.stored.reference import CategoricalProfile

from .worlds import ON_TWO_VALUES, SHARE, alarms, drawn, errors, folded, numbers, settings, suited, told

every_detector = pytest.mark.parametrize("name", BUILT_IN)
#: Those whose state depends on what they saw.
REMEMBERING = ("adwin", "page_hinkley", "kswin", *ON_TWO_VALUES)


def _through_bytes(state: Plain) -> Plain:
    content = msgspec.msgpack.encode(state)
    restored: Plain = msgspec.msgpack.decode(content)
    assert msgspec.msgpack.encode(restored) == content
    return restored


@every_detector
def test_a_large_change_is_found(name: str) -> None:
    watched, rng = suited(name), np.random.default_rng(3)
    watcher = settings(name).on(watched, SHARE)
    _, verdicts = folded(watcher, told(drawn(watched, rng, 200, 2.0 * (number >= 20)) for number in range(40)))
    assert any(20 <= number < 32 for number in alarms(verdicts))


@every_detector
def test_restoring_anywhere_continues_exactly(name: str) -> None:
    watched, rng = suited(name), np.random.default_rng(4)
    watcher = settings(name).on(watched, SHARE)
    seen = list(told(drawn(watched, rng, 60, 0.3 * (number >= 12)) for number in range(16)))
    whole, expected = folded(watcher, seen)
    state, verdicts = folded(watcher, seen, _through_bytes)
    assert verdicts == expected
    assert msgspec.msgpack.encode(state) == msgspec.msgpack.encode(whole)
    assert (whole is None) == (name not in REMEMBERING or expected[-1].alarm)


@every_detector
def test_only_windowed_ones_state_a_rate(name: str) -> None:
    assert settings(name).on(suited(name), SHARE).rate == (None if name in REMEMBERING else 1 / SHARE)


@every_detector
def test_an_unknown_setting_is_refused_by_name(name: str) -> None:
    with pytest.raises(ValidationError, match="treshold"):
        settings(name, treshold=1)


_references = (
    lambda rng: np.full(600, 3.0),
    lambda rng: np.repeat([0.0, 1.0], [599, 1]),
    lambda rng: np.repeat([-1e-9, 5.0], [300, 300]),
    lambda rng: np.where(rng.random(800) < 0.9, 0.0, rng.normal(size=800)),
    lambda rng: rng.exponential(size=900) * 1e9,
    lambda rng: np.round(rng.normal(size=600)),
)


@st.composite
def _signals(draw: st.DrawFn) -> WatchedSignal:
    if draw(st.booleans()):
        counts = draw(st.lists(st.sampled_from((0, 1, 30, 500, 10**7)), min_size=3, max_size=6).filter(any))
        return WatchedSignal(
            "c", CategoricalProfile(categories=tuple(f"c{place}" for place in range(len(counts) - 1)), counts=tuple(counts))
        )
    profile = profile_of(draw(st.sampled_from(_references))(np.random.default_rng(draw(st.integers(0, 3)))))
    return WatchedSignal("x", profile.model_copy(update={"tau": (draw(st.sampled_from((1.0, 40.0))), 1.0, 1.0, 1.0)}))


@every_detector
@hypothesis_settings(max_examples=12)
@given(watched=_signals(), seed=st.integers(0, 99), data=st.data())
def test_whatever_is_counted_verdicts_are_finite(name: str, watched: WatchedSignal, seed: int, data: st.DataObject) -> None:
    try:
        watcher = settings(name).on(watched, SHARE)
    except Unsuited:
        return
    rng, size = np.random.default_rng(seed), len(watched.counts)
    buckets = []
    for _ in range(4):
        counts = np.zeros(size, dtype=np.int64)
        match data.draw(st.sampled_from(("empty", "one", "spread", "huge", "like"))):
            case "one":
                counts[rng.integers(size)] = data.draw(st.sampled_from((1, 50, 10**12)))
            case "spread":
                counts = rng.integers(0, 20, size)
            case "huge":
                counts = rng.integers(0, 10**11, size)
            case "like":
                counts = rng.multinomial(4000, watched.counts / watched.counts.sum())
            case _:
                pass
        buckets.append(counts)
    _, verdicts = folded(watcher, told(buckets), _through_bytes)
    for verdict in verdicts:
        assert all(number is None or math.isfinite(number) for number in verdict[1:])
        assert verdict.threshold is None or verdict.threshold > 0


@every_detector
def test_what_it_cannot_judge_it_refuses_and_says_what_can(name: str) -> None:
    colours = WatchedSignal("colour", CategoricalProfile(categories=("red", "green", "blue"), counts=(400, 400, 400, 0)))
    if name in ("chi_square", "psi", "jensen_shannon", "kl"):
        settings(name).on(colours, SHARE)
        return
    with pytest.raises(Unsuited, match=r"^colour .* use .*chi_square"):
        settings(name).on(colours, SHARE)


@pytest.mark.parametrize("name", ON_TWO_VALUES)
def test_error_detectors_take_two_numbers_too_and_nothing_else(name: str) -> None:
    binary = WatchedSignal("failed", profile_of(np.repeat([0.0, 1.0], [900, 100])))
    watcher = settings(name).on(binary, SHARE)
    assert binary.counts.tolist() == [0, 900, 100, 0, 0]
    quiet, failing = np.array([0, 90, 10, 5, 5]), np.array([0, 0, 100, 0, 0])
    assert alarms(folded(watcher, told([quiet] * 5 + [failing] * 5))[1])
    with pytest.raises(Unsuited, match="has not two values"):
        settings(name).on(numbers(), SHARE)


def test_a_window_waits_for_its_rows() -> None:
    watched, rng = numbers(), np.random.default_rng(5)
    _, verdicts = folded(settings("ks", rows=500).on(watched, SHARE), told(drawn(watched, rng, 100) for _ in range(8)))
    assert [verdict.statistic is not None for verdict in verdicts] == [False] * 4 + [True] * 4


def test_what_one_release_of_river_remembers_another_begins_anew() -> None:
    watched = numbers()
    watcher = settings("adwin").on(watched, SHARE)
    seen = list(told([drawn(watched, np.random.default_rng(6), 100)]))
    state, _ = watcher.step(watcher.start(), seen[0])
    assert isinstance(state, dict)
    again, _ = watcher.step(state | {"river": "0.0.1", "detector": {"made": "otherwise"}}, seen[0])
    assert again == state


def test_bounds_that_hang_together_are_told() -> None:
    with pytest.raises(ValidationError, match="stat_size 80 needs a window_size of at least twice that, not 100"):
        settings("kswin", stat_size=80)
    with pytest.raises(ValidationError, match=r"alpha 0\.5 must be at least beta"):
        settings("eddm", alpha=0.5)


def test_nothing_but_errors_is_fed_to_error_detectors() -> None:
    watcher = settings("ddm").on(errors(), SHARE)
    state, _ = watcher.step(None, Seen(np.array([0, 0, 500]), [], 10.0, 1))
    assert state == watcher.step(None, Seen(np.zeros(3, dtype=np.int64), [], 10.0, 1))[0]
