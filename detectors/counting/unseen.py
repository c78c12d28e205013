"""Which new categories there are: the values of categorical fields that the reference does not know, by name."""

from collections import Counter
from collections.abc import Iterable, Mapping

#: Names per field that a pane holds, and an event tells.
TOLD = 5
#: Names per field that are remembered.
_KEPT = 20
LONGEST_NAME = 60

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


def remembered(known: Names, new: Mapping[str, Mapping[str, int]]) -> Names:
    """What has been seen of late: a bucket that brings new categories of a field lets older ones fade by an eighth."""
    if not new:
        return known
    faded = {name: {value: rows * 7 // 8 for value, rows in values.items()} if name in new else values for name, values in known.items()}
    return {name: {value: rows for value, rows in values.items() if rows} for name, values in merged_names((faded, new)).items()}
