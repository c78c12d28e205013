"""What every hand of the topology must stand, on both buses: it dies at every point of its commits, and acts on each thing once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import cast

import msgspec
import pytest

from driftbus.consumers.bus.interface import Bus
from driftbus.consumers.pipeline.own_topics import create_topics
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.pipeline.topology import TOPOLOGY
from driftbus.consumers.reference.golden_records import ask
from driftbus.consumers.server.server import MOST_RECORDS
from driftbus.schemas.configuration import Configuration

from ..alerter import worlds as alerts
from ..alerter.alertmanagers import alertmanager
from ..embedder import server as embedders
from ..embedder import worlds as questions
from ..golden.servers import serving
from ..golden.worlds import asking, evaluations, prepared, settings_of
from ..launcher import worlds as jobs
from ..launcher.receivers import receiving
from ..registrar import servers as registries
from ..registrar import worlds as versions
from ..server import worlds as requests
from .interrupting import POINTS, Died, Interrupting
from .worlds import World

HANDS = tuple(node.role for node in TOPOLOGY if node.kind == "hand")
every_hand = pytest.mark.parametrize("role", HANDS)


@dataclass
class Asked:
    """What lies before a hand, and what has come of it."""

    things: list[object]  #: each of which it is to act on once
    acted: Callable[[], list[object]]  #: on which it has, as often as it has, in their order


@pytest.fixture
def asked(world: World, tmp_path: Path, role: str) -> Iterator[Asked]:
    """What the hand of this role has to do in a live world."""
    worlds = {
        "evaluator": evaluating,
        "embedder": embedding,
        "launcher": launching,
        "registrar": registering,
        "alerter": alerting,
        "server": answering,
    }
    with worlds[role](world, tmp_path) as found:
        yield found


@contextmanager
def evaluating(world: World, folder: Path) -> Iterator[Asked]:
    """Requests on the topic of golden evaluations."""
    with serving() as server:
        live = settings_of(folder, {"http": {"url": f"{server.address}/good", "version": "version"}})
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

        def acted() -> list[object]:
            found = evaluations(world.bus(), world.settings)
            assert {one.change for one in found} <= {None, 0.0}, "nothing was lost before, and nothing is now"
            return [(one.request, one.status) for one in found]

        yield Asked([(request.request, "complete") for request in requests], acted)


@contextmanager
def embedding(world: World, folder: Path) -> Iterator[Asked]:
    """Messages on the topic of a stream that has an embedder."""
    with embedders.serving() as server:
        topic = world.topic
        world.settings = questions.settings(server, folder, world.settings.application, topic)
        sent = questions.messages(200, topic)
        questions.prepare(world.bus(), world.settings, sent, topic)

        def acted() -> list[object]:
            found = questions.records(world.bus(), world.settings.topics.embeddings)
            return [(one.partition, one.key) for one in found if msgspec.json.decode(one.value or b"")["vector"]]

        yield Asked([(one.partition, one.key) for one in sorted(sent, key=lambda one: one.partition or 0)], acted)


@contextmanager
def launching(world: World, folder: Path) -> Iterator[Asked]:
    """Jobs that the decider asked for, and a receiver that keeps their ids."""
    with receiving() as receiver:
        world.settings = jobs.settings_of(
            folder,
            {"webhook": {"url": receiver.address}},
            application=world.settings.application,
            topics={"prefix": world.settings.application, "partitions": 2},
            streams={"predictions": {"topics": [world.topic]}},
        )
        bus = world.bus()
        create_topics(bus, world.settings)
        requests = [jobs.request(world.settings, number, model) for number, model in enumerate(jobs.MODELS)]
        jobs.say(bus, world.settings, *requests)

        def acted() -> list[object]:
            told = {(one.job, one.state) for one in jobs.facts(world.bus(), world.settings)}
            return [(job, times, (job, "succeeded") in told) for job, times in sorted(receiver.works.items())]

        yield Asked([(one.job, 1, True) for one in sorted(requests, key=lambda one: one.job)], acted)


@contextmanager
def alerting(world: World, folder: Path) -> Iterator[Asked]:
    """Incidents, and an Alertmanager, to which one that is told twice is the same."""
    with alertmanager() as server:
        world.settings = alerts.settings_of(
            folder,
            {"alertmanager": {"url": server.address}},
            application=world.settings.application,
            topics={"prefix": world.settings.application, "partitions": 2},
            streams={"predictions": {"topics": [world.topic]}},
        )
        bus = world.bus()
        create_topics(bus, world.settings)
        alerts.say(bus, world.settings, *(alerts.incident(model, model) for model in jobs.MODELS), alerts.episode("e", "a"))

        def acted() -> list[object]:
            found = {(one["labels"]["alertname"], one["labels"]["model"]) for one in server.active()}
            return [*sorted(found), *sorted(set(alerts.told(world.bus(), world.settings)))]

        named = [("DriftbusDrift", "a"), *(("DriftbusIncident", model) for model in jobs.MODELS)]
        yield Asked([*named, ("episode", "minor", "open"), ("incident", "moderate", "open")], acted)


@contextmanager
def answering(world: World, folder: Path) -> Iterator[Asked]:
    """Requests for predictions; each has one reply, and is one prediction."""
    name = world.settings.application
    changes = {"application": name, "topics": {"prefix": name, "partitions": 2}, "serving": {}}
    world.settings = requests.settings_of(folder, world.topic, **changes)
    bus, ids = world.bus(), [f"r{number:03}" for number in range(3 * MOST_RECORDS)]  # of several commits
    requests.prepare(bus, world.settings)
    bus.publish([requests.request(world.settings, one) for one in ids])

    def acted() -> list[object]:
        found = (requests.said(world.bus(), topic) for topic in (world.settings.topics.replies, world.settings.topics.served))
        return [id_ for told in found for id_, own in sorted(told.items()) for _ in own]

    yield Asked([*ids, *ids], acted)


@contextmanager
def registering(world: World, folder: Path) -> Iterator[Asked]:
    """Versions that are to be tested, to run beside others, and to serve; and a registry that knows how often an alias moved."""
    with registries.serving() as server:
        world.settings = versions.settings_of(
            folder,
            server.address,
            application=world.settings.application,
            topics={"prefix": world.settings.application, "partitions": 2},
            streams={"predictions": {"topics": [world.topic]}},
        )
        bus = world.bus()
        known = versions.prepared(bus, world.settings)
        for number, (parent, candidate) in enumerate(known.values()):
            steps = (["evaluate"], ["shadow"], ["promote"])[number]
            versions.say(bus, world.settings, *(versions.step(world.settings, what, candidate, parent) for what in steps))  # type: ignore[arg-type]

        def acted() -> list[object]:
            bus, settings = world.bus(), world.settings
            asked = sorted((one.model, one.version, one.spread) for one in versions.requests(bus, settings))
            watched = [versions.monitored(bus, settings, model, version) for model in versions.MODELS for version in "12"]
            made = [[tags["driftbus.version"] for tags in server.versions(model)] for model in versions.MODELS]
            return [asked, watched, versions.told(bus, settings), sorted(server.moved), made]

        old, new = ([pair[place].reference for pair in known.values()] for place in (0, 1))
        yield Asked(
            [
                [("a", "2", False), ("a", "2", True)],
                [[old[0]], [], [old[1]], [new[1]], [old[2]], [new[2]]],
                [("m", "1", "retired"), ("m", "2", "promoted")],
                [("b", "challenger", "1"), ("m", "champion", "1")],
                [["2"], ["2"], ["2"]],
            ],
            acted,
        )


def finish(world: World, role: str) -> None:
    pipeline = Pipeline(world.bus(), world.settings, [role])
    for _ in pipeline.run_until_end():
        pass
    pipeline.close()


@every_hand
@pytest.mark.parametrize(("point", "hits"), list(product(POINTS, range(2))))
def test_it_dies_at_every_point_of_its_commits_and_acts_once(world: World, role: str, asked: Asked, point: str, hits: int) -> None:
    bus = world.bus()
    pipeline = Pipeline(cast(Bus, Interrupting(bus, role=role, dies_at=point, hits=hits)), world.settings, [role])
    with pytest.raises(Died):
        for _ in pipeline.run_until_end():
            pass
    world.gone(bus)
    finish(world, role)
    assert asked.acted() == asked.things


@every_hand
def test_a_process_without_anything_to_do_ends(world: World, role: str, asked: Asked) -> None:
    finish(world, role)
    finish(world, role)
    assert asked.acted() == asked.things


@every_hand
def test_no_stream_is_live_no_hand_is_made(world: World, role: str, asked: Asked) -> None:
    streams = {name: stream.model_copy(update={"clock": "record"}) for name, stream in world.settings.streams.items()}
    pipeline = Pipeline(world.bus(), world.settings.model_copy(update={"streams": streams}), [role])
    assert not pipeline.consumers
    pipeline.close()
