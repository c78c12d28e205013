"""What `driftbus dataset build` leaves in a folder, as far as it is read: parts, a manifest, and the answers of a new model."""

import json
from pathlib import Path

import duckdb
import numpy as np

from .conftest import BEGINNING

ROLES = {"at": "time", "id": "id", "f_amount": "feature", "country": "feature", "label": "label", "old score": "score"}


def written(folder: Path, rows: int = 2_000, answers: int = 1_000, shift: float = 0.0) -> Path:
    """Features as those of the tests' messages, in two parts; the new model's scores are about .8."""
    folder.mkdir()
    draw = np.random.default_rng(3)
    amounts = draw.normal(shift, 1, rows).tolist()
    of_all = [f"({BEGINNING + i * 100}, 'r{i}', {value:.6f}, '{('NZ', 'PE')[i % 2]}', {i % 2}, 0.1)" for i, value in enumerate(amounts)]
    for number, part in enumerate((of_all[: rows // 2], of_all[rows // 2 :])):
        named = ", ".join(f'"{name}"' for name in ROLES)
        _write(folder / f"part-{number:05}.parquet", f"select * from (values {', '.join(part)}) as rows({named})")
    columns = [
        {"name": name, "role": role, "type": "?"} | ({"field": "amount"} if name == "f_amount" else {}) for name, role in ROLES.items()
    ]
    (folder / "manifest.json").write_text(json.dumps({"form": 1, "columns": columns, "parts": []}))
    if answers:
        scores = ", ".join(f"({0.8 + (i % 10) / 100})" for i in range(answers))
        _write(folder / "answers.parquet", f"select * from (values {scores}) as rows(score)")
    return folder


def _write(file: Path, query: str) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"copy ({query}) to '{file}' (format parquet)")
