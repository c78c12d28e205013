"""The demo's job, as a team would write its own: ``python -m driftbus.consumers.demo.fit BEFORE``, as driftbus launches it.

It builds the data that the request names, learns from these and from what the first version was trained on (BEFORE), and registers what it
has made. A fifth of the rows is held out: what the new version answers there is what its outputs are compared with.
"""

import os
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import numpy as np
from numpy.typing import NDArray

from ..reference.files import sql_file
from .data import CATEGORICAL, written
from .forest import fit
from .timetable import FEATURES, NUMBERS, log_loss

HELD_OUT = 5
#: Of the trees.
SEED = 1


def main(before: Path) -> None:
    """Build, learn, register; all of it in the folder of versions, where it runs."""
    request: dict[str, Any] = msgspec.json.decode(Path(os.environ["DRIFTBUS_EVENT"]).read_bytes())  # JSON, as its schema says
    version = request["job"][:12]
    data = Path(f"{version}-data")
    _called("dataset", "build", "--out", str(data))
    rows, label = _rows(data.glob("**/part-*.parquet"), "label")
    old, known = _rows([before], "late")
    kept = np.arange(len(label)) % HELD_OUT != 0
    columns = {name: np.concatenate([old[name], rows[name][kept]]) for name in FEATURES}
    model = fit(columns, np.concatenate([known, label[kept]]), SEED)
    out = {name: column[~kept] for name, column in rows.items()}
    score = model.score(out)
    written(data / "answers.parquet", {"time": out["time"], "prediction": score > 0.5, "score": score})
    file = Path(f"{version}.npz")
    model.save(file)
    loss = f"log_loss={log_loss(score, label[~kept]):.4f}"
    said = ["--version", version, "--artifact", str(file), "--reference", str(data), "--metric", loss]
    _called("models", "register", request["model"], *said)


def _rows(files: Any, label: str) -> tuple[dict[str, NDArray[Any]], NDArray[np.bool_]]:  # paths; columns of several types
    listed = ", ".join(sql_file(Path(file)) for file in sorted(files))
    with duckdb.connect() as sql:
        found = sql.execute(f"select * from read_parquet([{listed}]) order by time, id").fetchnumpy()
    columns = {name: np.ma.filled(found[name].astype(np.float64), np.nan) for name in NUMBERS}
    texts = {name: np.asarray(found[name], dtype=object) for name in CATEGORICAL}
    return columns | texts | {"time": np.asarray(found["time"])}, np.asarray(found[label], dtype=bool)


def _called(*arguments: str) -> None:
    """A command of driftbus, in this process: to start another takes longer than most of them."""
    (driftbus,) = entry_points(group="console_scripts", name="driftbus")
    driftbus.load()(arguments, standalone_mode=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
