"""What is remembered is all that is remembered: a fold that is restored behind every bucket continues to the byte, whatever it holds."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from driftbus.consumers.reference.building.build import build_reference
from driftbus.consumers.reference.building.columns import Column, Key
from driftbus.consumers.reference.building.decoded import decoded
from driftbus.detectors.counting import Counting
from driftbus.detectors.counting.bins import profile_of
from driftbus.detectors.counting.segments import Coded
from driftbus.detectors.episodes.step import Bucket, Offsets, Segment, State, Suite, start, step
from driftbus.schemas.configuration import Model, PaneLength
from driftbus.schemas.messages.drift import DriftEvent
from driftbus.schemas.stored.reference import Reference

from ..columns import Source

EVERY, HOUR, DAY = 7_000, 3_600_000, 86_400_000  # a row in seven seconds: 514 an hour
ROWS, BUCKETS, PANE = DAY // EVERY, 60, HOUR // 2
WORDS = np.array(
    [
        "the",
        "quick",
        "brown",
        "fox",
        "jumps",
        "over",
        "a",
        "lazy",
        "dog",
        "while",
        "every",
        "other",
        "animal",
        "of",
        "this",
        "forest",
        "sleeps",
    ]
)

KINDS: dict[str, dict[str, Any]] = {
    "plain": {},
    "segments by a field": {"segments": {"by": "country"}},
    "segments by rules": {"segments": {"rules": {"small": "amount < -0.5", "French": "country == FR"}}},
    "season": {"season": "day"},
    "trailing": {"trailing": {"length": "8h", "every": "2h", "lag": "1h"}},
    "detectors by name": {
        "features": {"amount": {"detectors": ["ks", "adwin", "page_hinkley", "kswin"]}, "country": {"detectors": ["psi"]}}
    },
}


def columns(draw: np.random.Generator, rows: int, drift: NDArray[np.float64]) -> dict[Key, Column]:
    """One number jumps, one slides, a correlation comes, a category becomes more, a word is new; then half of it passes."""
    late = drift > 0.5
    common = draw.normal(size=rows)
    numbers = {
        "amount": draw.normal(size=rows) + 1.2 * late,
        "slow": draw.normal(size=rows) + 0.6 * np.arange(rows) / rows * (drift >= 0),
        "first": common,
        "second": np.where(late, 0.7 * common, 0) + draw.normal(size=rows) * np.where(late, 0.71, 1),
    }
    texts = [" ".join(draw.choice(WORDS, 9)) + (" refund" if strange else "") for strange in (late & (draw.random(rows) < 0.4))]
    countries = np.where(draw.random(rows) < 0.2 + 0.3 * late, "FR", np.where(draw.random(rows) < 0.5, "DE", "US")).tolist()
    found: dict[Key, Column] = {Key("feature", name): values for name, values in numbers.items()}
    return found | {Key("feature", "country"): countries, Key("feature", "comment"): texts}


def buckets(reference: Reference, rows: dict[Key, Column]) -> Iterator[Bucket]:
    """The rows as a profiler counts them."""
    keys, counting, each = [Key("feature", field.name) for field in reference.fields], Counting(reference), PANE // EVERY
    whole = decoded(next(Source(rows).chunks()), reference.fields, keys)
    for number in range(BUCKETS):
        chosen = np.arange(number * each, (number + 1) * each)
        part = whole.of(chosen)
        segments: tuple[Segment, ...] = ()
        counts, sums = counting.count(part.numeric, part.categorical, part.vectors, chosen)
        if counting.segmenter is not None:
            values = [sorted(set(map(str, column))) for column in part.categorical]
            codes = [np.searchsorted(known, list(map(str, column))) for known, column in zip(values, part.categorical, strict=True)]
            segment_of = counting.segmenter.of(part.numeric, Coded(codes, values))
            own = {name: np.flatnonzero(segment_of == place) for place, name in enumerate(counting.segmenter.names)}
            split = ((name, part.of(places), chosen[places]) for name, places in sorted(own.items()) if len(places))
            segments = tuple(Segment(name, *counting.count(of.numeric, of.categorical, of.vectors, at)) for name, of, at in split)
        ends = DAY + number * PANE, DAY + (number + 1) * PANE
        offsets = (Offsets("scored", 0, int(chosen[0]), int(chosen[-1])),)
        yield Bucket(*ends, each, 0, counts, sums, number % 7 > 0, number % 5 == 0, offsets, segments)


@pytest.mark.parametrize("settings", KINDS.values(), ids=KINDS.keys())
def test_a_fold_restored_behind_every_bucket_continues_to_the_byte(settings: dict[str, Any]) -> None:
    draw = np.random.default_rng(5)
    model = Model.model_validate({"false_alarms": "1 per 30d", "pairs": {"sample": 1}, **settings})
    quiet = columns(draw, ROWS, np.full(ROWS, -1.0))
    reference = build_reference(Source(quiet, every=EVERY), "fraud", "1", model, PaneLength("time", PANE))
    volume = profile_of(draw.poisson(PANE / EVERY, size=1_000).astype(np.float64))
    reference = reference.model_copy(update={"volume": volume})
    tests = Suite(reference, model, application="watch", stream="scored", configuration_hash="sha256:c", reference_hash="sha256:r")
    rows = BUCKETS * PANE // EVERY + BUCKETS
    place = np.arange(rows) / rows
    live = list(buckets(reference, columns(draw, rows, np.where((place > 0.3) & (place < 0.7), 1.0, 0.0))))
    state, told = start(tests, DAY), list[DriftEvent]()
    restored = State.decoded(state.encoded())
    for bucket in live:
        state, expected = step(tests, state, bucket)
        restored, events = step(tests, State.decoded(restored.encoded()), bucket)
        assert [event.model_dump_json() for event in events] == [event.model_dump_json() for event in expected]
        assert restored.encoded() == state.encoded()
        told += expected
    assert {event.status for event in told} >= {"opened", "updated"}
    assert {signal.of for event in told for signal in event.signals} >= {"values", "pair", "characters"}
    if "trailing" in settings:
        assert {event.detector for event in told} == {"esr", "trailing"}
    if "segments" in settings:
        assert all(event.scope for event in told)
    if "features" in settings:
        assert {alarm.detector for event in told for signal in event.signals for alarm in signal.alarms} >= {"esr", "ks", "adwin"}
