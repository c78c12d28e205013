"""Requests are answered from the features that the learner would have of them: what it learnt of a value counts for that value."""

from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Bus, Output
from driftbus.consumers.decode.personal import rules_of
from driftbus.consumers.pipeline.runner import Pipeline, wall_ms
from driftbus.consumers.process.consumer import Making
from driftbus.consumers.reference import learned
from driftbus.consumers.reference.announce import announce
from driftbus.consumers.reference.artifacts import ArtifactStore
from driftbus.consumers.server.server import make
from driftbus.consumers.streams.records import end_records
from driftbus.detectors.learning import served
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.announcement import FROM_START, Announcement
from driftbus.schemas.messages.examples import Examples, Features
from driftbus.schemas.messages.learned import LearnedModel
from driftbus.schemas.stored.reference import CategoricalProfile
from driftbus.schemas.text import CATEGORY, fitted

from ..consumers.test_examples import text_of
from ..streaming import BEGINNING, everything, reference
from .test_loop import FOLDS, MINUTE, SERVED
from .test_server import asked, serving
from .worlds import MODEL, prepare, publish, published, request, said, settings_of

HOUR, ROWS = 60 * MINUTE, 400
KEY = "DRIFTBUS_TEST_PERSONAL"


class World(NamedTuple):
    """A model that learns from what it said."""

    settings: Configuration
    bus: Bus


def settings(folder: Path, **model: Any) -> Configuration:  # keys of any type
    own = {"labels": "known", "learner": {"publish_every": 100, "backtest": 0}, **model}
    return settings_of(
        folder,
        streams={"own": {"topics": [SERVED], "pane": "1m", "clock": "record"}},
        labels={"known": {"topics": ["labels"], "wait": "30m", "early": "1m"}},
        models={MODEL: own},
    )


def announced(world: World, version: str = "online", colour: dict[str, Any] | None = None) -> None:
    """A reference as `driftbus reference build` makes it by these rules; ``colour``: what else is of that field."""
    rules, known = rules_of(world.settings, MODEL), reference(MODEL, version)
    fields = tuple(
        one.model_copy(
            update={
                **{"rule": rules.written(one.name) if one.role == "feature" else None},
                **{"nulls": world.settings.models[MODEL].nulls_of(one.name)},
                **((colour or {}) if one.name == "colour" else {}),
            }
        )
        for one in known.fields
    )
    name = ArtifactStore(world.settings.artifacts).put(known.model_copy(update={"fields": fields}).encoded())
    announce(world.bus, world.settings, Announcement(model=MODEL, version=version, reference=name, since=FROM_START))


def answers(world: World, rows: list[dict[str, Any]], name: str, at: int) -> list[dict[str, Any]]:
    """One request after the other, a second apart: the replies."""
    ids = [f"{name}{place}" for place in range(len(rows))]
    world.bus.publish(
        [
            request(world.settings, id_, row)._replace(timestamp=at + 1_000 * place)
            for place, (id_, row) in enumerate(zip(ids, rows, strict=True))
        ]
    )
    (server,) = make(Making(world.bus, world.settings, ArtifactStore(world.settings.artifacts), wall_ms))
    with closing(server):
        server.finish()
        while not server.done:
            server.turn(0.01)
    replies = said(world.bus, world.settings.topics.replies)
    return [replies[id_][0] for id_ in ids]


def learn(world: World, rows: list[dict[str, Any]]) -> tuple[dict[str, Features], served.Served]:
    """It is asked of rows, of which every second one is positive: what the learner was given of each, and what it came to."""
    chosen, bus = world
    bus.create("labels", 1, settings={"retention.ms": "-1"})
    assert {one["score"] for one in answers(world, rows, "a", BEGINNING)} == {0.5}
    labels = [msgspec.json.encode({"id": f"a{place}", "label": place % 2 == 1}) for place in range(len(rows))]
    bus.publish([Output("labels", 0, None, label, (), BEGINNING + MINUTE + 1_000 * place) for place, label in enumerate(labels)])
    for topic, partitions in ((SERVED, 2), ("labels", 1)):
        bus.publish(end_records("test", topic, partitions, BEGINNING + 2 * HOUR))
    with closing(Pipeline(bus, chosen, FOLDS)) as pipeline:
        for _ in pipeline.run_until_end():
            pass
    given = {row.id: row.features for examples in told(bus, chosen) for row in examples.predictions}
    models = [
        learned.read("test", one.key, one.value, one.headers) for found in everything(bus, chosen.topics.learned).values() for one in found
    ]
    newest = [one for one in models if isinstance(one, LearnedModel)][-1]
    content = ArtifactStore(chosen.artifacts).beside(learned.FOLDER).get(newest.artifact)
    return {f"a{place}": given[text_of(f"a{place}")] for place in range(len(rows))}, served.read(content)


