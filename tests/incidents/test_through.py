"""Incidents in the flights of the demo, from raw events to root causes: those in which one cause is easily taken for another."""

from pathlib import Path

import numpy as np
import pytest

from driftbus.schemas.messages.root_cause import RootCauseEvent

from .__main__ import suite
from .ending import ending
from .generator import generated
from .recorded import ALL, Optional
from .through import told

#: By name, what must be confirmed in the end; features that must be named.
KNOWN = {
    "05-skew-units": ("training_serving_skew", {"duration"}),
    "13-exchange": ("training_serving_skew", {"duration", "temp"}),
}
SPECS = {spec["id"].removeprefix("other-flights-"): spec for spec in suite("other") if spec["dataset"] == "flights"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("incidents")


@pytest.mark.parametrize("name", KNOWN)
def test_a_fault_is_confirmed_with_its_features_and_nothing_else_is(folder: Path, name: str) -> None:
    cause, features = KNOWN[name]
    events, truth = told(SPECS[name], folder, ALL)
    found = ending(events, truth)
    assert {one.cause for one in found.confirmed} == {cause}
    assert not found.passing
    assert not found.allowed
    [confirmed] = found.confirmed
    assert features <= set(confirmed.features)
    if "exchange" in name:
        touched = truth[0]["features"]
        assert found.exchanged == dict(zip(touched, [*touched[1:], touched[0]], strict=True))


def test_a_season_is_no_cause(folder: Path) -> None:
    events, truth = told(SPECS["15-ctl-season"], folder, ALL)
    assert not _confirmed(events)
    assert not truth


def test_without_pairs_a_skew_is_not_confirmed_as_something_else(folder: Path) -> None:
    """Nobody can say whether serving or the source changed; so that is what is missing."""
    events, _ = told(SPECS["05-skew-units"], folder, Optional(frozenset({"agreement"})))
    assert {event.cause for event in _confirmed(events)} <= {"training_serving_skew"}
    assert any(missing.stream == "agreement" for event in events for missing in event.missing_evidence)


def test_late_labels_change_nothing_but_when_they_come() -> None:
    """The world goes on until as many are known."""
    spec = SPECS["11-concept"]
    soon, late = (generated(spec | further) for further in ({}, {"label_delay": 5, "further": 3}))
    assert len(late.windows) == len(soon.windows) + 3
    for one, other in zip(soon.windows, late.windows, strict=False):
        assert np.array_equal(one.scores, other.scores)
        assert (one.outcomes is None) == (other.outcomes is None)
    assert all(one.outcomes is None for one in late.windows[len(soon.windows) :])


@pytest.mark.kafka
def test_a_broker_tells_what_a_replay_tells(folder: Path, kafka: str) -> None:
    replayed, _ = told(SPECS["05-skew-units"], folder, ALL)
    brokered, _ = told(SPECS["05-skew-units"], folder, ALL, kafka)
    assert [_told(event) for event in brokered] == [_told(event) for event in replayed]


def _told(event: RootCauseEvent) -> tuple[object, ...]:
    return event.incident, event.revision, event.status, event.cause, event.scope, event.onset, event.confidence, event.text


def _confirmed(events: list[RootCauseEvent]) -> list[RootCauseEvent]:
    return [event for event in events if event.status == "confirmed"]
