"""A version whose job left no answers: its outputs are watched once it has answered enough."""

from contextlib import closing
from pathlib import Path

import pytest

from driftbus.consumers.bus.open import open_bus
from driftbus.consumers.process.settings import load
from driftbus.consumers.reference.announce import Announcements
from driftbus.consumers.reference.artifacts import ArtifactStore

from .conftest import SECONDS, User, amounts, messages
from .test_accept import _at, _episodes

WORDS = ("reference", "outputs", "fraud", "2")


@pytest.fixture
def unanswered(user: User) -> User:
    """Version 2 with a reference of its features alone, and ten minutes of its rows."""
    user.configures("reference: {file: train.csv, time: at, score: score}", "reference: {file: train.csv, time: at}")
    rows = Path("train.csv").read_text().splitlines()
    Path("train.csv").write_text("".join(row.rpartition(",")[0] + "\n" for row in rows))
    user.creates()
    user.publishes(messages(amounts(SECONDS * 10, seed=2), version="2"))
    user.says("reference", "build", "fraud", "--version", "2", "--from-start")
    return user


def test_what_it_answers_is_watched_from_then_on(unanswered: User) -> None:
    said = unanswered.says(*WORDS, "--from", _at(0), "--since", _at(SECONDS))
    assert said.startswith("fraud/2: score of 6,000 rows; sha256:")
    configuration = load()
    with closing(open_bus(configuration)) as bus:
        announced = Announcements(bus, configuration)
        announced.refresh()
        before, after = (ArtifactStore(configuration.artifacts).reference(one.reference or "") for one in announced.all())
    assert after.fields[:-1] == before.fields
    assert (after.fields[-1].name, after.fields[-1].role) == ("score", "score")
    later = [
        one._replace(timestamp=(one.timestamp or 0) + SECONDS * 1000, value=(one.value or b"").replace(b'bility": 0.', b'bility": 0.0'))
        for one in messages(amounts(SECONDS * 10, seed=3), version="2")
    ]
    unanswered.publishes(later)
    unanswered.says("run", "--until-end")
    assert {signal["name"] for one in _episodes(unanswered) for signal in one["signals"]} == {"score"}  # type: ignore[attr-defined]


def test_it_is_said_why_not(unanswered: User) -> None:
    assert "say from when on with --from TIME" in unanswered.says(*WORDS, "--since", _at(SECONDS), code=2)
    few = unanswered.says(*WORDS, "--from", _at(200), "--since", _at(SECONDS), code=1)
    assert "fraud/2: 4,000 rows since 2023-11-14T22:16:40.000Z; 5,000 are needed" in few
    unanswered.says(*WORDS, "--from", _at(0), "--since", _at(SECONDS))
    assert "score: watched already" in unanswered.says(*WORDS, "--from", _at(0), "--since", _at(SECONDS + 10), code=1)
    assert "fraud/3 has no reference" in unanswered.says("reference", "outputs", "fraud", "3", "--since", _at(SECONDS), code=1)
