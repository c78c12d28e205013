"""What an answer loses, as a whole number: so sums are exact, and the same on every machine."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...schemas.integers import Integers
from ...schemas.messages.golden import INVALID
from ...schemas.stored.golden import OF_LABELS, OF_NUMBERS, OF_PROBABILITIES, GoldenSet, Loss, label_text

#: No loss of a row is larger: the losses of a whole set then add up within 64 bits.
MOST_LOSS = 1 << 47
#: Probabilities nearer to 0 lose no more: one answer that is certain and wrong must not be all that counts.
_LEAST = 1e-15
#: By how much probabilities may miss 1 together: those of models are of 32 bits.
_ROUNDING = 1e-3
#: What of each loss is told: the loss from which it follows, and its name as a metric.
_METRICS: Mapping[str, str] = {"zero_one": "accuracy", "log_loss": "log_loss", "brier": "brier", "absolute": "mae", "squared": "rmse"}


class Target(NamedTuple):
    """The right answers of a set, in the order of its rows."""

    loss: Loss
    classes: tuple[str, ...]
    places: int
    labels: NDArray[np.float64]  #: numbers, or the places of classes

    @classmethod
    def of(cls, golden: GoldenSet) -> "Target":
        """Those of a set."""
        of_class = {name: place for place, name in enumerate(golden.classes)}
        labels = [row.label if golden.loss in OF_NUMBERS else of_class[str(row.label)] for row in golden.rows]
        return cls(golden.loss, golden.classes, golden.places, np.array(labels, dtype=np.float64))

    @property
    def losses(self) -> tuple[str, ...]:
        """All that can be told of such answers, the set's own loss first."""
        further = OF_NUMBERS if self.loss in OF_NUMBERS else {*OF_PROBABILITIES, "zero_one"} if self.loss in OF_PROBABILITIES else set()
        return (self.loss, *sorted(set(further) - {self.loss}))

    def places_of(self, loss: str) -> int:
        """Of a loss that is told: where the largest label has so many units, so has its square."""
        if (self.loss, loss) == ("absolute", "squared"):
            return 2 * self.places - OF_LABELS
        return (self.places + OF_LABELS) // 2 if (self.loss, loss) == ("squared", "absolute") else self.places


def losses_of(target: Target, rows: NDArray[np.intp], answers: Sequence[object]) -> dict[str, Integers]:
    """The losses of these rows' answers, as a model gave them in JSON; `INVALID` where an answer is none of its kind.

    >>> target = Target("brier", ("no", "yes"), 20, np.array([1.0, 0.0]))
    >>> losses_of(target, np.array([0, 1]), [0.5, "perhaps"])["brier"].tolist()
    [262144, -3]
    """
    match target.loss:
        case "absolute" | "squared":
            raw = _of_numbers(target.labels[rows], answers)
        case "log_loss" | "brier":
            raw = _of_probabilities(target, rows, answers)
        case _:
            raw = _of_classes(target, rows, answers)
    return {name: fixed(raw[name], target.places_of(name)) for name in target.losses}


def fixed(losses: NDArray[np.float64], places: int) -> Integers:
    """Losses in units of 2 ** -places, at most `MOST_LOSS`; NaN is no loss.

    >>> fixed(np.array([0.5, np.inf, np.nan]), 20).tolist()
    [524288, 140737488355328, -3]
    """
    with np.errstate(over="ignore"):
        units = np.minimum(np.ldexp(losses, places), float(MOST_LOSS))
    return np.where(np.isnan(units), INVALID, np.rint(np.nan_to_num(units))).astype(np.int64)


def metrics(sums: Mapping[str, tuple[int, int]], rows: int) -> dict[str, float]:
    """What people call the means of losses: by loss its sum and its places.

    >>> metrics({"zero_one": (1 << 20, 20)}, 4), metrics({"squared": (8, 0)}, 2), metrics({"brier": (0, 20)}, 0)
    ({'accuracy': 0.75}, {'rmse': 2.0}, {})
    """
    means = {name: _scaled(total / rows, -places) for name, (total, places) in sums.items()} if rows else {}
    told = {
        _METRICS[name]: 1 - mean if name == "zero_one" else math.sqrt(mean) if name == "squared" else mean for name, mean in means.items()
    }
    return {name: value for name, value in told.items() if math.isfinite(value)}


