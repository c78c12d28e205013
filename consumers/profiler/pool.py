"""The model versions of a run that have no reference: the first have panes of their own, all others one together.

A request id that is mapped as the model would else make a pane of every row, each larger than the row.
"""

from hashlib import blake2b

#: Unmonitored model versions that have panes of their own, in a run: the first, in the order of the log.
MOST_NAMED = 100
#: Distinct names that are counted in a pane of the others.
MOST_POOLED = 100_000
_Version = tuple[str, str]


class Unmonitored:
    """Of one run. What is named is a function of the run's records in their order, so that whoever reads them again names the same."""

    def __init__(self) -> None:
        self._named: set[_Version] = set()
        self._pooled: dict[tuple[int, _Version], set[bytes]] = {}

    def short_of(self, versions: int) -> bool:
        """Whether so many more could be too many."""
        return len(self._named) + versions > MOST_NAMED

    def named(self, version: _Version) -> bool:
        """Whether it has panes of its own. To be asked in the order of the log."""
        if version not in self._named and len(self._named) >= MOST_NAMED:
            return False
        self._named.add(version)
        return True

    def pool(self, bucket: int, place: _Version, version: _Version) -> None:
        """Take note of one that has none; ``place``: where its rows are counted."""
        found = self._pooled.setdefault((bucket, place), set())
        if len(found) < MOST_POOLED:
            found.add(blake2b("\0".join(version).encode(), digest_size=8).digest())

    def pooled(self, bucket: int, place: _Version) -> int:
        """How many were counted there."""
        return len(self._pooled.get((bucket, place), ()))
