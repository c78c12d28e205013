"""What is made from an artifact, kept while it is used: at most so many, and so large."""

from collections.abc import Callable, Collection
from typing import Generic, NamedTuple, TypeVar

Made = TypeVar("Made")
#: Times the number that is kept, up to which those in turn stay.
IN_TURN = 16


class _Entry(NamedTuple, Generic[Made]):
    made: Made
    size: int
    asked: int  # the number of the question


class Kept(Generic[Made]):
    """The ones asked for last. What was dropped is made again when it is asked for: the bounds change speed, never results.

    ``patience``: beyond the bounds, what is still in turn stays: who goes round many asks again for each within so many questions per one
    kept, and would else make each of them anew in every round. That goes no further than `IN_TURN` times their number.
    """

    def __init__(self, make: Callable[[str], tuple[Made, int]], most: int, largest: int, patience: int = 0) -> None:
        self._make, self._most, self._largest, self._patience = make, most, largest, patience
        self._entries: dict[str, _Entry[Made]] = {}  # the longest unasked first
        self._size = self._asked = 0

    def __len__(self) -> int:
        return len(self._entries)

    def __call__(self, name: str) -> Made:
        """What is made of that artifact."""
        self._asked += 1
        entry = self._entries.pop(name, None)
        if entry is None:
            made, size = self._make(name)
            self._size += size
            self._entries[name] = _Entry(made, size, self._asked)
            self._drop()
            return made
        self._entries[name] = entry._replace(asked=self._asked)
        return entry.made

    def only(self, names: Collection[str]) -> None:
        """Drop all others: nobody will ask for them."""
        for name in self._entries.keys() - set(names):
            self._size -= self._entries.pop(name).size

    def _drop(self) -> None:
        while len(self._entries) > 1 and (len(self._entries) > self._most or self._size > self._largest):
            name, oldest = next(iter(self._entries.items()))
            in_turn = self._asked - oldest.asked <= self._patience * len(self._entries)
            if in_turn and len(self._entries) <= IN_TURN * self._most:
                return
            del self._entries[name]
            self._size -= oldest.size
