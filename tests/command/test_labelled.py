"""`driftbus replay --labels`: tables of predictions and labels give what a recording of them gives, or a line that says why not."""

import csv
import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from .conftest import ONE_STREAM, User

CONFIGURATION = (
    ONE_STREAM
    + """\
    pane: 10m
    mapping: {id: payload.request_id}
labels:
  chargebacks:
    topics: [fraud.chargebacks]
    wait: 2h
    early: 10m
    about: 30m
    mapping: {id: request_id, label: fraud}
    columns: {time: decided}
models:
  fraud:
    labels: chargebacks
    reference: {file: train.csv, time: at, prediction: label, score: probability}
"""
)
BEGINNING, MINUTE = 1_772_323_200_000, 60_000
Rows = list[dict[str, Any]]  # of any scalars


def predictions(rows: int, seed: int = 0) -> Rows:
    """One every ten seconds; two in ten turn out otherwise."""
    draw = np.random.default_rng(seed)
    found = []
    for i in range(rows):
        score = round(float(draw.random()), 3)
        row = {"request_id": f"r{i}", "at": BEGINNING + i * 10_000, "amount": round(float(draw.normal()), 3)}
        found.append(row | {"label": int(score > 0.5), "probability": score})
    return found


def labels(of: Rows, seed: int = 0) -> Rows:
    """Of nine in ten, up to half an hour later, some twice."""
    draw = np.random.default_rng(seed)
    found = []
    for row in of:
        if draw.random() < 0.9:
            known, fraud = row["at"] + int(draw.integers(30 * MINUTE)), int(row["label"] ^ (draw.random() < 0.2))
            found.append({"request_id": row["request_id"], "decided": known, "fraud": fraud})
            if draw.random() < 0.1:
                found.append({"request_id": row["request_id"], "decided": known + MINUTE, "fraud": 1 - fraud})
    return [found[place] for place in draw.permutation(len(found)).tolist()]