def told(bus: Bus, chosen: Configuration) -> list[Examples]:
    events = [event for found in everything(bus, chosen.topics.examples).values() for event in found]
    return [Examples.decoded(event.value) for event in events if dict(event.headers)["ce_type"] == Examples.TYPE.encode()]


LONG = "x" * 600
HASHED = {"personal": {"hash": ["colour"], "key": KEY}}
CASES: dict[str, tuple[dict[str, Any], dict[str, Any], list[Any]]] = {  # of the model, of the reference's field, two values of it
    "texts": ({}, {}, ["red", "blue"]),
    "longer than a category": ({}, {}, [f"{LONG}red", f"{LONG}blue"]),
    "whole numbers": ({}, {}, [5, 7]),
    "numbers that are whole": ({}, {}, [5.0, 7]),
    "of more digits than name a category": ({}, {}, [0.8 * 3, 0.1]),
    "huge numbers": ({}, {}, [10**400, -(10**400)]),
    "booleans": ({}, {}, [True, False]),
    "booleans of a boolean": ({}, {"type": "boolean"}, [True, False]),
    "booleans as they are parsed": ({}, {"type": "boolean", "parse": True}, ["True", 0]),
    "hashed texts": (HASHED, {}, ["red", "blue"]),
    "hashed numbers": (HASHED, {}, [5, 7]),
    "masked": ({"personal": {"mask": {"colour": ["[0-9]{1,4}"]}}}, {}, ["red1", "blue22"]),
    "one is null": ({"nulls": ["none"]}, {}, ["red", "none"]),
    "one is null as a number": ({"nulls": [-999]}, {}, [5, -999]),
}


@pytest.mark.parametrize("case", CASES)
def test_a_request_is_answered_from_what_the_learner_would_have_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    monkeypatch.setenv(KEY, "0123456789abcdef0123456789abcdef")
    (model, colour, values), field = CASES[case], {}
    if colour:
        kinds = CategoricalProfile(categories=("true", "false"), counts=(5_000, 5_000, 0), boolean=True, parse="parse" in colour)
        field = {"type": "boolean", "values": kinds}
    rows = [{"amount": float(place % 9 - 4), "colour": values[place % 2]} for place in range(ROWS)]
    with closing(EmbeddedBus(":memory:", "test", "one")) as bus:
        world = World(settings(tmp_path, **model), bus)
        prepare(bus, world.settings)
        announced(world, colour=field)
        given, learnt = learn(world, rows)
        found = [one["score"] for one in answers(world, rows[:18], "b", BEGINNING + 3 * HOUR)]
        with serving(bus, world.settings) as (_, port):
            inputs = [{"name": name, "data": [row[name] for row in rows[:18]]} for name in ("amount", "colour")]
            status, answer = asked(port, f"/v2/models/{MODEL}/infer", msgspec.json.encode({"inputs": inputs}))
        assert status == 200, answer
    assert given["a0"]["colour"] != given["a1"]["colour"]
    assert found == answer["outputs"][0]["data"] == [learnt.candidate.score(given[f"a{place}"]) for place in range(18)]
    assert max(found[::2]) < 0.5 < min(found[1::2])  # what was learnt of the values counts


NOT_OF_THEM = [{"amount": "much"}, {"amount": True}, {"amount": 10**400}, {"colour": ["red"]}, {"age": {"years": 3}}]


