"""The data that incidents are injected into: real tables, the source of each feature, and a corner of them that training never sees.

Car loans, car prices, Californian houses, cards and commuters are in NannyML's wheel (Apache-2.0): ``pip download --no-deps
nannyml==0.13.1``, the folder of its data named by ``DRIFTBUS_NANNYML``. Flights (CC0) are those of the demo. More: `more_tables`.
"""

import functools
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from driftbus.consumers.demo.data import year

from .more_tables import MORE
from .rows import Column, Table, Truths
from .table_reading import MOST, folder_of, numbers, read, sampled, texts

Floats = NDArray[np.float64]

DATA = Path(__file__).parents[1] / "data"
#: Of rows: the corner, and what lies around it, so that it is new and not merely rare.
CORNER, AROUND = 0.06, 0.30


def _wheel() -> Path:
    return folder_of("DRIFTBUS_NANNYML", "synthetic_car_loan_reference.csv", "the data files of NannyML's wheel (nannyml/datasets/data)")


def _car_loan() -> Table:
    columns = sampled(read(f"select * from read_csv('{_wheel()}/synthetic_car_loan_reference.csv')"), MOST)
    numeric = ["car_value", "debt_to_income_ratio", "loan_length", "driver_tenure", "size_of_downpayment"]
    percent = np.array([str(value).rstrip("%") for value in columns["size_of_downpayment"]], dtype=np.float64)
    features: dict[str, Column] = {name: percent if name == "size_of_downpayment" else numbers(columns[name]) for name in numeric}
    features |= {name: texts(columns[name]) for name in ("salary_range", "repaid_loan_on_prev_car")}
    return Table(
        name="car_loan",
        binary=True,
        features=features,
        outcomes=numbers(columns["repaid"]),
        numeric=numeric,
        sources={
            **dict.fromkeys(("car_value", "size_of_downpayment", "loan_length"), "catalog"),
            **dict.fromkeys(("debt_to_income_ratio", "repaid_loan_on_prev_car"), "bureau"),
            **dict.fromkeys(("salary_range", "driver_tenure"), "profile"),
        },
        important=["debt_to_income_ratio", "driver_tenure", "car_value"],
        segment=(numbers(columns["loan_length"]) > 12).astype(np.int64),
    )


def _california() -> Table:
    folder = _wheel()
    columns = ", ".join(names := ["MedInc", "HouseAge", "AveRooms", "AveBedrms", "Population", "AveOccup", "Latitude", "Longitude"])
    query = f"""
        select {columns}, clf_target, 0 as part, id from read_csv('{folder}/california_housing_reference.csv')
        union all by name
        select {columns}, truth.clf_target, 1 as part, rows.id from read_csv('{folder}/california_housing_analysis.csv') rows
        join read_csv('{folder}/california_housing_analysis_gt.csv') truth on rows.id = truth.id
        order by part, id
    """
    found = sampled(read(query), MOST)
    return Table(
        name="california",
        binary=True,
        features={name: numbers(found[name]) for name in names},
        outcomes=numbers(found["clf_target"]),
        numeric=names,
        sources={
            "MedInc": "tax",
            **dict.fromkeys(("HouseAge", "AveRooms", "AveBedrms"), "dwelling"),
            **dict.fromkeys(("Population", "AveOccup"), "census"),
            **dict.fromkeys(("Latitude", "Longitude"), "geo"),
        },
        important=["MedInc", "AveOccup", "Latitude", "Longitude"],
        segment=(numbers(found["Latitude"]) > 36).astype(np.int64),
    )


def _car_price() -> Table:
    """A number: what a used car costs."""
    columns = sampled(read(f"select * from read_csv('{_wheel()}/regression_synthetic_reference.csv')"), MOST)
    numeric = ["car_age", "km_driven", "price_new", "accident_count", "door_count"]
    features: dict[str, Column] = {name: numbers(columns[name]) for name in numeric}
    features |= {name: texts(columns[name]) for name in ("fuel", "transmission")}
    return Table(
        name="car_price",
        binary=False,
        features=features,
        outcomes=numbers(columns["y_true"]),
        numeric=numeric,
        sources={
            **dict.fromkeys(("price_new", "door_count", "fuel", "transmission"), "catalog"),
            **dict.fromkeys(("car_age", "km_driven"), "registry"),
            "accident_count": "insurer",
        },
        important=["price_new", "car_age", "km_driven"],
        segment=(numbers(columns["car_age"]) > 10).astype(np.int64),
    )


