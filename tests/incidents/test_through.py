"""Incidents in the flights of the demo, from raw events to root causes: those in which one cause is easily taken for another."""

from pathlib import Path

import pytest

from driftbus.schemas.messages.root_cause import RootCauseEvent

from .__main__ import suite
from .ending import ending
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


def _confirmed(events: list[RootCauseEvent]) -> list[RootCauseEvent]:
    return [event for event in events if event.status == "confirmed"]
