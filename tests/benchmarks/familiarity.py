"""Texts unlike the training data: how well they are told, and what it costs.

    python -m tests.benchmarks.familiarity [speed|reviews|long texts|languages ...]

Product reviews of ``tests/data/reviews.parquet`` (Hutto & Gilbert, ICWSM 2014) against its films, editorials and tweets, and German and
Japanese sentences of our own making (`familiarity_languages`), beside tf-idf of characters 3 to 5 with one nearest neighbour
(scikit-learn). Speeds: 10,000 reference vectors, 5 % flagged, processor time of one BLAS thread, alternating with embedding alone;
the texts are new to the tokenizer, which remembers 10,000. AUROC by score; fresh: known texts that are in neither reference nor
calibration (what is held out goes by hash, so that runs share its luck). To ``tests/benchmarks/results/familiarity.json``.
"""

import itertools
import json
import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy is read; two threads on two busy processors wait for each other

import platform
import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.feature_extraction.text import TfidfVectorizer

from driftbus.consumers.reference.token_vectors import installed_tokens
from driftbus.detectors.neighbours.embedder import Choice
from driftbus.detectors.neighbours.levels import FAR, UNLIKE
from driftbus.detectors.neighbours.texts import Exact, TextIndex

from ..real.reviews import sentences
from .familiarity_languages import GERMAN, JAPANESE, made

RESULTS = Path(__file__).parent / "results" / "familiarity.json"
RUNS, FRESH = 20, 850
OTHERS = ("film reviews", "editorials", "tweets")
BOTH: tuple[Choice, ...] = ("tokens", "sketch")


def auroc(known: NDArray[Any], new: NDArray[Any]) -> float:
    """The probability that a known text has the larger score."""
    ranks = rankdata(np.concatenate([known, new]))
    return float((ranks[: len(known)].sum() - len(known) * (len(known) + 1) / 2) / len(known) / len(new))


def scored(index: TextIndex, texts: Sequence[str]) -> Exact:
    """Texts by an index, those with something to score."""
    queries = index.read(texts)
    found = index.exact(queries.vectors, None, queries.firsts)
    there = ~np.isnan(found.p)
    return Exact(found.scores[there], found.p[there], found.nearest[there], found.products[there])


def reviews(embedder: Choice, *, runs: int = RUNS) -> dict[str, object]:
    """AUROC, recall and fresh texts flagged, over random parts of the reviews."""
    base, found = sentences("product reviews"), list[list[float]]()
    for seed in range(runs):
        order = np.random.default_rng(seed).permutation(len(base)).tolist()
        index, report = TextIndex.built([base[i] for i in order[FRESH:]], embedder=embedder, tokens=installed_tokens())
        fresh = scored(index, [base[i] for i in order[:FRESH]])
        new = [scored(index, sentences(kind)) for kind in OTHERS]
        areas = [auroc(fresh.scores, each.scores) for each in new]
        recall = float(np.mean([np.mean(each.p <= 0.05) for each in new]))
        flagged = [float(np.mean(fresh.p <= level)) for level in (UNLIKE, FAR)]
        found.append([float(np.mean(areas)), *areas, recall, *flagged, report.everyday or 0.0])
    mean, spread = np.mean(found, axis=0), np.std(found, axis=0)
    names = ("auroc", *OTHERS, "recall at .05", "fresh at .05", "fresh at .005", "everyday")
    told: dict[str, object] = {name: round(float(value), 4) for name, value in zip(names, mean, strict=True)}
    told |= {"sd of auroc": round(float(spread[0]), 4), "sd of fresh at .05": round(float(spread[5]), 4)}
    told |= {"reference": report.reference, "calibration": report.calibration}
    return told


def long_texts(embedder: Choice, *, runs: int = 4) -> dict[str, float]:
    """Pages of 1 to 40 sentences, spliced of product reviews: fresh ones flagged at .05, and those with ten of film reviews inside."""
    films, found = sentences("film reviews"), []
    for seed in range(runs):
        rng = np.random.default_rng(seed)
        pool = iter(spliced(130_000, seed, kinds=("product reviews",)))

        def page(number: int, pool: Iterator[str] = pool) -> list[str]:
            return list(itertools.islice(pool, number))

        training = ["\n".join(page(number)) for number in rng.integers(1, 41, 4_000).tolist()]
        fresh = ["\n".join(page(number)) for number in rng.integers(1, 41, 1_000).tolist()]
        mixed = ["\n".join([*page(10), *rng.choice(films, 10).tolist(), *page(10)]) for _ in range(200)]
        index, _ = TextIndex.built(training, embedder=embedder, tokens=installed_tokens())
        queries = index.read(fresh)
        unlike, sizes = index.exact(queries.vectors, None, queries.firsts).p <= 0.05, np.diff(queries.firsts)
        by_size = [float(np.mean(unlike[(sizes >= low) & (sizes <= high)])) for low, high in ((1, 1), (2, 3), (4, 99))]
        found.append([float(np.mean(unlike)), *by_size, index.share_flagged(mixed)])
    names = ("fresh", "fresh in one part", "in two or three", "in more", "with ten of film reviews")
    return {name: round(float(value), 4) for name, value in zip(names, np.mean(found, axis=0), strict=True)}


