"""A version is registered with what is known of it: by whom, from what data, how well it did; its reference is made of its job's data."""

import hashlib
import json
from contextlib import closing
from pathlib import Path

import pytest

from driftbus.consumers.bus.open import open_bus
from driftbus.consumers.console.deployments import read
from driftbus.consumers.process.settings import load
from driftbus.consumers.reference.artifacts import ArtifactStore
from driftbus.schemas.messages.model_event import ModelEvent
from driftbus.schemas.messages.retrain import RetrainData, RetrainRequest, Trigger
from driftbus.schemas.stored.reference import CategoricalProfile, NumericProfile, Reference

from .conftest import BEGINNING, User
from .job_folder import written

JOB = "0123456789abcdef" * 2
AT = ("--at", "2026-03-01T10:00:00Z")


def registered() -> list[ModelEvent]:
    with closing(open_bus(load())) as bus:
        return [one.event for one in read(bus, load()).known]


def reference_of(event: ModelEvent) -> Reference:
    assert event.reference is not None
    return ArtifactStore(load().artifacts).reference(event.reference)


def test_a_version_has_a_record_and_a_reference_of_its_own_data(user: User) -> None:
    user.creates()
    folder = written(Path("data"))
    Path("model.bin").write_bytes(b"weights")
    words = ("models", "register", "fraud", JOB, "--version", "2", "--artifact", "model.bin", "--reference", "data", "--parent", "1")
    said = user.says(*words, "--metric", "log_loss=0.41", "--metric", "rows=2000", "--by", "ann", *AT)
    [event] = registered()
    assert said.endswith(f"fraud/2: registered by {JOB[:8]}, data {event.data}, reference {event.reference}\n")
    assert (event.version, event.kind, event.job, event.parent, event.by) == ("2", "registered", JOB, "1", "ann")
    assert event.metrics == {"log_loss": 0.41, "rows": 2000}
    assert event.artifact is not None
    assert (event.artifact.name, event.artifact.sha256) == ("model.bin", hashlib.sha256(b"weights").hexdigest())
    assert event.data == f"sha256:{hashlib.sha256((folder / 'manifest.json').read_bytes()).hexdigest()}"
    fields = {field.name: field for field in reference_of(event).fields}
    assert {name: field.role for name, field in fields.items()} == {"amount": "feature", "country": "feature", "score": "score"}
    amount, country, score = (fields[name].values for name in ("amount", "country", "score"))
    assert isinstance(amount, NumericProfile)
    assert isinstance(country, CategoricalProfile)
    assert isinstance(score, NumericProfile)
    assert (sum(amount.counts), sum(country.counts), sum(score.counts)) == (2_000, 2_000, 1_000)
    assert score.minimum == 0.8, "what the old model answered is not what the new one does"


def test_twice_is_once_whatever_it_says(user: User) -> None:
    user.creates()
    written(Path("data"))
    for _ in range(2):
        said = user.says("models", "register", "fraud", JOB, "--version", "2", "--reference", "data", *AT)
    [event] = registered()
    assert said == f"fraud/2: registered by {JOB[:8]} already, data {event.data}, reference {event.reference}\n"
    user.says("models", "register", "fraud", JOB[::-1], "--version", "2", *AT)
    assert len(registered()) == 2, "of another job it is another event"


def test_in_a_job_what_is_known_of_it_need_not_be_said(user: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In its own folder, from which neither the configuration nor the artifacts are to be found by their relative names."""
    user.creates()
    request = RetrainRequest(
        job=JOB,
        model="fraud",
        version="1",
        policy="drifted",
        attempt=1,
        trigger=Trigger(kind="person", id="x"),
        requested=BEGINNING,
        deadline=BEGINNING + 1,
        data=RetrainData(until=BEGINNING),
    )
    (tmp_path / "spool").mkdir()
    monkeypatch.chdir(tmp_path / "spool")
    Path("request.json").write_bytes(request.encoded())
    environment = {"JOB": JOB, "EVENT": "request.json", "CONFIG": str(tmp_path / "driftbus.yaml"), "FOLDER": str(tmp_path)}
    for name, value in environment.items():
        monkeypatch.setenv(f"DRIFTBUS_{name}", value)
    written(Path("data"))
    assert f"fraud/{JOB[:12]}: registered by {JOB[:8]}" in user.says("models", "register", "fraud", "--reference", "data")
    for name in environment:
        monkeypatch.delenv(f"DRIFTBUS_{name}")
    monkeypatch.chdir(tmp_path)
    [event] = registered()
    assert (event.version, event.parent, event.by, event.time) == (JOB[:12], "1", "drifted", BEGINNING)
    assert reference_of(event).rows == 2_000


def test_without_answers_outputs_are_not_watched_and_it_is_said(user: User) -> None:
    user.creates()
    written(Path("data"), answers=0)
    assert "the job left no answers.parquet" in user.says("models", "register", "fraud", JOB, "--reference", "data", *AT)
    written(Path("few"), answers=100)
    said = user.says("models", "register", "fraud", JOB, "--version", "few", "--reference", "few", *AT)
    assert "answers.parquet has 100 rows, 500 are needed" in said
    for event in registered():
        assert [field.role for field in reference_of(event).fields] == ["feature"] * 2


def test_segments_stay_with_their_counts_of_features(user: User) -> None:
    user.configures("    false_alarms: 1 per 1h", "    false_alarms: 1 per 1h\n    segments: {by: country}")
    user.creates()
    written(Path("data"))
    user.says("models", "register", "fraud", JOB, "--reference", "data", *AT)
    [event] = registered()
    assert [(one.name, one.rows) for one in reference_of(event).segments] == [("NZ", 1_000), ("PE", 1_000)]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "which job made it?"),
        ((JOB,), "clock: record, so no wall clock says when this is: add --at TIME"),
        ((JOB, *AT, "--metric", "loss"), "--metric loss: write NAME=NUMBER"),
        ((JOB, *AT, "--metric", "loss=NaN"), "metrics.loss: Input should be a finite number"),
        ((JOB, *AT, "--reference", "."), "manifest.json cannot be read: No such file or directory; name the folder"),
        ((JOB, *AT, "--artifact", "nowhere"), "nowhere"),
    ],
)
def test_what_cannot_be_registered_is_refused(user: User, words: tuple[str, ...], said: str) -> None:
    user.creates()
    assert said in user.says("models", "register", "fraud", *words, code=1 if "--reference" in words else 2)
    assert not registered()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"columns": 7}, "is no manifest of a data set: Expected `array`, got `int` - at `$.columns`"),
        ({"columns": [{"name": "a", "role": "label"}]}, "its manifest names no feature"),
        (
            {"columns": [{"name": "country", "role": "feature"}], "parts": [{"file": "part-00000.parquet", "sha256": "0"}]},
            "its parts are not those of its manifest; driftbus dataset verify data says which",
        ),
        ({"columns": [{"name": "gone", "role": "feature"}]}, "has no column gone, of which its manifest speaks"),
    ],
)
def test_a_folder_that_is_none_is_refused(user: User, content: object, said: str) -> None:
    user.creates()
    written(Path("data"))
    Path("data/manifest.json").write_text(json.dumps(content))
    assert said in user.says("models", "register", "fraud", JOB, "--reference", "data", *AT, code=1)
    assert not registered()
