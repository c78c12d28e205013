"""Rows unlike the training data: how many are found, and whether masks name the field that is broken.

    python -m tests.benchmarks.masks                 # 3 repetitions, some minutes
    python -m tests.benchmarks.masks --sizes         # references of 2,000, 5,000 and 10,000 rows, 2 repetitions

Flights with weather (12 fields) and cars (7), housing (8), and a made table of 20 fields in five sources. 20,000 rows make an index (of
housing all but 1,500), others are fresh; 5 % of these are broken in one field, or come from a cluster that lies inside all ranges, of 30
the one least like the training data. Excess cured is of 64 of the outliers (p <= .01, and <= .005). Raw figures: ``results/masks.json``.
"""

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import numpy as np
from numpy.typing import NDArray

from driftbus.consumers.demo.data import year
from driftbus.detectors.counting import Counting
from driftbus.detectors.counting.bins import profile_of
from driftbus.detectors.neighbours.causes import causes
from driftbus.detectors.neighbours.levels import FAR, OUTLIER
from driftbus.detectors.neighbours.rows import SIZE, RowIndex
from driftbus.schemas.stored.reference import AvailabilityProfile, CategoricalProfile, ProfiledField, Reference

from .world import RESULTS, Result, machine

Floats = NDArray[np.float64]
DATA = Path(__file__).parent.parent / "data"
RNG = np.random.Generator
TRAINING, FRESH, BROKEN, MASKED = 20_000, 10_000, 0.05, 64


class Table(NamedTuple):
    """Columns of equal length."""

    numbers: dict[str, Floats]
    texts: dict[str, NDArray[np.object_]]
    sources: dict[str, str] = {}  # by field

    def __len__(self) -> int:
        return len(next(iter(self.numbers.values())))

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.numbers, *self.texts)

    def at(self, rows: NDArray[np.int64] | slice) -> "Table":
        numbers = {name: column[rows] for name, column in self.numbers.items()}
        return Table(numbers, {name: column[rows] for name, column in self.texts.items()}, self.sources)

    @property
    def columns(self) -> tuple[Floats, list[list[object]]]:
        return np.stack([*self.numbers.values()], axis=1), [column.tolist() for column in self.texts.values()]


def flights(rng: RNG) -> Table:
    """Of the whole year, shuffled: no season tells fresh ones."""
    whole = year()
    rows = rng.permutation(len(whole))[: TRAINING + FRESH]
    numbers = ("sched_dep", "duration", "distance", "temp", "dewp", "humid", "wind_speed", "pressure", "visib")
    weather = dict.fromkeys(numbers[3:], "weather")
    plan = dict.fromkeys((*numbers[:3], "carrier", "dest"), "plan")
    return Table({n: whole.numbers[n][rows] for n in numbers}, {n: c[rows] for n, c in whole.categories.items()}, weather | plan)


def table(file: str, numbers: tuple[str, ...], texts: tuple[str, ...], rng: RNG) -> Table:
    with duckdb.connect() as sql:
        found = sql.execute(f"select * from '{DATA / file}'").fetchnumpy()
    rows = rng.permutation(len(found[numbers[0]]))[: TRAINING + FRESH]
    return Table(
        {name: np.asarray(found[name], dtype=np.float64)[rows] for name in numbers},
        {name: np.asarray(found[name], dtype=object)[rows] for name in texts},
    )


def cars(rng: RNG) -> Table:
    numbers = ("car_age", "km_driven", "price_new", "accident_count", "door_count")
    return table("car_price_reference.parquet", numbers, ("fuel", "transmission"), rng)


def housing(rng: RNG) -> Table:
    numbers = ("MedInc", "HouseAge", "AveRooms", "AveBedrms", "Population", "AveOccup", "Latitude", "Longitude")
    return table("california_housing_reference.parquet", numbers, (), rng)


