"""Pairs of fields: is a row that no mask makes familiar so without two fields together? Then both may be broken.

Of every row few pairs are looked at: those of the fields without which it is most familiar. What is counted of them adds, as of masks.
"""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .masks import Left, Mask, Masking

Integers = NDArray[np.int64]

#: Fields of which there are pairs, at most: of 24 there are 276, each with a number in every pane that has outliers.
MOST_FIELDS = 24
#: Fields of a row of which its pairs are: their six take some 100 us.
CANDIDATES = 4


class Paired(NamedTuple):
    """Rows that no mask cures, without two fields each."""

    cured: NDArray[np.bool_]  #: [n, pairs]: of the pairs that were looked at; of rows that a mask cures none
    nearest: Integers  #: [n]: as in `Left`, without the pair that cures a row best; -1: none does


def pairs_of(names: Sequence[str]) -> tuple[Mask, ...]:
    """One every two fields; of two fields alone, and of very many, none.

    >>> [pair.fields for pair in pairs_of(["amount", "city", "zip"])], pairs_of(["amount", "city"])
    ([(0, 1), (0, 2), (1, 2)], ())
    """
    if not 2 < len(names) <= MOST_FIELDS:
        return ()
    return tuple(Mask(f"{names[a]} + {names[b]}", "pair", (a, b)) for a, b in itertools.combinations(range(len(names)), 2))


def paired(masking: Masking, left: Left, pairs: Sequence[Mask], thresholds: Integers) -> Paired:
    """Of rows that masks have been tried on.

    Parameters
    ----------
    left
        Rows without each mask, fields first.
    pairs
        Of the index; of none, nothing is cured.
    thresholds
        By row and pair: what a score must reach.
    """
    cured, nearest = np.zeros((left.coded.rows, len(pairs)), dtype=np.bool_), np.full(left.coded.rows, -1, dtype=np.int64)
    rows = np.flatnonzero(~left.cured.any(axis=1)) if pairs else np.zeros(0, dtype=np.int64)
    if not len(rows):
        return Paired(cured, nearest)
    numbers = {pair.fields: number for number, pair in enumerate(pairs)}
    fields = 1 + max(pair.fields[1] for pair in pairs)
    best = np.sort(np.argsort(-left.scores[rows, :fields], axis=1, kind="stable")[:, :CANDIDATES], axis=1)
    tried = best[:, list(itertools.combinations(range(best.shape[1]), 2))]
    scores, near = masking.apart(left.coded.at(rows), tried)
    own = np.array([[numbers[a, b] for a, b in of_row] for of_row in tried.tolist()])
    familiar = scores >= thresholds[rows[:, None], own]
    cured[rows[:, None], own] = familiar
    best_pair = np.where(familiar, scores, np.iinfo(np.int64).min).argmax(axis=1)
    nearest[rows] = np.where(familiar.any(axis=1), np.take_along_axis(near, best_pair[:, None], axis=1)[:, 0], -1)
    return Paired(cured, nearest)
