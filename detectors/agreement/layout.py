"""What a pane of kind `agreement` holds: the places of its numbers, which follow from the features that are compared."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .compared import ComparedFeature

Integers = NDArray[np.int64]
#: Of predictions, in front of all features. ``joined``: those that a row of the feature log is in force for.
ROWS = ("predicted", "duplicates", "expired", "joined")
#: Of each feature. ``missing``: offline there, online not.
NUMBERS = ("pairs", "differing", "missing")
#: Of hashed online values of differing pairs: which share one of them has at least.
CELLS = 16
#: Of numbers, of differing pairs: x offline, y online; products as two limbs, p >> 40 and p & (2^40 - 1), each summed.
SUMS = ("x", "y", "xx high", "xx low", "xy high", "xy low", "yy high", "yy low")


class Place(NamedTuple):
    """Where one feature is counted."""

    start: int  #: of its numbers, its cells, and behind them its offline values in the reference's bins
    bins: int  #: how many
    sums: int  #: of its sums, among all numbers; -1: it has none

    @property
    def cells(self) -> int:
        """Where they begin."""
        return self.start + len(NUMBERS)

    @property
    def offline(self) -> int:
        """Where the bins begin."""
        return self.cells + CELLS


class Layout:
    """Of these features: `counts` numbers, and behind them all sums."""

    def __init__(self, features: Sequence[ComparedFeature]) -> None:
        starts, at = [], len(ROWS)
        for one in features:
            starts.append(at)
            at += len(NUMBERS) + CELLS + len(one.profile.counts)
        self.counts = at
        self.places: tuple[Place, ...] = ()
        for one, start in zip(features, starts, strict=True):
            self.places += (Place(start, len(one.profile.counts), at if one.numeric else -1),)
            at += len(SUMS) if one.numeric else 0
        self.size = at

    def low_limbs(self) -> Integers:
        """Where the low limbs of products stand; the high one of each is in front of it."""
        return np.array([place.sums + at for place in self.places if place.sums >= 0 for at in (3, 5, 7)], dtype=np.int64)