def made(rng: RNG) -> Table:
    """16 numbers of four correlated groups, each of a source and of another shape, 5 % null in one; four categories of the fifth source."""
    n = TRAINING + FRESH
    common = np.repeat(rng.normal(size=(n, 4)), 4, axis=1)
    z = 0.7 * common + np.sqrt(1 - 0.49) * rng.normal(size=(n, 16))
    shapes: tuple[Callable[[Floats], Floats], ...] = (np.exp, lambda x: np.round(4 * x), lambda x: x * 50 + 400, lambda x: np.maximum(x, 0))
    numbers = {f"n{place}": np.asarray(shapes[place % 4](z[:, place])) for place in range(16)}
    numbers["n2"][rng.random(n) < 0.05] = np.nan
    texts = {}
    for place, kinds in enumerate((2, 5, 20, 200)):
        shares = 1 / np.arange(1, kinds + 1)
        moved = np.minimum((rng.choice(kinds, n, p=shares / shares.sum()) + (z[:, place] > 1)) % kinds, kinds - 1)
        texts[f"c{place}"] = np.array([f"v{kind}" for kind in range(kinds)], dtype=object)[moved]
    return Table(numbers, texts, {f"n{place}": f"s{place // 4}" for place in range(16)} | dict.fromkeys(texts, "s4"))


class Case(NamedTuple):
    """What becomes of some rows, and what it is: names of fields or of a source; none: novelty."""

    name: str
    of: Callable[[RNG], Table]
    broken: Callable[[Table, RNG], None]
    truth: tuple[str, ...]
    asked: bool = False  #: one of the six


def set_to(field: str, change: Callable[[Floats, RNG], Floats]) -> Callable[[Table, RNG], None]:
    def broken(found: Table, rng: RNG) -> None:
        found.numbers[field][:] = change(found.numbers[field], rng)

    return broken


def named(field: str, value: str) -> Callable[[Table, RNG], None]:
    def broken(found: Table, rng: RNG) -> None:
        del rng
        found.texts[field][:] = value

    return broken


def cluster(found: Table, rng: RNG) -> None:
    """Around a centre whose every value is common."""
    for column in found.numbers.values():
        there = np.sort(column[np.isfinite(column)])
        place = rng.uniform(0.1, 0.9) + rng.normal(size=len(column)) * 0.03
        column[:] = there[np.clip(place * len(there), 0, len(there) - 1).astype(np.int64)]
    for texts in found.texts.values():
        texts[:] = rng.choice(texts)


def far_cluster(index: RowIndex, found: Table, rng: RNG) -> Table:
    """Of 30 clusters the one that is least like the training data: most are like it."""
    drawn = [found.at(np.arange(len(found))) for _ in range(30)]
    for one in drawn:
        cluster(one, rng)
    return min(drawn, key=lambda one: float(np.median(index.scores(*one.columns))))


def shuffled(found: Table, rng: RNG) -> None:
    for column in found.numbers.values():
        rng.shuffle(column)


def station(found: Table, rng: RNG) -> None:
    """Of all that a source says nothing is right."""
    del rng
    for name in ("n4", "n5", "n6", "n7"):
        found.numbers[name][:] = -9.0


CASES = (
    Case("flights: temperature x10", flights, set_to("temp", lambda x, _: x * 10), ("temp",), True),
    Case("flights: unknown carrier", flights, named("carrier", "ZZ"), ("carrier",), True),
    Case("flights: temperature -1", flights, set_to("temp", lambda x, _: 0 * x - 1), ("temp",), True),
    Case("cars: age x10", cars, set_to("car_age", lambda x, _: x * 10), ("car_age",), True),
    Case("cars: unknown accident count", cars, set_to("accident_count", lambda x, _: 0 * x + 9), ("accident_count",), True),
    Case("cars: age -1", cars, set_to("car_age", lambda x, _: 0 * x - 1), ("car_age",), True),
    Case("flights: temperature in Celsius", flights, set_to("temp", lambda x, _: (x - 32) / 1.8), ("temp",)),
    Case("flights: visibility null", flights, set_to("visib", lambda x, _: x * np.nan), ("visib",)),
    Case("flights: temperature of another row", flights, set_to("temp", lambda x, rng: rng.permutation(x)), ("temp",)),
    Case("cars: kilometres x1000", cars, set_to("km_driven", lambda x, _: x * 1000), ("km_driven",)),
    Case("cars: half a door", cars, set_to("door_count", lambda x, _: x + 0.5), ("door_count",)),
    Case("housing: income x1000", housing, set_to("MedInc", lambda x, _: x * 1000), ("MedInc",)),
    Case("housing: latitude 0", housing, set_to("Latitude", lambda x, _: x * 0), ("Latitude",)),
    Case("housing: rooms null", housing, set_to("AveRooms", lambda x, _: x * np.nan), ("AveRooms",)),
    Case("made: one number x100", made, set_to("n0", lambda x, _: x * 100), ("n0",)),
    Case("made: one number -999", made, set_to("n6", lambda x, _: 0 * x - 999), ("n6",)),
    Case("made: unknown category", made, named("c1", "new"), ("c1",)),
    Case("made: all of a source is -9", made, station, ("s1",)),
    Case("flights: a new cluster", flights, cluster, ()),
    Case("cars: a new cluster", cars, cluster, ()),
    Case("housing: a new cluster", housing, cluster, ()),
    Case("made: a new cluster", made, cluster, ()),
    Case("flights: numbers shuffled", flights, shuffled, ()),
    Case("made: numbers shuffled", made, shuffled, ()),
)


