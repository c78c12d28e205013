"""The registrar: each step has its effect once, in the order of its model, whatever dies, and nothing of what is over."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from driftbus.consumers.bus.interface import Bus
from driftbus.consumers.pipeline.own_topics import create_topics
from driftbus.consumers.pipeline.runner import wall_ms
from driftbus.consumers.reference.announce import announce, soonest
from driftbus.consumers.reference.model_events import tell
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.announcement import Announcement
from driftbus.schemas.messages.model_event import ModelEvent
from driftbus.schemas.messages.promotion import Step

from ..streaming import everything
from ..waiting import until
from .servers import Registry
from .worlds import (
    APPLICATION,
    NEW,
    PARENT,
    Version,
    events,
    finished,
    monitored,
    prepared,
    registrar,
    requests,
    say,
    settings_of,
    step,
    stored,
    told,
)


@pytest.fixture
def settings(tmp_path: Path) -> Configuration:
    return settings_of(tmp_path, application=APPLICATION)


def test_a_version_goes_its_way(bus: Bus, settings: Configuration) -> None:
    parent, new = prepared(bus, settings)["m"]
    say(bus, settings, step(settings, "evaluate", new, parent))
    finished(bus, settings)
    asked = requests(bus, settings)
    assert [(one.version, one.parent, one.cause, one.spread) for one in asked] == [
        (NEW, PARENT, "model", False),
        (NEW, PARENT, "model", True),
    ]
    say(bus, settings, step(settings, "shadow", new, parent))
    finished(bus, settings)
    assert monitored(bus, settings, "m", NEW) == [new.reference]
    assert not events(bus, settings)
    say(bus, settings, step(settings, "promote", new, parent, by="ann"))
    assert finished(bus, settings).totals() == {"steps_done": 1, "steps_refused": 0, "outputs_added": 0, "set_aside": 0}
    assert told(bus, settings) == [("m", PARENT, "retired"), ("m", NEW, "promoted")]
    promoted = next(one for one in events(bus, settings) if one.kind == "promoted")
    assert (promoted.parent, promoted.by, promoted.job) == (PARENT, "ann", step(settings, "promote", new).job)
    assert monitored(bus, settings, "m", PARENT) == [parent.reference], "it may win its place back"
    assert monitored(bus, settings, "m", NEW) == [new.reference], "it was announced before"
    say(bus, settings, step(settings, "retire", new, parent))
    finished(bus, settings)
    assert monitored(bus, settings, "m", PARENT) == [parent.reference, None]
    say(bus, settings, step(settings, "roll_back", new, parent))
    finished(bus, settings)
    assert told(bus, settings) == [("m", PARENT, "retired"), ("m", NEW, "promoted"), ("m", NEW, "rolled_back")]
    assert monitored(bus, settings, "m", PARENT)[-1] == parent.reference, "it stayed named"
    assert monitored(bus, settings, "m", NEW)[-1] is None


def test_who_asks_for_the_event_asks_for_the_same_test(bus: Bus, settings: Configuration) -> None:
    """The evaluator tests a version that is registered; the decider asks for that test, too: it is one."""
    from driftbus.consumers.golden.deployments import Deployments

    parent, new = prepared(bus, settings)["m"]
    said = step(settings, "evaluate", new, parent)
    tell(bus, settings, ModelEvent(model="m", version=NEW, kind="registered", job=said.job, parent=PARENT))
    say(bus, settings, said)
    finished(bus, settings)
    deployments = Deployments(bus, settings)
    deployments.look()
    assert {one.request for one in deployments.requests(0)} == {one.request for one in requests(bus, settings)}


def test_what_is_said_again_is_not_done_again(bus: Bus, settings: Configuration) -> None:
    parent, new = prepared(bus, settings)["m"]
    for _ in range(2):
        say(bus, settings, *(step(settings, what, new, parent) for what in ("shadow", "promote", "retire")))
        finished(bus, settings)
    topic = everything(bus, settings.topics.models)
    assert sum(len(records) for records in topic.values()) == len(settings.models) + len(["promoted", "retired", "new", "parent gone"])


def test_a_new_group_knows_by_the_topic_what_was_done(bus: Bus, settings: Configuration) -> None:
    parent, new = prepared(bus, settings)["m"]
    say(bus, settings, *(step(settings, what, new, parent) for what in ("shadow", "promote", "roll_back")))
    finished(bus, settings)
    before = everything(bus, settings.topics.models)
    bus.delete(settings.topics.retrain)  # and what the group had committed
    create_topics(bus, settings)
    say(bus, settings, *(step(settings, what, new, parent) for what in ("shadow", "promote", "roll_back")))
    finished(bus, settings)
    assert everything(bus, settings.topics.models) == before


MADE = pytest.mark.parametrize(
    "made",
    [
        {"job": "build-812"},
        {"job": 'it\'s "2".2'},
        {"time": 1_700_000_000_000},  # by hand, without a job
        {},  # and nobody has its event any more
    ],
    ids=lambda made: next(iter(made), "unknown"),
)


@MADE
def test_a_version_is_made_in_its_registry_once_however_often_a_step_is_said(
    bus: Bus, tmp_path: Path, server: Registry, made: dict[str, Any]
) -> None:
    """Asked again, it is the same version: the second of a kind and the third find what the first made."""
    settings = settings_of(tmp_path, server.address, application=APPLICATION)
    parent, new = prepared(bus, settings)["m"]
    if made:
        tell(bus, settings, ModelEvent(model="m", version=NEW, kind="registered", parent=PARENT, **made))
    own = {"job": made.get("job")}
    evaluated: list[tuple[Step, int]] = [("evaluate", 1), ("evaluate", 2), ("evaluate", 3)]
    for what, number in (*evaluated, ("shadow", 1), ("shadow", 2), ("promote", 1), ("promote", 2)):
        say(bus, settings, step(settings, what, new, parent, number=number, **own))
        finished(bus, settings)
        assert [one["driftbus.version"] for one in server.versions("m")] == [NEW], (what, number)
    assert server.aliases["m"] == {"champion": "1"}
    assert len({one.request for one in requests(bus, settings)}) == 6, "but each request is another"


@MADE
def test_a_version_that_is_rolled_back_again_is_found_again(bus: Bus, tmp_path: Path, server: Registry, made: dict[str, Any]) -> None:
    """A person had promoted it again, by hand; then it lost, or another person rolled it back."""
    settings = settings_of(tmp_path, server.address, application=APPLICATION)
    parent, new = prepared(bus, settings)["m"]
    server.models["m"] = [{"name": "m", "version": "1", "source": "s3://theirs/model", "tags": []}]
    server.aliases["m"] = {"champion": "1"}
    if made:
        tell(bus, settings, ModelEvent(model="m", version=NEW, kind="registered", parent=PARENT, **made))
    own = {"job": made.get("job")}
    say(bus, settings, step(settings, "promote", new, parent, **own))
    finished(bus, settings)
    for number in (1, 2, 3):
        server.aliases["m"] = {"champion": "2", "challenger": "2"}
        say(bus, settings, step(settings, "roll_back", new, parent, number=number, **own))
        finished(bus, settings)
        assert server.aliases["m"] == {"champion": "1"}, number
        assert len([one for one in events(bus, settings) if one.kind == "rolled_back"]) == number
    server.aliases["m"]["challenger"] = "2"
    say(bus, settings, step(settings, "refuse", new, parent, number=2, **own))
    finished(bus, settings)
    assert server.aliases["m"] == {"champion": "1"}


def test_of_what_is_over_no_alias_is_moved(bus: Bus, tmp_path: Path, server: Registry) -> None:
    settings = settings_of(tmp_path, server.address, application=APPLICATION)
    parent, new = prepared(bus, settings)["m"]
    say(bus, settings, *(step(settings, what, new, parent) for what in ("evaluate", "shadow", "promote", "roll_back")))
    finished(bus, settings)
    assert not server.moved
    assert told(bus, settings) == [("m", PARENT, "retired"), ("m", NEW, "promoted"), ("m", NEW, "rolled_back")]
    assert monitored(bus, settings, "m", PARENT) == [parent.reference]
    assert not requests(bus, settings)


def test_a_registry_that_is_away_holds_up_its_own_model_alone(bus: Bus, tmp_path: Path, server: Registry) -> None:
    known = settings_of(tmp_path, server.address, application=APPLICATION)
    models = {name: model if name == "m" else model.model_copy(update={"registry": None}) for name, model in known.models.items()}
    settings, server.away = known.model_copy(update={"models": models}), True
    versions = prepared(bus, settings)
    for parent, new in versions.values():
        say(bus, settings, *(step(settings, what, new, parent) for what in ("shadow", "promote")))
    one = registrar(bus, settings)
    wanted = [(name, version, kind) for name in ("a", "b") for version, kind in ((PARENT, "retired"), (NEW, "promoted"))]
    until(lambda: bool(one.turn(0.01)) and told(bus, settings) == wanted, 60)
    assert not server.moved
    server.away = False
    until(lambda: (one.turn(0.01), ("m", NEW, "promoted") in told(bus, settings))[1], 60)
    assert server.moved == [("m", "champion", "1")], "that it ran beside its parent was over by then"
    one.close()


def test_a_reference_that_cannot_be_read_is_not_announced(bus: Bus, settings: Configuration, tmp_path: Path) -> None:
    """Profilers end by one: what a job named and never stored costs its version's monitoring, and nothing else."""
    parent, new = prepared(bus, settings)["m"]
    lost = Version("m", NEW, f"sha256:{'0' * 64}")
    say(bus, settings, step(settings, "shadow", lost, parent))
    assert finished(bus, settings).totals()["steps_refused"] == 1
    assert not monitored(bus, settings, "m", NEW)
    [letter] = [one for found in everything(bus, settings.topics.dead_letter).values() for one in found]
    assert "m/2: shadow: its reference cannot be announced" in str(letter.headers)
    shutil.rmtree(tmp_path / "artifacts")
    say(bus, settings, step(settings, "promote", new, parent))
    finished(bus, settings)
    assert told(bus, settings) == [("m", PARENT, "retired"), ("m", NEW, "promoted")], "it serves, whether or not it is watched"


