"""`driftbus replay` of predictions alone, with labels, and with labels and a feature log: it ends, and says which evidence was missing."""

from pathlib import Path

import pytest

from .conftest import ONE_STREAM, User
from .test_exchanged import PER_SECOND, replayed, rows
from .test_labelled import table

CONFIGURATION = (
    ONE_STREAM
    + """\
    pane: 1m
    mapping: {id: number, entity: number, as_of: asked}
labels:
  known: {topics: [fraud.known], wait: 1h, about: 10m, mapping: {id: number, label: fraud}}
features:
  warehouse: {topics: [fraud.features], wait: 1h, mapping: {entity: number, as_of: at}, columns: {entity: number}}
models:
  fraud:
    labels: known
    agreement: {log: warehouse}
    reference: {file: train.csv, time: at, score: probability, as_of: asked, ignore: [number]}
"""
)
WINDOWS, BROKEN = 14, 9
LABELS, FEATURES = ("--labels", "labels.csv"), ("--features", "offline.csv")


@pytest.mark.parametrize(
    ("files", "missing"),
    [((), {"arrivals", "agreement"}), (LABELS, {"agreement"}), ((*LABELS, *FEATURES), set())],
    ids=["alone", "labels", "all"],
)
def test_it_ends_and_says_what_was_missing(user: User, files: tuple[str, ...], missing: set[str]) -> None:
    Path("driftbus.yaml").write_text(CONFIGURATION)
    made = [{"number": f"p{i}", "asked": row["at"], **row} for i, row in enumerate(rows(WINDOWS, seed=2))]
    table("train.csv", [{"number": f"t{i}", "asked": row["at"], **row} for i, row in enumerate(rows(10, seed=1))])
    table("offline.csv", made, without=["probability", "asked"])
    table("labels.csv", [{"number": row["number"], "fraud": int(row["probability"] > 0.5)} for row in made])
    broken = made[BROKEN * 60 * PER_SECOND :]
    table("history.csv", [*made[: -len(broken)], *(row | ({} if i % 3 else {"debt": None}) for i, row in enumerate(broken))])
    said, told = replayed(user, *files)
    assert ("labels.known: not read" in said) == ("arrivals" in missing)
    assert ("features.warehouse: not read" in said) == ("agreement" in missing)
    assert {one["cause"] for one in told if one["status"] == "confirmed"} == {"feature_unavailability"}
    for one in told:
        found = {each["stream"]: each["state"] for each in one["missing_evidence"]}
        assert {name for name in ("arrivals", "agreement") if name in found} == missing
        assert {found[name] for name in missing} <= {"not read"}
