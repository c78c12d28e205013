"""Two versions' answers to the same question, and what became of it: by how much one was better, and what bets on either have made of 1."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...schemas.messages.contest import STAKES
from ...schemas.stored.outcomes import Task
from .values import NO_SCORE, UNIT, Floats, Integers, numbers_of

#: Probabilities are taken to be at least so far from 0 and 1: what a row can win or lose stays of the size of what most do.
CLIPPED = 0.01
#: Of what is gained in one row, in units: errors that differ by more than a million count as that, and sums of millions have room.
_LARGEST = 2.0**40
#: Below it two answers are one: nothing is bet on their difference.
_NO_DIFFERENCE = 1e-9
_STAKES = np.array(STAKES)


class Answers(NamedTuple):
    """Of one version, row by row."""

    values: Integers
    scores: NDArray[np.int32]


class Gains(NamedTuple):
    """Row by row: ``part``, by how much the first one's loss is smaller, as a part of the most that it could be by a bound that is known
    before the outcome; ``loss``, by how much it is.
    """

    part: Floats
    loss: Floats


def gains(task: Task, first: Answers, other: Answers, outcomes: Integers) -> Gains:
    """Log loss of probabilities, clipped; where there is none, or of several classes, whether it is right; of numbers the absolute error.

    >>> answers = [Answers(np.array([1]), np.array([score], dtype=np.int32)) for score in (UNIT * 9 // 10, UNIT // 2)]
    >>> gains("binary", *answers, np.array([1])).part.round(3).tolist(), gains("binary", *answers, np.array([0])).part.round(3).tolist()
    ([0.365], [-1.0])
    """
    if task == "number":
        return _of_numbers(numbers_of(first.values), numbers_of(other.values), numbers_of(outcomes))
    right, wrong = (first.values == outcomes).astype(np.float64), (other.values == outcomes).astype(np.float64)
    part = loss = right - wrong
    if task == "binary":
        probable = (first.scores != NO_SCORE) & (other.scores != NO_SCORE)
        if probable.any():
            of_scores = _of_probabilities(first.scores, other.scores, outcomes == 1)
            part, loss = (np.where(probable, *each) for each in zip(of_scores, (part, loss), strict=True))
    return Gains(part, loss)


def _of_probabilities(first: NDArray[np.int32], other: NDArray[np.int32], happened: NDArray[np.bool_]) -> Gains:
    own, others = (np.clip(scores / UNIT, CLIPPED, 1 - CLIPPED) for scores in (first, other))
    if_it_does, if_not = np.log(own / others), np.log((1 - own) / (1 - others))
    loss = np.where(happened, if_it_does, if_not)
    return Gains(_part(loss, np.maximum(np.abs(if_it_does), np.abs(if_not))), loss)


def _of_numbers(first: Floats, other: Floats, outcomes: Floats) -> Gains:
    """Absolute errors differ by no more than the numbers themselves."""
    with np.errstate(invalid="ignore", over="ignore"):
        loss, apart = np.abs(other - outcomes) - np.abs(first - outcomes), np.abs(first - other)
    known = np.isfinite(loss) & np.isfinite(apart)
    loss, apart = np.where(known, loss, 0.0), np.where(known, apart, 0.0)
    scale = np.maximum(np.abs(first), np.abs(other))
    return Gains(_part(loss, np.where(apart > _NO_DIFFERENCE * np.where(known, scale, 1.0), apart, 0.0), 0.0), loss)


def _part(loss: Floats, most: Floats, least: float = _NO_DIFFERENCE) -> Floats:
    differ = most > least
    return np.asarray(np.clip(np.where(differ, loss / np.where(differ, most, 1.0), 0.0), -1.0, 1.0))


def sums(found: Gains) -> Integers:
    """Rows, part, its square, loss, and by stake what has been won and lost, shape (4 + 2 stakes,): whole numbers, so that they add up
    in any order; all but rows in units of 2^-20.
    """
    bets = found.part[:, None] * _STAKES
    gained = np.clip(np.rint(found.loss * UNIT), -_LARGEST, _LARGEST)
    columns = [found.part, found.part**2, *np.log1p(bets).T, *np.log1p(-bets).T]
    part, square, *wealth = (int(np.rint(column * UNIT).astype(np.int64).sum()) for column in columns)
    return np.array([len(found.part), part, square, int(gained.astype(np.int64).sum()), *wealth], dtype=np.int64)
