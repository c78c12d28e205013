"""Requests whose data cannot be had: nothing is built, and it is said why."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Output, TopicPartition
from driftbus.consumers.bus.open import open_bus
from driftbus.consumers.command.checks.jobs import data_that_go
from driftbus.consumers.command.main import main
from driftbus.consumers.process.settings import load
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.retrain import Included
from driftbus.schemas.stored.dataset import Manifest

from ..streaming import BEGINNING, trim
from .asked import rows
from .world import CONFIGURATION, ROWS, SECOND, UNTIL, asked, called, labelled

HOSTILE: list[tuple[dict[str, str], str]] = [
    ({"model": "../../etc/passwd"}, "model: '../../etc/passwd' is not among m0"),
    ({"application": "other"}, "application: the request is of 'other'"),
    ({"job": "../" * 11}, "holds no request to retrain: job"),
    ({"reference": "../../../../etc/passwd"}, "reference: '../../../../etc/passwd' is no content hash"),
]


def test_a_hostile_request_is_refused(settings: Configuration) -> None:
    for change, why in HOSTILE:
        plain = asked(settings).plain() | change
        result = CliRunner().invoke(main, ["dataset", "build", "-", "--out", "data"], input=json.dumps(plain))
        assert result.exit_code == 1, change
        assert why in result.output
        assert not Path("data").exists()


SOURCES: list[tuple[dict[str, Any], str]] = [
    ({"topic": "passwords"}, "data.sources[0].topic: 'passwords' is none of m0's input topics: labels, scored"),
    ({"topic_id": "another"}, "topic scored was made again"),
    ({"partition": 9}, "scored[9] does not exist"),
    ({"partition": 1}, "scored[1] is named twice"),
    ({"offsets": (0, 10**12)}, "it is not the topic that was read before"),
    ({"offsets": (9, 3)}, "data.sources[0].offsets: 9 to 3 is no range"),
]


def test_sources_are_those_of_the_configuration(settings: Configuration) -> None:
    wanted = asked(settings)
    first, *others = wanted.data.sources
    assert first.topic == "scored"
    for change, why in SOURCES:
        data = wanted.data.model_copy(update={"sources": (first.model_copy(update=change), *others)})
        result = called(wanted.model_copy(update={"data": data}))
        assert result.exit_code == 1, change
        assert why in result.output
        assert not Path("data").exists()
    more = called(wanted.model_copy(update={"data": wanted.data.model_copy(update={"more_sources": 2})}))
    assert "data.more_sources: of 2 partitions" in more.output


def test_a_topic_made_again_is_another_one(settings: Configuration) -> None:
    wanted = asked(settings)
    with closing(open_bus(settings)) as bus:
        bus.delete("labels")
        bus.create("labels", 1)
        bus.publish([Output("labels", 0, None, labelled(n), (), BEGINNING) for n in range(ROWS)])
    assert "topic labels was made again" in called(wanted).output


def test_what_is_lost_to_retention_is_refused_with_its_range(settings: Configuration) -> None:
    def taken(first: int) -> None:
        with closing(open_bus(settings)) as bus:
            assert isinstance(bus, EmbeddedBus)
            trim(bus, TopicPartition("scored", 0), first)

    later = (Included(since=BEGINNING + 300 * SECOND, until=UNTIL),)
    wanted, of_later = asked(settings), asked(settings, include=later)
    quick = load()
    assert called(of_later, out="before").exit_code == 0
    taken(20)
    refused = called(wanted)
    assert refused.exit_code == 1
    assert "scored[0]: offsets 0 to 19 are lost to retention" in refused.output
    assert called(wanted, "--without-lost").exit_code == 0
    assert Manifest.decoded(Path("data/manifest.json").read_bytes()).sources[0].lost == (0, 20)
    assert {row["id"] for row in rows(Path("data"))}.isdisjoint({f"i{n}" for n in range(0, 40, 2)})
    # a row of which the wait reaches so far back needs them, too; else nothing that is lost decides anything
    assert "lost to retention" in called(of_later, out="later").output
    short = CONFIGURATION.replace("wait: 1h, early: 1m", "wait: 1m, early: 10s, about: 1m")
    Path("driftbus.yaml").write_text(short, encoding="utf-8")
    assert called(of_later, out="later").exit_code == 0
    assert quick.labels["known"].wait == 3_600_000


def test_check_tells_of_policies_whose_data_would_be_refused(settings: Configuration) -> None:
    def notes() -> list[str]:
        with closing(open_bus(load())) as bus:
            return [text for level, text in data_that_go(bus, load()) if level == "note"]

    assert notes() == [], "what is kept for ever is there"
    with closing(open_bus(settings)) as bus:
        bus.delete("scored")
        bus.create("scored", 2, settings={"retention.ms": str(24 * 3_600_000)})
    [note] = notes()
    assert note.startswith("models.m0.retrain.monthly: topic scored keeps 1d (retention.ms)")
    assert "write data: {window: 21h} at most" in note
    short = CONFIGURATION.replace("{when: person}", "{when: person, data: {window: 21h}}")
    Path("driftbus.yaml").write_text(short, encoding="utf-8")
    assert notes() == []
    Path("driftbus.yaml").write_text(short.replace("wait: 1h", "wait: 12h"), encoding="utf-8")
    [note] = notes()
    assert "it is refused: keep it longer" in note
