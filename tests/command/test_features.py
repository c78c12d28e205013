"""`driftbus features` and `driftbus replay --features`: a file of values as training computes them meets the predictions of a table."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from driftbus.consumers.bus.interface import Output
from driftbus.consumers.bus.open import open_bus
from driftbus.consumers.process.settings import load

from .conftest import ONE_STREAM, User
from .test_labelled import BEGINNING, table

CONFIGURATION = (
    ONE_STREAM
    + """\
    pane: 1m
    clock: record
    mapping: {entity: customer, as_of: asked}
features:
  warehouse:
    topics: [fraud.features]
    wait: 2h
    mapping: {entity: header:customer, as_of: at, values: row.values}
    columns: {entity: customer}
models:
  fraud:
    agreement: {log: warehouse}
    reference: {file: train.csv, time: at, score: probability, ignore: [customer, asked]}
"""
)


def rows(count: int, seed: int = 0) -> list[dict[str, Any]]:  # scalars
    draw = np.random.default_rng(seed)
    return [
        {
            "customer": f"c{i % 40}",
            "at": BEGINNING + i * 10_000,
            "asked": BEGINNING + i * 10_000 - 500,
            "amount": round(float(draw.normal()), 3),
            "country": ("NZ", "PE")[i % 2],
            "probability": round(float(draw.random()), 3),
        }
        for i in range(count)
    ]


def offline(made: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """As training computes them: every tenth amount in cents."""
    return [
        {
            "customer": one["customer"],
            "at": one["asked"],
            "amount": one["amount"] * (100 if i % 10 == 0 else 1),
            "country": one["country"],
        }
        for i, one in enumerate(made)
    ]


@pytest.fixture
def somebody(user: User) -> User:
    Path("driftbus.yaml").write_text(CONFIGURATION)
    table("train.csv", rows(700, seed=1))
    table("history.csv", rows(400))
    table("offline.csv", offline(rows(400)))
    duckdb.sql("copy (select * from 'offline.csv') to 'offline.parquet' (format parquet)")
    return user


@pytest.mark.parametrize("file", ["offline.csv", "offline.parquet"])
def test_a_table_of_features_meets_that_of_predictions(somebody: User, file: str) -> None:
    said = somebody.says("replay", "history.csv", "--features", file)
    assert "fraud/-: 400 of 400 predictions met a row of the feature log; they differ in amount 10.0%" in said


def test_without_it_the_feature_log_is_not_read(somebody: User) -> None:
    said = somebody.says("replay", "history.csv")
    assert "features.warehouse: not read: fraud.features is not there; its file: --features FILE" in said


def test_a_backfill_is_loaded_into_the_topic_and_compared(somebody: User) -> None:
    configuration = load("driftbus.yaml")
    with closing(open_bus(configuration)) as bus:
        for topic in ("fraud.scored", "fraud.features"):
            bus.create(topic, 2, settings={"retention.ms": "-1"})
        for i, one in enumerate(rows(400)):
            named = {name: one[name] for name in ("customer", "asked")}
            features = {name: one[name] for name in ("amount", "country")}
            value = {"model": "fraud", "version": "1", "features": features, "score": one["probability"], **named}
            bus.publish([Output("fraud.scored", i % 2, None, json.dumps(value).encode(), (), one["at"])])
    somebody.says("topics", "create")
    somebody.says("reference", "build", "fraud", "--version", "1", "--from-start")
    assert "400 rows of offline.parquet in fraud.features" in somebody.says("features", "load", "offline.parquet")
    checked = somebody.says("check")
    assert "fraud/1: amount, country compared with features.warehouse" in checked
    assert "features.warehouse: 400 of the last 400 rows say whose they are, and as of when" in checked
    assert "features.warehouse: 400 of the last 400 rows are of the last 400 predictions" in checked
    assert "predictions wait with 24 values" in checked
    somebody.says("features", "load", "offline.parquet")  # again: they count once
    somebody.says("run", "--until-end")
    shown = somebody.says("features", "show")
    assert "fraud/1: 400 of 400 predictions met a row of the feature log; they differ in amount 10.0%" in shown
    assert "10.00%" in shown


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("replay", "history.csv", "--features", "train.csv"), "has no column 'day'"),
        (("replay", "history.csv", "--features", "none.csv"), "there is no such file"),
        (("features", "load", "offline.csv", "--log", "other"), "--log other: is not among features: warehouse"),
    ],
)
def test_a_file_that_is_none_is_told(somebody: User, words: tuple[str, ...], why: str) -> None:
    somebody.configures("{entity: customer}\n", "{entity: customer, as_of: day}\n")
    assert why in somebody.says(*words, code=2 if "none.csv" in words or "other" in words else 1)
