"""The ten minutes of the README, command by command, on the embedded bus."""

import json
import re
from pathlib import Path

import pytest

from driftbus.schemas.messages.drift import DriftEvent

from .conftest import SECONDS, User, amounts, messages, table

DRIFTING = amounts(SECONDS * 10, seed=2, shifted_from=SECONDS * 5)


def test_from_topics_to_events(user: User) -> None:
    user.creates()
    user.publishes(messages(DRIFTING))
    assert "fraud/1: sha256:" in user.says("reference", "build", "fraud", "--version", "1", "--from-start")
    assert "wrong" not in user.says("check")
    said = user.says("run", "--until-end").splitlines()
    assert said[0].startswith("fraud-watch: profiler, clerk, detector and diagnoser of fraud.scored")
    assert said[1].startswith(f"{SECONDS * 10:,} rows, 0 of them late, 0 dead letters")
    watched = user.says("watch", "--from-start", "--until-end")
    assert re.search(r"OPENED    [0-9a-f]{8}  fraud/1  major     amount: mean up \(KS", watched)
    assert user.says("run", "--until-end").splitlines()[1].startswith("0 rows"), "nothing is read twice"
    assert user.says("watch", "--from-start", "--until-end") == watched


def test_a_role_alone_does_its_part(user: User) -> None:
    user.creates()
    user.publishes(messages(DRIFTING))
    user.says("reference", "build", "fraud", "--version", "1", "--from-start")
    assert "0 events" in user.says("run", "profiler", "--until-end")
    assert "0 rows" in user.says("run", "detector", "--until-end")
    assert "OPENED" in user.says("watch", "--from-start", "--until-end")


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["dead-letters", "list", "--last", "-1"], 2, "'--last': -1 is not in the range"),
        (["check", "--sample", "0"], 2, "'--sample': 0 is not in the range"),
        (["dataset", "build", "--job", "1", "--out", "o", "--sample", "nan"], 2, "'--sample': 'nan' is no finite number"),
        (["record", ""], 1, "Is a directory: '.'"),
        (["record", "train.csv/week.jsonl"], 1, "Not a directory: '"),
        (["replay", "train.csv", "--events", ""], 1, "Is a directory: '.'"),
        (["performance", "fraud", "--from", "bus.sqlite"], 1, "bus.sqlite:1: no line of what driftbus replay writes"),
        (["performance", "fraud", "--from", "latin"], 1, "latin:2: no line of what driftbus replay writes"),
    ],
)
def test_what_is_no_number_or_no_file_is_told_in_a_line(user: User, words: list[str], code: int, told: str) -> None:
    user.creates()
    Path("latin").write_bytes(b'{"identity": 1}\n{"episode": "caf\xe9"}\n')
    assert told in user.says(*words, code=code)


def test_running_without_topics_says_which(user: User) -> None:
    assert "there is no topic fraud.scored" in user.says("run", "--until-end", code=1)


@pytest.mark.parametrize(
    ("settings", "said"),
    [("{}", "bootstrap.servers is missing"), ("{bootstrap.servers: localhost, group.id: a}", "kafka.group.id: set by driftbus")],
)
def test_settings_that_kafka_cannot_have_are_told(user: User, settings: str, said: str) -> None:
    user.configures("bus: embedded", f"bus: kafka\nkafka: {settings}")
    assert said in user.says("check", code=1)


def test_a_model_without_a_reference_is_told(user: User) -> None:
    user.creates()
    user.publishes(messages(DRIFTING, version="2"))
    assert "fraud/2: no reference, so not monitored: driftbus reference build fraud --version 2" in user.says("check")
    user.says("run", "--until-end")
    assert "driftbus reference build fraud --version 2" in user.says("watch", "--from-start", "--until-end")


def test_topics_are_made_once_and_listed(user: User) -> None:
    assert "fraud-watch.drift does not exist" in user.says("topics", "list", code=1)
    assert user.says("topics", "create").count("created") == 7
    assert user.says("topics", "create") == ""
    assert user.says("topics", "list").count("partitions") == 7


def test_watch_without_topics_says_what_to_do(user: User) -> None:
    assert "driftbus topics create" in user.says("watch", "--until-end", code=1)


