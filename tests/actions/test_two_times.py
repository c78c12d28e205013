"""Some streams live, some not: by which time the models of those that are not are judged."""

from collections.abc import Sequence
from typing import Any

import pytest

from driftbus.consumers.command.checks.jobs import asked_for
from driftbus.consumers.decider.fold import Fold
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.action import ActionTick, LedgerFact
from driftbus.schemas.messages.progress import InputPartition

from .adversary import DAY, HOUR, incident
from .test_rules import START

CAUSE = {"retrain": {"p": {"when": "cause"}}}
LEARNS: dict[str, Any] = {"learner": {}}
JUDGED, HELD = "jobs and versions of m are judged by when", "holds the learner of m only once"


def configured(own: str, other: str, model: dict[str, Any]) -> Configuration:
    return Configuration.model_validate(
        {
            "application": "a",
            "topics": {"partitions": 1},
            "streams": {"records": {"topics": ["r"], "clock": own}, "others": {"topics": ["o"], "clock": other}},
            "labels": {"known": {"topics": ["known"]}},
            "models": {"m": {"stream": "records", "labels": "known", **model}},
        }
    )


@pytest.mark.parametrize(
    ("model", "says"),
    [(CAUSE, [JUDGED]), ({"promotion": {"by": "person"}}, [JUDGED]), (LEARNS, [HELD]), ({**LEARNS, **CAUSE}, [JUDGED, HELD]), ({}, [])],
    ids=["policies", "promotion", "learner", "both", "neither"],
)
@pytest.mark.parametrize("clocks", [("record", "live"), ("record", "record"), ("live", "record"), ("live", "live")])
def test_a_check_names_models_that_are_judged_by_another_time_than_their_records(
    clocks: tuple[str, str], model: dict[str, Any], says: list[str]
) -> None:
    told = [finding.text for finding in asked_for(configured(*clocks, model)) if "and others are live" in finding.text]
    expected = says if clocks == ("record", "live") else []
    assert len(told) == len(expected)
    for text, said in zip(told, expected, strict=True):
        assert text.startswith("streams.records.clock: record")
        assert said in text


@pytest.mark.parametrize(("days", "asks"), [(0, True), (1, True), (89, True), (91, False), (4_000, False)])
def test_a_record_beside_live_streams_is_judged_by_when_it_was_written_down(days: int, asks: bool) -> None:
    """A replay takes every stream by its records, and its ledger has the times that the live one had: it decides the same."""
    written = START + days * DAY
    facts: Sequence[LedgerFact] = [ActionTick(time=written), incident("1" * 32, 1, START), ActionTick(time=written + HOUR)]
    said = []
    for configuration in (configured("record", "live", CAUSE), configured("record", "record", CAUSE)):
        fold = Fold(configuration)
        fold.situated(InputPartition(topic="a.actions", topic_id="t", partition=0), append_time=True)
        told = [fold.feed(offset, written + offset * HOUR, fact.model_copy(update={"model": "m"})) for offset, fact in enumerate(facts)]
        said.append(told)
    assert said[0] == said[1]
    assert any(said[0]) is asks
