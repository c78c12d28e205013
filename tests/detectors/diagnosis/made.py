"""A small world for diagnoses: six features, a model of them, and what happens to them, counted as the product counts."""

import copy
from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from driftbus.detectors.diagnosis.engine import diagnose
from driftbus.detectors.diagnosis.evidence import Case, Window
from driftbus.detectors.diagnosis.finding import Diagnosis, Finding
from driftbus.detectors.diagnosis.thresholds import DEFAULTS, Thresholds

from ...incidents import counted
from ...incidents.counted import Reference, case_of, lacking
from ...incidents.rows import Column, Incident, Rows, Table, Trained

Floats = NDArray[np.float64]
Columns = dict[str, Column]
Change = Callable[[Columns, int, np.random.Generator], None]  # of a window's columns, in place, by the window's number

#: Windows of the baseline, and monitored; rows of each; rows of the training data.
BASE, NOW, ROWS, TRAINED = 16, 12, 400, 4_000
SOURCES = {"income": "bank", "age": "person", "rooms": "house", "debt": "bank", "class": "person", "town": "house"}


def drawn(rows: int, draw: np.random.Generator, *, mean: float = 0.0) -> tuple[Columns, Floats]:
    """Rows of the world, and their outcomes; ``mean``: of what hides behind income, age and class."""
    hidden = draw.normal(mean, 1, rows)
    debt = draw.gamma(3, 1, rows)
    columns: Columns = {
        "income": np.exp(0.6 * hidden + draw.normal(0, 0.25, rows)),
        "age": (45 + 8 * hidden + draw.normal(0, 4, rows)).clip(18, 90),
        "rooms": draw.choice(np.arange(1.0, 9.0), rows, p=np.array([4, 10, 20, 25, 18, 12, 8, 3]) / 100),
        "debt": debt,
        "class": np.array(["low", "middle", "high"], dtype=object)[np.digitize(hidden + draw.normal(0, 0.4, rows), [-0.5, 0.8])],
        "town": np.array(["A", "B", "C", "D"], dtype=object)[draw.choice(4, rows, p=[0.4, 0.3, 0.2, 0.1])],
    }
    return columns, _answered(columns, draw)


def _answered(columns: Columns, draw: np.random.Generator) -> Floats:
    return (draw.random(len(columns["age"])) < model(columns)).astype(np.float64)


def model(columns: Columns) -> Floats:
    """The probability that is also the truth, where all is well; what is absent counts as usual."""
    income, debt = (np.asarray(columns[name], dtype=np.float64) for name in ("income", "debt"))
    logit = 1.4 * np.log(np.where(income > 0, np.nan_to_num(income, nan=1.0), 1.0)) / 0.65 - 0.8 * (np.nan_to_num(debt, nan=3.0) - 3)
    return np.asarray(1 / (1 + np.exp(-logit.clip(-30, 30))), dtype=np.float64)


@cache
def _trained() -> Reference:
    draw = np.random.default_rng(1)
    columns, outcomes = drawn(TRAINED, draw)
    table = Table(
        "made", True, columns, outcomes, ["income", "age", "rooms", "debt"], SOURCES, ["income"], np.zeros(TRAINED, dtype=np.int64)
    )
    return Reference(Trained(table, np.arange(TRAINED), model(columns)))


def nothing(columns: Columns, number: int, draw: np.random.Generator) -> None:
    """All is well."""


def case(
    *,
    world: Change = nothing,
    source: Change = nothing,
    serving: Change = nothing,
    outcomes: Callable[[Columns, Floats, int, np.random.Generator], Floats] = lambda columns, y, number, draw: y,
    answers: Callable[[Columns, int], Floats] = lambda columns, number: model(columns),
    golden: Sequence[tuple[int, float]] = ((-8, 0.1), (-4, 0.1), (0, 0.1), (4, 0.1), (8, 0.1)),
    deployed: Sequence[int] = (),
    without: Sequence[str] = (),
) -> Case:
    """All windows; what happens from number 0 on is monitored. Pairs are of every third row, with one in a hundred wrong."""
    windows = [window_with(number, world, source, serving, outcomes, answers) for number in range(NOW)]
    incident = Incident({}, Trained(_trained().table, np.arange(TRAINED), np.zeros(0)), windows, list(golden), list(deployed), [])
    made = case_of(incident, _trained())
    made.baseline = copy.deepcopy(_baseline())
    for kind in without:
        lacking(made, kind)
    return made


@cache
def _baseline() -> list[Window]:
    """The same for all: nothing has happened yet."""
    return [window_of(window(number)) for number in range(-BASE, 0)]


def window(number: int, serving: Change = nothing, world: Change = nothing) -> Rows:
    """The rows of one."""
    return window_with(number, world, nothing, serving, lambda columns, y, number, draw: y, lambda columns, number: model(columns))


def window_of(rows: Rows) -> Window:
    """As the product counts them."""
    return counted.window_of(rows, _trained())


def window_with(
    number: int,
    world: Change,
    source: Change,
    serving: Change,
    outcomes: Callable[[Columns, Floats, int, np.random.Generator], Floats],
    answers: Callable[[Columns, int], Floats],
) -> Rows:
    """The rows of one, with all that happens."""
    draw = np.random.default_rng(100 + number)
    columns, _ = drawn(ROWS, draw)
    world(columns, number, draw)
    y = outcomes(columns, _answered(columns, draw), number, draw)
    source(columns, number, draw)
    served = {name: column.copy() for name, column in columns.items()}
    for column in served.values():
        wrong = draw.random(ROWS) < 0.01
        column[wrong] = draw.permutation(column)[wrong]
    serving(served, number, draw)
    sampled = np.flatnonzero(draw.random(ROWS) < 0.34)
    ages = {name: draw.gamma(4, 5, ROWS) for name in served}
    offline = {name: column[sampled] for name, column in columns.items()}
    return Rows(number, served, answers(served, number), {}, y, ages, sampled, offline)


def world_of(change: Change, source: Change = nothing) -> Case:
    """What is so in the world all along, the baseline too."""
    made = case(world=change, source=source)
    made.baseline = [window_of(window(number, world=change)) for number in range(-BASE, 0)]
    return made


def found(case_: Case, thresholds: Thresholds = DEFAULTS) -> Diagnosis:
    """What is said of it."""
    return diagnose(case_, thresholds)


def confirmed(case_: Case) -> dict[str, Finding]:
    """By cause, what may be confirmed."""
    return {one.cause: one for one in found(case_).findings if one.live and one.confirmable}


def replaced(columns: Columns, rows: NDArray[np.bool_], name: str, by: Floats) -> None:
    """Values of some rows."""
    columns[name] = np.where(rows, by, np.asarray(columns[name], dtype=np.float64))


def scaled(name: str, by: float, since: int = 4, share: float = 1.0) -> Change:
    """A feature in another unit, from a window on, in a share of the rows."""

    def change(columns: Columns, number: int, draw: np.random.Generator) -> None:
        if number >= since:
            rows = draw.random(len(columns[name])) < share
            replaced(columns, rows, name, np.asarray(columns[name], dtype=np.float64) * by)

    return change
