"""What every hand of the topology must stand, on both buses: it dies at every point of its commits, and acts on each thing once."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import cast

import pytest

from driftbus.consumers.bus.interface import Bus
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.pipeline.topology import TOPOLOGY
from driftbus.consumers.reference.golden_records import ask
from driftbus.schemas.configuration import Configuration

from ..golden.servers import serving
from ..golden.worlds import asking, evaluations, prepared, settings_of
from .interrupting import POINTS, Died, Interrupting
from .worlds import World

HANDS = tuple(node.role for node in TOPOLOGY if node.kind == "hand")
every_hand = pytest.mark.parametrize("role", HANDS)


@pytest.fixture
def asked(world: World, tmp_path: Path) -> Iterator[list[str]]:
    """Requests on the topic of golden evaluations, to be acted on."""
    with serving() as server:
        live = settings_of(tmp_path, {"http": {"url": f"{server.address}/good", "version": "version"}})
        world.settings = Configuration.model_validate(
            {
                **live.model_dump(exclude={"models", "streams"}),
                "application": world.settings.application,
                "topics": {"prefix": world.settings.application, "partitions": 2},
                "streams": {"predictions": {"topics": [world.topic]}},
                "models": {"m": live.models["m"]},
            }
        )
        bus = world.bus()
        golden = prepared(bus, world.settings)
        requests = [asking(world.settings, golden, str(number)) for number in range(3)]
        ask(bus, world.settings, requests)
        yield [request.request for request in requests]


def finish(world: World, role: str) -> None:
    pipeline = Pipeline(world.bus(), world.settings, [role])
    for _ in pipeline.run_until_end():
        pass
    pipeline.close()


def outcome(world: World) -> list[tuple[str, str, float | None]]:
    return [(one.request, one.status, one.change) for one in evaluations(world.bus(), world.settings)]


@every_hand
@pytest.mark.parametrize(("point", "hits"), list(product(POINTS, range(2))))
def test_it_dies_at_every_point_of_its_commits_and_acts_once(world: World, role: str, asked: list[str], point: str, hits: int) -> None:
    bus = world.bus()
    pipeline = Pipeline(cast(Bus, Interrupting(bus, role=role, dies_at=point, hits=hits)), world.settings, [role])
    with pytest.raises(Died):
        for _ in pipeline.run_until_end():
            pass
    world.gone(bus)
    finish(world, role)
    assert [(request, status) for request, status, _ in outcome(world)] == [(request, "complete") for request in asked]
    assert [change for *_, change in outcome(world)] == [None, None, None], "nothing was lost before, so no share of it was"


@every_hand
def test_a_process_without_anything_to_do_ends(world: World, role: str, asked: list[str]) -> None:
    finish(world, role)
    finish(world, role)
    assert [request for request, *_ in outcome(world)] == asked


@every_hand
def test_no_stream_is_live_no_hand_is_made(world: World, role: str, asked: list[str]) -> None:
    streams = {name: stream.model_copy(update={"clock": "record"}) for name, stream in world.settings.streams.items()}
    pipeline = Pipeline(world.bus(), world.settings.model_copy(update={"streams": streams}), [role])
    assert not pipeline.consumers
    pipeline.close()
