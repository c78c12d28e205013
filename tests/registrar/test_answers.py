"""What a version answers becomes part of its reference by itself, where its job left no answers: once, and never over a person's."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Bus, Output
from driftbus.consumers.pipeline.runner import wall_ms
from driftbus.consumers.reference.announce import Announcements, announce, soonest
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.announcement import Announcement

from ..streaming import everything
from ..waiting import until
from .answers import STREAM, an_hour_ago, answer, artifacts, counted, last_reference, watched_since
from .servers import Registry
from .worlds import APPLICATION, NEW, Version, finished, monitored, prepared, registrar, say, settings_of, step, stored

#: In place of what a version says else, in one row of a hundred.
HOSTILE: tuple[dict[str, Any], ...] = (
    {"prediction": "x" * 900_000},
    {"prediction": "\ud800", "score": "\udfff"},
    {"prediction": ["yes"], "score": {"of": 1}},
    {"prediction": 10**400, "score": -(10**400)},
    {"score": float("nan")},
    {"score": float("inf")},
    {"prediction": "</p>\x1b[2J\u202e\x00", "score": None},
    {"features": {"amount": 1.5, "n" * 100_000: 1}},
    {"features": {"amount": "x" * 900_000}},
    {"features": ["amount"]},
)


@pytest.fixture
def settings(tmp_path: Path) -> Configuration:
    return settings_of(tmp_path, application=APPLICATION, streams={"predictions": STREAM})


def shadowed(bus: Bus, settings: Configuration) -> tuple[Version, Version, int]:
    """A parent, and a version that has been in the shadow for an hour."""
    parent, new = prepared(bus, settings)["m"]
    since = an_hour_ago()
    watched_since(bus, settings, new, since)
    return parent, new, since


def test_they_are_watched_when_enough_is_known(bus: Bus, settings: Configuration) -> None:
    parent, new, since = shadowed(bus, settings)
    for one in (parent, new):
        answer(bus, settings, one, since, range(4_900))
    counted(bus, settings)
    assert finished(bus, settings).totals()["outputs_added"] == 0
    assert monitored(bus, settings, "m", NEW) == [new.reference]
    for one in (parent, new):
        answer(bus, settings, one, since, range(4_900, 5_500))
    counted(bus, settings)
    assert finished(bus, settings).totals()["outputs_added"] == 1
    name, made = last_reference(bus, settings, new)
    assert monitored(bus, settings, "m", NEW) == [new.reference, name]
    assert [(one.name, one.role) for one in made.fields] == [("amount", "feature"), ("prediction", "prediction"), ("score", "score")]
    announced = Announcements(bus, settings)
    announced.refresh()
    held = announced.holding("m", NEW, 1 << 62)
    assert held is not None
    assert wall_ms() < held.since <= soonest(settings.streams["predictions"], wall_ms()), "from a boundary on that is still to come"
    before = everything(bus, settings.topics.models)
    finished(bus, settings)
    assert everything(bus, settings.topics.models) == before, "it is done once"


@pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
def test_a_row_that_nobody_would_send_costs_itself(bus: Bus, settings: Configuration, hostile: dict[str, Any]) -> None:
    _, new, since = shadowed(bus, settings)
    answer(bus, settings, new, since, range(5_500))
    said = {"model": new.model, "version": new.version, "features": {"amount": 1.5}, "prediction": 1, "score": 0.5}
    value = json.dumps(said | hostile).encode()
    bus.publish([Output(settings.inputs[0], number % 2, None, value, (), since + number * 1_000) for number in range(40)])
    counted(bus, settings)
    assert finished(bus, settings).totals()["outputs_added"] == 1
    _, made = last_reference(bus, settings, new)
    assert [(one.name, one.role) for one in made.fields] == [("amount", "feature"), ("prediction", "prediction"), ("score", "score")]


def test_whoever_looks_later_finds_the_same(tmp_path: Path) -> None:
    """Rows that came since, late ones among them, change nothing."""
    since, names = an_hour_ago(), set()
    for rows in (5_500, 6_000):
        with closing(EmbeddedBus(":memory:", APPLICATION, "one")) as bus:
            settings = settings_of(tmp_path, application=APPLICATION, streams={"predictions": STREAM})
            _, new = prepared(bus, settings)["m"]
            watched_since(bus, settings, new, since)
            answer(bus, settings, new, since, range(5_500))
            counted(bus, settings)
            if rows > 5_500:
                answer(bus, settings, new, since, range(5_500, rows), late=300_000)
                counted(bus, settings)
            finished(bus, settings)
            name, made = last_reference(bus, settings, new)
            names.add(name)
            assert sum(made.fields[-1].availability.counts) == 5_000, "in whole buckets"
            assert monitored(bus, settings, "m", NEW)[:-1] == [new.reference]
    assert len(names) == 1


def test_what_a_person_says_meanwhile_holds(bus: Bus, tmp_path: Path, server: Registry) -> None:
    """The registry is away, so a step is open, beside which nothing is announced; when it is done somebody has built a reference."""
    server.away = True
    settings = settings_of(tmp_path, server.address, application=APPLICATION, streams={"predictions": STREAM})
    parent, new, since = shadowed(bus, settings)
    answer(bus, settings, new, since, range(5_500))
    counted(bus, settings)
    say(bus, settings, step(settings, "promote", new, parent))
    with closing(registrar(bus, settings)) as one:
        before = artifacts(settings)
        until(lambda: (one.turn(0.01), artifacts(settings) > before)[1], 60)
        server.away = False
        until(lambda: (one.turn(0.01), one.totals()["steps_done"] or one.totals()["outputs_added"])[1] > 0, 60)
        assert (one.totals()["steps_done"], one.totals()["outputs_added"]) == (1, 0)
        theirs, boundary = stored(settings, "m", "9").reference, soonest(settings.streams["predictions"], wall_ms())
        announce(bus, settings, Announcement(model="m", version=NEW, reference=theirs, since=boundary))
    finished(bus, settings)
    assert monitored(bus, settings, "m", NEW) == [new.reference, theirs]


def test_what_is_watched_no_longer_is_left_alone(bus: Bus, settings: Configuration) -> None:
    parent, new, since = shadowed(bus, settings)
    answer(bus, settings, new, since, range(5_500))
    counted(bus, settings)
    say(bus, settings, step(settings, "refuse", new, parent))
    assert finished(bus, settings).totals()["outputs_added"] == 0
    assert monitored(bus, settings, "m", NEW) == [new.reference, None]


def test_two_do_it_once(bus: EmbeddedBus, tmp_path: Path) -> None:
    """Where hours are compared with each other nobody does."""
    kept = settings_of(tmp_path, application=APPLICATION, streams={"predictions": STREAM})
    seasonal = kept.models["b"].model_copy(update={"season": "day"})
    settings = kept.model_copy(update={"models": {**kept.models, "b": seasonal}})
    since, news = an_hour_ago(), [new for _, new in prepared(bus, settings).values()]
    for new in news:
        watched_since(bus, settings, new, since)
        answer(bus, settings, new, since, range(5_500))
    counted(bus, settings)
    with closing(registrar(bus, settings)) as one, closing(registrar(bus.as_instance("two"), settings)) as two:

        def both() -> bool:
            return [each.turn(0.01) for each in (one, two)] == [False, False] and added() == [1, 1]

        def added() -> list[int]:
            return sorted(each.totals()["outputs_added"] for each in (one, two))

        until(both, 60)
    assert {new.model: len(monitored(bus, settings, new.model, NEW)) for new in news} == {"a": 2, "b": 1, "m": 2}
