"""A recording with jobs: what is asked for is what was asked for, and nothing acts."""

from contextlib import closing
from pathlib import Path

import pytest

from driftbus.consumers.bus.addressing import addressed, partition_of
from driftbus.consumers.bus.interface import Output
from driftbus.consumers.bus.open import open_bus
from driftbus.consumers.process.settings import load
from driftbus.consumers.reference import ledger
from driftbus.consumers.replay.jobs import has_ledger
from driftbus.schemas.messages.action import ActionTick

from ..command.conftest import CONFIGURATION, User, amounts, messages, user  # noqa: F401  # a fixture
from ..streaming import everything
from .test_command import RETRAIN, allowed, decides, job, publishes

JOBS = "jobs.jsonl"


def recorded_jobs() -> list[str]:
    configuration = load()
    with closing(open_bus(configuration)) as bus:
        told = everything(bus, configuration.topics.retrain)
    return [event.value.decode() for number in sorted(told) for event in told[number]]


@pytest.fixture(params=["record", "live"])
def lived(user: User, request: pytest.FixtureRequest) -> User:  # noqa: F811  # the fixture
    """A job that was approved, ran and reported, and one that a person asked for; recorded."""
    Path("driftbus.yaml").write_text(CONFIGURATION.replace("clock: record", f"clock: {request.param}") + RETRAIN)
    user.creates()
    user.publishes(messages(amounts(100, 1)))
    topics = load().topics
    publishes(addressed(load(), topics.root_causes, allowed(), partition_of("fraud", topics.partitions)))
    decides()
    if request.param == "record":
        user.says("jobs", "approve", job(user), "--by", "ann")
        decides()
        user.says("jobs", "report", job(user), "started", "--by", "trainer")
        user.says("jobs", "report", job(user), "succeeded")
    user.says("jobs", "request", "fraud", "asked", "--by", "bob")
    decides()
    user.says("jobs", "cancel", job(user), "--by", "bob")
    decides()
    user.says("record", "all.jsonl")
    return user


def test_a_replay_asks_for_the_same_jobs(lived: User) -> None:
    told = lived.says("replay", "all.jsonl", "--jobs", JOBS)
    assert recorded_jobs()
    assert Path(JOBS).read_text().splitlines() == recorded_jobs()
    assert "not those of the recording" not in told


def test_other_policies_ask_for_others_and_that_is_said(lived: User) -> None:
    Path("driftbus.yaml").write_text(
        Path("driftbus.yaml").read_text().replace("asked: {when: person,", "asked: {when: person, dry_run: true,")
    )
    told = lived.says("replay", "all.jsonl", "--jobs", JOBS)
    assert "requests and states of jobs are not those of the recording" in told


def test_a_ledger_of_others_is_none(user: User) -> None:  # noqa: F811  # the fixture
    """Else nothing would be copied in a replay of what two applications wrote on the same topics, and no job be asked for."""
    Path("driftbus.yaml").write_text(CONFIGURATION + RETRAIN)
    user.creates()
    ours = load()
    with closing(open_bus(ours)) as bus:
        assert not has_ledger(bus, ours)
        ledger.tell(bus, ours.model_copy(update={"application": "others"}), ActionTick(time=1))
        bus.publish([Output(ours.topics.actions, 0, b"\xff", value, (), None) for value in (b"", b"{}", b"\xff")])
        assert not has_ledger(bus, ours)
        ledger.tell(bus, ours, ActionTick(time=1))
        assert has_ledger(bus, ours)


def test_a_ledger_that_is_made_anew_is_said_to_be(lived: User) -> None:
    made = "the ledger was made anew, and another run may order its facts otherwise"
    assert made in lived.says("replay", "all.jsonl", "--afresh")
    assert made not in lived.says("replay", "all.jsonl")


@pytest.mark.parametrize(("clock", "told"), [("record", True), ("live", False)])
def test_a_check_says_what_decisions_lack_without_a_live_clock(user: User, clock: str, told: bool) -> None:  # noqa: F811  # the fixture
    weekly = 'asked: {when: schedule, cron: "0 3 * * 0",'
    Path("driftbus.yaml").write_text(
        CONFIGURATION.replace("clock: record", f"clock: {clock}") + RETRAIN.replace("asked: {when: person,", weekly)
    )
    user.creates()
    said = user.says("check")
    assert ("models.fraud.retrain: with clock: record another run over the same records may ask for other jobs" in said) is told
    assert ("models.fraud.retrain.asked: cron lines are not evaluated with clock: record" in said) is told