def test_a_version_that_is_refused_is_watched_no_longer(bus: Bus, tmp_path: Path, server: Registry) -> None:
    settings = settings_of(tmp_path, server.address, application=APPLICATION)
    parent, new = prepared(bus, settings)["m"]
    say(bus, settings, step(settings, "shadow", new, parent))
    finished(bus, settings)
    assert server.aliases["m"] == {"challenger": "1"}
    say(bus, settings, step(settings, "refuse", new, parent))
    finished(bus, settings)
    assert told(bus, settings) == [("m", NEW, "retired")]
    assert monitored(bus, settings, "m", NEW)[-1] is None
    assert monitored(bus, settings, "m", PARENT) == [parent.reference]
    assert not server.aliases["m"]


def test_what_has_taken_the_place_of_its_reference_stays(bus: Bus, settings: Configuration) -> None:
    """Of who built one anew, or added what the version answers: a later step brings back none that was announced before."""
    parent, new = prepared(bus, settings)["m"]
    say(bus, settings, step(settings, "shadow", new, parent))
    finished(bus, settings)
    theirs, since = [stored(settings, "m", number).reference for number in ("8", "9")], soonest(settings.streams["predictions"], wall_ms())
    for version, reference in zip((NEW, PARENT), theirs, strict=True):
        announce(bus, settings, Announcement(model="m", version=version, reference=reference, since=since + 60_000))
    say(bus, settings, step(settings, "promote", new, parent))
    finished(bus, settings)
    assert monitored(bus, settings, "m", NEW) == [new.reference, theirs[0]]
    say(bus, settings, step(settings, "roll_back", new, parent))
    finished(bus, settings)
    assert monitored(bus, settings, "m", PARENT) == [parent.reference, theirs[1]]


def test_models_that_are_over_are_left_alone(bus: Bus, tmp_path: Path) -> None:
    day = 86_400_000
    streams = {"over": {"topics": ["over"], "clock": "record"}, "played": {"topics": ["played"], "clock": "record", "act": True}}
    kept = settings_of(tmp_path, application=APPLICATION)
    models = {name: kept.models["m"].model_dump(exclude_defaults=True) | {"stream": name} for name in streams}
    settings = settings_of(tmp_path, application=APPLICATION, streams=streams, models=models)
    for parent, new in prepared(bus, settings).values():
        say(bus, settings, step(settings, "promote", new, parent, time=40 * day + 5))
    finished(bus, settings)
    assert told(bus, settings) == [("played", PARENT, "retired"), ("played", NEW, "promoted")]
    assert [one.time for one in events(bus, settings)] == [41 * day] * 2, "the next day's start"