def mean_loss(loss: str, told: Mapping[str, float]) -> float | None:
    """The mean of a loss, by what `metrics` tells; None: it is not told.

    >>> mean_loss("zero_one", {"accuracy": 0.75}), mean_loss("squared", {"rmse": 2.0}), mean_loss("brier", {})
    (0.25, 4.0, None)
    """
    value = told.get(_METRICS.get(loss, ""))
    if value is None:
        return None
    return 1 - value if loss == "zero_one" else value * value if loss == "squared" else value


def _scaled(number: float, places: int) -> float:
    try:
        return math.ldexp(number, places)
    except OverflowError:
        return math.inf


def _of_numbers(labels: NDArray[np.float64], answers: Sequence[object]) -> dict[str, NDArray[np.float64]]:
    given = np.array([_number(answer) for answer in answers], dtype=np.float64)
    with np.errstate(over="ignore"):
        absolute = np.abs(given - labels)
        return {"absolute": absolute, "squared": np.square(absolute)}


def _of_classes(target: Target, rows: NDArray[np.intp], answers: Sequence[object]) -> dict[str, NDArray[np.float64]]:
    """A class that the set does not know is a wrong answer; what is no class at all is none."""
    known = {name: place for place, name in enumerate(target.classes)}
    given = np.array([_class(answer, known) for answer in answers], dtype=np.float64)
    return {"zero_one": np.where(np.isnan(given), np.nan, given != target.labels[rows])}


def _of_probabilities(target: Target, rows: NDArray[np.intp], answers: Sequence[object]) -> dict[str, NDArray[np.float64]]:
    given = np.array([_probabilities(answer, target.classes) for answer in answers], dtype=np.float64).reshape(-1, len(target.classes))
    given = np.where((given >= 0) & (given <= 1), given, np.nan)
    given[np.abs(given.sum(axis=1) - 1) > _ROUNDING] = np.nan
    right = target.labels[rows].astype(np.intp)
    of_right = given[np.arange(len(right)), right]
    bad = np.isnan(given).any(axis=1)
    wrong = np.where(bad, 0, np.argmax(np.nan_to_num(given), axis=1) != right)
    found = {
        "log_loss": np.maximum(0.0, -np.log(np.clip(np.nan_to_num(of_right), _LEAST, 1.0))),
        "brier": np.square(given - (np.arange(len(target.classes)) == right[:, None])).sum(axis=1) / _BRIER[len(target.classes) == 2],
        "zero_one": wrong,
    }
    return {name: np.where(bad, np.nan, values) for name, values in found.items()}


#: Of two classes the squares are counted once, as usual, of more over all.
_BRIER = {True: 2.0, False: 1.0}


def _number(answer: object) -> float:
    try:
        number = math.nan if isinstance(answer, bool) or not isinstance(answer, int | float) else float(answer)
    except OverflowError:
        return math.nan
    return number if math.isfinite(number) else math.nan


def _class(answer: object, known: Mapping[str, int]) -> float:
    if isinstance(answer, str) or (isinstance(answer, int | float) and math.isfinite(answer)):
        return known.get(label_text(answer), -1)
    return math.nan


def _probabilities(answer: object, classes: Sequence[str]) -> list[float]:
    """One for each class; NaN where there is none."""
    if isinstance(answer, dict):
        return [_number(answer.get(name)) for name in classes] if answer.keys() <= set(classes) else [math.nan] * len(classes)
    if isinstance(answer, list):
        return [_number(one) for one in answer] if len(answer) == len(classes) else [math.nan] * len(classes)
    one = _number(answer)
    return [1 - one, one] if len(classes) == 2 else [math.nan] * len(classes)
