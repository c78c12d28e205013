"""Every type of field through the product: a reference from messages, quiet traffic, then a change in one field, found and named."""

import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.reference.building.source import reference_of
from driftbus.detectors.counting.layout import layout
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.pane import Pane
from driftbus.schemas.stored.reference import Reference

from ..streaming import BEGINNING, Sent, configuration, everything, prepare, send

SIZE = 16
PER_SECOND, SECONDS, CHANGES_AT = 10, 600, 300
WORDS = ("the", "parcel", "came", "late", "early", "good", "fine", "box", "was", "price", "again", "never", "shop", "ordered", "broken")
Message = dict[str, Any]
Change = Callable[[Message, int], None]


def iso(time: float) -> str:
    return datetime.fromtimestamp(time / 1000, UTC).isoformat(timespec="milliseconds")


def row(draw: np.random.Generator, time: int) -> Message:
    """A prediction with a field of each type; the vectors lie along two axes, more or less."""
    along = draw.normal(size=2) * (3.0, 1.5)
    vector = draw.normal(size=SIZE) * 0.3
    vector[:2] += along
    return {
        "model": "m",
        "version": "1",
        "time": time,
        "features": {
            "amount": float(draw.normal()),
            "colour": ("red", "green", "blue")[int(draw.integers(3))],
            "member": bool(draw.random() < 0.3),
            "seen": iso(time - 1000 * draw.gamma(2.0, 600.0)),
            "paid": int(time - 1000 * draw.gamma(2.0, 60.0)),
            "review": " ".join(draw.choice(WORDS, int(draw.integers(5, 12)))),
            "vector": vector.round(4).tolist(),
        },
        "prediction": float(draw.normal(20.0, 4.0)),
    }


def stale(message: Message, time: int) -> None:
    message["features"]["seen"] = iso(time - 3_600_000)


def frozen(message: Message, time: int) -> None:
    message["features"]["paid"] = BEGINNING + 1000 * CHANGES_AT


def shifted(message: Message, time: int) -> None:
    message["features"]["vector"] = [number + 0.5 * (place > 1) for place, number in enumerate(message["features"]["vector"])]


def switched(message: Message, time: int) -> None:
    message["features"]["review"] = message["features"]["review"].replace("parcel", "film").replace("shop", "actor")


def risen(message: Message, time: int) -> None:
    message["prediction"] += 4.0


def traffic(change: Change | None, seed: int) -> list[Sent]:
    draw, sent = np.random.default_rng(seed), list[Sent]()
    for i in range(SECONDS * PER_SECOND):
        at = i * 1000 // PER_SECOND
        message = row(draw, BEGINNING + at)
        if change is not None and at >= CHANGES_AT * 1000:
            change(message, BEGINNING + at)
        sent.append(Sent(int(draw.integers(4)), at, json.dumps(message).encode()))
    return sent


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Configuration:
    folder = tmp_path_factory.mktemp("types")
    draw = np.random.default_rng(0)
    times = range(BEGINNING - 20_000_000, BEGINNING, 5_000)
    (folder / "train.jsonl").write_text("\n".join(json.dumps(row(draw, time)) for time in times))
    model = {"reference": {"file": str(folder / "train.jsonl")}, "false_alarms": "1 per 1d", "features": {"paid": {"type": "timestamp"}}}
    stream = {"mapping": {"prediction": "prediction", "score": None}}
    return configuration(artifacts=str(folder / "artifacts"), models={"m": model}, stream=stream)


@pytest.fixture(scope="module")
def built(settings: Configuration) -> Reference:
    return reference_of(settings, "m", "1")


class Outcome:
    """What the product publishes of some traffic."""

    def __init__(self, settings: Configuration, reference: Reference, sent: list[Sent]) -> None:
        bus = EmbeddedBus(":memory:", "test", "a")
        prepare(bus, settings, [reference])
        send(bus, sent)
        pipeline = Pipeline(bus, settings)
        for _ in pipeline.run_until_end():
            pass
        pipeline.close()
        self.events = [event.content for events in everything(bus, settings.topics.drift).values() for event in events]
        self.panes = [
            Pane.decoded(event.value)
            for events in everything(bus, settings.topics.summaries).values()
            for event in events
            if dict(event.headers)["ce_type"] == b"io.driftbus.pane"
        ]
        self.letters = [
            {key: value.decode() for key, value in letter.headers}
            for letters in everything(bus, settings.topics.dead_letter).values()
            for letter in letters
        ]
        bus.close()


