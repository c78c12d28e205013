"""``driftbus golden``: from a labelled table to an evaluation, and to a better set."""

import json
import re
import sys
from pathlib import Path

import pytest

from .conftest import User

CONFIGURATION = """\
application: fraud-watch
bus: embedded
embedded: bus.sqlite
streams: {predictions: {topics: [fraud.scored]}}
models:
  fraud:
    golden: {call: {callable: {function: scoring:predict, batch: 50}}}
"""
SCORING = """\
def predict(rows, version):
    return ["yes" if row["amount"] > (50 if version == "1" else 30) else "no" for row in rows]
"""


def table(path: str, rows: range, *more: str) -> None:
    lines = [f"{number},{number % 100},{('NZ', 'PE')[number % 2]},{'yes' if number % 100 > 50 else 'no'}" for number in rows]
    Path(path).write_text("\n".join(["id,amount,country,label", *lines, *more]) + "\n")


@pytest.fixture
def asker(user: User) -> User:
    Path("driftbus.yaml").write_text(CONFIGURATION)
    Path("scoring.py").write_text(SCORING)
    table("labelled.csv", range(100))
    user.creates()
    return user


def build(user: User, *more: str) -> str:
    return user.says("golden", "build", "fraud", "labelled.csv", "--label", "label", "--id", "id", "--slice", "country", *more)


def test_a_model_is_tested_on_its_golden_set(asker: User) -> None:
    told = build(asker)
    assert "fraud: 100 rows, 2 features, loss zero_one, 2 classes: no, yes" in told
    [name] = re.findall(r"sha256:[0-9a-f]{64}", told)
    first = json.loads(asker.says("golden", "run", "fraud", "--version", "1", "--here", "--json"))
    assert (first["status"], first["verdict"], first["metrics"], first["golden"]) == ("complete", "first", {"accuracy": 1.0}, name)
    assert [part["name"] for part in first["slices"]] == ["country=NZ", "country=PE"]
    told = asker.says("golden", "run", "fraud", "--version", "2", "--here", code=1)
    assert "100 of 100 rows answered" in told
    assert "worse, loss from none, on 100 rows answered both times" in told
    assert "accuracy 0.8" in told
    listed = asker.says("golden", "compare", "fraud")
    ids = re.findall(r"^([0-9a-f]{12}) ", listed, re.MULTILINE)
    assert len(ids) == 2
    assert "1 (complete) and 2 (complete): 100 rows answered both times; worse" in asker.says("golden", "compare", "fraud", *ids)
    assert "no evaluations have an id" in asker.says("golden", "compare", "fraud", "zz", ids[0], code=1)


def test_a_new_version_is_proposed_and_then_announced(asker: User) -> None:
    build(asker)
    table("new.csv", range(60, 160), "160,60,PE,", "161,7,NZ,no")
    words = ("golden", "refresh", "fraud", "new.csv", "--label", "label", "--id", "id", "--slice", "country", "--most", "40")
    told = asker.says(*words)
    assert "40 rows" in told
    assert "1 rows without a label" in told
    [proposed] = re.findall(r"proposed: (sha256:[0-9a-f]{64})", told)
    assert proposed == re.findall(r"proposed: (sha256:[0-9a-f]{64})", asker.says(*words))[0], "the same rows make the same set"
    before = json.loads(asker.says("golden", "run", "fraud", "--here", "--json"))
    assert before["golden"] != proposed
    assert f"{proposed} is in use, in place of {before['golden']}" in asker.says(*words, "--announce")
    found = json.loads(asker.says("golden", "run", "fraud", "--here", "--json"))
    assert found["golden"] == proposed
    listed = asker.says("golden", "compare", "fraud")
    assert listed.count(proposed[7:19]) == 2, "both sets were run once, so that the series connects"
    assert listed.count(before["golden"][7:19]) == 2


def test_what_cannot_be_is_told(asker: User) -> None:
    assert "has no golden set; build one" in asker.says("golden", "run", "fraud", "--here", code=1)
    assert "models.other.golden is not set" in asker.says("golden", "run", "other", code=1)
    assert "no column 'truth'" in asker.says("golden", "build", "fraud", "labelled.csv", "--label", "truth", code=1)
    table("two.csv", range(100), "200,3,PE,yes")
    assert "same features and other labels" in asker.says("golden", "build", "fraud", "two.csv", "--label", "label", "--id", "id", code=1)
    assert "is no number, and the loss is" in asker.says(
        "golden", "build", "fraud", "labelled.csv", "--label", "label", "--loss", "absolute", code=1
    )
    build(asker, "--dry-run")
    assert "has no golden set" in asker.says("golden", "run", "fraud", code=1)
    build(asker)
    assert "does a process run the role evaluator" in asker.says("golden", "run", "fraud", "--wait", "1s", code=1)


def test_what_nobody_configured_is_not_there(user: User) -> None:
    Path("driftbus.yaml").write_text(CONFIGURATION.split("models:")[0])
    user.creates()
    assert "golden" not in user.says("topics", "list")
    assert "nothing is configured for it to do" in user.says("run", "evaluator", code=1)
    assert "evaluator" not in user.says("run", "--until-end")


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("{call: {}}", "models.fraud.golden.call: nothing: write one of kserve, http, topics, callable"),
        ("{call: {http: {url: 'ftp://a/b'}}}", "models.fraud.golden.call.http.url: 'ftp://a/b' is not an address"),
        ("{call: {http: {url: 'http://me:secret@a/b'}}}", "models.fraud.golden.call.http.url: no names or passwords stand in an address"),
        ("{call: {http: {url: 'http://a/b', template: {x: 1}}}}", "models.fraud.golden.call.http: template: nothing of a row stands in it"),
        ("{call: {kserve: {url: 'http://a', batch: 0}}}", "models.fraud.golden.call.kserve.batch: 0: "),
        ("{call: {kserve: {url: 'http://a', tensors: x}}}", "models.fraud.golden.call.kserve.tensors: unknown key; did you mean tensor?"),
        ("{call: {callable: {function: 'a.b'}}}", "models.fraud.golden.call.callable.function: 'a.b' is not a function"),
        ("{call: {callable: {function: 'a:b'}}, deadline: 1h}", "models.fraud.golden: deadline: 1h is longer than within, which is 10m"),
        ("{call: {callable: {function: 'a:b'}}, set: latest}", "models.fraud.golden.set: 'latest': "),
        ("{every: 1d}", "models.fraud.golden.call: is missing"),
    ],
)
def test_mistakes_are_named_by_their_path(user: User, written: str, told: str) -> None:
    Path("driftbus.yaml").write_text(CONFIGURATION.split("    golden:")[0] + f"    golden: {written}\n")
    assert told in user.says("topics", "list", code=1)


def test_a_users_module_is_found_where_the_command_runs(asker: User) -> None:
    assert "scoring" not in sys.modules
    build(asker)
    asker.says("golden", "run", "fraud", "--version", "1", "--here", "--twice")
    assert "scoring" not in sys.modules