@pytest.mark.parametrize("row", NOT_OF_THEM)
def test_what_is_refused_is_so_before_anything_was_learnt_and_behind_it(tmp_path: Path, row: dict[str, Any]) -> None:
    with closing(EmbeddedBus(":memory:", "test", "one")) as bus:
        world = World(settings(tmp_path), bus)
        prepare(bus, world.settings)
        announced(world)
        ((name, value),), kinds = row.items(), {"colour": "text, number or boolean"}
        before = answers(world, [row], "z", BEGINNING - HOUR)
        learn(world, [{"amount": float(place % 9 - 4), "age": 30, "colour": "red"} for place in range(ROWS)])
        behind = answers(world, [row], "y", BEGINNING + 3 * HOUR)
    why = f"features.{name}: {str(value)[:60]!r} of row 0 is no {kinds.get(name, 'number')}"
    assert [one["error"] for one in (*before, *behind)] == [why, why]


@pytest.mark.parametrize("held", [[], ["1"], ["1", "online"], ["online"]])
def test_the_reference_of_what_is_served_or_the_newest_says_how(tmp_path: Path, held: list[str]) -> None:
    """One that is announced while it answers is taken in turn."""
    with closing(EmbeddedBus(":memory:", "test", "one")) as bus:
        world = World(settings(tmp_path), bus)
        prepare(bus, world.settings)
        store = ArtifactStore(world.settings.artifacts)
        now = [BEGINNING]
        (server,) = make(Making(bus, world.settings, store, lambda: now[0]))
        with closing(server):
            for version in held:
                announced(world, version)
            now[0] += 2_000
            bus.publish([request(world.settings, "a", {"amount": "much"})])
            for _ in range(5):
                server.turn(0.01)
        reply = said(bus, world.settings.topics.replies)["a"][0]
    assert ("error" in reply) == bool(held), reply


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"amount": -999}, {"amount": None}),
        ({"amount": -999.0, "colour": "red"}, {"colour": "red"}),
        ({"colour": 5}, {"colour": "5"}),
        ({"colour": True}, {"colour": "true"}),
        ({"colour": "ab12"}, {"colour": "ab***"}),
        ({"colour": LONG}, {"colour": fitted(LONG, CATEGORY)}),
        ({"new": "true"}, {"new": True}),
        ({"new": 0}, {"new": False}),
    ],
)
def test_where_no_reference_holds_what_was_learnt_and_the_configuration_say_how(
    tmp_path: Path, one: dict[str, Any], other: dict[str, Any]
) -> None:
    with closing(EmbeddedBus(":memory:", "test", "one")) as bus:
        world = World(settings(tmp_path, nulls=[-999], personal={"mask": {"colour": ["[0-9]{2,4}"]}}), bus)
        prepare(bus, world.settings)
        publish(bus, world.settings, published(world.settings, 500))
        first, second = (reply["score"] for reply in answers(world, [one, other], "a", BEGINNING))
    assert first == second


@pytest.mark.parametrize(
    ("field", "new"),
    [({}, {"age": 30.0}), ({}, {"age": None}), ({}, {"colour": "red"}), ({"type": "text"}, {"colour": "of 12 words"}), ({}, {})],
    ids=["a number", "null", "a category", "a text", "nothing"],
)
def test_what_is_watched_is_written_down_though_it_was_never_there_before(
    tmp_path: Path, field: dict[str, Any], new: dict[str, Any]
) -> None:
    """Else it would be missing from the stream for ever, and never be learnt from."""
    with closing(EmbeddedBus(":memory:", "test", "one")) as bus:
        world = World(settings(tmp_path), bus)
        prepare(bus, world.settings)
        announced(world, colour={**field, "values": None} if field else None)
        _, learnt = learn(world, [{"amount": float(place % 9 - 4)} for place in range(ROWS)])
        answers(world, [{"amount": 4.0, **new, "unknown": 1}], "b", BEGINNING + 3 * HOUR)
        (row,) = (event.content for events in everything(bus, SERVED).values() for event in events if event.key == b"b0")
    assert set(learnt.features) == {"amount"}
    assert row["features"] == {"amount": 4.0, **new}
