"""Whose fault rows unlike the training data are, as the product tells it, and its costs.

    python -m tests.benchmarks.masks_product [costs|cases]

The cases of `masks`, rows in runs of 500: of each run the 64 outliers of smallest hash are masked, their counts summed, and judged; once
when 20 outliers have been seen, and over all runs. Costs: flights and cars through the stage's own calls, processor time of one thread,
beside counting: scored; the bins of rows by their p; outliers of a run masked, quiet ones and those of two broken fields, of which pairs
are tried. Raw figures: ``results/masks_product.json``.
"""

import json
import os
import sys

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy is read, as a profiler's process has it

import time
from collections import Counter
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from driftbus.consumers.reference.building.decoded import Decoded
from driftbus.consumers.reference.familiar_rows import RowSubject
from driftbus.consumers.reference.scored import Inside
from driftbus.detectors.counting import Counting
from driftbus.detectors.neighbours.cures import Blame
from driftbus.detectors.neighbours.masked import counted, judged, length, profiles
from driftbus.detectors.neighbours.rows import SIZE, RowIndex, RowReport
from driftbus.schemas.messages.pane import MOST_MASKED
from driftbus.schemas.stored.familiarity import FamiliarityProfile

from .masks import CASES, TRAINING, Case, Table, broken, cars, fastest, flights, housing, made, reference_of
from .world import RESULTS, Result, machine

RUN, EARLY, REPETITIONS = 500, 20, 3
RNG = np.random.Generator


