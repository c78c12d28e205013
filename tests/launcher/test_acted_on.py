"""Hands act on models whose stream is live, or says so: not on the others beside them, whatever lies there."""

import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import TopicPartition
from driftbus.schemas.configuration import Configuration

from ..alerter import worlds as alerts
from ..alerter.alertmanagers import Alertmanager, alertmanager
from ..waiting import until
from .worlds import NAME, facts, launching, prepared, request, say, settings_of, status, turned_until

APPLICATION = "app"
#: By model, its stream; the first stream is that of a model that is not listed.
STREAMS = {"eta": "live", "was": "past", "were": "past", "played": "played"}
ACTED = {"eta", "played", "unlisted"}
MODELS = (*STREAMS, "unlisted")


@pytest.fixture
def bus() -> Iterator[EmbeddedBus]:
    with closing(EmbeddedBus(":memory:", APPLICATION, "one")) as one:
        yield one


@pytest.fixture
def server() -> Iterator[Alertmanager]:
    with alertmanager() as one:
        yield one


def settled(bus: EmbeddedBus, folder: Path, **changes: Any) -> Configuration:
    streams: dict[str, Any] = {
        "live": {"topics": ["scored"]},
        "past": {"topics": ["past"], "clock": "record"},
        "played": {"topics": ["played"], "clock": "record", "act": True},
    }
    own = {model: {"stream": stream, "retrain": {"p": {"when": "person", "on": NAME}}} for model, stream in STREAMS.items()}
    run = [sys.executable, "-I", "-S", "-c", f"import os; open({str(folder / 'ran')!r}, 'a').write(os.environ['DRIFTBUS_JOB'] + '\\n')"]
    kind = {"command": {"run": run, "spool": str(folder / "spool")}}
    found = settings_of(folder, kind, application=APPLICATION, streams=streams, models=own, **changes)
    bus.create("past", 1)
    bus.create("played", 1)
    prepared(bus, found)
    return found


def test_a_launcher_starts_jobs_of_these_alone(bus: EmbeddedBus, tmp_path: Path) -> None:
    settings = settled(bus, tmp_path)
    asked = {model: request(settings, number, model) for number, model in enumerate(MODELS)}
    say(bus, settings, *asked.values(), status(asked["were"], "started"))
    wanted = [(asked[model].job, "succeeded") for model in sorted(ACTED)]
    one = launching(bus, settings)
    turned_until(one, bus, settings, wanted)
    say(bus, settings, *(status(asked[model], "succeeded") for model in ACTED))
    one.finish()
    until(lambda: (one.turn(0.01), one.done)[1])
    one.close()
    assert sorted((tmp_path / "ran").read_text().split()) == sorted(job for job, _ in wanted)
    assert {fact.model for fact in facts(bus, settings)} == ACTED
    places = [TopicPartition(settings.topics.retrain, number) for number in range(2)]
    ends = {place: bus.watermarks(place)[1] for place in places}
    assert {place: one.offset for place, one in bus.committed(f"{APPLICATION}-launcher-{NAME}", places).items()} == ends, "nothing is open"


def test_an_alerter_tells_of_these_alone(bus: EmbeddedBus, server: Alertmanager, tmp_path: Path) -> None:
    settings = settled(bus, tmp_path, alerts={alerts.NAME: {"alertmanager": {"url": server.address}, "wait": 0}})
    for number, model in enumerate(MODELS):
        step = alerts.step("2", "held").model_copy(update={"model": model})
        failed = [alerts.status(settings, number, state, model) for state in ("awaiting_approval", "failed")]
        said: list[alerts.Said] = [alerts.episode(f"e{model}", model), alerts.incident(f"i{model}", model, harm="harmful"), step]
        alerts.say(bus, settings, *said, *failed)
    alerts.finished(bus, settings)
    assert {one["labels"]["model"] for one in server.active()} == ACTED
    kinds = {(one["labels"]["model"], one["labels"]["alertname"]) for one in server.active()}
    assert len(kinds) == 4 + 4 + 3, "of a model that is not listed no policy is known"
