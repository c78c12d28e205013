"""What every role of the topology must stand, on both buses: a new one joins by its row."""

import json
from typing import Any, cast

import pytest

from driftbus.consumers.bus.interface import Bus
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.pipeline.topology import INPUTS, ROLES, TOPOLOGY, Node

from ..streaming import Sent
from .worlds import POINTS, Died, Interrupting, World, fill

every_role = pytest.mark.parametrize("role", ROLES)
every_node = pytest.mark.parametrize("node", TOPOLOGY, ids=lambda node: node.role)


@every_role
@pytest.mark.parametrize("point", POINTS)
def test_it_dies_at_a_point_of_its_commit_and_nothing_changes(world: World, role: str, point: str) -> None:
    fill(world)
    deaths = 0
    for hits in world.deaths:
        bus = world.bus()
        pipeline = Pipeline(cast(Bus, Interrupting(bus, role=role, dies_at=point, hits=hits)), world.settings)
        try:
            for _ in pipeline.run_until_end():
                pass
        except Died:
            deaths += 1
        world.gone(bus)
    assert deaths
    world.finish(world.bus())
    assert world.outcome() == world.clean()


def test_each_runs_alone_on_what_the_others_left(world: World) -> None:
    fill(world)
    for role in ROLES:
        world.finish(world.bus(), role)
    assert world.outcome() == world.clean()


@every_node
def test_it_writes_what_the_topology_says(world: World, node: Node) -> None:
    fill(world, *poison(world))
    watching = Interrupting(world.bus())
    world.finish(cast(Bus, watching))
    assert {topic.removeprefix(f"{world.settings.topics.prefix}.") for topic in watching.written[node.role]} <= set(node.writes)
    assert INPUTS not in node.writes


def test_a_process_without_partitions_ends_with_the_others(world: World) -> None:
    fill(world)
    pipelines = [Pipeline(world.bus(f"p{number}"), world.settings) for number in range(3)]  # of two partitions
    running = [pipeline.run_until_end() for pipeline in pipelines]
    left = list(range(3))
    while left:
        for number in list(left):
            if next(running[number], None) is None:
                pipelines[number].close()
                left.remove(number)
    assert world.outcome() == world.clean()


def poison(world: World) -> list[Sent]:
    """Records that have broken something once, or might: names that are half a character, deep, long, of other types."""
    features = {"amount": 0.1, "age": 30, "colour": "red"}
    bodies: list[Any] = [  # any JSON
        {"model": "m0", "version": "1", "features": features | {"\ud800": 1}},
        {"model": "m0", "version": "1", "features": features | {"colour": "\udfff"}},
        {"model": "\ud800", "version": "1", "features": features},
        {"model": "m0", "version": "\udc00", "features": features},
        {"model": "m0", "version": "1", "id": "\ud83d", "features": features},
        {"model": "m0", "version": "1", "features": features | {"n" * 100_000: 1}},
        {"model": "m0", "version": "1", "features": features | {"colour": "x" * 900_000}},
        {"model": ["m0"], "version": {"a": 1}, "features": [features]},
    ]
    values = [json.dumps(body).encode() for body in bodies] + [b"[" * 100_000, b"", b"\xff\xfe", b"null"]
    return [Sent(number % 2, 100_000 + number, value) for number, value in enumerate(values)]


def test_poison_costs_itself(world: World) -> None:
    fill(world, *poison(world))
    pipeline = world.finish(world.bus())
    assert world.outcome() == world.clean()
    assert pipeline.totals["set_aside"] == 0, "poison is known where it is read, not caught by the last net"


@every_role
def test_it_closes_when_it_has_done_nothing(world: World, role: str) -> None:
    fill(world)
    Pipeline(world.bus(), world.settings, [role]).close()
    world.finish(world.bus())
    assert world.outcome() == world.clean()
