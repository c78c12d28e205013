"""The same rows as Parquet, CSV, JSON lines and messages: a reference of any of these finds nothing in any other, and what changed is."""

from pathlib import Path

import numpy as np
import pytest

from driftbus.consumers.bus.interface import Output

from ..streaming import BEGINNING
from .random_tables import Column, Columns
from .round_trip import ARRIVES, WRITTEN, as_messages, empty, replayed, settings, table, told, trial

ROWS, LIVE = 4_000, 2_000

#: Each column: what stands in a row, typed as a warehouse would.
COLUMNS: Columns = {
    "amount": Column(lambda draw, _, changed: float(draw.normal(2.0 if changed else 0.0))),
    "Amount": Column(lambda draw, _, changed: int(draw.integers(5, 9)), "smallint"),
    "price (€)": Column(lambda draw, _, changed: float(np.float32(draw.choice([0.1, 0.7, 1.1, 2.3]))), "float"),
    "fee": Column(lambda draw, _, changed: 0.8 * 3, "decimal(9,4)"),
    " blank ": Column(lambda draw, _, changed: float(round(draw.normal(), 4))),
    'a "quote", or [two]': Column(lambda draw, _, changed: int(draw.integers(2**54, 2**55))),
    "zip": Column(lambda draw, _, changed: f"0{draw.integers(1000, 1040)}"),
    "release": Column(lambda draw, _, changed: str(draw.choice(["1.9", "1.10", "1.11"]))),
    "slot*": Column(lambda draw, _, changed: str(draw.choice(["10:30", "09:00", "11:45"]))),
    "day": Column(lambda draw, _, changed: str(draw.choice(["2026-01-01", "2026-02-01"]))),
    "local.day": Column(lambda draw, _, changed: str(draw.choice(["31.12.2025", "01.01.2026", "02.01.2026"]))),
    "uuid": Column(lambda draw, _, changed: str(draw.choice(["0F8FAD5B-D9CB-469F-A165-70867728", "7c9e6679-7425-40de-944b-e07fc1f90ae7"]))),
    "flag": Column(lambda draw, _, changed: bool(draw.random() < 0.3)),
    "seen": Column(lambda draw, time, changed: _iso(time - int(draw.exponential(600_000))), "timestamptz"),
    "rare": Column(lambda draw, _, changed: None if draw.random() < 0.9 else float(draw.normal())),
    "größe": Column(lambda draw, _, changed: str(draw.choice(["S", "M", "L"]))),
}


def _iso(time: int) -> str:
    return f"{np.datetime64(time, 'ms')}Z"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The reference's rows, in every format."""
    rows = table(COLUMNS, ROWS, 0)
    return {name: write(rows, COLUMNS, tmp_path_factory.mktemp(name)) for name, write in WRITTEN.items()}


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, bool], list[Output]]:
    """Rows that came later, unchanged and changed: as messages, and as what `replay` makes of each format."""
    found = {}
    for changed in (False, True):
        rows = table(COLUMNS, LIVE, 1, start=BEGINNING + ROWS * 1000, changed=changed)
        found["messages", changed] = as_messages(rows)
        for name, write in WRITTEN.items():
            found[name, changed] = replayed(write(rows, COLUMNS, tmp_path_factory.mktemp(f"live-{name}")))
    return found


@pytest.mark.parametrize("arrives", ARRIVES)
@pytest.mark.parametrize("name", WRITTEN)
def test_the_same_data_is_no_drift_and_a_change_is(
    tmp_path: Path, written: dict[str, str], live: dict[tuple[str, bool], list[Output]], name: str, arrives: str
) -> None:
    configuration = settings(tmp_path, {"file": written[name], "time": "at"})
    assert told(configuration, live[arrives, False], empty) == []
    drifts = [event for event in told(configuration, live[arrives, True], empty) if "status" in event]
    assert {signal["name"] for event in drifts for signal in event["signals"]} == {"amount"}


@pytest.mark.parametrize("seed", range(4))
def test_a_random_table_is_the_same_in_every_form(tmp_path: Path, seed: int) -> None:
    """Names, types, nulls and texts are drawn; each reference meets messages and one more form (the command tries all)."""
    forms = list(WRITTEN)
    references = [forms[seed], forms[seed - 1]]
    assert trial(seed, references, ["messages", forms[seed - 2]], tmp_path) == []
