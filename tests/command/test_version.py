"""The record of a version, and what people say of it."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from driftbus.consumers.bus.open import open_bus
from driftbus.consumers.console.deployments import read
from driftbus.consumers.console.reading import records_on
from driftbus.consumers.process.settings import load
from driftbus.consumers.reference import ledger
from driftbus.consumers.reference.announce import announce
from driftbus.schemas.messages.action_version import ActionVersion
from driftbus.schemas.messages.announcement import Announcement
from driftbus.schemas.messages.promotion import Promotion

from .conftest import BEGINNING, User
from .job_folder import written

JOB = "0123456789abcdef" * 2
AT = ("--at", "2026-03-01T10:00:00Z")


@pytest.fixture
def promoting(user: User) -> User:
    user.configures(
        "    features: {session: ignore}", "    features: {session: ignore}\n    promotion: {by: person}\n    retrain: {p: {when: person}}"
    )
    user.creates()
    return user


def words() -> list[ActionVersion]:
    with closing(open_bus(load())) as bus:
        read = (ledger.read(load().application, one.key, one.value, one.headers) for one in records_on(bus, load().topics.actions))
        return [one for one in read if isinstance(one, ActionVersion)]


def test_a_version_has_a_record(promoting: User) -> None:
    written(Path("data"))
    Path("model.bin").write_bytes(b"weights")
    register = ("models", "register", "fraud", JOB, "--version", "2", "--parent", "1", "--by", "drifted")
    promoting.says(*register, "--reference", "data", "--artifact", "model.bin", "--metric", "loss=0.4", *AT)
    step = Promotion(model="fraud", version="2", parent="1", job=JOB, step="shadow", reason="its golden test is good", time=BEGINNING)
    with closing(open_bus(load())) as bus:
        bus.publish([ledger.retrain_output(load(), step)] * 2)
    promoting.says("models", "promote", "fraud", "2", "--parent", "1", "--job", "elsewhere", "--at", "2026-03-02")
    said = promoting.says("models", "show", "fraud", "2")
    for line in (
        "fraud/2: serves",
        "made by    drifted, job 01234567",
        "parent     1",
        "metrics    loss 0.4",
        "artifact   model.bin, sha256 ",
    ):
        assert line in said
    assert [line.split()[1:3] for line in said.splitlines()[-3:]] == [["decided:", "shadow"], ["registered", "drifted"], ["promoted", "-"]]
    [plain] = [json.loads(line) for line in promoting.says("models", "show", "fraud", "--json").splitlines()]
    assert (plain["version"], plain["serves"], len(plain["events"]), len(plain["steps"])) == ("2", True, 2, 1)
    assert "nothing was said of fraud/3; known: 2" in promoting.says("models", "show", "fraud", "3", code=1)


@pytest.mark.parametrize(
    ("clock", "then"),
    [
        ("live", "from 5,000 of its rows since 2023-11-14T22:13:20Z on they are"),
        ("record", "when it has answered 5,000: driftbus reference outputs fraud 2"),
    ],
)
def test_it_is_said_that_what_it_answers_is_not_watched(promoting: User, clock: str, then: str) -> None:
    promoting.configures("clock: record", f"clock: {clock}")
    written(Path("data"), answers=0)
    promoting.says("models", "register", "fraud", JOB, "--version", "2", "--reference", "data", *AT)
    assert "outputs" not in promoting.says("models", "show", "fraud", "2"), "it is not watched at all"
    configuration = load()
    with closing(open_bus(configuration)) as bus:
        [made] = [one.event.reference for one in read(bus, configuration).known]
        announce(bus, configuration, Announcement(model="fraud", version="2", reference=made, since=BEGINNING))
    why = f"not watched: its job left no answers; {then}"
    assert f"  outputs    {why}" in promoting.says("models", "show", "fraud", "2")
    assert json.loads(promoting.says("models", "show", "fraud", "--json"))["outputs"] == why
    assert f"fraud/2: outputs {why}" in promoting.says("status")
    assert json.loads(promoting.says("status", "--json"))["outputs"] == [{"model": "fraud", "version": "2", "why": why}]
    promoting.says("retire", "fraud", "2", "--since", "2023-11-14T22:13:30Z")
    assert "outputs" not in promoting.says("models", "show", "fraud", "2")


def test_a_person_decides_by_the_ledger(promoting: User) -> None:
    assert "2: promote, asked for by ann" in promoting.says("models", "promote", "fraud", "2", "--by", "ann")
    promoting.says("models", "rollback", "fraud", "2", "--by", "ann")
    promoting.says("models", "refuse", "fraud", "3", "--by", "bob", "--note", "too slow")
    assert [(one.kind, one.version, one.by, one.note, one.time) for one in words()] == [
        ("promote", "2", "ann", None, None),
        ("roll_back", "2", "ann", None, None),
        ("refuse", "3", "bob", "too slow", None),
    ]
    assert "no version is known" in promoting.says("models", "list"), "nothing has been done yet"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (("promote", "fraud", "2"), "who says so? add --by NAME"),
        (("promote", "fraud", "", "--by", "ann"), "version: an empty text"),
        (("refuse", "other", "2", "--by", "ann"), "models.other.promotion is not set"),
    ],
)
def test_what_nobody_can_decide_is_refused(promoting: User, said: tuple[str, ...], why: str) -> None:
    assert why in promoting.says("models", *said, code=2)
    assert not words()
