"""Which new categories there are: the values of categorical fields that the reference does not know, by name."""

from collections import Counter
from collections.abc import Iterable, Mapping
from hashlib import blake2b

#: Names per field that a pane holds: a renamed set of labels is recognised by them. And those that an event tells.
MOST_NAMED, TOLD = 64, 5
#: Names per field that are remembered.
_KEPT = 20
#: Names of all fields that are counted in a pane. Of more, those of the smallest hashes: whoever counts the run again, in parts of other
#: sizes, keeps the same ones, and their rows are exact.
MOST_COUNTED = 100_000

#: Rows by value, by field.
Names = dict[str, dict[str, int]]


def commonest(values: Mapping[str, int], most: int = TOLD) -> dict[str, int]:
    """The most frequent values; of equally frequent ones the first by name.

    >>> commonest({"b": 2, "a": 2, "c": 3}, 2)
    {'c': 3, 'a': 2}
    """
    return dict(sorted(values.items(), key=lambda item: (-item[1], item[0]))[:most])


def merged_names(parts: Iterable[Mapping[str, Mapping[str, int]]]) -> Names:
    """Rows added up, by field and value."""
    found: dict[str, Counter[str]] = {}
    for part in parts:
        for name, values in part.items():
            found.setdefault(name, Counter()).update(values)
    return {name: commonest(found[name], _KEPT) for name in sorted(found)}


class Unseen:
    """The unknown values of a pane's rows, which come in parts; what is told does not depend on the parts."""

    def __init__(self, most: int = MOST_COUNTED) -> None:
        self._most = most
        self._rows: dict[str, Counter[str]] = {}

    def add(self, part: Names) -> None:
        """Of the next rows."""
        for name, values in part.items():
            self._rows.setdefault(name, Counter()).update(values)
        if sum(map(len, self._rows.values())) > 2 * self._most:
            self._drop()

    def _drop(self) -> None:
        """All but the smallest hashes: what is among them in the end always was."""
        every = [(_digest(name, value), name, value) for name, values in self._rows.items() for value in values]
        for _, name, value in sorted(every)[self._most :]:
            del self._rows[name][value]

    def told(self) -> Names:
        """The commonest of each field."""
        if sum(map(len, self._rows.values())) > self._most:
            self._drop()
        return {name: commonest(values, MOST_NAMED) for name, values in sorted(self._rows.items()) if values}


def _digest(name: str, value: str) -> bytes:
    return blake2b(value.encode(), digest_size=8, key=blake2b(name.encode(), digest_size=32).digest()).digest()


def remembered(known: Names, new: Mapping[str, Mapping[str, int]]) -> Names:
    """What has been seen of late: a bucket that brings new categories of a field lets older ones fade by an eighth."""
    if not new:
        return known
    faded = {name: {value: rows * 7 // 8 for value, rows in values.items()} if name in new else values for name, values in known.items()}
    return {name: {value: rows for value, rows in values.items() if rows} for name, values in merged_names((faded, new)).items()}
