"""Columns of every type, and labels of every kind: as messages have them."""

import json
import re
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from driftbus.consumers.bus.interface import Output
from driftbus.consumers.bus.open import open_bus
from driftbus.consumers.command.main import main
from driftbus.consumers.pipeline.own_topics import create_topics
from driftbus.consumers.process.settings import load
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.stored.dataset import Manifest

from ..streaming import BEGINNING
from .asked import rows
from .world import CONFIGURATION, ROWS, SECOND, asked, called

[KNOWN] = re.findall(r"labels:\n  known: .*\n", CONFIGURATION)


def answered(values: dict[int, Any]) -> None:  # of any type of JSON
    """Labels of some predictions, in place of none."""
    with closing(open_bus(load())) as bus:
        bus.create("others", 1)
        said = [json.dumps({"id": f"i{n}", "label": value}).encode() for n, value in values.items()]
        bus.publish([Output("others", 0, None, one, (), BEGINNING + ROWS * SECOND) for one in said])


@pytest.mark.parametrize(
    ("outcome", "values", "type_", "read"),
    [
        ("category", {1: "late", 2: "on time", 3: 7, 4: True}, "VARCHAR", {1: "late", 2: "on time", 3: "7", 4: "true"}),
        ("number", {1: 2.5, 2: -1, 3: "x", 4: 0}, "DOUBLE", {1: 2.5, 2: -1.0, 4: 0.0}),
        ("binary", {1: 1, 2: False, 3: 2, 4: None}, "BOOLEAN", {1: True, 2: False}),
    ],
)
def test_labels_are_as_they_were_written(
    settings: Configuration, outcome: str, values: dict[int, Any], type_: str, read: dict[int, Any]
) -> None:
    other = CONFIGURATION.replace("topics: [labels], wait: 1h", f"topics: [others], outcome: {outcome}, wait: 1h")
    Path("driftbus.yaml").write_text(other, encoding="utf-8")
    answered(values)
    result = called(asked(load()))
    assert result.exit_code == 0, result.output
    assert {int(row["id"][1:]): row["label"] for row in rows(Path("data"))} == read
    manifest = Manifest.decoded(Path("data/manifest.json").read_bytes())
    assert next(column.type for column in manifest.columns if column.role == "label") == type_
    assert manifest.labels is not None
    assert (manifest.labels.records, manifest.labels.rejected) == (
        4 - ("x" in values.values() or 2 in values.values()),
        4 - manifest.labels.records,
    )


def test_a_model_without_labels_has_all_its_rows(settings: Configuration) -> None:
    Path("driftbus.yaml").write_text(CONFIGURATION.replace("    labels: known\n", "").replace(KNOWN, ""), encoding="utf-8")
    assert called(asked(load())).exit_code == 0
    found = rows(Path("data"))
    assert len(found) == ROWS
    assert "label" not in found[0]


TYPED = """\
application: test
bus: embedded
embedded: typed.sqlite
artifacts: artifacts
streams:
  predictions: {topics: [typed], pane: 10s, clock: record}
labels:
  known: {topics: [labels], wait: 1h, early: 1m}
models:
  m0: {labels: known, reference: {file: train.jsonl}, personal: {hash: [country], mask: {note: ["[0-9]{6,9}"]}, drop: [secret], key: KEY}}
"""


def message(n: int) -> dict[str, Any]:
    at = datetime.fromtimestamp(BEGINNING / 1000, UTC) + timedelta(seconds=n)
    features = {
        "amount": None if n % 5 == 0 else n / 8, "bought": at.isoformat(), "vector": [n / 4, 1.0, -2.0], "weekend": n % 2 == 0,
        "country": ("NZ", "PE")[n % 2], "note": f"what somebody wrote of row {n}, whose card is {n + 1_000_000}", "secret": n,
    }  # fmt: skip
    return {"id": f"i{n}", "model": "m0", "version": "1", "time": at.isoformat(), "features": features, "score": 0.5}


def test_columns_of_every_type_and_what_rules_make_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KEY", "of thirty-two characters, or more")
    Path("driftbus.yaml").write_text(TYPED, encoding="utf-8")
    Path("train.jsonl").write_text("\n".join(json.dumps(message(n)) for n in range(700)), encoding="utf-8")
    chosen = load()
    with closing(open_bus(chosen)) as bus:
        bus.create("typed", 1)
        bus.create("labels", 1)
        create_topics(bus, chosen)
        built = CliRunner().invoke(main, ["reference", "build", "m0", "--version", "1", "--from-start"])
        assert built.exit_code == 0, built.output
        bus.publish([Output("typed", 0, None, json.dumps(message(n)).encode(), (), BEGINNING + n * SECOND) for n in range(40)])
        said = [json.dumps({"id": f"i{n}", "label": True}).encode() for n in range(40)]
        bus.publish([Output("labels", 0, None, one, (), BEGINNING + 60 * SECOND) for one in said])
    result = called(asked(chosen))
    assert result.exit_code == 0, result.output
    manifest = Manifest.decoded(Path("data/manifest.json").read_bytes())
    types = {column.field: column.type for column in manifest.columns if column.role == "feature"}
    assert types == {
        "amount": "DOUBLE", "bought": "TIMESTAMP", "vector": "DOUBLE[]", "weekend": "BOOLEAN", "country": "VARCHAR", "note": "VARCHAR",
    }  # fmt: skip
    found = rows(Path("data"))
    for n, row in enumerate(found):
        written = message(n)["features"]
        assert (row["amount"], row["vector"], row["weekend"]) == (written["amount"], written["vector"], written["weekend"])
        assert row["bought"] == datetime.fromisoformat(written["bought"]).replace(tzinfo=None)
        assert row["note"] == f"what somebody wrote of row {n}, whose card is ***"
    assert {row["country"] for row in found}.isdisjoint({"NZ", "PE"})
    assert len({row["country"] for row in found}) == 2
