"""Concept drift of numbers on the bus: losses grow, that is told with what the predictions came to, and resolved by matured intervals."""

from contextlib import closing
from typing import Any

import msgspec
import numpy as np
import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Output
from driftbus.consumers.pipeline.topology import ROLES
from driftbus.consumers.streams.records import end_records
from driftbus.detectors.counting.bins import profile_of
from driftbus.schemas.cloud_events import iso
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.stored.reference import AvailabilityProfile, ProfiledField, Reference

from ..streaming import configuration, everything, prepare
from .test_joiner import run

#: An hour, of the day's beginning; rows, a second apart; labels come half an hour later.
HOUR = 1_700_006_400_000
ROWS, LATE, SECOND = 14_400, 1_800, 1_000
#: In these rows losses are larger by half.
WORSE = range(9_000, 10_800)


def settings() -> Configuration:
    return configuration(
        stream={"pane": "5m"},
        labels={"outcomes": {"topics": ["known"], "wait": "1h", "early": "5m", "about": "10m", "outcome": "number"}},
        models={"m0": {"labels": "outcomes", "false_alarms": "1 per 1d"}},
        topics={"partitions": 1},
    )


def priced() -> Reference:
    draw, rows = np.random.default_rng(0), 5_000
    present = AvailabilityProfile(counts=(rows, 0, 0, 0))
    prices = ProfiledField(
        name="prediction", role="prediction", type="numeric", values=profile_of(draw.normal(100, 20, rows)), availability=present
    )
    return Reference(model="m0", version="1", rows=rows, first=0, last=rows * 1000, ordered=True, fields=(prices,))


def log() -> list[Output]:
    """Prices; the larger they are, the farther off."""
    draw, sent = np.random.default_rng(1), []
    for i in range(ROWS):
        time, price = HOUR + i * SECOND, float(draw.normal(100, 20))
        off = float(draw.normal()) * (0.1 * max(price, 10)) * (1.5 if i in WORSE else 1.0)
        value = {"model": "m0", "version": "1", "id": i, "features": {}, "prediction": price}
        sent.append((time, Output("scored", 0, None, msgspec.json.encode(value), (), time)))
        known = time + LATE * SECOND
        sent.append((known, Output("known", 0, None, msgspec.json.encode({"id": i, "label": price + off}), (), known)))
    return [output for _, output in sorted(sent, key=lambda one: one[0])]


@pytest.fixture(scope="module")
def told() -> list[dict[str, Any]]:
    chosen = settings()
    with closing(EmbeddedBus(":memory:", "test", "one")) as bus:
        prepare(bus, chosen, [priced()], partitions=1)
        bus.create("known", 1, settings={"retention.ms": "-1"})
        bus.publish(log())
        for topic in ("scored", "known"):
            bus.publish(end_records("test", topic, 1, HOUR + (ROWS + 3 * LATE) * SECOND))
        run(bus, chosen, *ROLES)
        events = [event.content for events in everything(bus, chosen.topics.drift).values() for event in events]
    return [event for event in events if event.get("kind") == "performance"]


def test_losses_that_grow_are_told_with_what_predictions_came_to(told: list[dict[str, Any]]) -> None:
    opened, *_ = told
    assert opened["status"] == "opened"
    assert {signal["name"] for signal in opened["signals"]} == {"(errors)", "(relation)"}
    shown = opened["performance"]
    assert shown["metric"] == "mae"
    assert shown["was"] == pytest.approx(8.0, rel=0.05)  # a tenth of 100, and of a normal's mean distance
    assert shown["low"] < shown["now"] < shown["high"]
    assert shown["onset"] == iso(HOUR + WORSE.start * SECOND)
    assert shown["about"][0] == shown["onset"]
    assert shown["delay"] == pytest.approx(LATE * 1_000, rel=0.15)
    assert shown["estimated"] == pytest.approx(8.0, rel=0.1)  # it cannot see it
    assert shown["assumption_broken"]


def test_it_is_over_when_matured_intervals_say_so(told: list[dict[str, Any]]) -> None:
    """Not before an interval that lies wholly behind it is a delay old."""
    assert sum(event["status"] == "opened" for event in told) == 1
    resolved = told[-1]
    assert (resolved["status"], resolved["reason"]) == ("resolved", "recovered")
    assert resolved["bucket"][1] >= iso(HOUR + (WORSE.stop + 600 + LATE) * SECOND)
    assert resolved["performance"]["about"][0] >= iso(HOUR + WORSE.stop * SECOND)
    assert resolved["performance"]["now"] == pytest.approx(8.0, rel=0.1)
