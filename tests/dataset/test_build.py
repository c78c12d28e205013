"""``driftbus dataset`` on a user's folder: what is built, and what a process that dies leaves."""

import json
import os
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from driftbus.consumers.bus import embedded
from driftbus.consumers.bus.addressing import addressed, partition_of
from driftbus.consumers.bus.interface import Output
from driftbus.consumers.bus.open import open_bus
from driftbus.consumers.command.main import main
from driftbus.consumers.dataset.folder import written_whole
from driftbus.consumers.pipeline.own_topics import create_topics
from driftbus.consumers.process.settings import load
from driftbus.consumers.reference import ledger, reviews
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.job import JobStatus
from driftbus.schemas.messages.ood import OodSample
from driftbus.schemas.messages.retrain import Excluded, Included, TrainingPolicy
from driftbus.schemas.messages.review import ReviewAnswer
from driftbus.schemas.outcome import id_hash
from driftbus.schemas.stored.dataset import Manifest

from ..streaming import BEGINNING
from .asked import JOB, contents, request, rows
from .world import CONFIGURATION, ROWS, SECOND, UNTIL, asked, called, labelled, written


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


def test_without_offsets_times_say_which_rows_are_meant(settings: Configuration) -> None:
    """As with `clock: record`. Once all is written through then, what is written later changes nothing."""
    wanted = request("m0", BEGINNING + 200 * SECOND)
    early = called(request("m0", UNTIL), out="early")
    assert "not yet written through" in early.output
    first = called(wanted)
    assert first.exit_code == 0, first.output
    assert "not yet written" not in first.output
    found = rows(Path("data"))
    numbers = [int(row["id"][1:]) for row in found]
    assert set(numbers) == {n for n in range(140) if n % 10}  # whose labels had come
    assert max(row["known"] for row in found) <= BEGINNING + 200 * SECOND
    with closing(open_bus(settings)) as bus:
        bus.publish([Output("scored", 0, None, written(500), (), UNTIL), Output("labels", 0, None, labelled(150), (), UNTIL)])
    assert called(wanted, out="later").exit_code == 0
    assert contents(Path("later")) == contents(Path("data"))
    manifest = Manifest.decoded(Path("data/manifest.json").read_bytes())
    assert manifest.by == "times"
    assert {source.through for source in manifest.sources} == {BEGINNING + 200 * SECOND}


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


def answer(number: int, label: bool, reviewer: str = "ann", slot: int = UNTIL) -> ReviewAnswer:
    return ReviewAnswer(
        model="m0", version="1", slot=slot, case=f"{number:032x}", prediction_id=f"i{number}", label=label, reviewer=reviewer,
        answered=UNTIL, probability=1.0,
    )  # fmt: skip


def test_what_people_answered_counts_where_labels_say_otherwise(settings: Configuration) -> None:
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


def test_rows_unlike_the_training_data_are_in_whatever_their_time(settings: Configuration) -> None:
    Path("driftbus.yaml").write_text(CONFIGURATION.replace("    labels: known\n", "    labels: known\n    ood: {}\n"), encoding="utf-8")
    chosen = load()

    def told(number: int, bucket: int = UNTIL) -> Output:
        sample = OodSample(
            stream="predictions", topic="scored", topic_id=topic, partition=number % 2, offset=number // 2, bucket=bucket, model="m0",
            version="1", reference="", of="amount", p=0.005,
        )  # fmt: skip
        return addressed(chosen, chosen.topics.ood, sample, partition_of("m0", chosen.topics.partitions))

    with closing(open_bus(chosen)) as bus:
        create_topics(bus, chosen)
        topic = bus.describe(["scored"])["scored"].id
        bus.publish([told(3), told(10), told(5, UNTIL + 1), told(305)])
    late = {"include": (Included(since=BEGINNING + 300 * SECOND, until=UNTIL, weight=0.5),)}
    assert called(asked(settings, **late, policy=TrainingPolicy(outliers=True))).exit_code == 0
    found = {int(row["id"][1:]): (row["outlier"], row["weight"]) for row in rows(Path("data"))}
    assert {n: found[n] for n in found if n < 302} == {3: (True, 1.0), 301: (False, 0.5)}  # of the tenth nobody knows the label
    assert [n for n, (outlier, _) in found.items() if outlier] == [3, 305]


def test_rows_weigh_by_their_kinds_times_their_window(settings: Configuration) -> None:
    with closing(open_bus(settings)) as bus:
        bus.publish([reviews.output(settings, answer(3, False))])
    late = {"include": (Included(since=BEGINNING, until=UNTIL, weight=0.5),)}
    assert called(asked(settings, **late).model_copy(update={"weights": {"labels": 2.0, "people": 6.0}})).exit_code == 0
    found = {int(row["id"][1:]): (row["by"], row["weight"]) for row in rows(Path("data"))}
    assert found[3] == ("people", 3.0)
    assert {own for number, own in found.items() if number != 3} == {("labels", 1.0)}


def test_personal_ids_are_there_as_hashes_only(settings: Configuration, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDS", "a key of thirty-two characters..")
    Path("driftbus.yaml").write_text(CONFIGURATION.replace("wait: 1h", "wait: 1h, key: IDS"), encoding="utf-8")
    assert called(asked(settings)).exit_code == 0
    found = rows(Path("data"))
    assert len(found) == ROWS * 9 // 10
    assert {row["id"] for row in found} == {id_hash(f"i{n}", b"a key of thirty-two characters..") for n in range(ROWS) if n % 10}


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
