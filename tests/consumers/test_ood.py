"""Queries unlike the training data on the bus: none are told of while there are none, new topics once, whoever dies meanwhile."""

from contextlib import closing, suppress
from typing import Any, cast

import numpy as np
import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Bus
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.pipeline.topology import ROLES
from driftbus.detectors.familiarity import CELLS, WIDTH
from driftbus.schemas.cloud_events import iso
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.pane import OOD, Pane
from driftbus.schemas.stored.reference import Reference

from ..battery.interrupting import POINTS, Died, Interrupting, turns
from ..streaming import BEGINNING, everything
from .test_joiner import run
from .unlike_world import built, prepare, send, settings, written

QUIET, NEW = [(6_000, 0.0)], [(4_000, 0.0), (2_000, 0.2)]
OF: dict[str, Any] = {"of": ["question", "vector"], "embedder": "sketch", "samples": True}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[Configuration, Reference]:
    folder = tmp_path_factory.mktemp("unlike")
    written(folder)
    chosen = settings(folder, OF)
    return chosen, built(chosen)


Told = tuple[list[Pane], list[dict[str, Any]]]


def folded(world: tuple[Configuration, Reference], parts: list[tuple[int, float]], deaths: int = 0) -> Told:
    """The panes and the events of this traffic, both of this kind."""
    chosen, profile = world
    draw = np.random.default_rng(0)
    with closing(EmbeddedBus(":memory:", "test", "log")) as bus:
        prepare(bus, chosen, profile)
        send(bus, parts)
        for _ in range(deaths):
            dying = Interrupting(bus.as_instance("one"), role=str(draw.choice(ROLES)), dies_at=str(draw.choice(POINTS)), hits=1)
            with suppress(Died):
                for _ in turns(Pipeline(cast(Bus, dying), chosen), 8):
                    pass
        run(bus.as_instance("one"), chosen, *ROLES)
        summaries = (one for part in everything(bus, chosen.topics.summaries).values() for one in part)
        panes = [Pane.decoded(one.value) for one in summaries if dict(one.headers)["ce_type"] == Pane.TYPE.encode()]
        events = [one.content for part in everything(bus, chosen.topics.drift).values() for one in part]
    return [pane for pane in panes if pane.of == OOD], [event for event in events if event.get("kind") == "ood"]


@pytest.fixture(scope="module")
def changed(world: tuple[Configuration, Reference]) -> Told:
    return folded(world, NEW)


def test_the_reference_knows_how_alike_its_rows_are(world: tuple[Configuration, Reference]) -> None:
    question, vector = world[1].familiarity
    assert (question.of, question.kind, question.embedder) == ("question", "text", "sketch/1024")
    assert (vector.of, vector.kind, vector.embedder) == ("vector", "embedding", "")
    for one in (question, vector):
        assert one.calibration > 1_000
        assert 0.03 < sum(one.cells[:2]) / one.calibration < 0.06


def test_nothing_is_told_while_nothing_new_is_asked(world: tuple[Configuration, Reference]) -> None:
    panes, events = folded(world, QUIET)
    assert events == []
    counts = sum((pane.counts for pane in panes[1:]), panes[0].counts)
    assert len(counts) == 2 * WIDTH
    for place in (0, WIDTH):
        scored = int(counts[place : place + CELLS].sum())
        assert scored == QUIET[0][0]
        assert 0.02 < counts[place : place + 2].sum() / scored < 0.09
        assert scored / 25 < counts[place + CELLS + 1] < scored / 10


def test_new_topics_are_told_once_with_their_onset(changed: Told) -> None:
    _, events = changed
    (opened,) = [event for event in events if event["status"] == "opened"]
    change = BEGINNING + NEW[0][0] * 1000
    assert {signal["name"] for signal in opened["signals"]} <= {f"{name} (unlike the training data)" for name in OF["of"]}
    assert iso(change - 300_000) <= opened["onset"] <= iso(change + 120_000)
    assert opened["bucket"][1] <= iso(change + 400_000)
    was, now = opened["signals"][0]["effect"]["flagged"]
    assert was == 0.05
    assert now > 0.1


def test_it_is_told_what_the_new_queries_are_about(changed: Told) -> None:
    _, events = changed
    queries = [event["queries"] for event in events if event["signals"][0]["name"].startswith("question") and event.get("queries")]
    assert queries
    assert queries[-1]["topics"]
    words = {word for topic in queries[-1]["topics"] for word in topic["words"]}
    assert words & {"flight", "hotel", "plane", "seat", "rome", "airport", "car", "rent", "book", "find"}


def test_flagged_rows_are_kept_with_their_texts(changed: Told) -> None:
    panes, _ = changed
    kept = [one for pane in panes for one in pane.flagged if pane.bucket > BEGINNING + 4_100_000]
    assert kept
    assert {one.level for one in kept} <= {1, 2}
    assert any("flight" in (one.text or "") for one in kept)
    assert all((one.text is None) == (one.subject == 1) for one in kept)


def test_whoever_dies_the_same_is_told(world: tuple[Configuration, Reference], changed: Told) -> None:
    panes, events = folded(world, NEW, deaths=6)
    assert events == changed[1]
    assert sorted(pane.encoded() for pane in panes) == sorted(pane.encoded() for pane in changed[0])
