"""From predictions to cases, over the page to answers, and to what these say of the model."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from driftbus.consumers.bus.interface import Output
from driftbus.consumers.bus.open import open_bus
from driftbus.consumers.process.settings import load
from tests.command.conftest import BEGINNING, User, amounts

from .test_page import NOW, page_of

#: Of all predictions, so many are right.
RIGHT = 0.8


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> User:
    """Somebody whose model says whether an amount is positive, and is wrong every fifth time."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DRIFTBUS_CONFIG", raising=False)
    Path("driftbus.yaml").write_text(
        "application: fraud-watch\nbus: embedded\nembedded: bus.sqlite\n"
        "streams: {predictions: {topics: [fraud.scored], pane: 10s, clock: record}}\n"
        "labels: {known: {topics: [fraud.labels], about: 10m}}\n"
        "models:\n  fraud:\n    reference: {file: train.csv, time: at, score: score}\n    false_alarms: 1 per 1h\n    labels: known\n"
        "    review: {budget: 1200 per hour, slot: 1m}\n"
    )
    rows = (f"{BEGINNING + place * 100},{value:.4f},{score(place, value)}" for place, value in enumerate(amounts(5_000, seed=1).tolist()))
    Path("train.csv").write_text("\n".join(["at,amount,score", *rows]) + "\n")
    return User()


def score(place: int, value: float) -> float:
    return 0.7 if (value > 0) == (place % 5 > 0) else 0.3


def test_from_predictions_to_cases_to_answers_to_an_estimate(user: User) -> None:
    with closing(open_bus(load())) as bus:
        for topic in ("fraud.scored", "fraud.labels"):
            bus.create(topic, 2, settings={"retention.ms": "-1"})
    user.says("topics", "create")
    user.says("reference", "build", "fraud", "--version", "1", "--from-start")
    values = np.round(amounts(6_000, seed=2), 4).tolist()
    user.publishes(
        [Output("fraud.scored", place % 2, None, message(place, value), (), BEGINNING + place * 100) for place, value in enumerate(values)]
    )
    user.says("run", "--until-end")
    with closing(open_bus(load())) as bus, page_of(load(), bus, "fraud") as page:
        asked = left = page.state["left"]
        assert asked >= 150
        while (case := (state := page.state)["case"]) is not None:
            if left % 10 == 0:
                said: dict[str, Any] = {"skipped": "I cannot tell"}
            else:
                said = {"label": float(dict(case["fields"])["amount"]) > 0}
            left = page.answers({"cases": [case["case"]], "answered": NOW + left, **said})[1]["left"]
        assert state["done"] == asked
    user.says("run", "--until-end")
    told = [json.loads(line) for line in user.says("performance", "fraud", "--json").splitlines()]
    reviewed = [one["reviewed"] for one in told if "reviewed" in one]
    assert sum(one["answered"] for one in reviewed) == asked - asked // 10
    assert sum(one["skipped"].get("I cannot tell", 0) for one in reviewed) == asked // 10
    assert all(one["all"]["low"] - 0.1 <= RIGHT <= one["all"]["high"] + 0.1 for one in reviewed)
    assert "reviewed: right, of all predictions" in user.says("performance", "fraud")


def message(place: int, value: float) -> bytes:
    said = {"model": "fraud", "version": "1", "id": f"p{place}", "features": {"amount": value}, "score": score(place, value)}
    return json.dumps(said).encode()
