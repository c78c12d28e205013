"""Rows unlike the training data: through the product a broken field is told by its name and source, a broken source by its own, and what is
new is nobody's fault; and no batch shows in what is counted of them."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import TopicDescription
from driftbus.consumers.command.main import main
from driftbus.consumers.console.description import _fault
from driftbus.consumers.decode.json import JSONDecoder
from driftbus.consumers.pipeline.own_topics import create_topics
from driftbus.consumers.profiler.tally import Tally
from driftbus.consumers.profiler.unlike import Stage
from driftbus.consumers.reference.announce import announce, from_start
from driftbus.consumers.reference.artifacts import ArtifactStore
from driftbus.consumers.reference.building.source import reference_of
from driftbus.consumers.reference.holding import HeldReferences
from driftbus.consumers.streams.cut import CutState, Rules, cut, finish
from driftbus.consumers.streams.records import Records
from driftbus.detectors.counting.layout import layout
from driftbus.detectors.neighbours.bins import InBins
from driftbus.detectors.neighbours.masked import PLACES
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.drift import DriftEvent
from driftbus.schemas.messages.ood import OodSample
from driftbus.schemas.messages.pane import MOST_MASKED, OOD, Pane
from driftbus.schemas.messages.progress import InputPartition
from driftbus.schemas.stored.reference import Reference

from ..replaying import replayed, written
from ..streaming import BEGINNING, configuration

PLACE = InputPartition(topic="rows", topic_id="1", partition=0)
FEATURES = {
    "wind": {"source": "station", "owner": "weather team"},
    "warmth": {"source": "station", "owner": "weather team"},
    "amount": {"source": "till", "owner": "payments"},
    "shop": {"source": "till", "owner": "payments"},
}
Columns = dict[str, Any]


def rows(count: int, seed: int) -> Columns:
    """Six fields that hang together."""
    draw = np.random.default_rng(seed)
    z = draw.normal(size=(count, 4)) * 0.6 + draw.normal(size=(count, 1)) * 0.8
    return {
        "wind": np.exp(z[:, 0]),
        "warmth": z[:, 1] * 10 + 15,
        "amount": z[:, 2] * 30 + 100,
        "age": np.clip(np.round(z[:, 3] * 2 + 5), 1, 9),
        "shop": np.array([f"s{int(np.clip(x + 2, 0, 3))}" for x in z[:, 2]], dtype=object),
        "place": np.array([f"p{int(20 * x * x)}" for x in draw.random(count)], dtype=object),
    }


def live(change: Columns, quiet: int = 1_000, count: int = 1_500) -> Columns:
    """Some rows as ever, then others of which a fifth has these values."""
    found = rows(quiet + count, 2)
    chosen = quiet + np.flatnonzero(np.random.default_rng(3).random(count) < 0.2)
    for name, value in change.items():
        found[name][chosen] = value(found[name][chosen]) if callable(value) else value
    return {name: column.tolist() for name, column in found.items()}


def plain(columns: Columns) -> Columns:
    return {name: column.tolist() for name, column in columns.items()}


NEW = {"wind": 0.2, "warmth": 40.0, "amount": 160.0, "age": 2.0, "shop": "s0"}


def opened(folder: Path, change: Columns) -> tuple[DriftEvent, str]:
    told = replayed(folder, plain(rows(6_000, 1)), live(change), false_alarms="1 per 7d", features=FEATURES, ood={})
    events = [event for event in told.events if event.kind == "ood" and event.status == "opened"]
    assert len(events) == 1
    return events[0], told.output


@pytest.mark.parametrize(
    ("name", "change", "sources"),
    [("warmth", lambda x: x * 10 + 500, "station"), ("shop", "never seen", "till"), ("age", lambda x: x + 0.5, None)],
)
def test_a_broken_field_is_told_with_its_source(tmp_path: Path, name: str, change: object, sources: str | None) -> None:
    event, output = opened(tmp_path, {name: change})
    told = event.outliers
    print(told)
    assert told is not None
    assert (told.fault, told.names) == ("field", (name,))


@pytest.mark.parametrize("change", [NEW, {"warmth": -10.0, "wind": 30.0}])
def test_xx(tmp_path: Path, change: Columns) -> None:
    event, output = opened(tmp_path, change)
    print(event.outliers)
    print([l for l in output.splitlines() if "unlike" in l])
    assert 0