def measured(size: int, repetitions: int) -> Iterator[tuple[Case, int, dict[str, Any]]]:  # plain figures
    """Every case, so many times with other rows."""
    for repetition in range(repetitions):
        for of in (flights, cars, housing, made):
            rng = np.random.default_rng(repetition)
            data = of(rng)
            split = min(TRAINING, len(data) - 1_500)
            index, _ = RowIndex.built(*data.at(slice(split)).columns, data.names, size=size, sources=data.sources)
            fresh = data.at(slice(split, None))
            quiet = index.cells(*fresh.columns)
            flagged = {f"fresh_{level}": float((quiet >= cell).mean()) for level, cell in ((0.05, 2), (0.01, 3), (0.005, 4))}
            for case in CASES:
                if case.of is of:
                    yield case, repetition, {**once(index, fresh, case, rng), **flagged}


def broken(index: RowIndex, fresh: Table, case: Case, rng: RNG) -> tuple[NDArray[np.int64], NDArray[np.float64], list[list[object]]]:
    """Known rows of which a case changes some: which, their numbers, their texts."""
    rows = np.flatnonzero(rng.random(len(fresh)) < BROKEN)
    changed = far_cluster(index, fresh.at(rows), rng) if case.broken is cluster else fresh.at(rows)  # copied
    if case.broken is not cluster:
        case.broken(changed, rng)
    numeric, texts = fresh.columns
    numeric[rows], new = changed.columns
    for column, values in zip(texts, new, strict=True):
        for row, value in zip(rows.tolist(), values, strict=True):
            column[row] = value
    return rows, numeric, texts


def once(index: RowIndex, fresh: Table, case: Case, rng: RNG) -> dict[str, Any]:  # plain figures
    """One case, once."""
    rows, numeric, texts = broken(index, fresh, case, rng)
    cells, exact = index.cells(numeric, texts), -index.scores(numeric, texts)
    ascending, new_ = np.sort(np.delete(exact, rows)), exact[rows]
    auroc = float(np.mean(np.searchsorted(ascending, new_, "left") + np.searchsorted(ascending, new_, "right"))) / 2 / len(ascending)
    result: dict[str, Any] = {"auroc": auroc, "recall": float((cells[rows] >= 2).mean())}
    for level, cell in ((OUTLIER, 3), (FAR, 4)):
        outliers = np.flatnonzero(cells >= cell)
        taken = rng.permutation(outliers)[:MASKED]
        began = time.process_time()
        found = causes(
            index, numeric[taken], [[c[row] for row in taken.tolist()] for c in texts], rate=len(outliers) / len(cells), level=level
        )
        shares = found.sources if case.truth and case.truth[0] in found.sources else found.fields
        own = taken[np.isin(taken, rows)]
        cured = index.masked(numeric[own], [[c[row] for row in own.tolist()] for c in texts]).mean(axis=0) if len(own) else []
        of_broken = max((share for mask, share in zip(index.masks, cured, strict=False) if mask.name in case.truth), default=0.0)
        truth = max((shares.get(name, 0.0) for name in case.truth), default=0.0)
        others = max((share for name, share in found.fields.items() if name not in case.truth), default=0.0)
        result[str(level)] = {
            "rate": len(outliers) / len(cells),
            "truth": truth,
            "cured_of_broken": float(of_broken),
            "next": others,
            "blame": [found.blame.of, *found.blame.names],
            "ms_an_outlier": (time.process_time() - began) * 1e3 / max(len(taken), 1),
        }
    return result


