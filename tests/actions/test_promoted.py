"""Promotion and rollback over the bus, from predictions and labels to what is asked for."""

from contextlib import closing
from pathlib import Path

import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.kafka import KafkaBus
from driftbus.consumers.process.settings import load

from ..command.conftest import User, user  # noqa: F401  # a fixture
from ..streaming import BEGINNING
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


@pytest.mark.kafka
def test_on_a_real_kafka_too(kafka: str, tmp_path: Path) -> None:
    name = "promotedlife"
    chosen = settings(name, str(tmp_path), bus="kafka", kafka={"bootstrap.servers": kafka})
    with closing(KafkaBus(chosen.kafka, name, "one")) as bus:
        assert told(play(bus, chosen, 0.05)) == LIFE
