"""What is said of a model's versions by command, and what is listed of it."""

import json
from contextlib import closing

import pytest

from driftbus.consumers.bus.interface import Output
from driftbus.consumers.bus.open import open_bus
from driftbus.consumers.process.settings import load

from .conftest import User, amounts, messages

DAY = "2026-03-0{}T10:00:00Z"


@pytest.fixture
def told(user: User) -> User:
    """Version 1 serves, 2 beside it from the second on, alone from the third on; 3 is registered."""
    user.creates()
    assert user.says("models", "deploy", "fraud", "1", "--at", DAY.format(1)) == "fraud/1: deployed at 2026-03-01T10:00:00Z\n"
    user.says("models", "deploy", "fraud", "2", "--at", DAY.format(2), "--job", "j2", "--parent", "1")
    user.says("models", "promote", "fraud", "2", "--at", DAY.format(3))
    user.says("models", "register", "fraud", "j3", "--version", "3", "--at", DAY.format(4))
    return user


def rows(said: str) -> list[list[str]]:
    return [line.split() for line in said.splitlines()[1:]]


def test_versions_are_listed_with_when_they_served_and_beside_which(told: User) -> None:
    assert rows(told.says("models", "list")) == [
        ["fraud/1", DAY.format(1), DAY.format(3), "deployed", "2", "-", "-"],
        ["fraud/2", DAY.format(2), "serves", "promoted", "1", "j2", "1"],
        ["fraud/3", "-", "-", "registered", "-", "j3", "-"],
    ]
    assert told.says("models", "list", "fraud") == told.says("models", "list")
    lines = [json.loads(line) for line in told.says("models", "list", "--json").splitlines()]
    assert [(one["version"], one["since"] is None, one["beside"]) for one in lines] == [
        ("1", False, ["2"]),
        ("2", False, ["1"]),
        ("3", True, []),
    ]


def test_a_rollback_goes_back_to_its_parent(told: User) -> None:
    told.says("models", "rollback", "fraud", "2", "--parent", "1", "--at", DAY.format(5))
    assert [row[:4] for row in rows(told.says("models", "list"))] == [
        ["fraud/1", DAY.format(1), DAY.format(3), "deployed"],
        ["fraud/2", DAY.format(2), DAY.format(5), "promoted"],
        ["fraud/1", DAY.format(5), "serves", "rolled"],
        ["fraud/3", "-", "-", "registered"],
    ]
    told.says("models", "retire", "fraud", "1", "--at", DAY.format(6))
    assert "serves" not in told.says("models", "list")


def test_status_says_what_serves(told: User) -> None:
    assert rows(told.says("status"))[-1] == ["fraud/2", DAY.format(2), "promoted"]
    assert [one["version"] for one in json.loads(told.says("status", "--json"))["deployments"]] == ["2"]


def test_they_are_copied_by_run_and_change_no_episode(told: User) -> None:
    told.publishes(messages(amounts(6_000, seed=2, shifted_from=3_000)))
    told.says("reference", "build", "fraud", "--version", "1", "--from-start")
    told.says("run", "--until-end")
    clerks = [one for one in json.loads(told.says("status", "--json"))["partitions"] if one["role"] == "clerk"]
    assert [(one["to_read"], one["committed"]) for one in clerks] == [(0, 5)]
    assert "clerk: fraud-watch.models" in told.says("status")
    assert len(told.says("episodes").splitlines()) == 2


def test_live_it_is_now(user: User) -> None:
    user.configures("clock: record", "clock: live")
    user.creates()
    user.says("models", "deploy", "fraud", "1")
    assert "s ago  deployed" in user.says("status")
    user.says("models", "promote", "fraud", "2", "--at", "2999-01-01")  # known in advance, and not yet so
    assert [one["version"] for one in json.loads(user.says("status", "--json"))["deployments"]] == ["1"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["deploy", "fraud", "1"], "clock: record, so no wall clock says when this is: add --at TIME"),
        (["deploy", "fraud", "1", "--at", "soon"], "--at soon: write an ISO 8601 time"),
        (["deploy", "fraud", "", "--at", DAY.format(1)], "version: an empty text"),
        (["deploy", "f" * 501, "1", "--at", DAY.format(1)], "model: a name of 501 characters"),
        (["deploy", "fraud", "1", "--at", "-1e300"], "--at -1e300: write an ISO 8601 time"),
    ],
)
def test_what_cannot_be_said_is_refused(user: User, words: list[str], said: str) -> None:
    user.creates()
    assert said in user.says("models", *words, code=2)
    assert "no version is known" in user.says("models", "list")
    assert "no version of fraud is known" in user.says("models", "list", "fraud")


def test_what_cannot_be_read_is_named(told: User) -> None:
    with closing(open_bus(load())) as bus:
        topic = load().topics.models
        bus.publish([Output(topic, 0, b"model/fraud/9/deployed/j", b'{"model": "fraud", "version": "9", "kind": "gone", "job": "j"}')])
    assert "passed over fraud-watch.models[0]@4: it cannot be read: ValueError: kind: Input should be" in told.says("models", "list")
    assert "fraud/2" in told.says("status")