def speeds(size: int) -> Result:
    """Rows per CPU-second: scored, beside counted by the profiler's own function; and milliseconds an outlier for all masks."""
    result: Result = {}
    wide = Table({f"n{i}": np.random.default_rng(i).normal(size=TRAINING + FRESH) for i in range(200)}, {})
    for name, data in (("flights", flights(np.random.default_rng(0))), ("cars", cars(np.random.default_rng(0))), ("200 numbers", wide)):
        index, _ = RowIndex.built(*data.at(slice(TRAINING)).columns, data.names, size=size, sources=data.sources)
        numeric, texts = data.at(slice(TRAINING, None)).columns
        counting = Counting(reference_of(data))
        some = numeric[:MASKED], [column[:MASKED] for column in texts]
        index.masked(*some)  # calibrated
        took = {
            "flags": fastest(partial(index.flags, numeric, texts)),
            "cells": fastest(partial(index.cells, numeric, texts)),
            "counting": fastest(partial(counting.count, numeric, texts)),
            "masked": fastest(partial(index.masked, *some)),
        }
        result[name] = {f"{what}_rows_a_second": round(len(numeric) / took[what]) for what in ("flags", "cells", "counting")} | {
            "masks": len(index.masks),
            "ms_an_outlier": round(took["masked"] * 1e3 / MASKED, 3),
            "artifact_bytes": len(index.encoded()),
        }
    return result


def fastest(call: Callable[[], object]) -> float:
    """The processor's seconds of the fastest of five calls."""
    runs = []
    for _ in range(5):
        began = time.process_time()
        call()
        runs.append(time.process_time() - began)
    return min(runs)


def reference_of(data: Table) -> Reference:
    """As the profiler counts its rows, without pairs."""
    available = AvailabilityProfile(counts=(TRAINING, 0, 0, 0))
    fields = [ProfiledField(name=n, type="numeric", values=profile_of(c), availability=available) for n, c in data.numbers.items()]
    for name, column in data.texts.items():
        values, counts = np.unique(column.astype(str), return_counts=True)
        profile = CategoricalProfile(categories=tuple(values.tolist()), counts=(*counts.tolist(), 0), tau=(1.0,) * (len(values) + 1))
        fields.append(ProfiledField(name=name, type="categorical", values=profile, availability=available))
    return Reference(model="m", version="1", rows=len(data), fields=tuple(fields))


def measure(size: int, repetitions: int) -> Result:
    """All cases: means, how often each blame was given, and the worst."""
    runs: dict[str, list[dict[str, Any]]] = {}
    for case, _, figures in measured(size, repetitions):
        runs.setdefault(case.name, []).append(figures)
    result: Result = {}
    for case in CASES:
        own = runs[case.name]
        result[case.name] = {key: round(float(np.mean([one[key] for one in own])), 4) for key in own[0] if not key.startswith("0")}
        for level in (OUTLIER, FAR):
            at = [one[str(level)] for one in own]
            blames = Counter(" ".join(one["blame"]) for one in at)
            result[case.name][str(level)] = {
                **{
                    key: round(float(np.mean([one[key] for one in at])), 3)
                    for key in ("rate", "truth", "cured_of_broken", "next", "ms_an_outlier")
                },
                "least": round(min(one["truth"] for one in at), 3),
                "blamed": dict(blames.most_common()),
            }
    return result


def shown(result: Result) -> str:
    lines = ["case | AUROC | flagged at .05 | at | rate | excess cured | next | blamed", "---|---|---|---|---|---|---|---"]
    for name, own in result.items():
        for level in (OUTLIER, FAR):
            at = own[str(level)]
            blamed = ", ".join(f"{who} {times}" for who, times in at["blamed"].items())
            cells = (name, own["auroc"], own["recall"], level, at["rate"], at["truth"], at["next"], blamed)
            lines.append(" | ".join(map(str, cells)))
    return "\n".join(lines)


def main(arguments: list[str]) -> None:
    """Cases, then speeds; what is measured is written at once."""
    sizes = "--sizes" in arguments
    file = RESULTS / ("masks_sizes.json" if sizes else "masks.json")
    began = time.time()
    cases: dict[str, Result] = {}
    speed: dict[str, Result] = {}
    for size in (2_000, 5_000, 10_000) if sizes else (SIZE,):
        speed[str(size)] = speeds(size)
        print(json.dumps(speed[str(size)], indent=1), flush=True)
        cases[str(size)] = measure(size, 2 if sizes else 3)
        print(f"\n## {size} rows of reference\n\n{shown(cases[str(size)])}", flush=True)
        about = {**machine(), "load": round(os.getloadavg()[0], 1), "seconds": round(time.time() - began)}
        file.write_text(json.dumps({"machine": about, "cases": cases, "speed": speed}, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
