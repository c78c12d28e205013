"""How things stand, asked from another machine than the consumers', on both buses."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.kafka import KafkaBus
from driftbus.consumers.console.standing import Standing, standing
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.pipeline.topology import asked_for
from driftbus.consumers.process.standing import Located
from driftbus.consumers.reference import ledger
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.action import ActionTick

from ..bus.worlds import World
from ..consumers.test_joiner import run
from ..streaming import BEGINNING, configuration, prepare, reference, rows, send


@pytest.fixture(params=["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    if request.param == "embedded":
        first = EmbeddedBus(":memory:", "test", "first")
        made = World(lambda instance, application: first.as_instance(instance, application))
    else:
        settings = {"bootstrap.servers": str(request.getfixturevalue("kafka"))}
        made = World(lambda instance, application: KafkaBus(settings, application, instance))
    yield made
    made.close()


def test_it_is_told_while_consumers_hold_their_groups_and_they_keep_them(world: World, tmp_path: Path) -> None:
    topics = {"prefix": world.application, "partitions": 2}
    chosen = configuration(
        application=world.application, artifacts=str(tmp_path), topics=topics, stream={"topics": [f"{world.application}-in"]}
    )
    consumers, asking = world.bus("consumers"), world.bus("elsewhere")
    prepare(consumers, chosen, [reference("m0")], partitions=2)
    traffic = [one._replace(partition=one.partition % 2) for one in rows(120, ["m0"])]
    send(consumers, traffic[:320], f"{world.application}-in")
    before = standing(asking, chosen)
    roles = {"profiler", "clerk", "detector", "diagnoser"}
    assert {(one.role, one.committed) for one in before.partitions} == {(role, None) for role in roles}
    assert sum(one.end for one in before.partitions if one.role == "profiler") >= 320
    pipeline = Pipeline(consumers, chosen)
    for _ in pipeline.run_until_end():
        pass
    held = [consumer.standing().heard.keys() for consumer in pipeline.consumers if isinstance(consumer, Located)]
    assert all(held)
    after = standing(asking, chosen)
    _caught_up(after, chosen)
    send(consumers, traffic[320:], f"{world.application}-in")
    behind = [one for one in standing(asking, chosen).partitions if one.role == "profiler"]
    assert all(one.to_read > 50 and (one.behind_ms or 0) > 30_000 for one in behind)
    pipeline.turn()
    assert [consumer.standing().heard.keys() for consumer in pipeline.consumers if isinstance(consumer, Located)] == held
    pipeline.close()


def _caught_up(now: Standing, chosen: Configuration) -> None:
    assert not now.missing
    profilers = [one for one in now.partitions if one.role == "profiler"]
    assert [one.topic for one in profilers] == [*chosen.streams["predictions"].topics] * 2
    assert all(one.behind_ms == 0 and one.committed is not None and one.to_read <= 1 for one in profilers)
    detectors = [one for one in now.partitions if one.role == "detector"]
    assert [one.partition for one in detectors] == [0, 1]
    for one in (*profilers, *detectors):
        assert one.bucket is not None
        assert BEGINNING + 60_000 <= one.bucket <= BEGINNING + 80_000
    assert all(one.committed_at is not None and now.now - one.committed_at < 600_000 for one in profilers)


def test_every_role_that_is_run_is_told_of(tmp_path: Path) -> None:
    """Those that are configured under names under these; and what a topic that is not there is called."""
    models = {"m0": {"labels": "known", "learner": {}, "retrain": {"p": {"when": "person"}}, "promotion": {}}}
    chosen = configuration(
        artifacts=str(tmp_path),
        models=models,
        labels={"known": {"topics": ["known"], "wait": "1h"}},
        launchers={"trainer": {"command": {"run": ["true"]}}},
        alerts={"team": {"apprise": {"url_from": "TEAM_URL"}}},
        serving={},
    )
    with closing(EmbeddedBus(":memory:", "test", "one")) as bus:
        bus.create("known", 1)
        lacking = standing(bus, chosen)
        assert {"driftbus.retrain", "driftbus.requests", "driftbus.examples"} <= set(lacking.missing)
        prepare(bus, chosen, [reference("m0")])
        found = standing(bus, chosen)
        assert {one.role for one in found.partitions} == set(asked_for(chosen))
        assert {one.stream for one in found.partitions if one.role in ("launcher", "alerter")} == {"trainer", "team"}
        assert not found.missing
        ledger.tell(bus, chosen, ActionTick(time=BEGINNING))
        (decider,) = [one for one in standing(bus, chosen).partitions if one.role == "decider" and one.to_read]
        assert (decider.committed, decider.to_read) == (None, 1)
        run(bus, chosen, "decider")
        assert all(one.to_read == 0 for one in standing(bus, chosen).partitions if one.role == "decider")
