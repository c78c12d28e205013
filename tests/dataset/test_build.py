"""``driftbus dataset`` on a user's folder: what is built, what is refused, and what a process that dies leaves."""

import json
import os
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result

from driftbus.consumers.bus import embedded
from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Output, TopicPartition
from driftbus.consumers.bus.open import open_bus
from driftbus.consumers.command.main import main
from driftbus.consumers.dataset.folder import written_whole
from driftbus.consumers.pipeline.own_topics import create_topics
from driftbus.consumers.process.settings import load
from driftbus.consumers.reference import ledger, reviews
from driftbus.consumers.reference.announce import announce
from driftbus.consumers.reference.artifacts import ArtifactStore
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.announcement import FROM_START, Announcement
from driftbus.schemas.messages.job import JobStatus
from driftbus.schemas.messages.retrain import Excluded, Included, RetrainRequest, TrainingPolicy
from driftbus.schemas.messages.review import ReviewAnswer
from driftbus.schemas.stored.dataset import Manifest

from ..streaming import BEGINNING, reference, trim
from .asked import JOB, contents, request, rows, sources

CONFIGURATION = """\
application: test
bus: embedded
embedded: bus.sqlite
artifacts: artifacts
streams:
  predictions: {topics: [scored], pane: 10s, clock: record}
labels:
  known: {topics: [labels], wait: 1h, early: 1m}
models:
  m0:
    labels: known
    review: {budget: 10 per day}
    retrain: {monthly: {when: person}}
"""
ROWS, SECOND = 400, 1_000
UNTIL = BEGINNING + 2 * ROWS * SECOND


def written(number: int) -> bytes:
    features = {"amount": number / 4, "age": 30 + number % 7, "colour": ("red", "green")[number % 2]}
    return msgspec.json.encode({"id": f"i{number}", "model": "m0", "version": "1", "features": features, "score": 0.25})


def labelled(number: int) -> bytes:
    return msgspec.json.encode({"id": f"i{number}", "label": number % 3 == 0})


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Configuration:
    """A folder with a configuration, and a bus with predictions, of which every tenth has no label."""
    monkeypatch.chdir(tmp_path)
    Path("driftbus.yaml").write_text(CONFIGURATION, encoding="utf-8")
    chosen = load()
    with closing(open_bus(chosen)) as bus:
        bus.create("scored", 2)
        bus.create("labels", 1)
        create_topics(bus, chosen)
        name = ArtifactStore(chosen.artifacts).put(reference("m0").encoded())
        announce(bus, chosen, Announcement(model="m0", version="1", reference=name, since=FROM_START))
        bus.publish([Output("scored", n % 2, None, written(n), (), BEGINNING + n * SECOND) for n in range(ROWS)])
        bus.publish([Output("labels", 0, None, labelled(n), (), BEGINNING + (n + 60) * SECOND) for n in range(ROWS) if n % 10])
    return chosen


def asked(settings: Configuration, **data: Any) -> RetrainRequest:  # fields of its data
    with closing(open_bus(settings)) as bus:
        return request("m0", UNTIL, **{"sources": sources(bus, settings, "m0")} | data)


def called(wanted: RetrainRequest | None, *words: str, out: str = "data") -> Result:
    """As a job calls it: the request on standard input."""
    given = () if wanted is None else ("-",)
    return CliRunner().invoke(main, ["dataset", "build", *given, "--out", out, *words], input=None if wanted is None else wanted.encoded())


def test_a_job_has_its_data_from_standard_input(settings: Configuration) -> None:
    result = called(asked(settings))
    assert result.exit_code == 0, result.output
    found = rows(Path("data"))
    numbers = [int(row["id"][1:]) for row in found]
    assert numbers == [n for p in (0, 1) for n in range(p, ROWS, 2) if n % 10]  # by partition, then offset
    assert [row["label"] for row in found] == [n % 3 == 0 for n in numbers]
    assert [row["amount"] for row in found] == [n / 4 for n in numbers]
    assert [row["colour"] for row in found] == [("red", "green")[n % 2] for n in numbers]
    manifest = Manifest.decoded(Path("data/manifest.json").read_bytes())
    assert manifest.name in result.output
    assert manifest.rows.unlabelled == ROWS // 10
    assert manifest.labels is not None
    assert manifest.labels.counts == {"false": sum(n % 3 > 0 for n in numbers), "true": sum(n % 3 == 0 for n in numbers)}
    verified = CliRunner().invoke(main, ["dataset", "verify", "data", "--json"])
    assert json.loads(verified.output) == json.loads(manifest.encoded())