def _flights() -> Table:
    """Whether a flight that has left will land more than 15 minutes late."""
    flights = year()
    numeric = ["dep_delay", "duration", "distance", "departures", "sched_dep", "temp", "humid", "wind_speed", "visib"]
    known = {name: np.asarray(flights.numbers[name], dtype=np.float64) for name in numeric}
    whole = flights.known & np.isfinite(np.stack([*known.values()])).all(axis=0)
    columns = {**{name: column[whole] for name, column in known.items()}, "late": flights.late[whole]}
    columns |= {name: flights.categories[name][whole].astype(str) for name in ("carrier", "origin")}
    found = sampled(columns, MOST)
    features: dict[str, Column] = {name: numbers(found[name]) for name in numeric}
    features |= {name: texts(found[name]) for name in ("carrier", "origin")}
    return Table(
        name="flights",
        binary=True,
        features=features,
        outcomes=numbers(found["late"]),
        numeric=numeric,
        sources={
            **dict.fromkeys(("dep_delay", "departures"), "airport"),
            **dict.fromkeys(("duration", "distance", "sched_dep", "carrier", "origin"), "schedule"),
            **dict.fromkeys(("temp", "humid", "wind_speed", "visib"), "weather"),
        },
        important=["dep_delay", "sched_dep", "duration"],
        segment=(features["sched_dep"] > 14 * 60).astype(np.int64),
    )


def _cards() -> Table:
    """Whether who asks for a card gets the dearest one: whole numbers of few values, and one that is centred on 0."""
    folder = _wheel()
    columns = sampled(read(f"select * from read_csv('{folder}/mc_reference.csv')"), MOST)
    numeric = ["app_behavioral_score", "requested_credit_limit", "credit_bureau_score", "stated_income"]
    features: dict[str, Column] = {name: numbers(columns[name]) for name in numeric}
    features |= {name: texts(columns[name]) for name in ("acq_channel", "app_channel", "is_customer")}
    return Table(
        name="cards",
        binary=True,
        features=features,
        outcomes=(texts(columns["y_true"]) == "upmarket_card").astype(np.float64),
        numeric=numeric,
        sources={
            **dict.fromkeys(("app_behavioral_score", "app_channel", "acq_channel"), "app"),
            **dict.fromkeys(("requested_credit_limit", "stated_income"), "form"),
            **dict.fromkeys(("credit_bureau_score", "is_customer"), "bureau"),
        },
        important=["credit_bureau_score", "app_behavioral_score", "stated_income"],
        segment=(texts(columns["app_channel"]) == "web").astype(np.int64),
    )


def _commute() -> Table:
    """Whether somebody works at home tomorrow."""
    columns = sampled(read(f"select * from read_csv('{_wheel()}/synthetic_sample_reference.csv')"), MOST)
    numeric = ["distance_from_office", "gas_price_per_litre", "public_transportation_cost", "tenure"]
    features: dict[str, Column] = {name: numbers(columns[name]) for name in numeric}
    features |= {name: texts(columns[name]) for name in ("salary_range", "wfh_prev_workday", "workday")}
    return Table(
        name="commute",
        binary=True,
        features=features,
        outcomes=numbers(columns["work_home_actual"]),
        numeric=numeric,
        sources={
            **dict.fromkeys(("gas_price_per_litre", "public_transportation_cost"), "prices"),
            **dict.fromkeys(("distance_from_office", "salary_range", "tenure"), "staff"),
            **dict.fromkeys(("wfh_prev_workday", "workday"), "calendar"),
        },
        important=["distance_from_office", "public_transportation_cost", "tenure"],
        segment=(texts(columns["wfh_prev_workday"]) == "True").astype(np.int64),
    )


_TABLES: dict[str, Callable[[], Table]] = {
    "car_loan": _car_loan,
    "california": _california,
    "car_price": _car_price,
    "flights": _flights,
    "cards": _cards,
    "commute": _commute,
    **MORE,
}


@functools.cache
def table(name: str) -> Table:
    """With the corner that training never sees."""
    found = _TABLES[name]()
    found.novel, found.withheld = _corner(found)
    return found


def _corner(of: Table) -> tuple[Truths, Truths]:
    """Far from the centre in several features at once."""
    values = np.stack([np.asarray(of.features[name], dtype=np.float64) for name in of.numeric], axis=1)
    z = np.clip((values - np.median(values, axis=0)) / (values.std(axis=0) + 1e-9), -6, 6)
    far = np.linalg.norm(z, axis=1) + 2 * np.sort(np.abs(z), axis=1)[:, -2]  # the second most extreme one must be extreme as well
    return far >= np.quantile(far, 1 - CORNER), far >= np.quantile(far, 1 - CORNER - AROUND)
