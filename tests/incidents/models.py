"""The models that incidents happen to: really trained, on part of a table; and ways to break one."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor, RandomForestClassifier

from .rows import Column, Table, Trained
from .tables import table

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

#: Of the rows that are not withheld: those trained on; rows of the golden set.
_TRAINED, _GOLDEN = 0.45, 800
#: Of the pool, the part whose scores stand in the reference.
_SCORED = 5
#: Rows of a truncated extract; labels that a wrong join shuffled; rows of a legitimate retrain.
_TINY, _SHUFFLED, _RETRAINED = 120, 0.45, 0.9


class Model:
    """Columns to scores: probabilities of 1, or numbers."""

    def __init__(self, table_: Table, rows: Integers, outcomes: Floats, seed: int, *, teacher: bool = False) -> None:
        self._numeric, self._categorical = table_.numeric, table_.categorical
        self._binary = table_.binary
        chosen = {name: column[rows] for name, column in table_.features.items()}
        self._codes = {name: {value: code for code, value in enumerate(sorted(set(chosen[name].tolist())))} for name in self._categorical}
        self._forest = table_.name == "california" and not teacher
        matrix = self._matrix(chosen)
        self._medians = np.nanmedian(matrix[:, : len(self._numeric)], axis=0)
        self._fitted: Any = _unfitted(forest=self._forest, binary=table_.binary, seed=seed)  # scikit-learn's classes have no types
        self._fitted.fit(self._filled(matrix), outcomes)

    def __call__(self, columns: dict[str, Column]) -> Floats:
        """The score of every row."""
        matrix = self._filled(self._matrix(columns))
        return np.asarray(self._fitted.predict_proba(matrix)[:, 1] if self._binary else self._fitted.predict(matrix), dtype=np.float64)

    def _matrix(self, columns: dict[str, Column]) -> Floats:
        numbers = [np.asarray(columns[name], dtype=np.float64) for name in self._numeric]
        codes = [
            np.array([self._codes[name].get(value, -1) for value in columns[name].tolist()], dtype=np.float64) for name in self._categorical
        ]
        return np.stack([*numbers, *codes], axis=1)

    def _filled(self, matrix: Floats) -> Floats:
        if not self._forest:
            return matrix
        numbers = matrix[:, : len(self._numeric)]
        return np.concatenate([np.where(np.isnan(numbers), self._medians, numbers), matrix[:, len(self._numeric) :]], axis=1)


def _unfitted(*, forest: bool, binary: bool, seed: int) -> Any:  # scikit-learn's classes have no types
    if forest:
        return RandomForestClassifier(60, max_depth=12, min_samples_leaf=5, random_state=seed, n_jobs=1)
    if binary:
        return HistGradientBoostingClassifier(max_iter=120, random_state=seed)
    return HistGradientBoostingRegressor(max_iter=150, random_state=seed)


class Deployed:
    """A model in service: what it was trained on, its golden set, the rows that requests are drawn from, and a teacher of P(y | x)."""

    def __init__(self, name: str, seed: int) -> None:
        self.table = found = table(name)
        order = np.random.default_rng(seed).permutation(np.flatnonzero(~found.withheld))
        trained = int(len(order) * _TRAINED)
        self.trained, self.golden, self.pool = order[:trained], order[trained : trained + _GOLDEN], order[trained + _GOLDEN :]
        self.model = Model(found, self.trained, found.outcomes[self.trained], seed)
        scores = self.model(self.columns(self.pool[: len(self.pool) // _SCORED]))
        self.reference = Trained(found, self.trained, scores)
        self._order, self._seed = order, seed

    @functools.cached_property
    def teacher(self) -> Model:
        """Of all rows that are not withheld."""
        return Model(self.table, self._order, self.table.outcomes[self._order], self._seed + 1, teacher=True)

    def columns(self, rows: Integers) -> dict[str, Column]:
        """Features of some of the table's rows."""
        return {name: column[rows] for name, column in self.table.features.items()}

    def broken(self, kind: str, seed: int) -> Callable[[dict[str, Column]], Floats]:
        """The model as it is after such a deployment."""
        found, outcomes, model = self.table, self.table.outcomes, self.model
        if kind == "inverted":
            mean = float(outcomes[self.trained].mean())
            return lambda columns: 1 - model(columns) if found.binary else 2 * mean - model(columns)
        if kind == "column_swap":  # the export wrote two columns in the wrong order
            one, other = found.important[:2]
            return lambda columns: model({**columns, one: columns[other], other: columns[one]})
        draw = np.random.default_rng(seed)
        rows = draw.permutation(self.trained)
        if kind == "tiny":
            rows = rows[:_TINY]
        elif kind == "benign":
            rows = rows[: int(_RETRAINED * len(rows))]
        answers = outcomes[rows].copy()
        if kind == "noisy_labels":  # retrained on a half-joined table of labels
            wrong = draw.random(len(rows)) < _SHUFFLED
            answers[wrong] = draw.permutation(answers[wrong])
        return Model(found, rows, answers, seed)


@functools.cache
def deployed(name: str, seed: int) -> Deployed:
    """Trained once."""
    return Deployed(name, seed)