def table(name: str, rows: Sequence[Mapping[str, Any]], without: Sequence[str] = ()) -> None:
    with Path(name).open("w", newline="") as file:
        writer = csv.DictWriter(file, [column for column in rows[0] if column not in without], extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture
def somebody(user: User) -> User:
    Path("driftbus.yaml").write_text(CONFIGURATION)
    table("train.csv", predictions(500, seed=1), without=["request_id"])
    made = predictions(400)
    table("history.csv", made)
    table("labels.csv", labels(made))
    return user


def told(user: User, *words: str) -> tuple[bytes, bytes, str]:
    """Performance, events, and what a person saw."""
    said = user.says("replay", *words, "--performance", "performance.jsonl", "--events", "events.jsonl")
    return Path("performance.jsonl").read_bytes(), Path("events.jsonl").read_bytes(), said


def totals(performance: bytes) -> tuple[int, int, int]:
    """Predicted, labelled, right."""
    records = [json.loads(line) for line in performance.splitlines()]
    right = sum(round(one["realised"]["accuracy"] * one["labelled"]) for one in records if one["labelled"])
    return sum(one["predicted"] for one in records), sum(one["labelled"] for one in records), right


def expected(made: Rows, known: Rows) -> tuple[int, int, int]:
    """What a batch computation finds: the last label of each holds."""
    last = {one["request_id"]: one["fraud"] for one in sorted(known, key=lambda one: one["decided"])}
    return len(made), len(last), sum(last.get(row["request_id"]) == row["label"] for row in made)


def recorded(file: str) -> None:
    """The same records by hand, as `driftbus record` writes them."""
    made = predictions(400)
    sides: dict[str, tuple[str, str, list[tuple[int, dict[str, object]]]]] = {
        "fraud.scored": (
            "history.csv",
            "",
            [
                (
                    row["at"],
                    {
                        "model": "fraud",
                        "features": {"amount": row["amount"]},
                        "id": row["request_id"],
                        "prediction": row["label"],
                        "score": row["probability"],
                    },
                )
                for row in made
            ],
        ),
        "fraud.chargebacks": (
            "labels.csv",
            "labels",
            [
                (row["decided"], {"id": row["request_id"], "label": row["fraud"]})
                for row in sorted(labels(made), key=lambda one: one["decided"])
            ],
        ),
    }
    with Path(file).open("w") as lines:
        for topic, (source, more, records) in sides.items():
            id_ = f"sha256:{hashlib.sha256(Path(source).read_bytes() + more.encode()).hexdigest()}"
            for offset, (time, value) in enumerate(records):
                place = {"topic": topic, "topic_id": id_, "partition": 0, "offset": offset, "key": None, "timestamp": time}
                lines.write(json.dumps({**place, "value": json.dumps(value)}) + "\n")


def test_two_tables_give_what_a_recording_of_the_same_records_gives(somebody: User) -> None:
    *of_tables, said = told(somebody, "history.csv", "--labels", "labels.csv")
    assert "labels (labels.chargebacks) are of predictions in history.csv, in the median 1" in said
    assert totals(of_tables[0]) == expected(predictions(400), labels(predictions(400)))
    recorded("week.jsonl")
    somebody.configures("mapping: {id: payload.request_id}", "mapping: {}")
    somebody.configures("mapping: {id: request_id, label: fraud}", "mapping: {}")
    assert [*told(somebody, "week.jsonl")[:2]] == of_tables
    assert "is a recording, which holds the topics of labels" in somebody.says("replay", "week.jsonl", "--labels", "labels.csv", code=2)


@pytest.mark.parametrize("suffix", ["parquet", "jsonl"])
def test_every_form_says_the_same(somebody: User, suffix: str) -> None:
    of_csv = totals(told(somebody, "history.csv", "--labels", "labels.csv")[0])
    for name in ("history", "labels"):
        form = "format json" if suffix == "jsonl" else "format parquet"
        duckdb.execute(f"copy (from read_csv('{name}.csv')) to '{name}.{suffix}' ({form})")
    assert totals(told(somebody, f"history.{suffix}", "--labels", f"chargebacks=labels.{suffix}")[0]) == of_csv


def beside(ids: bool = True) -> tuple[Rows, Rows]:
    """Predictions and labels as one table, a label of three rows in four; and the labels alone."""
    rows = [row | {"fraud": row["label"] ^ (i % 5 == 0), "decided": row["at"] + MINUTE} for i, row in enumerate(predictions(200))]
    rows = [row if i % 4 else row | {"fraud": None, "decided": None} for i, row in enumerate(rows)]
    table("both.csv", rows, without=[] if ids else ["request_id"])
    return rows, [row for row in rows if row["fraud"] is not None]


@pytest.mark.parametrize("ids", [True, False])
def test_one_table_of_both(somebody: User, ids: bool) -> None:
    """A row without a label says nothing; rows without an id are themselves."""
    performance, _, said = told(somebody, "both.csv", "--labels", "both.csv") if (known := beside(ids)) else (b"", b"", "")
    assert totals(performance) == expected(*known)
    assert "does not know" not in said, "what is of labels is no feature"


def test_a_label_without_a_time_comes_with_its_prediction(somebody: User) -> None:
    made, known = beside()
    table("labels.csv", known[::-1], without=["decided", "at", "amount", "label", "probability"])
    somebody.configures("    columns: {time: decided}\n", "")
    performance, _, said = told(somebody, "history.csv", "--labels", "labels.csv")
    assert totals(performance)[1:] == expected(made, known)[1:]
    assert "are of predictions in history.csv, with them" in said
    table("both.csv", made, without=["decided"])
    assert totals(told(somebody, "both.csv", "--labels", "both.csv")[0]) == expected(made, known)


def test_a_time_of_another_zone_is_noticed(somebody: User) -> None:
    """Labels in naive local times, five hours behind."""
    local = [
        row | {"decided": datetime.fromtimestamp(row["decided"] / 1000 - 5 * 3600, UTC).replace(tzinfo=None).isoformat()}
        for row in labels(predictions(400))
    ]
    table("labels.csv", local)
    said = somebody.says("replay", "history.csv", "--labels", "labels.csv")
    assert "before them" in said
    assert "labels come more than 10m before their predictions, and do not count (labels.chargebacks.early)" in said
    assert "are times of another zone? those without one are taken for UTC (models.NAME.zone)" in said
    somebody.configures("    labels: chargebacks", "    labels: chargebacks\n    zone: America/New_York")
    assert "behind them" in somebody.says("replay", "history.csv", "--labels", "labels.csv")


def test_a_label_that_cannot_be_read_is_told_with_its_row_and_column(somebody: User) -> None:
    rows = labels(predictions(400))
    table("labels.csv", [rows[0] | {"fraud": "perhaps"}, rows[1] | {"request_id": ""}, rows[2] | {"request_id": "x7"}, *rows[3:]])
    _, _, said = told(somebody, "history.csv", "--labels", "labels.csv")
    assert 'labels.csv row 2, column fraud: "perhaps" is not true or false, 1 or 0' in said
    assert "labels.csv row 3, column request_id: no id, so no prediction can be found" in said
    assert 'labels.csv: 1 labels are of no prediction in history.csv, such as "x7"' in said
    assert "2 dead letters" in said


def test_words_as_labels_of_two_outcomes(somebody: User) -> None:
    rows = [row | {"fraud": "yes" if row["fraud"] else "no"} for row in labels(predictions(400))]
    table("labels.csv", rows)
    said = somebody.says("replay", "history.csv", "--labels", "labels.csv", code=1)
    assert "none of" in said
    assert "labels.csv row " in said
    assert "(of words: `positive` names the one that counts as 1)" in said


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("columns: {time: decided}", "columns: {time: when}", "labels.csv has no column 'when' (time)"),
        ("label: fraud}", "label: outcome.charged}", "labels.csv has no column 'outcome.charged' or 'charged' (the label)"),
        ("payload.request_id", "payload.key", "write models.fraud.reference.id: COLUMN"),
        ("time: at, ", "", "write models.fraud.reference.time: COLUMN, or leave out labels.chargebacks.columns.time"),
        ("id: request_id, label", "id: fraud, label", "no label in labels.csv is of a prediction in history.csv: ids are like"),
        ("    labels: chargebacks\n", "", "labels.chargebacks: no model has these labels"),
    ],
)
def test_what_cannot_be_used_says_what_to_change(somebody: User, old: str, new: str, reason: str) -> None:
    somebody.configures(old, new)
    assert reason in somebody.says("replay", "history.csv", "--labels", "labels.csv", code=1)


def test_what_is_written_wrongly_is_refused_before_anything_is_read(somebody: User) -> None:
    table("both.csv", predictions(10))
    somebody.configures("label: fraud}", "label: label}")
    assert "column 'label' is the prediction (models.NAME.reference.prediction), and the label as well" in somebody.says(
        "replay", "both.csv", "--labels", "both.csv", code=1
    )
    assert "there is no such file" in somebody.says("replay", "history.csv", "--labels", "gone.csv", code=2)
    assert "which is read" in somebody.says("replay", "history.csv", "--labels", "labels.csv", "--events", "labels.csv", code=2)
    twice = somebody.says("replay", "history.csv", "--labels", "labels.csv", "--labels", "chargebacks=labels.csv", code=2)
    assert "names a file of labels.chargebacks twice" in twice