def by_tf_idf(training: Sequence[str], known: Sequence[str], new: Sequence[str]) -> float:
    """AUROC of the one nearest by tf-idf of characters 3 to 5."""
    vectorizer = TfidfVectorizer(analyzer="char", ngram_range=(3, 5), sublinear_tf=True)
    reference = vectorizer.fit_transform(training)
    near = [np.asarray((vectorizer.transform(texts) @ reference.T).max(axis=1).todense()).ravel() for texts in (known, new)]
    return auroc(near[0], near[1])


def languages() -> dict[str, dict[str, float]]:
    """AUROC of what is chosen for a language, and of tf-idf on the same reference vectors' texts."""
    told = {}
    for name, topics in (("German", GERMAN), ("Japanese", JAPANESE)):
        areas = []
        for seed in range(5):
            texts, new = made(topics, 1_200, seed), made(topics, 400, seed, new=True)
            index, report = TextIndex.built(texts[:800], tokens=installed_tokens())
            training = [texts[row] for row in sorted(index.rows.tolist())]
            ours = auroc(scored(index, texts[800:]).scores, scored(index, new).scores)
            areas.append((ours, by_tf_idf(training, texts[800:], new), report.tokens_per_word or 0.0))
        ours, theirs, per_word = np.mean(areas, axis=0).tolist()
        told[name] = {report.embedder: round(ours, 4), "tf-idf 3-5": round(theirs, 4), "tokens per word": round(per_word, 2)}
    return told


def spliced(rows: int, seed: int, kinds: Sequence[str] = ("product reviews", *OTHERS)) -> list[str]:
    """Different sentences: the first half of one and the second half of another one of its kind."""
    rng = np.random.default_rng(seed)
    parts = [[text.split() for text in sentences(kind)] for kind in kinds]
    found: dict[str, None] = {}
    while len(found) < rows:
        kind = parts[int(rng.integers(len(parts)))]
        one, other = (kind[int(rng.integers(len(kind)))] for _ in range(2))
        found[" ".join([*one[: len(one) // 2], *other[len(other) // 2 :]])] = None
    return list(found)


def seconds(action: Callable[[], object]) -> float:
    """Of processor time."""
    began = time.process_time()
    action()
    return time.process_time() - began


def speed(embedder: Choice) -> dict[str, float]:
    """Texts a second: embedded only, with flags, and with one in 16 scored exactly too; medians of 7 alternating rounds."""
    texts = spliced(21_000, 1)
    index, report = TextIndex.built(texts[:15_000], embedder=embedder, tokens=installed_tokens())
    live = texts[15_000:]
    assert report.reference == 10_000
    assert index.embedder is not None

    def flagged() -> NDArray[np.uint8]:
        queries = index.read(live)
        return index.flags(queries.vectors, None, queries.firsts)

    def all_levels() -> None:
        queries = index.read(live)
        index.flags(queries.vectors, None, queries.firsts)
        index.exact(queries.vectors[::16])

    share = float(np.mean(np.isin(flagged(), (1, 2))))
    rounds = [(seconds(lambda: index.embedder.vectors(live)), seconds(flagged), seconds(all_levels)) for _ in range(7)]  # type: ignore[union-attr]  # asserted above
    alone, with_flags, everything = np.median(rounds, axis=0).tolist()
    ratios = [alone / with_flags for alone, with_flags, _ in rounds]
    return {
        "embedded a second": round(len(live) / alone),
        "flagged a second": round(len(live) / with_flags),
        "flagged, and one in 16 exactly, a second": round(len(live) / everything),
        "ratio of flagged to embedded": round(float(np.median(ratios)), 3),
        "share flagged": round(share, 4),
        "characters a text": round(float(np.mean(list(map(len, live)))), 1),
        "megabytes stored": round(len(index.encoded()) / 1e6, 1),
    }


def parts(embedder: Choice) -> dict[str, Callable[[], object]]:
    """What is measured of one embedder."""
    return {"speed": lambda: speed(embedder), "reviews": lambda: reviews(embedder), "long texts": lambda: long_texts(embedder)}


def main(asked: list[str]) -> None:
    """Print, and keep each part as soon as it is there; of others what stood there."""
    began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    installed_tokens()
    loaded = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    result: dict[str, object] = json.loads(RESULTS.read_text())
    result |= {"python": platform.python_version(), "numpy": np.__version__, "processors": os.cpu_count(), "runs": RUNS}
    result["megabytes of the token vectors, at most"] = round((loaded - began) / 1_024, 1)
    every = {f"{part}, {embedder}": action for embedder in BOTH for part, action in parts(embedder).items()} | {"languages": languages}
    for name, action in every.items():
        if not asked or name.partition(",")[0] in asked:
            result[name] = action()
            print(name, json.dumps(result[name]), flush=True)
            RESULTS.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
