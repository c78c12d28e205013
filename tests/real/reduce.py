"""How the data beside the tests were made: the columns they need, as small as they go.

::

    pip download --no-deps nannyml==0.13.1 bokeh-sampledata==2026.1
    python -m tests.real.reduce nannyml-*.whl bokeh_sampledata-*.whl tests/data
"""

import sys
import tempfile
import zipfile
from pathlib import Path

import duckdb

# The file's timestamps are as regular as its rows; `y_true` is a label, which no stream of predictions has.
_CARS = """
    select car_age::tinyint as car_age, km_driven::integer as km_driven, price_new::integer as price_new,
        accident_count::tinyint as accident_count, door_count::tinyint as door_count, fuel, transmission, y_pred::smallint as y_pred
    from read_csv('{source}')
"""
# Scores have two digits; labels stand in a file of their own.
_LOANS = """
    select (100 * y_pred_proba)::utinyint as score, (y_pred = 1) as prediction, (label.repaid = 1) as repaid
    from read_csv('{source}') join (select id, repaid from read_csv('{labels}')) label using (id) order by id
"""
_GLUCOSE = "select datetime, isig, glucose::smallint as glucose from read_csv('{source}', all_varchar = true, strict_mode = false)"
_LABELS = {"car_loan_analysis": "nannyml/datasets/data/synthetic_car_loan_analysis_target.csv"}
_TABLES = {
    "nannyml/datasets/data/regression_synthetic_reference.csv": ("car_price_reference", _CARS),
    "nannyml/datasets/data/regression_synthetic_analysis.csv": ("car_price_analysis", _CARS),
    "nannyml/datasets/data/synthetic_car_loan_reference.csv": ("car_loan_reference", _LOANS),
    "nannyml/datasets/data/synthetic_car_loan_analysis.csv": ("car_loan_analysis", _LOANS),
    "bokeh_sampledata/_data/CGM.csv.gz": ("cgm_2010", _GLUCOSE),
}


def reduce(wheels: list[Path], folder: Path) -> None:
    """Write a Parquet file per table, its rows in the source's order."""
    with tempfile.TemporaryDirectory() as unpacked, duckdb.connect() as sql:
        for wheel in wheels:
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(unpacked, [name for name in (*_TABLES, *_LABELS.values()) if name in archive.namelist()])
        for source, (name, query) in _TABLES.items():
            target = f"{folder}/{name}.parquet"
            form = "(format parquet, parquet_version v2, compression zstd, compression_level 19, row_group_size 100000)"
            paths = {"source": Path(unpacked) / source, "labels": Path(unpacked) / _LABELS.get(name, source)}
            sql.execute(f"copy ({query.format(**paths)}) to '{target}' {form}")


if __name__ == "__main__":
    reduce([Path(wheel) for wheel in sys.argv[1:-1]], Path(sys.argv[-1]))