def test_types_come_from_the_data(built: Reference) -> None:
    assert {field.name: field.type for field in built.fields} == {
        "amount": "numeric",
        "colour": "categorical",
        "member": "boolean",
        "seen": "timestamp",
        "paid": "timestamp",
        "review": "text",
        "vector": "embedding",
        "prediction": "numeric",
    }
    assert built.ignored == {}


def test_nothing_happens_where_nothing_changes(settings: Configuration, built: Reference) -> None:
    outcome = Outcome(settings, built, traffic(None, seed=1))
    assert outcome.events == []
    assert outcome.letters == []


@pytest.mark.parametrize(
    ("change", "name", "of", "role", "kind"),
    [
        (stale, "seen", {"values"}, "feature", "input"),
        (frozen, "paid", {"values"}, "feature", "input"),
        (shifted, "vector", {f"component {number}" for number in range(1, 9)} | {"distance"}, "feature", "input"),
        (switched, "review", {"words", "characters", "new words", "length"}, "feature", "text"),
        (risen, "prediction", {"values"}, "prediction", "output"),
    ],
)
def test_a_change_is_found_and_named(
    change: Change, name: str, of: set[str], role: str, kind: str, settings: Configuration, built: Reference
) -> None:
    outcome = Outcome(settings, built, traffic(change, seed=2))
    assert {event["status"] for event in outcome.events} >= {"opened"}
    opened = next(event for event in outcome.events if event["status"] == "opened")
    assert {(signal["name"], signal["role"]) for signal in opened["signals"]} == {(name, role)}
    assert {signal["of"] for signal in opened["signals"]} <= of
    assert opened["kind"] == kind
    late = datetime.fromisoformat(opened["bucket"][1]).timestamp() - BEGINNING / 1000 - CHANGES_AT
    assert 0 < late <= 120
    assert all(signal["change"] for signal in opened["signals"])


def test_how_many_rows_are_counted_together_does_not_matter(
    settings: Configuration, built: Reference, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = traffic(shifted, seed=4)[: 100 * PER_SECOND]
    whole = Outcome(settings, built, sent)
    monkeypatch.setattr("driftbus.consumers.profiler.tally.MOST_UNCOUNTED_BYTES", 1)
    parts = Outcome(settings, built, sent)
    assert {_place(pane): pane.counts.tolist() for pane in parts.panes} == {_place(pane): pane.counts.tolist() for pane in whole.panes}
    assert {_place(pane): pane.sums.tolist() for pane in parts.panes} == {_place(pane): pane.sums.tolist() for pane in whole.panes}
    assert parts.events == whole.events


def _place(pane: Pane) -> tuple[int, int, int]:
    return pane.partition, pane.first, pane.bucket


BAD = {
    "seen": ("yesterday", '"yesterday" is not an ISO 8601 time or epoch number'),
    "paid": (True, "true is not an ISO 8601 time or epoch number"),
    "review": (12, "12 is not a text"),
    "vector": ([1.0] * 3, "a list of 3, not of 16 numbers"),
}


@pytest.mark.parametrize("name", BAD)
def test_an_invalid_value_is_a_dead_letter_and_counts_as_one(name: str, settings: Configuration, built: Reference) -> None:
    value, reason = BAD[name]
    sent = traffic(None, seed=3)[: 60 * PER_SECOND]
    message = json.loads(sent[100].value or b"")
    message["features"][name] = value
    sent[100] = sent[100]._replace(value=json.dumps(message).encode())
    outcome = Outcome(settings, built, sent)
    (letter,) = outcome.letters
    assert f"features.{name}: {reason}" in letter.values()
    total = sum((pane.counts for pane in outcome.panes), start=np.zeros_like(outcome.panes[0].counts))
    states = Counter[str]()
    for field in built.fields:
        signal = layout(built).find(field.name, "availability")
        assert signal is not None
        states[field.name] = int(total[signal.span][2])
    assert +states == Counter({name: 1})
