"""`driftbus replay --measures`: the distances that peers show, beside what scipy makes of the same rows."""

import csv
import json
from pathlib import Path

import duckdb
import numpy as np
import pytest
from scipy import stats

from driftbus import consumers, detectors, schemas
from driftbus.consumers.decode.interface import MARKS
from driftbus.consumers.replay import measures
from driftbus.detectors.counting import absent
from driftbus.detectors.effects import two_sample

from .conftest import BEGINNING, SECONDS, User, amounts, table

DRIFTING = amounts(SECONDS * 10, seed=2, shifted_from=SECONDS * 5)


def lines(file: str) -> list[dict[str, str]]:
    with Path(file).open(newline="") as text:
        return list(csv.DictReader(text))


@pytest.fixture
def measured(user: User) -> User:
    table(Path("history.csv"), DRIFTING)
    user.says("replay", "history.csv", "--measures", "measures.csv")
    return user


def test_a_line_per_bucket_and_signal(measured: User) -> None:
    found = [line for line in lines("measures.csv") if line["of"] == "values"]
    assert len(found) == 60 * 3  # of amount, country, score
    assert found[0]["start"] == "2023-11-14T22:13:20Z"
    assert found[0]["end"] == "2023-11-14T22:13:30Z"
    assert {(line["rows"], line["nulls"]) for line in found} == {("100", "0.0")}
    assert all(float(line["psi"]) >= 0 and 0 <= float(line["js"]) <= 1 for line in found)
    assert {line["signal"] for line in found if not line["ks"]} == {"country"}, "categories have no order"


def test_distances_are_those_of_the_rows(measured: User) -> None:
    reference = np.round(amounts(5_000, seed=1), 4)
    ours = [line for line in lines("measures.csv") if line["signal"] == "amount"]
    for number, line in enumerate(ours):
        rows = np.round(DRIFTING[number * 100 : number * 100 + 100], 4)
        assert abs(float(line["ks"]) - stats.ks_2samp(reference, rows).statistic) <= 1 / 64
        if number < 30:  # then come values beyond the reference's maximum, which count as it
            assert abs(float(line["wasserstein_sd"]) - stats.wasserstein_distance(reference, rows) / reference.std()) <= 0.05


@pytest.mark.parametrize("of", ["jensen_shannon", "psi", "ks", "wasserstein"])
def test_distances_are_those_that_detectors_and_events_are_made_of(of: str) -> None:
    assert getattr(measures, of) is getattr(two_sample, of)


def test_every_form_says_the_same(measured: User) -> None:
    expected = [(line["signal"], line["start"], float(line["ks"]) if line["ks"] else None, None) for line in lines("measures.csv")]
    for suffix in ("jsonl", "parquet"):
        measured.says("replay", "history.csv", "--measures", f"measures.{suffix}")
    written = [json.loads(line) for line in Path("measures.jsonl").read_text().splitlines()]
    assert [(line["signal"], line["start"], line["ks"], line["segment"]) for line in written] == expected
    assert duckdb.sql("select signal, start, ks, segment from 'measures.parquet'").fetchall() == expected


def test_another_form_is_refused_before_anything_is_read(user: User) -> None:
    assert "name a file that ends in .csv, .jsonl, .parquet" in user.says("replay", "train.csv", "--measures", "a.xlsx", code=2)


def test_nulls_are_counted_and_leave_the_distances_alone(user: User) -> None:
    rows = [f"{BEGINNING + i * 100},{'' if i % 2 else round(float(value), 4)},NZ,0.5" for i, value in enumerate(amounts(1_000, seed=3))]
    Path("history.csv").write_text("\n".join(["at,amount,country,score", *rows]) + "\n")
    user.says("replay", "history.csv", "--measures", "measures.csv")
    amount = [line for line in lines("measures.csv") if line["signal"] == "amount"]
    assert {line["nulls"] for line in amount} == {"0.5"}
    assert max(float(line["ks"]) for line in amount) < 0.3


def test_an_ignored_column_need_not_be_in_the_table(user: User) -> None:
    user.configures("time: at, score: score", "time: at, score: score, ignore: [label]")
    text = Path("train.csv").read_text().splitlines()
    Path("train.csv").write_text("\n".join([f"{text[0]},label", *(f"{line},1" for line in text[1:])]) + "\n")
    table(Path("history.csv"), DRIFTING)
    assert "fraud/-  major     amount: " in user.says("replay", "history.csv")


def test_one_idea_is_in_one_place() -> None:
    assert tuple(MARKS) == (absent.NULL, absent.INVALID, absent.MISSING)
    rooms = [Path(package.__file__ or "").parent for package in (schemas, detectors, consumers)]
    sources = {path.name: path.read_text(encoding="utf-8") for room in rooms for path in room.rglob("*.py")}
    assert [name for name, text in sources.items() if "fromisoformat(" in text] == ["cloud_events.py"]  # the one parser of times
    assert [name for name, text in sources.items() if "0x7FF8" in text] == ["absent.py"]
