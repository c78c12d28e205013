"""Whoever dies, each step of a version has its effect once. ``python -m tests.kafka.registrar --kills 60`` is the long run."""

import uuid
from contextlib import closing
from pathlib import Path

import pytest
from confluent_kafka import Producer

from driftbus.consumers.bus.kafka import KafkaBus

from ..registrar.answers import STREAM, an_hour_ago, answer, artifacts, counted, watched_since
from ..registrar.worlds import NEW, monitored, prepared, registrar, settings_of
from ..waiting import until
from .registrar import play

pytestmark = pytest.mark.kafka


def test_killed_at_random_moments_each_effect_is_there_once(kafka: str, tmp_path: Path) -> None:
    found = play(kafka, tmp_path, kills=4, seed=3)
    assert found.exact, found


def test_of_answers_nothing_is_announced_behind_an_open_transaction(kafka: str, tmp_path: Path) -> None:
    """It may be that of who had the partition before, and have announced the same."""
    topic = f"scored-{uuid.uuid4().hex[:8]}"
    settings = settings_of(
        tmp_path, bus="kafka", kafka={"bootstrap.servers": kafka}, streams={"predictions": {**STREAM, "topics": [topic]}}
    )
    with closing(KafkaBus(settings.kafka, settings.application, "one")) as bus:
        _, new = prepared(bus, settings)["m"]
        since = an_hour_ago()
        watched_since(bus, settings, new, since)
        answer(bus, settings, new, since, range(5_500))
        counted(bus, settings)
        other = Producer({"bootstrap.servers": kafka, "transactional.id": topic})
        other.init_transactions()
        other.begin_transaction()
        other.produce(settings.topics.models, b"", b"somebody's", partition=0)
        other.flush()
        before = artifacts(settings)
        with closing(registrar(bus, settings)) as one:
            until(lambda: (one.turn(0.01), artifacts(settings) > before)[1], 60)
            for _ in range(50):
                one.turn(0.01)
            assert monitored(bus, settings, "m", NEW) == [new.reference]
            other.abort_transaction()
            until(lambda: (one.turn(0.01), len(monitored(bus, settings, "m", NEW)) == 2)[1], 60)