def test_a_reference_shows_what_it_is(user: User) -> None:
    shown = user.says("reference", "build", "fraud", "--from-start", "--dry-run")
    assert "5,000 rows" in shown
    assert "amount" in shown
    assert "2 categories: NZ, PE" in shown
    assert not Path("artifacts").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["fraud"], "add --from-start or --since TIME"),
        (["fraud", "--from-start", "--since", "2026-01-01"], "say one of them"),
        (["fraud", "--since", "soon"], "write an ISO 8601 time"),
    ],
)
def test_a_reference_must_begin_somewhere(user: User, words: list[str], said: str) -> None:
    assert said in user.says("reference", "build", *words, code=2)


def test_a_live_reference_begins_soon_and_one_since_at_a_bucket(user: User) -> None:
    user.creates()
    assert "from 2026-03-01T10:00:10Z on" in user.says("reference", "build", "fraud", "--since", "2026-03-01T10:00:17Z")
    user.configures("clock: record", "clock: live")
    assert "holds for record times from" in user.says("reference", "build", "fraud")


def test_a_model_without_data_is_told_what_to_write(user: User) -> None:
    assert "models.other.reference" in user.says("reference", "build", "other", "--from-start", code=1)


def test_a_table_is_replayed(user: User) -> None:
    table(Path("history.csv"), DRIFTING)
    told = user.says("replay", "history.csv", "--events", "events.jsonl", "--plot", "drift.png")
    assert re.search(r"OPENED    [0-9a-f]{8}  fraud/-  major     amount: mean up \(KS", told)
    assert f"{SECONDS * 10:,} rows" in told
    opened = DriftEvent.model_validate_json(Path("events.jsonl").read_text().splitlines()[0])
    assert [signal.name for signal in opened.signals] == ["amount"]
    assert Path("drift.png").read_bytes().startswith(b"\x89PNG")
    assert not Path("artifacts").exists()
    assert not Path("bus.sqlite").exists()


def test_a_recording_is_replayed_with_its_own_offsets(user: User) -> None:
    lines: list[dict[str, object]] = [
        {
            "topic": output.topic,
            "topic_id": "a1",
            "partition": output.partition,
            "offset": 1_000 + i // 2,
            "key": None,
            "timestamp": output.timestamp,
            "headers": [],
            "value": (output.value or b"").decode(),
        }
        for i, output in enumerate(messages(DRIFTING))
    ]
    Path("history.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert "fraud/1  major     amount: " in user.says("replay", "history.jsonl", "--events", "events.jsonl")
    opened = DriftEvent.model_validate_json(
        next(line for line in Path("events.jsonl").read_text().splitlines() if '"status":"opened"' in line)
    )
    assert all(panes.offsets[0] >= 1_000 for panes in opened.panes)


def test_a_replay_repeats(user: User) -> None:
    table(Path("history.csv"), DRIFTING)
    for name in ("one.jsonl", "two.jsonl"):
        user.says("replay", "history.csv", "--events", name)
    assert Path("one.jsonl").read_bytes() == Path("two.jsonl").read_bytes()


def test_a_recording_of_other_topics_is_refused(user: User) -> None:
    Path("other.jsonl").write_text(
        json.dumps({"topic": "t", "topic_id": "a", "partition": 0, "offset": 0, "key": None, "timestamp": 1, "value": "{}"})
    )
    assert "none of that is a topic of any stream" in user.says("replay", "other.jsonl", code=1)


def test_a_table_needs_a_model(user: User) -> None:
    table(Path("history.csv"), DRIFTING)
    user.configures("models:\n", "models:\n  spam: {}\n")
    assert "add --model NAME (models configured: spam, fraud)" in user.says("replay", "history.csv", code=2)


def test_a_file_that_is_no_table_is_refused(user: User) -> None:
    Path("history.txt").write_text("hello")
    assert "is not a table that can be read" in user.says("replay", "history.txt", code=1)


def test_schemas_are_exported(user: User) -> None:
    assert "schemas, and asyncapi.json, in out" in user.says("schemas", "export", "out")
    assert json.loads(Path("out/drift-event.json").read_text())["$id"] == "urn:driftbus:schema:drift-event"


def test_the_demo_refuses_kafka_settings_without_kafka(user: User) -> None:
    assert "add --drift" in user.says("demo", "-X", "a=b", code=2)
    assert "add --drift" in user.says("demo", "--bus", "kafka", code=2)
    assert "leave out --drift" in user.says("demo", "--drift", "--seed", "1", code=2)
    assert "write MM-DD" in user.says("demo", "--fault", "July", code=2)
    assert "add --bus kafka" in user.says("demo", "--drift", "-X", "a=b", code=2)
    assert "write KEY=VALUE" in user.says("demo", "--drift", "--bus", "kafka", "-X", "a", code=2)
