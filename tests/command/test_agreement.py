"""`reference build` and `check` say what of the last messages would be told as drift at once, and why, before anything is announced."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from driftbus.consumers.bus.interface import Output

from .conftest import User, amounts, messages

AT_ONCE = "messages would be told as drift at once"


def changed(change: Callable[[dict[str, Any]], object], rows: int = 1_000) -> list[Output]:  # a message's JSON
    """Messages of the same law as the reference, each with a change."""
    found = []
    for one in messages(amounts(rows, seed=3)):
        message = json.loads(one.value or b"")
        change(message)
        found.append(one._replace(value=json.dumps(message).encode()))
    return found


def features(message: dict[str, Any]) -> dict[str, Any]:
    inside: dict[str, Any] = message["payload"]["features"]
    return inside


def built(user: User, outputs: list[Output]) -> str:
    user.creates()
    user.publishes(outputs)
    return user.says("reference", "build", "fraud", "--version", "1", "--from-start")


@pytest.mark.parametrize("rows", [1_000, 100, 30])
def test_nothing_is_said_where_nothing_has_changed(user: User, rows: int) -> None:
    assert AT_ONCE not in built(user, messages(amounts(rows, seed=3)))
    assert AT_ONCE not in user.says("check")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda m: features(m).update(amount=features(m)["amount"] * 100), "  amount: "),
        (lambda m: features(m).update(Amount=features(m).pop("amount")), "amount (messages have 'Amount')"),
        (lambda m: features(m).update({"amount ": features(m).pop("amount")}), "amount (messages have 'amount ')"),
        (lambda m: features(m).update(country=features(m)["country"].lower()), "  country: new categories"),
        (lambda m: features(m).update(amount=f"{features(m)['amount']} EUR"), "amount is invalid in 1,000 of 1,000 messages"),
        (lambda m: m.pop("result"), "  score (availability): more missing"),
        (lambda m: features(m).update(country=None), "  country (availability): more nulls"),
    ],
)
def test_what_differs_is_named_with_why_before_it_is_announced(user: User, change: Callable[[dict[str, Any]], object], told: str) -> None:
    said = built(user, changed(change))
    assert f"fraud/1: the last 1,000 {AT_ONCE}" in said
    assert told in said
    assert said.index(AT_ONCE) < said.index("holds for everything in the topics")


def test_of_another_version_nothing_is_said(user: User) -> None:
    user.creates()
    user.publishes(changed(lambda m: features(m).update(amount=100)))
    assert AT_ONCE not in user.says("reference", "build", "fraud", "--version", "2", "--from-start")


def test_a_dry_run_says_it_too(user: User) -> None:
    user.creates()
    user.publishes(changed(lambda m: features(m).update(amount=100)))
    assert AT_ONCE in user.says("reference", "build", "fraud", "--version", "1", "--from-start", "--dry-run")
