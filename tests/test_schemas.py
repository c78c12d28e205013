"""The published JSON Schemas are those of the code, and what the code writes is valid by them."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it has no types

from driftbus.consumers.pipeline.documents import asyncapi
from driftbus.consumers.process.settings import parsed
from driftbus.schemas.export import PUBLISHED, json_schema
from driftbus.schemas.messages.announcement import FROM_START, Announcement
from driftbus.schemas.messages.drift import DriftedSignal, DriftEvent, Effect, Histogram, UsedPanes
from driftbus.schemas.messages.prediction import Prediction

FOLDER = Path(__file__).parent.parent / "schemas/published"

EVENT = DriftEvent(
    episode="5f0c",
    sequence=0,
    status="opened",
    model="fraud",
    version="3.2.1",
    stream="predictions",
    reference="sha256:ab12",
    kind="input",
    bucket=("2026-03-01T10:00:00Z", "2026-03-01T10:00:10Z"),
    onset="2026-03-01T09:58:40Z",
    signals=(
        DriftedSignal(
            name="amount",
            role="feature",
            share=0.93,
            change="mean up",
            log_evidence=16.2,
            effect=Effect(ks=0.31, psi=0.62, nulls=(0.0, 0.1)),
            reference=Histogram(bins=("0 to 1", "1 to 2"), counts=(3, 4)),
            current=Histogram(bins=("0 to 1", "1 to 2"), counts=(0, 9)),
            rows=18_400,
        ),
    ),
    detector="esr",
    budget="1 per 30d",
    severity="major",
    complete=True,
    clock_decided=False,
    panes=(UsedPanes(topic="fraud.scored", partition=0, offsets=(88_210, 90_122)),),
    configuration="sha256:77aa",
)


def valid(name: str, document: Any) -> bool:  # any JSON
    return bool(Draft202012Validator(json_schema(name)).is_valid(document))


def test_what_is_published_is_what_the_code_says() -> None:
    published = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in FOLDER.glob("*.json")}
    assert published == {name: json_schema(name) for name in PUBLISHED} | {"asyncapi": asyncapi()}, "run: make schemas"


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_schema_is_one(name: str) -> None:
    Draft202012Validator.check_schema(json_schema(name))


def test_an_event_as_written_is_valid() -> None:
    assert valid("drift-event", json.loads(EVENT.model_dump_json()))


def test_an_event_of_a_newer_writer_is_valid() -> None:
    assert valid("drift-event", json.loads(EVENT.model_dump_json()) | {"cause": "a field of tomorrow"})


def test_an_event_without_its_episode_is_not() -> None:
    written = json.loads(EVENT.model_dump_json())
    del written["episode"]
    assert not valid("drift-event", written)


def test_predictions_and_announcements_as_written_are_valid() -> None:
    assert valid("prediction", json.loads(Prediction(model="fraud", features={"amount": 1.5, "new": None}).model_dump_json()))
    announcement = Announcement(model="fraud", version="-", reference=None, since=FROM_START)
    assert valid("announcement", json.loads(announcement.model_dump_json()))


@pytest.mark.parametrize("features", ["{a: ignore}", "{a: {type: numeric}}"])
def test_a_configuration_is_valid_where_it_loads(features: str) -> None:
    text = f"application: a\nstreams: {{s: {{topics: [t], pane: 1h, grace: 5s}}}}\nmodels: {{m: {{features: {features}}}}}"
    parsed(text)
    assert valid("configuration", yaml.safe_load(text))
    assert not valid("configuration", yaml.safe_load(text.replace("grace", "grase")))
