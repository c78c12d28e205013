"""What every fold of the topology must stand, on both buses: a new one joins by its row. `test_hands` has the hands."""

import json
import time
from collections.abc import Sequence
from itertools import cycle, product
from typing import Any, cast

import pytest

from driftbus.consumers.bus.interface import Bus, TopicPartition
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.pipeline.topology import INPUTS, TOPOLOGY
from driftbus.consumers.process import folding
from driftbus.schemas.messages.pane import OOD, Pane

from ..bus.worlds import PATIENCE_S
from ..streaming import Sent
from .interrupting import POINTS, Died, Interrupting
from .worlds import FOLDS, Outcome, World, fill

#: Records that retention takes of each partition.
HOLE = 8

#: Topics of which retention takes nothing: Kafka refuses even to delete from their beginning.
COMPACTED = ("models",)


def test_each_dies_at_every_point_of_its_commits_and_nothing_changes(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """By itself, behind those that come before it."""
    fill(world)
    _commit_often(monkeypatch)
    for role in FOLDS:
        deaths = sum(_dies(world, (role,), role, point, hits) for point, hits in product(POINTS, world.deaths))
        assert deaths >= len(POINTS), role
        world.finish(world.bus(), role)
    world.finish(world.bus())
    assert world.outcome() == world.clean()


def test_a_process_of_all_dies_at_each_ones_commits_and_nothing_changes(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(world)
    _commit_often(monkeypatch)
    deaths = [_dies(world, FOLDS, role, point, 0) for role, point in zip(reversed(world.dying), cycle(POINTS), strict=False)]
    assert all(deaths)
    world.finish(world.bus())
    assert world.outcome() == world.clean()


def _dies(world: World, roles: Sequence[str], role: str, point: str, hits: int) -> bool:
    """Whether it does: it might be at the end before."""
    bus = world.bus()
    pipeline = Pipeline(cast(Bus, Interrupting(bus, role=role, dies_at=point, hits=hits)), world.settings, roles)
    try:
        for _ in pipeline.run_until_end():
            pass
    except Died:
        return True
    finally:
        world.gone(bus)
    return False


TRIMMED = [node.role for node in TOPOLOGY if node.role in FOLDS and node.reads[0] not in COMPACTED]


# On Kafka one that reads inputs, and one of those that read what is ours: these have their reading in common.
@pytest.mark.parametrize(
    ("world", "role"),
    [("embedded", role) for role in TRIMMED] + [pytest.param("kafka", role, marks=pytest.mark.kafka) for role in TRIMMED[:2]],
    indirect=["world"],
)
def test_what_retention_took_is_told_and_costs_itself(world: World, role: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process dies, and is away for longer than its topic keeps."""
    fill(world)
    _commit_often(monkeypatch)
    (_, group), committed, bus = world.reads[role], dict[TopicPartition, int](), world.bus()
    while not committed:  # the first commits may be of another topic that it reads, too
        assert _dies(world, FOLDS, role, "behind a commit", 1)
        committed = {place: position.offset for place, position in bus.committed(group, world.places(role)).items()}
    if role != FOLDS[0]:
        world.finish(world.bus(), *FOLDS[: FOLDS.index(role)])
    firsts = {place: min(offset + HOLE, bus.watermarks(place)[1] - 1) for place, offset in committed.items()}
    assert all(first > committed[place] for place, first in firsts.items())
    held = sum(len(batch) for place, first in firsts.items() for batch in bus.read(place, committed[place], first))
    whole = world.clean() if role == FOLDS[0] else world.outcome()  # of the input nothing is gone for those behind the first
    world.trim(bus, firsts)
    behind = world.finish(world.bus())
    assert sum(behind.totals[name] for name in ("buckets", "slots", "runs", "decided", "steps")) > 0
    assert world.lost() == {place: first - 1 for place, first in firsts.items()}
    left = world.outcome()
    if role == FOLDS[0]:  # else what is gone is gone from the outcome
        assert _read(left) == _read(whole) - held
    else:
        assert left.letters == whole.letters


def _commit_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """At every turn: a role that says little has several commits, however fast the machine is."""
    monkeypatch.setattr(folding, "COMMIT_EVERY", 0)


def _read(outcome: Outcome) -> int:
    """Records of the input that were read: each is a row of a pane, or a dead letter."""
    panes = [Pane.decoded(pane.value) for pane in outcome.panes]
    return sum(pane.rows for pane in panes if pane.of != OOD) + len(outcome.letters)


def test_each_runs_alone_on_what_the_others_left(world: World) -> None:
    fill(world)
    again = {node.again: (node.role,) for node in TOPOLOGY}
    for role in (one for first in FOLDS for one in (first, *again.get(first, ()))):
        world.finish(world.bus(), role)
    assert world.outcome() == world.clean()


def test_each_writes_what_the_topology_says(world: World) -> None:
    fill(world, *poison(world))
    watching = Interrupting(world.bus())
    world.finish(cast(Bus, watching))
    for node in TOPOLOGY:
        written = {topic.removeprefix(f"{world.settings.topics.prefix}.") for topic in watching.written.get(node.role, ())}
        assert written <= set(node.writes), node.role
        assert INPUTS not in node.writes


def test_a_process_without_partitions_ends_with_the_others(world: World) -> None:
    fill(world)
    """And not by getting theirs: they go on."""
    pipelines = [Pipeline(world.bus(f"p{number}"), world.settings) for number in range(3)]  # of two partitions
    running = [pipeline.run_until_end() for pipeline in pipelines]
    ended, deadline = set[int](), time.monotonic() + PATIENCE_S
    while len(ended) < len(pipelines):
        assert time.monotonic() < deadline, f"of three processes {sorted(ended)} ended"
        for number, pipeline in enumerate(pipelines):
            if number in ended:
                pipeline.turn()
            elif next(running[number], None) is None:
                ended.add(number)
    for pipeline in pipelines:
        pipeline.close()
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


def test_one_that_has_done_nothing_closes(world: World) -> None:
    fill(world)
    for role in FOLDS:
        Pipeline(world.bus(), world.settings, [role]).close()
    world.finish(world.bus())
    assert world.outcome() == world.clean()
