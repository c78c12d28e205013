"""Model events ask for golden evaluations: each once, whatever dies, and of versions that serve."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import cast

import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Bus
from driftbus.consumers.golden.deployments import Deployments
from driftbus.consumers.golden.evaluator import make
from driftbus.consumers.pipeline.runner import Pipeline, wall_ms
from driftbus.consumers.process.consumer import Making
from driftbus.consumers.reference.artifacts import ArtifactStore
from driftbus.consumers.reference.golden_records import place_of
from driftbus.consumers.reference.golden_sets import announced, announcement
from driftbus.consumers.reference.model_events import tell
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.golden import GoldenEvaluation
from driftbus.schemas.messages.model_event import Kind, ModelEvent

from ..battery.interrupting import POINTS, Died, Interrupting
from .worlds import evaluations, evaluator, prepared, settings_of, turned, written

#: In the other partition of the topic.
OTHER = "a"


@pytest.fixture
def bus() -> Iterator[EmbeddedBus]:
    bus = EmbeddedBus(":memory:", "app", "one")
    yield bus
    bus.close()


def event(kind: Kind, version: str, job: str = "j", model: str = "m", parent: str | None = None) -> ModelEvent:
    return ModelEvent(model=model, version=version, kind=kind, job=job, parent=parent)


def world(bus: Bus, tmp_path: Path, *events: ModelEvent) -> Configuration:
    """With a golden set in use, and these events."""
    settings = settings_of(tmp_path, models=("m", OTHER))
    for model in ("m", OTHER):
        golden = prepared(bus, settings).model_copy(update={"model": model})
        ArtifactStore(settings.artifacts, "golden").put(golden.encoded())
        bus.publish([announced(settings, announcement(golden, 1_000, None, None))])
    for one in events:
        tell(bus, settings, one)
    return settings


def found(bus: Bus, settings: Configuration, count: int, model: str = "m") -> list[GoldenEvaluation]:
    with closing(evaluator(bus, settings)) as one:
        return turned(one, bus, settings, count, model)


def test_a_version_is_tested_when_it_is_registered_deployed_and_promoted(bus: EmbeddedBus, tmp_path: Path) -> None:
    settings = world(bus, tmp_path, event("registered", "1"), event("deployed", "1"), event("promoted", "1"))
    said = found(bus, settings, 4)
    assert [(one.cause, one.version, one.status, one.verdict) for one in said] == [
        ("model", "1", "complete", verdict) for verdict in ("first", "same", "same", "same")
    ]
    assert [one.spread is not None for one in said] == [False, True, True, True], "the second run says how far two runs are apart"
    assert found(bus, settings, 4) == said, "nor again by who comes later"
    tell(bus, settings, event("promoted", "1"))
    assert found(bus, settings, 4) == said, "nor where it is said twice"


def test_a_new_version_is_compared_with_its_parent(bus: EmbeddedBus, tmp_path: Path) -> None:
    settings = world(bus, tmp_path, event("deployed", "1"), event("deployed", "2", parent="1"))
    first, second = found(bus, settings, 2)
    assert (second.against, second.verdict) == (first.request, "worse")


def test_of_versions_that_are_out_of_service_nothing_is_asked(bus: EmbeddedBus, tmp_path: Path) -> None:
    events = [
        *(event("deployed", version) for version in "123"),
        event("retired", "3"),
        event("registered", "5"),
        event("promoted", "4"),
        event("promoted", "6"),
        event("rolled_back", "6", parent="1"),
        event("deployed", "9", model="of no golden set"),
    ]
    settings = world(bus, tmp_path, *events)
    deployments = Deployments(bus, settings)
    deployments.look()
    asked = [(one.version, one.spread, one.parent) for one in deployments.requests(0)]
    assert asked == [("5", False, None), ("5", True, None), ("1", False, None)]
    assert list(deployments.requests(deployments.end)) == []


@pytest.mark.parametrize(("point", "hits"), [(point, hits) for point in POINTS for hits in (0, 2)])
def test_whoever_dies_each_event_has_its_evaluation_once(bus: EmbeddedBus, tmp_path: Path, point: str, hits: int) -> None:
    settings = world(bus, tmp_path, event("deployed", "1"), event("deployed", "1", model=OTHER))
    dying = Interrupting(bus, role="evaluator", dies_at=point, hits=hits)
    with pytest.raises(Died):
        for _ in Pipeline(cast(Bus, dying), settings, ["evaluator"]).run_until_end():
            pass
    settled = bus.as_instance("one")
    for model in ("m", OTHER):
        [one] = found(settled, settings, 1, model)
        assert one.status == "complete"
        assert written(settled, settings)[one.request, "evaluation"] == 1


def test_two_processes_ask_once(bus: EmbeddedBus, tmp_path: Path) -> None:
    """Each asks for the models of its partitions."""
    settings = world(bus, tmp_path, event("deployed", "1"), event("deployed", "1", model=OTHER))
    assert place_of(settings, "m") != place_of(settings, OTHER)
    both = [make(Making(bus.as_instance(name), settings, ArtifactStore(settings.artifacts), wall_ms))[0] for name in ("two", "three")]
    while not (evaluations(bus, settings) and evaluations(bus, settings, OTHER)):
        for one in both:
            one.turn(0.01)
    for one in both:
        one.close()
    assert [len(evaluations(bus, settings, model)) for model in ("m", OTHER)] == [1, 1]


def test_with_a_records_clock_a_model_event_asks_in_the_next_turn(bus: EmbeddedBus, tmp_path: Path) -> None:
    """And the evaluator says that it has something open: whoever turns hands between two days knows when the day is over."""
    live = settings_of(tmp_path)
    record = {name: stream.model_copy(update={"clock": "record", "act": True}) for name, stream in live.streams.items()}
    settings = live.model_copy(update={"streams": record})
    bus.publish([announced(settings, announcement(prepared(bus, settings), 1_000, None, None))])
    with closing(evaluator(bus, settings)) as one:
        one.turn(0)  # had it looked only every two seconds, it would not look again soon
        assert one.standing().open == 0
        tell(bus, settings, event("promoted", "1"))
        assert one.turn(0)
        assert one.turn(0)
        assert one.standing().open == 1
        turned(one, bus, settings, 1)
        assert one.standing().open == 0
