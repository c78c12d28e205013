"""The model: boosted trees, learnt by scikit-learn, kept as plain arrays. Who serves them needs neither scikit-learn nor a pickle."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .data import CATEGORICAL
from .timetable import NUMBERS

Columns = Mapping[str, NDArray[Any]]  # texts or numbers, by name
_TREES = ("feature", "threshold", "missing_left", "left", "right", "value", "leaf")
#: Rows that are asked at once: what is known of them on their way stays near the processor.
_AT_ONCE = 512
_SETTINGS: dict[str, Any] = {"max_iter": 80, "learning_rate": 0.07, "min_samples_leaf": 40, "early_stopping": False}  # of scikit-learn


@dataclass(frozen=True)
class Forest:
    """Trees as arrays of shape (trees, nodes), and the categories by which texts become numbers."""

    categories: Mapping[str, Sequence[str]]
    baseline: float
    trees: Mapping[str, NDArray[Any]]  # of several types

    def score(self, columns: Columns) -> NDArray[np.float64]:
        """The probability of being late, to four digits: the same on every machine."""
        rows = _matrix(columns, self.categories)
        found = np.full(len(rows), self.baseline)
        rows = np.hstack([rows, np.where(np.isnan(rows), -np.inf, rows)])  # behind each feature as it is: null on the left of all
        roots, feature, child = self._walked(rows.shape[1] // 2)
        threshold, value, leaf = (self.trees[name].ravel() for name in ("threshold", "value", "leaf"))
        for start in range(0, len(rows), _AT_ONCE):
            some = rows[start : start + _AT_ONCE]
            at = np.arange(len(some)) * some.shape[1]
            node = np.repeat(roots, len(some), axis=1)
            while not leaf.take(node).all():
                goes_left = some.take(at + feature.take(node)) <= threshold.take(node)
                node = child.take(2 * node + goes_left)
            for of_tree in value.take(node):
                found[start : start + _AT_ONCE] += of_tree
        scored: NDArray[np.float64] = np.round(1 / (1 + np.exp(-found)), 4)
        return scored

    def _walked(self, features: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """For all trees at once: their roots, each node's column, and the nodes on its right and left; a leaf's are itself."""
        trees, nodes = self.trees["leaf"].shape
        roots = np.arange(trees)[:, None] * nodes
        sides = [np.where(self.trees["leaf"], np.arange(nodes), self.trees[side]) + roots for side in ("right", "left")]
        return roots, (self.trees["feature"] + features * self.trees["missing_left"]).ravel(), np.stack(sides, axis=-1).ravel()

    def save(self, path: Path) -> None:
        """As a file of arrays."""
        texts = {f"categories_{name}": np.array(known, dtype=str) for name, known in self.categories.items()}
        with path.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, baseline=self.baseline, **texts, **self.trees)

    @classmethod
    def load(cls, path: Path) -> "Forest":
        """What `save` wrote."""
        with np.load(path, allow_pickle=False) as kept:
            categories = {name: kept[f"categories_{name}"].tolist() for name in CATEGORICAL}
            return cls(categories, float(kept["baseline"]), {name: kept[name] for name in _TREES})


def fit(columns: Columns, late: NDArray[np.bool_], seed: int, weights: NDArray[np.float64] | None = None) -> Forest:
    """Learn; by one thread, so that the sums are the same everywhere. Needs the extra ``demo``."""
    try:
        from sklearn.ensemble import HistGradientBoostingClassifier
        from threadpoolctl import threadpool_limits
    except ImportError:
        msg = 'the closed loop trains by scikit-learn; install it with: pip install "driftbus[demo]"'
        raise RuntimeError(msg) from None

    categories = {name: sorted(set(columns[name].tolist())) for name in CATEGORICAL}
    with threadpool_limits(1):
        made = HistGradientBoostingClassifier(random_state=seed, **_SETTINGS).fit(_matrix(columns, categories), late, weights)
    grown = [stage[0].nodes for stage in made._predictors]  # there is no public way to a tree
    names = ("feature_idx", "num_threshold", "missing_go_to_left", "left", "right", "value", "is_leaf")
    trees = {own: _padded([nodes[name] for nodes in grown]) for own, name in zip(_TREES, names, strict=True)}
    for name, type_ in (("feature", np.int64), ("left", np.int64), ("right", np.int64), ("missing_left", bool), ("leaf", bool)):
        trees[name] = trees[name].astype(type_)
    return Forest(categories, float(made._baseline_prediction.ravel()[0]), trees)


def _padded(rows: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Behind its own nodes a tree has some that nobody comes to."""
    whole = np.zeros((len(rows), max(map(len, rows))), dtype=rows[0].dtype)
    for place, row in enumerate(rows):
        whole[place, : len(row)] = row
    return whole


def _matrix(columns: Columns, categories: Mapping[str, Sequence[str]]) -> NDArray[np.float64]:
    """Texts as their place among those known; another is not known."""
    coded = []
    for name, known in categories.items():
        places = {text: float(place) for place, text in enumerate(known)}
        coded.append(np.array([places.get(text, np.nan) for text in columns[name].tolist()]))
    return np.column_stack([*coded, *(columns[name].astype(np.float64) for name in NUMBERS)])
