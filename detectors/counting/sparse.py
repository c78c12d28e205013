"""Numbers at few places among very many: arrays of two rows, the places, which ascend, and how many are there."""

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]

#: Arrays of one name that wait to be added up.
MOST_WAITING = 64


def merged(parts: Iterable[Integers]) -> Integers:
    """Any number of them, whose places need not ascend, added up.

    >>> merged([np.array([[1, 5], [10, 20]]), np.array([[5, 9], [1, 2]])]).tolist()
    [[1, 5, 9], [10, 21, 2]]
    """
    joined = np.concatenate([np.zeros((2, 0), dtype=np.int64), *parts], axis=1)
    places, place_of = np.unique(joined[0], return_inverse=True)
    found = np.zeros((2, len(places)), dtype=np.int64)
    found[0] = places
    np.add.at(found[1], place_of, joined[1])
    return found


class Gathered:
    """Arrays by name, added up when they are asked for: to add a few numbers to many costs as much as to add many to them.

    >>> found = Gathered()
    >>> for row in (1, 2):
    ...     found.add({"a": np.array([[5], [row]])})
    >>> found.whole["a"].tolist()
    [[5], [3]]
    """

    def __init__(self, whole: Mapping[str, Integers] | None = None) -> None:
        self._whole: dict[str, Integers] = dict(whole or {})
        self._waiting: dict[str, list[Integers]] = {}

    def add(self, more: Mapping[str, Integers]) -> None:
        """The next ones."""
        for name, own in more.items():
            waiting = self._waiting.setdefault(name, [])
            waiting.append(own)
            if len(waiting) >= MOST_WAITING:
                self._merge(name)

    @property
    def whole(self) -> dict[str, Integers]:
        """All that was added."""
        for name in [*self._waiting]:
            self._merge(name)
        return self._whole

    def _merge(self, name: str) -> None:
        former = [self._whole[name]] if name in self._whole else []
        self._whole[name] = merged([*former, *self._waiting.pop(name)])
