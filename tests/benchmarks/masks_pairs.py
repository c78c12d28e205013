"""Two fields that break together, and new rows: what the product says of them, and what a greedy rule does.

    python -m tests.benchmarks.masks_pairs

The tables of `masks`, 5 % of rows broken or new, in runs of 500, as in `masks_product`; and, *greedy*, 64 of their outliers by the rows
themselves (`causes`): where one field cures .5 to .8 and all others less than .15, the pair with it that cures four fifths, and .15 more.
Raw figures: ``results/masks_pairs.json``.
"""

import json
import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy is read, as a profiler's process has it

import time
from collections import Counter
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from driftbus.detectors.neighbours.causes import causes
from driftbus.detectors.neighbours.cures import Blame
from driftbus.detectors.neighbours.rows import SIZE, RowIndex

from .masks import CASES, RNG, TRAINING, Case, Table, broken, cars, flights, housing, made, named, set_to
from .masks_product import profile_of, told
from .world import RESULTS, machine

REPETITIONS, MASKED = 2, 64
Broken = Callable[[Table, RNG], None]


def both(*changes: Broken) -> Broken:
    def broken(found: Table, rng: RNG) -> None:
        for change in changes:
            change(found, rng)

    return broken


def scaled(field: str, by: float) -> Broken:
    return set_to(field, lambda x, _: x * by)


def fixed(field: str, value: float) -> Broken:
    return set_to(field, lambda x, _: 0 * np.nan_to_num(x) + value)


def mild(field: str) -> Broken:
    """Of another row: seldom enough by itself to make a row unlike all others."""
    return set_to(field, lambda x, rng: np.asarray(rng.permutation(x), dtype=np.float64))


PAIRS = (
    Case("flights: temperature x10, carrier unknown", flights, both(scaled("temp", 10), named("carrier", "ZZ")), ("temp", "carrier")),
    Case("flights: humidity 0, distance x1.6", flights, both(fixed("humid", 0), scaled("distance", 1.6)), ("humid", "distance")),
    Case("flights: temperature -1, duration null", flights, both(fixed("temp", -1), fixed("duration", np.nan)), ("temp", "duration")),
    Case("flights: temperature of another row, carrier unknown", flights, both(mild("temp"), named("carrier", "ZZ")), ("temp", "carrier")),
    Case("cars: age x10, kilometres x1000", cars, both(scaled("car_age", 10), scaled("km_driven", 1000)), ("car_age", "km_driven")),
    Case("cars: age -1, fuel unknown", cars, both(fixed("car_age", -1), named("fuel", "coal")), ("car_age", "fuel")),
    Case("housing: income x1000, latitude 0", housing, both(scaled("MedInc", 1000), fixed("Latitude", 0)), ("MedInc", "Latitude")),
    Case("housing: rooms null, age -1", housing, both(fixed("AveRooms", np.nan), fixed("HouseAge", -1)), ("AveRooms", "HouseAge")),
    Case("made: n0 x100, n6 -999", made, both(scaled("n0", 100), fixed("n6", -999)), ("n0", "n6")),
    Case("made: n6 -999, c1 unknown", made, both(fixed("n6", -999), named("c1", "new")), ("n6", "c1")),
    Case("made: n1 of another row, n8 null", made, both(mild("n1"), fixed("n8", np.nan)), ("n1", "n8")),
)
NEW = tuple(case for case in CASES if not case.truth)


def greedy(index: RowIndex, fresh: Table, case: Case, rng: RNG) -> Blame:
    """What the first rule says of the rows themselves."""
    _, numeric, texts = broken(index, fresh, case, rng)
    outliers = np.flatnonzero(index.cells(numeric, texts) >= 3)
    taken = rng.permutation(outliers)[:MASKED]
    given = numeric[taken], [[column[row] for row in taken.tolist()] for column in texts]
    return causes(index, *given, rate=len(outliers) / len(fresh)).blame


def in_a_word(blame: Blame, truth: tuple[str, ...]) -> str:
    """In a word, or the field or source."""
    if blame.of == "both":
        return "right pair" if set(blame.names) == set(truth) else "wrong pair"
    if blame.of in ("field", "either", "source"):
        return f"{blame.of} {' '.join(blame.names)}"
    return blame.of


def main() -> None:
    """Print, and keep what there is behind every table."""
    began = time.time()
    found: dict[str, dict[str, Counter[str]]] = {}
    for repetition in range(REPETITIONS):
        for of in (flights, cars, housing, made):
            data = of(np.random.default_rng(repetition))
            split = min(TRAINING, len(data) - 1_500)
            training, fresh = data.at(slice(split)), data.at(slice(split, None))
            index, report = RowIndex.built(*training.columns, data.names, size=SIZE, sources=data.sources)
            profile = profile_of(index, report, training)
            for case in (case for case in (*PAIRS, *NEW) if case.of is of):
                every: NDArray[np.int64] = np.arange(len(fresh))
                early, whole, _ = told(index, profile, fresh.at(every), case, np.random.default_rng(repetition))
                by_rule = greedy(index, fresh.at(every), case, np.random.default_rng(repetition))
                said = {"greedy": by_rule, "product, of 20 outliers": early, "product": whole}
                for rule, blame in said.items():
                    found.setdefault(case.name, {}).setdefault(rule, Counter())[in_a_word(blame, case.truth)] += 1
                print(repetition, case.name, {rule: in_a_word(blame, case.truth) for rule, blame in said.items()}, flush=True)
            about = {**machine(), "load": round(os.getloadavg()[0], 1), "seconds": round(time.time() - began)}
            plain = {name: {rule: dict(own) for rule, own in rules.items()} for name, rules in found.items()}
            (RESULTS / "masks_pairs.json").write_text(json.dumps({"machine": about, "cases": plain}, indent=1) + "\n")


if __name__ == "__main__":
    main()
