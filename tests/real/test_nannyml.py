"""KS of NannyML's own example, month by month, beside what NannyML computed (`nannyml_oracle`)."""

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from driftbus.consumers.command.main import main

from .worlds import DATA

#: That of a binned distribution differs by at most the mass of a bin.
BIN = 1 / 64
CONFIGURATION = """
application: housing
bus: embedded
streams:
  blocks: {{topics: [blocks], pane: month, clock: record, grace: 0}}
models:
  price:
    reference: {{file: {data}/california_housing_reference.parquet, time: timestamp, score: y_pred_proba}}
    false_alarms: 1 per 3650d
"""
MONTHS = json.loads((DATA / "nannyml_ks.json").read_text())["months"]


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], float]:
    """By feature and month, what ``driftbus replay --measures`` says."""
    folder, found = tmp_path_factory.mktemp("housing"), {}
    (folder / "driftbus.yaml").write_text(CONFIGURATION.format(data=DATA))
    for period in ("reference", "analysis"):
        words = ["replay", f"{DATA}/california_housing_{period}.parquet", "--config", f"{folder}/driftbus.yaml"]
        told = CliRunner().invoke(main, [*words, "--measures", f"{folder}/measures.csv"])
        assert told.exit_code == 0, told.output
        with Path(f"{folder}/measures.csv").open() as lines:
            for row in csv.DictReader(lines):
                if row["ks"]:
                    found["y_pred_proba" if row["signal"] == "score" else row["signal"], row["start"][:7]] = float(row["ks"])
    return found


def test_every_statistic_is_nannymls(measured: dict[tuple[str, str], float]) -> None:
    apart = {(month["feature"], month["month"]): abs(measured[month["feature"], month["month"]] - month["ks"]) for month in MONTHS}
    assert len(apart) == 9 * 20
    assert max(apart.values()) <= BIN


def test_the_alerts_are_nannymls(measured: dict[tuple[str, str], float]) -> None:
    alerts = {(m["feature"], m["month"]) for m in MONTHS if m["alert"]}
    assert len(alerts) == 6
    assert {(m["feature"], m["month"]) for m in MONTHS if measured[m["feature"], m["month"]] > m["threshold"]} == alerts