def test_the_same_request_has_the_same_bytes_whatever_the_batches(settings: Configuration, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = asked(settings)
    assert called(wanted).exit_code == 0
    monkeypatch.setattr(embedded, "_READ", 7)
    assert called(wanted, out="again").exit_code == 0
    assert contents(Path("data")) == contents(Path("again"))
    with closing(open_bus(settings)) as bus:  # what comes later is none of it
        bus.publish([Output("scored", 0, None, written(1), (), UNTIL), Output("labels", 0, None, labelled(0), (), UNTIL)])
    assert called(wanted, out="later").exit_code == 0
    assert contents(Path("later")) == contents(Path("data"))
    again = called(wanted)
    assert again.exit_code == 0
    assert "is there already" in again.output


def test_a_folder_with_other_data_stays_as_it_is(settings: Configuration) -> None:
    assert called(asked(settings)).exit_code == 0
    before = contents(Path("data"))
    refused = called(asked(settings, include=(Included(until=BEGINNING + 9 * SECOND),)))
    assert refused.exit_code == 1
    assert "data of job" in refused.output
    Path("notes").mkdir()
    assert "holds no data of a job" in called(asked(settings), out="notes").output
    assert contents(Path("data")) == before


def test_verify_finds_whatever_was_changed(settings: Configuration) -> None:
    assert called(asked(settings)).exit_code == 0

    def found(change: Any, what: str) -> None:  # a function of a folder
        shutil.rmtree("other", ignore_errors=True)
        shutil.copytree("data", "other")
        change(Path("other"))
        result = CliRunner().invoke(main, ["dataset", "verify", "other"])
        assert result.exit_code == 1, what
        assert what in result.output

    part = "part-00000.parquet"
    found(lambda folder: (folder / part).unlink(), f"{part} is missing")
    found(lambda folder: (folder / part).write_bytes(b"short"), "bytes instead of")
    found(lambda folder: (folder / part).write_bytes((folder / part).read_bytes()[:-1] + b"?"), "its hash is")
    found(lambda folder: (folder / "part-00001.parquet").write_bytes(b""), "is none of its parts")
    Path("data/answers.parquet").write_bytes(b"of the job")  # whoever has the data may leave what he likes
    assert CliRunner().invoke(main, ["dataset", "verify", "data"]).exit_code == 0
    manifest = "manifest.json"
    found(lambda folder: (folder / manifest).write_text((folder / manifest).read_text() + " "), "manifest.json was changed")
    found(
        lambda folder: (folder / manifest).write_text((folder / manifest).read_text().replace('"repeated": 0', '"repeated": 1')), "accounts"
    )
    found(lambda folder: (folder / manifest).write_text("{"), "cannot be read")


def test_windows_of_faults_and_what_is_to_be_computed_again(settings: Configuration) -> None:
    whole, one = "a" * 32, "b" * 32
    exclude = (
        Excluded(since=BEGINNING + 10 * SECOND, until=BEGINNING + 20 * SECOND, incident=whole),
        Excluded(since=BEGINNING + 30 * SECOND, until=BEGINNING + 40 * SECOND, incident=one, features=("amount",)),
    )
    result = called(asked(settings, exclude=exclude, policy=TrainingPolicy(recompute=("age",))))
    assert result.exit_code == 0, result.output
    found = {int(row["id"][1:]): row for row in rows(Path("data"))}
    assert not any(n in found for n in range(10, 20))
    assert [n for n, row in found.items() if row["amount"] is None] == [n for p in (0, 1) for n in range(30 + p, 40, 2) if n % 10]
    assert all(row["age"] is None for row in found.values())
    assert Manifest.decoded(Path("data/manifest.json").read_bytes()).rows.excluded == {whole: 10}


def test_what_people_answered_counts_where_labels_say_otherwise(settings: Configuration) -> None:
    def answer(number: int, label: bool, reviewer: str = "ann", slot: int = UNTIL) -> ReviewAnswer:
        return ReviewAnswer(
            model="m0", version="1", slot=slot, case=f"{number:032x}", prediction_id=f"i{number}", label=label, reviewer=reviewer,
            answered=UNTIL, probability=1.0,
        )  # fmt: skip

    with closing(open_bus(settings)) as bus:
        said = [answer(0, True), answer(3, False), answer(3, True, "bob"), answer(7, True, slot=BEGINNING), answer(9, True, slot=UNTIL + 1)]
        bus.publish([reviews.output(settings, one) for one in said])
    assert called(asked(settings)).exit_code == 0
    found = {int(row["id"][1:]): (row["label"], row["by"]) for row in rows(Path("data"))}
    assert found[0] == (True, "people")  # which no label says anything of
    assert found[3] == (False, "people")  # by who answered first
    assert found[7] == (False, "labels")  # it was made behind the slot
    assert found[9] == (True, "labels")  # who is asked later says nothing of these data
    assert called(asked(settings, policy=TrainingPolicy(reviewed=False)), out="without").exit_code == 0
    assert {row["by"] for row in rows(Path("without"))} == {"labels"}


def test_the_request_of_a_job_is_found_on_its_topic(settings: Configuration) -> None:
    wanted = asked(settings).model_copy(update={"application": "test"})
    status = JobStatus(
        job=JOB, application="test", model="m0", version="1", policy="monthly", trigger_kind="person", trigger="1", attempt=1,
        state="requested", cause="asked", time=UNTIL,
    )  # fmt: skip
    with closing(open_bus(settings)) as bus:
        bus.publish([ledger.retrain_output(settings, one) for one in (wanted, status)])
    assert "there is no such job" in called(None, "--job", "ffff").output
    assert called(None, "--job", JOB[:8]).exit_code == 0
    assert called(wanted, out="read").exit_code == 0
    assert contents(Path("read")) == contents(Path("data"))


def test_a_recording_has_the_same_data(settings: Configuration) -> None:
    wanted = asked(settings)
    recorded = CliRunner().invoke(main, ["record", "all.jsonl"])
    assert recorded.exit_code == 0, recorded.output
    assert called(wanted).exit_code == 0
    assert called(wanted, "--from", "all.jsonl", out="replayed").exit_code == 0
    assert contents(Path("replayed")) == contents(Path("data"))


HOSTILE: list[tuple[dict[str, str], str]] = [
    ({"model": "../../etc/passwd"}, "model: '../../etc/passwd' is not among m0"),
    ({"application": "other"}, "application: the request is of 'other'"),
    ({"job": "../" * 11}, "holds no request to retrain: job"),
    ({"reference": "../../../../etc/passwd"}, "artifacts"),
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


def test_a_process_that_is_killed_leaves_nothing_half(settings: Configuration) -> None:
    """In front of every step: the folder is not there, or is whole; who asks again has the same."""
    wanted, root = asked(settings), Path(__file__).parents[2]
    Path("request.json").write_bytes(wanted.encoded())
    environment = os.environ | {"PYTHONPATH": f"{root}:{root / '.package'}"}
    command = [sys.executable, "-m", "tests.dataset.killed", "request.json", "data"]
    steps = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True).stdout
    assert int(steps) > 8
    assert called(wanted, out="other").exit_code == 0
    assert contents(Path("other")) == contents(Path("data"))
    assert not list(Path().glob(".*.part"))


def test_two_at_once_do_not_mix(settings: Configuration) -> None:
    wanted = asked(settings)
    other = written_whole(Path("data"))
    (other.__enter__() / "half").write_text("of it")
    assert "is being written by another process" in called(wanted).output
    other.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert not list(Path().glob(".*.part"))
    assert called(wanted).exit_code == 0
    assert not Path("data/half").exists()
