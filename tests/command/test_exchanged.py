"""Columns that silently take each other's place, through `driftbus replay` without a feature log: one incident; who has whose values."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from .conftest import ONE_STREAM, User
from .test_labelled import BEGINNING, table

CONFIGURATION = (
    ONE_STREAM
    + """\
    pane: 1m
    clock: record
models:
  fraud:
    reference: {file: train.csv, time: at, score: probability}
"""
)
#: Rows a second; a window has 600 rows. The exchange is behind the baseline.
PER_SECOND, WINDOWS, BROKEN = 10, 31, 26
Row = dict[str, Any]  # scalars
TOWNS, STREETS = ("Kumara", "Otira", "Moana", "Arahura"), ("high", "mill", "quay", "lake")


def rows(windows: int, seed: int) -> list[Row]:
    """Features that are of one size, and differ in form; two categories of the same names, and two of their own."""
    draw, count = np.random.default_rng(seed), windows * 60 * PER_SECOND
    columns = {
        "income": draw.gamma(2.0, 2.0, count),
        "debt": draw.normal(5.0, 1.0, count),
        "rooms": draw.uniform(0.0, 9.0, count),
        "rent": draw.exponential(3.0, count),
        "from": draw.choice(TOWNS, count, p=[0.6, 0.2, 0.15, 0.05]),
        "to": draw.choice(TOWNS, count, p=[0.1, 0.15, 0.15, 0.6]),
        "street": draw.choice(STREETS, count, p=[0.4, 0.3, 0.2, 0.1]),
        "probability": draw.random(count),
    }
    plain = {name: values.round(3).tolist() if values.dtype.kind == "f" else values.tolist() for name, values in columns.items()}
    return [{"at": BEGINNING + i * 1_000 // PER_SECOND, **{name: values[i] for name, values in plain.items()}} for i in range(count)]


def exchanged(made: list[Row], ring: Sequence[str], share: float) -> None:
    """From some time on, in a share of the rows, each has the values of the next."""
    draw = np.random.default_rng(3)
    for row in made[BROKEN * 60 * PER_SECOND :]:
        if draw.random() < share:
            row |= {name: row[other] for name, other in _next(ring)}


def _next(ring: Sequence[str]) -> list[tuple[str, str]]:
    return list(zip(ring, [*ring[1:], ring[0]], strict=True))


def last_told(user: User, rings: list[tuple[str, ...]], share: float, configuration: str = CONFIGURATION, new: float = 0.0) -> list[Row]:
    """The last revision of every incident; ``new``: in what share of the rows each has a name that nobody ever had."""
    Path("driftbus.yaml").write_text(configuration)
    table("train.csv", rows(10, seed=1))
    made = rows(WINDOWS, seed=2)
    for ring in rings:
        exchanged(made, ring, share)
    draw = np.random.default_rng(4)
    for row in made[BROKEN * 60 * PER_SECOND :]:
        if draw.random() < new:
            row |= {name: f"new in {name}" for ring in rings for name in ring}
    table("history.csv", made)
    _, told = replayed(user)
    return [*{one["incident"]: one for one in told}.values()]


def replayed(user: User, *files: str) -> tuple[str, list[Row]]:
    """What a person sees, and the root causes."""
    said = user.says("replay", "history.csv", *files, "--causes", "causes.jsonl")
    return said, [json.loads(line) for line in Path("causes.jsonl").read_text().splitlines()]


@pytest.mark.parametrize(
    ("rings", "share"),
    [
        ([("income", "debt")], 0.5),
        ([("income", "debt", "rooms")], 0.5),
        ([("income", "debt", "rooms")], 1.0),
        ([("income", "debt"), ("rooms", "rent")], 0.5),
        ([("from", "to")], 0.5),
        ([("from", "to")], 1.0),
        ([("to", "street")], 0.5),
    ],
    ids=str,
)
def test_it_is_one_incident_with_who_has_whose_values(user: User, rings: list[tuple[str, ...]], share: float) -> None:
    found = last_told(user, rings, share)
    assert {one["status"] for one in found if one["cause"] == "data_drift"} <= {"withdrawn"}, "of windows that hold both"
    [last] = (one for one in found if one["cause"] != "data_drift")
    assert (last["cause"], last["subtype"]) == ("training_serving_skew", "columns_exchanged")
    assert last["scope"]["exchanged"] == dict(pair for ring in rings for pair in _next(ring))
    assert last["retrain_gate"]["decision"] == "forbid"
    assert (last["status"], last["awaits"]) == ("suspected", "agreement"), "whether the source has exchanged them for everybody"


@pytest.mark.parametrize(
    ("ring", "new", "told"),
    [(("from", "to"), 0.0, False), (("from", "to"), 0.03, False), (("from", "to"), 0.05, False), (("to", "street"), 0.0, True)],
)
def test_where_the_same_code_makes_both_sides_journeys_may_turn_round(user: User, ring: tuple[str, str], new: float, told: bool) -> None:
    """Names of another feature no population makes: the source has exchanged them for everybody. New ones it does."""
    same_code = "sources: {desk: {same_code: true}}\n" + CONFIGURATION + "    features: {'*': {source: desk}}\n"
    found = {(one["cause"], one["status"]) for one in last_told(user, [ring], 1.0, same_code, new) if one["subtype"] == "columns_exchanged"}
    assert found == ({("feature_recalibration", "confirmed")} if told else set())
