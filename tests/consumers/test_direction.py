"""One direction through the product: messages in, events out."""

from pathlib import Path

import numpy as np
import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.command.check import findings
from driftbus.consumers.process.settings import ConfigurationError, parsed

from ..replaying import Columns, replayed
from ..streaming import configuration, prepare, reference, rows, send

UP = {"failed": {"direction": "up"}, "latency": {"direction": "up"}}


def calls(draw: np.random.Generator, number: int, failures: float = 0.1, latency: float = 1.0) -> Columns:
    """A flag, which is true where a call failed, and how long it took."""
    return {"failed": (draw.random(number) < failures).tolist(), "latency": (latency * draw.exponential(size=number)).tolist()}


@pytest.mark.parametrize("features", [{}, UP], ids=["both", "up"])
def test_a_fall_is_told_only_to_those_who_look_for_it(tmp_path: Path, features: dict[str, object]) -> None:
    draw = np.random.default_rng(2)
    fallen = replayed(tmp_path, calls(draw, 10_000), calls(draw, 6_000, 0.03, 0.6), false_alarms="1 per 1d", features=features)
    told = {signal.change for event in fallen.events for signal in event.signals}
    assert told == (set() if features else {"fewer 'true'", "mean down"})


def test_a_rise_is_told_sooner_in_one_direction(tmp_path: Path) -> None:
    opened = []
    for name, features in (("both", {}), ("up", UP)):
        draw = np.random.default_rng(2)
        folder = tmp_path / name
        folder.mkdir()
        risen = replayed(folder, calls(draw, 10_000), calls(draw, 12_000, 0.12), pane="10s", false_alarms="1 per 1d", features=features)
        first = risen.events[0]
        assert [(signal.name, signal.change) for signal in first.signals] == [("failed", "more 'true'")]
        opened.append(first.bucket[1])
    assert opened[1] < opened[0]


def test_a_direction_that_there_is_not_is_refused() -> None:
    text = "{application: a, streams: {s: {topics: [t]}}, models: {m: {features: {'err*': {direction: %s}}}}}"
    parsed(text % "down")
    with pytest.raises(ConfigurationError, match=r"models\.m\.features\.err\*.*direction.*'both', 'up' or 'down'"):
        parsed(text % "upwards")


def test_a_direction_of_what_has_none_is_told_before_running(tmp_path: Path) -> None:
    colours = reference("m0")
    fields = tuple(
        field.model_copy(
            update={"values": field.values.model_copy(update={"categories": ("red", "green", "blue"), "counts": (1, 2, 3, 0)})}
        )
        if field.name == "colour" and field.values is not None
        else field
        for field in colours.fields
    )
    settings = configuration(artifacts=str(tmp_path), models={"m0": {"features": {"col*": {"direction": "up"}}}})
    bus = EmbeddedBus(":memory:", "test", "a")
    prepare(bus, settings, [colours.model_copy(update={"fields": fields})])
    send(bus, rows(30, ("m0",), 4, seed=3))
    wrong = [text for level, text in findings(bus, settings, 100) if level == "wrong"]
    assert wrong == [
        "models.m0.features.col*.direction: up: colour is categorical and has not two categories, so it goes neither up nor down; "
        "leave it out, or write direction: both for colour"
    ]
