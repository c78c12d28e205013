"""Promotion and rollback over the bus, from predictions and labels to what is asked for."""

from contextlib import closing
from pathlib import Path

import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.kafka import KafkaBus
from driftbus.consumers.pipeline.own_topics import create_topics
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.process.settings import load
from driftbus.consumers.reference import golden_records
from driftbus.schemas.messages.golden import GoldenEvaluation, SliceEvaluation

from ..command.conftest import User, user  # noqa: F401  # a fixture
from ..streaming import BEGINNING, everything
from .promoted import DAY, TURNS, play, settings, steps, told

LIFE = [("shadow", "2", "1"), ("promote", "2", "1"), ("roll_back", "2", "1")]
YAML = """\
application: watched
bus: embedded
embedded: bus.sqlite
artifacts: artifacts
topics: {partitions: 2}
streams:
  predictions: {topics: [watched.scored], pane: 1m, clock: record}
labels:
  known: {topics: [watched.known], wait: 5m, about: 10m}
models:
  m0: {labels: known, diagnosis: off, promotion: {shadow: 210m}}
"""


def test_a_better_version_is_promoted_and_rolled_back_when_it_is_worse(tmp_path: Path) -> None:
    chosen = settings("watched", str(tmp_path))
    with closing(EmbeddedBus(":memory:", "watched", "one")) as bus:
        found = play(bus, chosen)
    assert told(found) == LIFE
    _, promote, roll_back = found
    assert promote.evidence.days >= 21
    assert promote.evidence.rows > 20 * 60
    assert promote.job == "second"
    assert promote.time < BEGINNING + TURNS * DAY < roll_back.time


def test_a_replay_asks_for_the_same_steps(user: User) -> None:  # noqa: F811  # the fixture
    Path("driftbus.yaml").write_text(YAML)
    chosen = load()
    with closing(EmbeddedBus("bus.sqlite", "watched", "one")) as bus:
        play(bus, chosen)
        lived = [one.encoded().decode() for one in steps(bus, chosen)]
    user.says("record", "all.jsonl")
    said = user.says("replay", "all.jsonl", "--jobs", "jobs.jsonl")
    assert len(lived) == 3
    assert Path("jobs.jsonl").read_text().splitlines() == lived
    assert "not those of the recording" not in said


@pytest.mark.parametrize("clock", ["live", "record"])
def test_how_a_version_did_on_its_golden_set_reaches_the_ledger(tmp_path: Path, clock: str) -> None:
    """With the slice of some size that has lost most; once, and of no other model."""
    call = {"topics": {"request": "asked", "reply": "answered"}}
    own = {"diagnosis": "off", "golden": {"call": call}, "promotion": {"by": "person"}}
    streams = {"predictions": {"topics": ["watched.scored"], "pane": "1m", "clock": clock}}
    models = {"m0": own, "other": {"diagnosis": "off", "golden": {"call": call}}}
    chosen = settings("watched", str(tmp_path), labels={}, streams=streams, models=models)
    parts = (("few", 49, 0.9), ("night", 50, 0.3), ("day", 900, 0.01), ("none", 900, None))
    slices = tuple(SliceEvaluation(name=name, rows=common, answered=common, common=common, change=change) for name, common, change in parts)
    said = {"version": "2", "golden": "g", "cause": "model", "named": "e", "status": "complete", "attempt": 0, "verdict": "same"}
    with closing(EmbeddedBus(":memory:", "watched", "one")) as bus:
        create_topics(bus, chosen)
        for model in ("m0", "other"):
            evaluation = GoldenEvaluation.model_validate(
                {
                    **said,
                    "model": model,
                    "request": f"of-{model}",
                    "change": 0.02,
                    "slices": slices,
                    "asked": 7,
                    "answered": 1_700_000_000_000,
                }
            )
            bus.publish([golden_records.output(chosen, evaluation)])
        for _ in range(2):
            with closing(Pipeline(bus, chosen, ("intake",))) as pipeline:
                for _ in pipeline.run_until_end():
                    pass
        ledger = [event.content for events in everything(bus, chosen.topics.actions).values() for event in events]
    [fact] = [one for one in ledger if one["kind"] == "evaluation"]
    found = {name: fact[name] for name in ("kind", "model", "version", "request", "change", "slice", "slice_change")}
    assert list(found.values()) == ["evaluation", "m0", "2", "of-m0", 0.02, "night", 0.3]
    assert fact["time"] == (1_700_000_000_000 if clock == "live" else 7), "of a record's clock the wall says nothing"


@pytest.mark.kafka
def test_on_a_real_kafka_too(kafka: str, tmp_path: Path) -> None:
    name = "promotedlife"
    chosen = settings(name, str(tmp_path), bus="kafka", kafka={"bootstrap.servers": kafka})
    with closing(KafkaBus(chosen.kafka, name, "one")) as bus:
        assert told(play(bus, chosen, 0.02)) == LIFE
