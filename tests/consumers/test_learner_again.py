"""What is learnt is the same in one process and in three, in small batches and large, from topics that fill, and in a replay."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Output
from driftbus.consumers.bus.recording import write_recording
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.pipeline.topology import ROLES
from driftbus.consumers.process import folding
from driftbus.consumers.replay.learnt import learnt
from driftbus.consumers.replay.offline import load
from driftbus.schemas.configuration import Configuration

from ..streaming import prepare
from .test_blocks import LABELS, PREDICTIONS
from .test_joiner import run
from .test_learner import said, settings
from .test_outcome_columns import ends, log, publish, references

#: Predictions of an hour.
ROWS = 400


def alone(bus: EmbeddedBus, chosen: Configuration, sent: list[Output]) -> None:
    publish(bus, chosen, sent)
    run(bus, chosen, *ROLES)


def in_three(bus: EmbeddedBus, chosen: Configuration, sent: list[Output]) -> None:
    """The partitions are theirs in turn: each is restored by another."""
    publish(bus, chosen, sent)
    pipelines = [Pipeline(bus.as_instance(f"p{number}"), chosen) for number in range(3)]
    running = [pipeline.run_until_end() for pipeline in pipelines]
    while running:
        running = [one for one in running if next(one, None) is not None]
    for pipeline in pipelines:
        pipeline.close()


def in_parts(bus: EmbeddedBus, chosen: Configuration, sent: list[Output]) -> None:
    """Some turns, and a death, between two parts of the input."""
    prepare(bus, chosen, references())
    bus.create(LABELS, 3, settings={"retention.ms": "-1"})
    for start in range(0, len(sent), 200):
        bus.publish(sent[start : start + 200])
        with closing(Pipeline(bus.as_instance("one"), chosen)) as pipeline:
            for _ in range(3):
                pipeline.turn()
    ends(bus)
    run(bus, chosen, *ROLES)


@pytest.mark.parametrize(("way", "most"), [(alone, 20), (in_three, 2_000), (in_parts, 2_000)])
def test_it_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: Callable[..., None], most: int) -> None:
    chosen, (sent, _) = settings(tmp_path), log(6, ROWS)
    with closing(EmbeddedBus(":memory:", "test", "one")) as bus, closing(EmbeddedBus(":memory:", "test", "one")) as other:
        alone(bus, chosen, sent)
        monkeypatch.setattr(folding, "MOST_RECORDS", most)
        way(other, chosen, sent)
        found = {event.key: event.value for events in said(bus, chosen).values() for event in events}
        assert found == {event.key: event.value for events in said(other, chosen).values() for event in events}
        assert len(found) > 8


def test_a_replay_learns_the_same(tmp_path: Path) -> None:
    chosen, file = settings(tmp_path), tmp_path / "all.jsonl"
    with closing(EmbeddedBus(":memory:", "test", "one")) as bus:
        alone(bus, chosen, log(7, ROWS)[0])
        write_recording(bus, [PREDICTIONS, LABELS, chosen.topics.models], file)
        found = sorted(learnt(bus, chosen))
    offline = load(chosen, file, None, "-", tmp_path).configuration
    with closing(EmbeddedBus(offline.embedded, "test", "replay")) as bus:
        run(bus, offline, *ROLES)
        assert sorted(learnt(bus, offline)) == found
    assert len(found) > 8
