"""Which signals say the same as others: what is silent beside what is open, and what is not blamed beside what is."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from ...schemas.stored.reference import NumericProfile, PairProfile
from ..counting.layout import Signal


class Companions:
    """Among the tested signals: those of a segment go with the same signal of all rows, a pair with either of its fields' values, the
    joint distance with all numbers and all pairs.

    While the one is in an open episode the others leave the mean: they would tell of the same change again. And where both could be
    blamed, the one is.
    """

    def __init__(self, signals: Sequence[Signal]) -> None:
        place = {signal.key: index for index, signal in enumerate(signals)}
        self._leaders = [[place[key] for key in _leaders(signal, signals) if key in place] for signal in signals]
        self.segments: list[list[int]] = [[] for _ in signals]  #: of every signal of all rows, the same one in each segment
        for index, signal in enumerate(signals):
            if signal.segment is not None:
                for leader in self._leaders[index]:
                    self.segments[leader].append(index)

    def tested(self, open_signals: Iterable[int]) -> NDArray[np.bool_]:
        """Which are tested while these are in open episodes."""
        away = set(open_signals)
        return np.array([index not in away and away.isdisjoint(leaders) for index, leaders in enumerate(self._leaders)], dtype=np.bool_)

    def blamed(self, suspected: Iterable[int]) -> set[int]:
        """Of those suspected, without those that another one of them speaks for."""
        found = set(suspected)
        return {index for index in found if found.isdisjoint(self._leaders[index])}


def _leaders(signal: Signal, signals: Sequence[Signal]) -> list[tuple[str, str, str]]:
    if signal.segment is not None:
        return [(signal.name, signal.of, "")]
    if isinstance(signal.profile, PairProfile):
        return [(name, "values", "") for name in (signal.profile.first, signal.profile.second)]
    if signal.group == "joint":
        numbers = (s for s in signals if s.of == "pair" or (s.of == "values" and isinstance(s.profile, NumericProfile)))
        return [other.key for other in numbers if other.segment is None]
    return []
