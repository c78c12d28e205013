"""Concept drift on the bus: predictions go wrong more often from some time on, and that is told once, whoever dies meanwhile."""

from contextlib import closing, suppress
from typing import Any, cast

import msgspec
import numpy as np
import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Bus, Output
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.pipeline.topology import ROLES
from driftbus.consumers.streams.records import end_records
from driftbus.schemas.cloud_events import iso
from driftbus.schemas.configuration import Configuration

from ..battery.interrupting import POINTS, Died, Interrupting, turns
from ..streaming import BEGINNING, configuration, everything, prepare, reference
from .test_blocks import LABELS, PREDICTIONS, settings
from .test_joiner import run

#: Rows a second; from the second one on errors are commoner.
ROWS, CHANGE = 8_500, 6_500
SECOND = 1_000


AS: dict[str, Any] = {"stream": {"pane": "1m"}, "topics": {"partitions": 2}, "snapshot_every": "1ms"}


def log(worse: float) -> list[Output]:
    """Scores that are well calibrated; from `CHANGE` on so many more labels are turned round."""
    draw, sent = np.random.default_rng(1), []
    features = {"amount": 0.0, "age": 30, "colour": "red"}
    for i in range(ROWS):
        time, score = BEGINNING + i * SECOND, float(draw.beta(0.5, 0.5))
        label = bool(draw.random() < score) != bool(i >= CHANGE and draw.random() < worse)
        value = {"model": "m0", "version": "1", "id": f"p{i}", "features": features | {"amount": float(draw.normal())}, "score": score}
        sent.append((time, Output(PREDICTIONS, i % 4, None, msgspec.json.encode(value), (), time)))
        known = time + int(draw.exponential(20 * SECOND))
        sent.append((known, Output(LABELS, i % 3, None, msgspec.json.encode({"id": f"p{i}", "label": label}), (), known)))
    return [output for _, output in sorted(sent, key=lambda one: one[0])]


def told(worse: float, deaths: int = 0, then: Configuration | None = None) -> list[dict[str, Any]]:
    """The events of this log that are about outcomes; ``then``: by which it goes on at its end."""
    chosen = settings({"wait": "10m"}, **AS)
    draw = np.random.default_rng(0)
    with closing(EmbeddedBus(":memory:", "test", "log")) as bus:
        prepare(bus, chosen, [reference("m0")])
        bus.create(LABELS, 3, settings={"retention.ms": "-1"})
        bus.publish(log(worse))
        for topic, partitions in ((PREDICTIONS, 4), (LABELS, 3)):
            bus.publish(end_records("test", topic, partitions, BEGINNING + (ROWS + 3_600) * SECOND))
        for _ in range(deaths):
            dying = Interrupting(bus.as_instance("one"), role=str(draw.choice(ROLES)), dies_at=str(draw.choice(POINTS)), hits=1)
            with suppress(Died):
                for _ in turns(Pipeline(cast(Bus, dying), chosen), 8):
                    pass
        run(bus.as_instance("one"), chosen, *ROLES)
        if then is not None:
            with closing(Pipeline(bus.as_instance("one"), then)) as pipeline:
                for _ in turns(pipeline, 4):
                    pass
        events = [event.content for events in everything(bus, chosen.topics.drift).values() for event in events]
    return [event for event in events if event.get("kind") == "performance"]


@pytest.fixture(scope="module")
def went_on() -> list[dict[str, Any]]:
    """At the end the model has labels no longer."""
    return told(0.35, then=configuration(models={"m0": {}}, **AS))


@pytest.fixture(scope="module")
def clean(went_on: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return went_on[:-1]


def test_more_errors_are_told_once_with_their_onset(clean: list[dict[str, Any]]) -> None:
    (opened,) = [event for event in clean if event["status"] == "opened"]
    assert {signal["name"] for signal in opened["signals"]} <= {"(errors)", "(relation)"}
    assert opened["model"] == "m0"
    assert iso(BEGINNING + (CHANGE - 300) * SECOND) <= opened["onset"] <= iso(BEGINNING + (CHANGE + 300) * SECOND)
    assert opened["bucket"][1] <= iso(BEGINNING + (CHANGE + 900) * SECOND)
    errors = next(signal for signal in opened["signals"] if signal["name"] == "(errors)")
    assert errors["now"]["mean"] > errors["was"]["mean"] + 0.1


def test_nothing_is_told_while_errors_are_as_ever() -> None:
    assert told(0.0) == []


def test_whoever_dies_the_same_is_told(clean: list[dict[str, Any]]) -> None:
    again = told(0.35, deaths=6)
    assert [event | {"reference": ""} for event in again] == [event | {"reference": ""} for event in clean]


def test_what_is_open_ends_where_the_model_has_labels_no_longer(went_on: list[dict[str, Any]]) -> None:
    *_, before, last = went_on
    assert before["status"] != "resolved"
    assert (last["episode"], last["sequence"]) == (before["episode"], before["sequence"] + 1)
    assert (last["status"], last["reason"]) == ("resolved", "reconfigured")
