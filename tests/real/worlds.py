"""The data sets as a user would watch them: a configuration, and a table of what came after the reference."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import duckdb

from driftbus.consumers.demo.data import DATA as FLIGHTS
from driftbus.consumers.demo.reduce import WEATHER

DATA = Path(__file__).parents[1] / "data"


class World(NamedTuple):
    """What ``driftbus replay TABLE`` is given."""

    configuration: str
    table: Path


def _configured(reference: Path, pane: str, false_alarms: str, columns: str, features: str = "{}") -> str:
    return f"""
application: real
bus: embedded
streams:
  rows: {{topics: [rows], pane: {pane}, clock: record, grace: 0}}
models:
  model:
    reference: {{file: {reference}, {columns}}}
    false_alarms: {false_alarms}
    features: {features}
"""


def _written(folder: Path, name: str, query: str) -> Path:
    file = folder / f"{name}.parquet"
    with duckdb.connect() as sql:
        sql.execute("set timezone = 'UTC'")
        sql.execute(f"copy ({query}) to '{file}' (format parquet)")
    return file


def glucose(folder: Path, start: str = "2010-07-16 21:30", end: str = "2011-01-01", false_alarms: str = "1 per 30d") -> World:
    """A glucose sensor: its first 30,000 readings, then those from ``start`` to ``end``."""
    rows = f"'{DATA}/cgm_2010.parquet'"
    reference = _written(folder, "reference", f"select * from {rows} limit 30000")
    table = _written(folder, "table", f"select * from {rows} where datetime >= '{start}' and datetime < '{end}'")
    return World(_configured(reference, "1h", false_alarms, "time: datetime"), table)


def cars(folder: Path) -> World:
    """Prices of used cars, predicted: synthetic, made by NannyML. All changes at row 30,000."""
    reference = DATA / "car_price_reference.parquet"
    return World(_configured(reference, "500 rows", "1 per 100000 rows", "prediction: y_pred"), DATA / "car_price_analysis.parquet")


def flights(folder: Path, hours_old: int = 0) -> World:
    """A year of flights with the weather at their airport, ``hours_old``; January is the reference."""
    measures = ", ".join(f"round({name}::double, 2) as {name}" for name in WEATHER)
    year = f"""
        select epoch_ms(1356998400000 + scheduled::bigint * 60000) as time, carrier, f.origin, dest, sched_dep, sched_arr,
            (sched_arr - sched_dep + 1440) % 1440 as duration, distance,
            count(*) over (partition by f.origin, scheduled // 60) as departures, dep_delay, {measures}
        from '{FLIGHTS}/flights.parquet' f
        left join '{FLIGHTS}/weather.parquet' w on w.origin = f.origin and w.hour = scheduled // 60 * 60 - 60 * {hours_old}
        order by scheduled, carrier, flight
    """
    return _january(folder, year)


def weather(folder: Path) -> World:
    """The year's weather by itself, a row per airport and hour."""
    rows = f"select epoch_ms(1356998400000 + hour::bigint * 60000) as time, * exclude (hour) from '{FLIGHTS}/weather.parquet'"
    return _january(folder, rows)


def wind_only(world: World) -> World:
    """The same rows from midnight before the glitch to midnight behind it, and nothing watched but the wind's speed."""
    day = f"select * from '{world.table}' where time >= '2013-02-12' and time < '2013-02-13'"
    only = 'features: {"*": ignore, wind_speed: {ignore: false}}'
    return World(world.configuration.replace("features: {}", only), _written(world.table.parent, "day", day))


def _january(folder: Path, rows: str) -> World:
    local = "timestamp '2013-02-01 05:00'"  # midnight in New York
    reference = _written(folder, "reference", f"select * from ({rows}) where time < {local}")
    table = _written(folder, "table", f"select * from ({rows}) where time >= {local}")
    return World(_configured(reference, "1h", "1 per 365d", "time: time"), table)


#: By the names that `told` and the documentation use.
WORLDS: dict[str, Callable[[Path], World]] = {"glucose": glucose, "cars": cars, "flights": flights, "weather": weather}
