"""The model that is watched: a logistic regression (river) that says, when a flight leaves, whether it will arrive late."""

import numpy as np
from numpy.typing import NDArray
from river import linear_model, optim
from scipy import stats

from .data import CATEGORICAL, NUMERIC, Flights


def scores(flights: Flights, training: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The probability of each flight to be more than 15 minutes late, by a model that learnt from the flights in ``training``.

    river learns flight by flight; its weights then score the whole year at once.
    """
    numbers = np.column_stack([flights.numbers[name] for name in NUMERIC])
    numbers = (numbers - np.nanmean(numbers[training], axis=0)) / np.nanstd(numbers[training], axis=0)
    numbers = np.nan_to_num(np.clip(numbers, -5, 5))  # what is not known is as usual
    categories = {name: [f"{name}={value}" for value in flights.categories[name].tolist()] for name in CATEGORICAL}

    model = linear_model.LogisticRegression(optim.SGD(0.005))
    for row in np.flatnonzero(training).tolist():
        inputs = dict(zip(NUMERIC, numbers[row].tolist(), strict=True)) | {column[row]: 1.0 for column in categories.values()}
        model.learn_one(inputs, bool(flights.late[row]))

    log_odds = model.intercept + numbers @ np.array([model.weights[name] for name in NUMERIC])
    for column in categories.values():
        log_odds += np.array([model.weights.get(category, 0.0) for category in column])
    probability: NDArray[np.float64] = np.round(1 / (1 + np.exp(-log_odds)), 4)
    return probability


def auc(score: NDArray[np.float64], late: NDArray[np.bool_]) -> float:
    """The chance that a late flight scores higher than one in time.

    >>> auc(np.array([0.1, 0.4, 0.8]), np.array([False, False, True]))
    1.0
    """
    ranks, n = stats.rankdata(score)[late].sum(), int(late.sum())
    return float((ranks - n * (n + 1) / 2) / (n * (len(late) - n)))
