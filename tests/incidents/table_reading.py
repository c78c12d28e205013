"""Tables in files, as columns."""

import os
from pathlib import Path

import duckdb
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Rows taken of a large table.
MOST = 30_000


class NoData(RuntimeError):
    """A table is not there."""


def folder_of(variable: str, file: str, what: str) -> Path:
    """The one that an environment variable names, if that file is in it."""
    folder = os.environ.get(variable)
    if folder is None or not (Path(folder) / file).exists():
        msg = f"{variable} does not name a folder with {what}"
        raise NoData(msg)
    return Path(folder)


def read(query: str) -> dict[str, NDArray[np.generic]]:
    """Columns that a query gives."""
    with duckdb.connect() as sql:
        found = sql.execute(query).fetchnumpy()
    return {name: np.ma.getdata(column) for name, column in found.items()}


def sampled(columns: dict[str, NDArray[np.generic]], rows: int) -> dict[str, NDArray[np.generic]]:
    """In another order, drawn once for all."""
    total = len(next(iter(columns.values())))
    order = np.random.RandomState(0).choice(total, size=min(rows, total), replace=False)
    return {name: column[order] for name, column in columns.items()}


def numbers(column: NDArray[np.generic]) -> Floats:
    """As floats."""
    return np.asarray(column, dtype=np.float64)


def texts(column: NDArray[np.generic]) -> NDArray[np.object_]:
    """As texts."""
    found = np.empty(len(column), dtype=object)
    found[:] = [str(value) for value in column]
    return found
