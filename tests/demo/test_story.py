"""The demo's pipeline over the first two months: the product finds the injected fault, on every bus."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from confluent_kafka.admin import AdminClient

from driftbus.consumers.console.screen import Terminal
from driftbus.consumers.demo.data import Flights
from driftbus.consumers.demo.known import THE_FAULT, TURNS, reason
from driftbus.consumers.demo.story import ACTS, Stage
from driftbus.consumers.demo.view import Screen
from driftbus.consumers.reference.building.messages import epoch_ms
from driftbus.consumers.replay.picture import episodes
from driftbus.schemas.messages.root_cause import RootCauseEvent

DAY = 86_400_000


def until_march(flights: Flights) -> Flights:
    before = flights.scheduled < epoch_ms("2013-03-01")
    return Flights(
        flights.id[before],
        flights.scheduled[before],
        flights.landed[before],
        flights.late[before],
        {name: column[before] for name, column in flights.categories.items()},
        {name: column[before].copy() for name, column in flights.numbers.items()},
    )


@pytest.fixture(params=["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])
def bus(request: pytest.FixtureRequest) -> Iterator[dict[str, str] | None]:
    if request.param == "embedded":
        yield None
        return
    settings = {"bootstrap.servers": str(request.getfixturevalue("kafka"))}
    yield settings
    admin = AdminClient({**settings})
    ours = [topic for topic in admin.list_topics(timeout=10).topics if topic.startswith("flights")]
    for deleted in admin.delete_topics(ours).values():
        deleted.result()


def _confirmed(causes: list[RootCauseEvent], cause: str, feature: str) -> list[RootCauseEvent]:
    return [one for one in causes if one.status == "confirmed" and one.cause == cause and feature in one.scope.features]


def test_the_injected_fault_is_found_for_what_it_is(flights: Flights, bus: dict[str, str] | None, tmp_path: Path) -> None:
    shown = io.StringIO()
    stage = Stage(until_march(flights), str(tmp_path), bus)
    stage.publish()
    watched = stage.play(ACTS[0], Screen(Terminal(file=shown, width=200)))
    told = episodes(watched.events)
    assert not any("temp" in episode.spans for episode in told if episode.opened < THE_FAULT.start)
    (found,) = [episode for episode in told if THE_FAULT.explains(episode)]
    assert found.first.signals[0].name == "temp"
    assert found.first.severity == "major"
    assert len(told) <= 4
    assert all(reason(episode) for episode in told)
    assert THE_FAULT.text in shown.getvalue()
    assert "OPENED" in shown.getvalue()
    lines = shown.getvalue().splitlines()
    began, ended = (next(i for i, line in enumerate(lines) if text in line) for _, text in TURNS)
    told_of = next(i for i, line in enumerate(lines) if THE_FAULT.text in line)
    assert began < told_of < ended
    week, blizzard = (
        _confirmed(watched.causes, cause, name) for cause, name in (("feature_recalibration", "temp"), ("data_drift", "dep_delay"))
    )
    assert week[0].map is not None
    assert week[0].map.constant == "degrees Fahrenheit to Celsius"
    assert (week[0].scope.features, week[0].scope.owners) == (("temp",), ("meteorology",))
    assert abs(week[0].onset.window[0] - epoch_ms("2013-02-18")) <= DAY
    assert all(one.retrain_gate.decision != "allow" for one in week)
    assert any(abs(one.onset.window[0] - epoch_ms("2013-02-08")) <= DAY for one in blizzard)
    assert not _confirmed(watched.causes, "training_serving_skew", "temp")
    assert "CONFIRMED" in shown.getvalue()
    assert f"rows {np.count_nonzero(flights.scheduled < epoch_ms('2013-03-01')):,}" in shown.getvalue()
