"""The year as the lateness model met it: what was known of each flight, and the weather at its airport."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from ..reference.building.messages import epoch_ms
from ..reference.files import sql_file, sql_text
from .reduce import WEATHER

DATA = Path(__file__).parent / "data"
CATEGORICAL = ("carrier", "origin", "dest")
NUMERIC = ("sched_dep", "sched_arr", "duration", "distance", "departures", "dep_delay", *WEATHER)
FEATURES = (*CATEGORICAL, *NUMERIC)
_START_MS = epoch_ms("2013-01-01")

# Records carry the scheduled departure. The delay at departure, a feature, is known only that much later: the replay's one liberty.
_YEAR = """
    select
        scheduled,
        coalesce(scheduled + dep_delay + elapsed, -1) as landed,
        coalesce(arr_delay > 15, false) as late,
        carrier || flight || '-' || scheduled as id,
        carrier, f.origin, dest, sched_dep, sched_arr, (sched_arr - sched_dep + 1440) % 1440 as duration, distance,
        count(*) over (partition by f.origin, scheduled // 60) as departures,
        dep_delay, {measures}
    from {flights} f
    left join {weather} w on w.origin = f.origin and w.hour = scheduled // 60 * 60
    order by scheduled, id
"""


@dataclass(frozen=True)
class Flights:
    """Flights in the order of their schedule; times in ms. Numbers are NaN where nothing is known."""

    id: NDArray[np.object_]
    scheduled: NDArray[np.int64]
    landed: NDArray[np.int64]  #: before 2013 where that is not known: cancelled, diverted
    late: NDArray[np.bool_]  #: more than 15 minutes, where it landed
    categories: dict[str, NDArray[np.object_]]
    numbers: dict[str, NDArray[np.float64]]

    def __len__(self) -> int:
        return len(self.id)

    @property
    def known(self) -> NDArray[np.bool_]:
        """Whether the flight ever gets a label."""
        return self.landed >= _START_MS


def year() -> Flights:
    """All flights of 2013 from New York's three airports."""
    measures = ", ".join(f"round({name}::double, 2) as {name}" for name in WEATHER)
    files = {name: f"read_parquet({sql_file(DATA / f'{name}.parquet')})" for name in ("flights", "weather")}
    with duckdb.connect() as sql:
        table = sql.execute(_YEAR.format(measures=measures, **files)).fetchnumpy()
    categories = {name: table[name] for name in CATEGORICAL}
    numbers = {name: np.ma.filled(table[name].astype(np.float64), np.nan) for name in NUMERIC}
    scheduled, landed = (_START_MS + table[name].astype(np.int64) * 60_000 for name in ("scheduled", "landed"))
    return Flights(table["id"], scheduled, landed, table["late"].astype(bool), categories, numbers)


def in_celsius(flights: Flights, start: int, end: int) -> None:
    """The injected fault: between these times somebody's temperatures come in Celsius."""
    during = (flights.scheduled >= start) & (flights.scheduled < end)
    temp = flights.numbers["temp"]
    temp[during] = np.round((temp[during] - 32) / 1.8, 2)


def save(path: Path, flights: Flights, score: NDArray[np.float64], start: int, end: int) -> None:
    """The flights between these times, with what the model said of them, as a file that a reference can be built from."""
    during = (flights.scheduled >= start) & (flights.scheduled < end)
    outputs = {"prediction": score > 0.5, "score": score}
    columns = {"time": flights.scheduled} | flights.categories | flights.numbers | outputs
    written(path, {name: column[during] for name, column in columns.items()})


def written(path: Path, columns: Mapping[str, NDArray[Any]]) -> None:
    """A table, as a file."""
    texts = [name for name, column in columns.items() if column.dtype == object]
    as_texts = ", ".join(f"{name}::varchar as {name}" for name in texts)
    with duckdb.connect() as sql:  # of objects duckdb takes each one by itself
        sql.register("rows", {name: column.astype(str) if name in texts else column for name, column in columns.items()})
        chosen = f"* replace ({as_texts})" if texts else "*"
        sql.execute(f"copy (select {chosen} from rows) to {sql_text(str(path))} (format parquet)")
