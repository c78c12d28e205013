"""The models that learn: river's, each with settings for a slow and a fast one, and how rows are put before them."""

import math
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Literal, NamedTuple

import numpy as np
from river import forest, linear_model, optim, preprocessing, tree
from xxhash import xxh3_64_intdigest

from . import state

#: Of one feature; None is no value.
Value = float | str | bool | None
Features = Mapping[str, Value]
Kind = Literal["logistic", "tree", "forest"]

#: Texts of a feature fall into so many slots: what a model remembers does not grow with what is sent.
SLOTS = 256
#: Of rows that count as usual, in standard deviations: one wild value must not undo what was learnt.
FARTHEST = 5.0
#: So far a number counts among the sizes of numbers at most, once so many are known: one of 1e16 made all others alike for as many rows.
WILD, KNOWN = 20.0, 30
#: Squares of numbers stay finite: the variance of any larger ones was NaN from then on, and every score a half.
LARGEST = 1e100
#: Deeper trees could not be written: an object's parts are written within each other.
DEEPEST = 12
#: Predictions are at least so far from certain: a log loss is then bounded.
CERTAIN = 1e-6
#: Rows from which the twin learns that a state is read by.
_TWIN_ROWS = 2_000


class Pace(NamedTuple):
    """How fast a candidate learns."""

    rate: float  #: of gradient descent
    grace: int  #: rows that a leaf sees before it is split


SLOW, FAST = Pace(0.001, 1_000), Pace(0.01, 200)


class Candidate:
    """A model, and what it knows of the sizes of numbers. Equal settings and rows make equal models.

    >>> candidate = Candidate("logistic", FAST, seed=7)
    >>> for row in range(200):
    ...     candidate.learn({"amount": row % 10.0, "country": "DE"}, row % 10 > 4)
    >>> candidate.score({"amount": 9.0, "country": "DE"}) > 0.6 > 0.4 > candidate.score({"amount": 0.0, "country": "DE"})
    True
    """

    def __init__(self, kind: Kind, pace: Pace, seed: int) -> None:
        self._kind, self._pace, self._seed = kind, pace, seed
        self._parts: list[Any] = [preprocessing.StandardScaler(), _MADE[kind](pace, seed)]  # river gives no types

    def score(self, features: Features) -> float:
        """The probability of a positive label."""
        found = self._parts[1].predict_proba_one(self._seen(features)).get(True, 0.0)
        return min(max(float(found), CERTAIN), 1 - CERTAIN) if math.isfinite(found) else 0.5

    def learn(self, features: Features, label: bool) -> None:
        """From one labelled row."""
        scaler, model = self._parts
        scaler.learn_one({name: self._sober(name, value) for name, value in _numbers(features).items()})
        model.learn_one(self._seen(features), label)

    def written(self) -> bytes:
        """All that it has learnt, as plain data."""
        return state.written(self._parts)

    def restored(self, content: bytes) -> "Candidate":
        """What a candidate of the same settings wrote. Raises `state.Foreign`."""
        found = Candidate(self._kind, self._pace, self._seed)
        parts = state.read(content, _twin(self._kind))
        if list(map(type, parts)) != list(map(type, found._parts)):
            msg = f"the state of {[type(part).__name__ for part in parts]}, and this is a {self._kind}"
            raise state.Foreign(msg)
        found._parts = parts
        return found

    def _sober(self, name: str, value: float) -> float:
        scaler = self._parts[0]
        if scaler.counts[name] < KNOWN or not scaler.vars[name]:
            return value
        mean, most = scaler.means[name], WILD * math.sqrt(scaler.vars[name])
        return float(min(max(value, mean - most), mean + most))

    def _seen(self, features: Features) -> dict[str, float]:
        numbers = self._parts[0].transform_one(_numbers(features))
        seen = {name: min(max(value, -FARTHEST), FARTHEST) for name, value in numbers.items()}
        for name, value in features.items():
            if isinstance(value, str):
                slot = xxh3_64_intdigest(value.encode("utf-8", "surrogatepass")) % SLOTS
                seen[f"{name}#{slot}"] = 1.0
        return seen


def _numbers(features: Features) -> dict[str, float]:
    """What can be measured of a row; what is not known is left out, and so counts as usual."""
    numbers = {name: value for name, value in features.items() if isinstance(value, bool | int | float) and math.isfinite(value)}
    return {name: float(min(max(value, -LARGEST), LARGEST)) for name, value in numbers.items()}


def _logistic(pace: Pace, seed: int) -> Any:  # river gives no types
    return linear_model.LogisticRegression(optim.SGD(pace.rate), intercept_lr=pace.rate)


def _tree(pace: Pace, seed: int) -> Any:
    return tree.HoeffdingAdaptiveTreeClassifier(grace_period=pace.grace, max_depth=DEEPEST, seed=seed)


def _forest(pace: Pace, seed: int) -> Any:
    return forest.ARFClassifier(n_models=3, grace_period=pace.grace // 4, max_depth=DEEPEST, seed=seed)


_MADE: Mapping[Kind, Callable[[Pace, int], Any]] = {"logistic": _logistic, "tree": _tree, "forest": _forest}


@cache
def _twin(kind: Kind) -> list[Any]:
    """A model that has grown, and replaced what had become wrong: the classes of its parts are those that a state may name."""
    twin, draw = Candidate(kind, Pace(0.01, 20), 0), np.random.default_rng(0)
    for row, value in enumerate(draw.random(_TWIN_ROWS).tolist() if kind != "logistic" else ()):
        twin.learn({"value": value, "row": row % 7, "text": str(row % 5)}, (value > 0.5) == (row * 2 < _TWIN_ROWS))
    return twin._parts
