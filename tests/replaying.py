"""Tables through the product: a reference, and the rows behind it, as files; `driftbus replay`; the events that come out."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from click.testing import CliRunner

from driftbus.consumers.command.main import main
from driftbus.schemas.messages.drift import DriftEvent

Columns = Mapping[str, Sequence[object]]
#: Midnight, a Wednesday: the first row's time; one row a second.
BEGINNING = 1_700_006_400


class Replayed(NamedTuple):
    """What a replay published and printed."""

    events: list[DriftEvent]
    notices: list[dict[str, Any]]  # JSON of any shape
    output: str


def written(path: Path, columns: Columns, first: int = 0, every: int = 1) -> Path:
    """Rows as JSON lines, so many seconds apart, with their time."""
    rows = zip(*columns.values(), strict=True)
    lines = (
        msgspec.json.encode({"at": (BEGINNING + number * every) * 1000, **dict(zip(columns, row, strict=True))})
        for number, row in enumerate(rows, first)
    )
    path.write_bytes(b"\n".join(lines))
    return path


def replayed(
    folder: Path, reference: Columns, live: Columns, *, pane: str = "100s", every: int = 1, check: bool = True, **model: object
) -> Replayed:
    """The events of ``live`` rows, which follow upon those of the ``reference``."""
    rows = len(next(iter(reference.values())))
    train = written(folder / "train.jsonl", reference, 0, every)
    behind = written(folder / "live.jsonl", live, rows, every)
    settings = {
        "application": "test",
        "bus": "embedded",
        "embedded": str(folder / "bus.sqlite"),
        "artifacts": str(folder / "artifacts"),
        "streams": {"rows": {"topics": ["rows"], "pane": pane, "clock": "record"}},
        "models": {"m": {"reference": {"file": str(train), "time": "at"}, **model}},
    }
    (folder / "driftbus.yaml").write_text(json.dumps(settings))
    events = folder / "events.jsonl"
    result = CliRunner().invoke(main, ["replay", str(behind), "--config", str(folder / "driftbus.yaml"), "--events", str(events)])
    assert not check or result.exit_code == 0, result.output
    lines = [json.loads(line) for line in events.read_text().splitlines()] if events.exists() else []
    return Replayed(
        [DriftEvent.model_validate(line) for line in lines if "episode" in line],
        [line for line in lines if "episode" not in line],
        result.output,
    )