def profile_of(index: RowIndex, report: RowReport, data: Table) -> FamiliarityProfile:
    """As `driftbus reference build` makes it."""
    numeric, texts = data.at(report.held_out[:: max(1, len(report.held_out) // 500)]).columns
    outliers, cured = index.outliers
    masks = profiles(index.left(numeric, texts), index.masks, index.names, cured)
    cells = (1, 1, len(report.held_out) - 2)
    of_outliers = {"outliers": outliers, "masks": masks, "pairs": index.outliers_paired}
    return FamiliarityProfile(of="row", kind="row", index="", rows=report.reference, cells=cells, **of_outliers)


class Summed(NamedTuple):
    """The counts of the outliers of some runs, and the share of rows that are outliers."""

    counts: NDArray[np.int64]
    rate: float


def summed(index: RowIndex, fresh: Table, case: Case, rng: RNG) -> tuple[Summed | None, Summed]:
    """Of the runs until some outliers have been seen, if they have, and of all runs."""
    _, numeric, texts = broken(index, fresh, case, rng)
    outliers = index.cells(numeric, texts) >= 3
    total, early = np.zeros(length(len(index.masks), len(index.pairs)), dtype=np.int64), None
    for start in range(0, len(fresh), RUN):
        chosen = start + np.flatnonzero(outliers[start : start + RUN])[:MOST_MASKED]
        given = numeric[chosen], [[column[row] for row in chosen.tolist()] for column in texts], None
        left = index.left(*given)
        total = total + counted(left, index.masks, index.paired(left))
        if early is None and total[0] >= EARLY:
            early = Summed(total, float(outliers[: start + RUN].mean()))
    return early, Summed(total, float(outliers.mean()))


def told(index: RowIndex, profile: FamiliarityProfile, fresh: Table, case: Case, rng: RNG) -> tuple[Blame, Blame, float]:
    """What is said early, what of all runs, and the excess cured without the broken field."""
    early, whole = summed(index, fresh, case, rng)
    found = judged(profile, whole.counts, rate=whole.rate)
    shares = {**found.fields, **found.sources}
    said = Blame("unknown") if early is None else judged(profile, early.counts, rate=early.rate).blame
    return said, found.blame, max((shares.get(name, 0.0) for name in case.truth), default=0.0)


def blames() -> Result:
    """All cases."""
    found: dict[str, list[tuple[Blame, Blame, float]]] = {}
    for repetition in range(REPETITIONS):
        for of in (flights, cars, housing, made):
            rng = np.random.default_rng(repetition)
            data = of(rng)
            split = min(TRAINING, len(data) - 1_500)
            training, fresh = data.at(slice(split)), data.at(slice(split, None))
            index, report = RowIndex.built(*training.columns, data.names, size=SIZE, sources=data.sources)
            profile = profile_of(index, report, training)
            for case in CASES:
                if case.of is of:
                    found.setdefault(case.name, []).append(told(index, profile, fresh.at(np.arange(len(fresh))), case, rng))
    result: Result = {}
    for case in CASES:
        own = found[case.name]
        result[case.name] = {
            "truth": " ".join(case.truth),
            "early": dict(Counter(" ".join((one.of, *one.names)) for one, _, _ in own)),
            "told": dict(Counter(" ".join((one.of, *one.names)) for _, one, _ in own)),
            "excess": round(float(np.mean([excess for _, _, excess in own])), 3),
        }
        print(case.name, result[case.name], flush=True)
    return result


def costs(data: Table) -> Result:
    """Microseconds a row of each part, and of an outlier; one BLAS thread."""
    training, fresh = data.at(slice(TRAINING)), data.at(slice(TRAINING, None))
    index, report = RowIndex.built(*training.columns, data.names, size=SIZE, sources=data.sources)
    reference = reference_of(training)
    subject, inside = RowSubject(profile_of(index, report, training), reference.fields, index), Inside(reference)
    numeric, texts = fresh.columns
    rows, counting = Decoded(numeric, texts, ()), Counting(reference)
    every: NDArray[np.int64] = np.arange(len(fresh))
    exactly = np.zeros(len(fresh), dtype=np.bool_)
    scored = subject.scored(rows, every, exactly)
    outliers = np.flatnonzero(scored.looked == 2)[:MOST_MASKED]
    contents = subject.contents(rows, outliers)
    took = {
        "counting": fastest(partial(counting.count, numeric, texts)),
        "scored": fastest(partial(subject.scored, rows, every, exactly)),
        "inside": fastest(partial(inside.counts, rows, every, scored.looked)),
    }
    result: dict[str, Any] = {f"us_a_row_{name}": round(1e6 * seconds / len(fresh), 2) for name, seconds in took.items()}
    masked = fastest(partial(subject.masked, contents)) / len(contents)
    a_run = masked * MOST_MASKED
    far = (0, numeric.shape[1] - 1)
    two = rows._replace(numeric=np.where(np.isin(np.arange(numeric.shape[1]), far), 1e6, numeric))
    with_pairs = fastest(partial(subject.masked, subject.contents(two, every[:MOST_MASKED])))
    return {
        **result,
        "masks": len(index.masks),
        "us_an_outlier_masked": round(1e6 * masked, 1),
        "ms_a_run_of_64_outliers": round(1e3 * a_run, 2),
        "masked_beside_scored_in_a_run_of_10000_quiet_rows": round(a_run / (took["scored"] / len(fresh) * 10_000), 4),
        "ms_a_run_of_64_outliers_of_two_broken_fields": round(1e3 * with_pairs, 2),
        "the_same_beside_scored_10000_rows": round(with_pairs / (took["scored"] / len(fresh) * 10_000), 4),
        "inside_beside_scored": round(took["inside"] / took["scored"], 4),
        "inside_numbers": len(inside.counts(rows, every[:1], scored.looked[:1])),
    }


def main(parts: list[str]) -> None:
    """Costs, then cases; of a part that is not asked for what stood there."""
    file, began = RESULTS / "masks_product.json", time.time()
    result = json.loads(file.read_text())
    if "costs" in parts or not parts:
        result["costs"] = {name: costs(of(np.random.default_rng(0))) for name, of in (("flights", flights), ("cars", cars), ("made", made))}
        print(json.dumps(result["costs"], indent=1), flush=True)
    if "cases" in parts or not parts:
        result["cases"] = blames()
    result["machine"] = {**machine(), "load": round(os.getloadavg()[0], 1), "seconds": round(time.time() - began)}
    file.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
