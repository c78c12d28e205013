"""What is summed of one window: the vectors of panes, as panes have them. Whatever is added in whatever order comes to the same.

What the numbers stand for is read by `driftbus.detectors.diagnosis.reading`, by the layouts of the reference.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from ...schemas.integers import packed, unpacked
from ..counting.sparse import Gathered

Integers = NDArray[np.int64]

#: Names of one field that a window keeps, those with the most rows: of categories that the reference does not know, and of values that
#: many rows have.
MOST_NAMES = 64

_NOTHING = np.zeros(0, dtype=np.int64)


class Place(NamedTuple):
    """An input partition."""

    topic: str
    partition: int


class Read(NamedTuple):
    """What a pane of predictions, or of kind `ood`, adds; vectors may be parts, which begin at a place."""

    counts: tuple[tuple[int, Integers], ...] = ()
    inside: tuple[int, Integers] | None = None
    masked: Integers | None = None
    unseen: Mapping[str, Mapping[str, int]] = {}
    magnitudes: Mapping[str, Integers] = {}
    repeated: Mapping[str, Integers] = {}
    ages: Mapping[str, tuple[int, int]] = {}


@dataclass
class Sums:
    """One window's, or those of several together."""

    rows: int = 0
    counts: Integers = field(default_factory=lambda: _NOTHING)  #: of a pane, its sums behind its counts
    inside: Integers = field(default_factory=lambda: _NOTHING)
    masked: Integers = field(default_factory=lambda: _NOTHING)
    compared: tuple[int, int] = (0, 0)  #: rows compared with the training data, and outliers among them
    outcomes: Integers = field(default_factory=lambda: _NOTHING)
    pairs: Integers = field(default_factory=lambda: _NOTHING)  #: of a pane of kind `agreement`, its sums behind its counts
    #: Of the same, a row each: the feature's number, the code of an online value of differing pairs, how many these are.
    commonest: Integers = field(default_factory=lambda: np.zeros((0, 3), dtype=np.int64))
    unseen: dict[str, dict[str, int]] = field(default_factory=dict)
    magnitudes: Gathered = field(default_factory=Gathered)  #: by field, cells over rows
    repeated: Gathered = field(default_factory=Gathered)  #: by field, values (the bits of their floats) over rows
    ages: dict[str, tuple[int, int]] = field(default_factory=dict)
    offsets: dict[Place, tuple[int, int]] = field(default_factory=dict)  #: of predictions
    complete: bool = True
    clock_decided: bool = False

    def add(self, read: Read, size: int) -> None:
        """What a pane says; ``size``: of the counts and sums of its reference."""
        for at, vector in read.counts:
            self.counts = _put(self.counts, size, at, vector)
        if read.inside is not None:
            at, vector = read.inside
            self.inside = _put(self.inside, at + len(vector), at, vector)
        if read.masked is not None:
            self.masked = _put(self.masked, len(read.masked), 0, read.masked)
        _add_names(self.unseen, read.unseen)
        self.magnitudes.add(read.magnitudes)
        self.repeated.add(read.repeated)
        _add_ages(self.ages, read.ages)

    def add_outcomes(self, vector: Integers) -> None:
        """What a revision says, in the layout of the version's outcomes."""
        self.outcomes = _put(self.outcomes, len(vector), 0, vector)

    def add_pairs(self, vector: Integers, commonest: Integers) -> None:
        """What a pane of kind `agreement` says."""
        self.pairs = _put(self.pairs, len(vector), 0, vector)
        self.commonest = _named(np.concatenate((self.commonest, commonest)))

    def read_from(self, place: Place, first: int, last: int) -> None:
        """From where rows of it are."""
        low, high = self.offsets.get(place, (first, last))
        self.offsets[place] = min(low, first), max(high, last)

    def trim(self) -> None:
        """Keep of names those with the most rows. To be called when all of a time is added: what is kept must not depend on the order."""
        for name, own in self.unseen.items():
            if len(own) > MOST_NAMES:
                self.unseen[name] = dict(sorted(own.items(), key=lambda one: (-one[1], one[0]))[:MOST_NAMES])
        repeated = self.repeated.whole
        for name, both in repeated.items():
            if both.shape[1] > MOST_NAMES:
                kept = np.sort(np.lexsort((both[0], -both[1]))[:MOST_NAMES])
                repeated[name] = both[:, kept]
        self.commonest = _most(self.commonest)

    def outcomes_alone(self) -> "Sums":
        """Without what is looked at in the newest windows only."""
        return Sums(self.rows, outcomes=self.outcomes, complete=self.complete, clock_decided=self.clock_decided)

    def encoded(self) -> bytes:
        """As it stands in a snapshot."""
        plain: list[Any] = [
            self.rows,
            [packed(one) for one in (self.counts, self.inside, self.masked, self.outcomes, self.pairs, self.commonest.ravel())],
            self.compared,
            self.unseen,
            [{name: [packed(row) for row in both] for name, both in one.whole.items()} for one in (self.magnitudes, self.repeated)],
            self.ages,
            [[*place, *offsets] for place, offsets in sorted(self.offsets.items())],
            self.complete,
            self.clock_decided,
        ]
        return msgspec.msgpack.encode(plain, order="sorted")

    @classmethod
    def decoded(cls, content: bytes) -> "Sums":
        """What `encoded` wrote."""
        rows, vectors, compared, unseen, sparse, ages, offsets, complete, by_clock = msgspec.msgpack.decode(content)
        counts, inside, masked, outcomes, pairs, commonest = map(unpacked, vectors)
        magnitudes, repeated = (Gathered({name: np.stack([unpacked(row) for row in both]) for name, both in one.items()}) for one in sparse)
        return cls(
            rows,
            counts,
            inside,
            masked,
            tuple(compared),
            outcomes,
            pairs,
            commonest.reshape(-1, 3),
            unseen,
            magnitudes,
            repeated,
            {name: tuple(one) for name, one in ages.items()},
            {Place(topic, partition): (first, last) for topic, partition, first, last in offsets},
            complete,
            by_clock,
        )


def added(parts: Iterable[Sums]) -> Sums:
    """The sums of several windows together.

    >>> added([Sums(3, compared=(2, 1)), Sums(4, compared=(4, 0))]).compared
    (6, 1)
    """
    whole = Sums()
    for one in parts:
        whole.rows += one.rows
        for name in ("counts", "inside", "masked", "outcomes"):
            vector = getattr(one, name)
            setattr(whole, name, _put(getattr(whole, name), len(vector), 0, vector))
        whole.add_pairs(one.pairs, one.commonest)
        whole.compared = whole.compared[0] + one.compared[0], whole.compared[1] + one.compared[1]
        _add_names(whole.unseen, one.unseen)
        whole.magnitudes.add(one.magnitudes.whole)
        whole.repeated.add(one.repeated.whole)
        _add_ages(whole.ages, one.ages)
        for place, (first, last) in one.offsets.items():
            whole.read_from(place, first, last)
        whole.complete &= one.complete
        whole.clock_decided |= one.clock_decided
    return whole


def _put(whole: Integers, size: int, at: int, vector: Integers) -> Integers:
    """A vector with another added to a part of it; as long as it must be. The former one is left as it is, if it is shared."""
    if len(whole) < max(size, at + len(vector)):
        longer = np.zeros(max(size, at + len(vector)), dtype=np.int64)
        longer[: len(whole)] = whole
        whole = longer
    whole[at : at + len(vector)] += vector
    return whole


def _named(rows: Integers) -> Integers:
    """Of each feature and code one row; none where all that was said of it is taken back."""
    keys, place = np.unique(rows[:, :2], axis=0, return_inverse=True)
    counts = np.zeros(len(keys), dtype=np.int64)
    np.add.at(counts, place.ravel(), rows[:, 2])
    found = np.column_stack((keys, counts))
    return np.asarray(found[counts != 0], dtype=np.int64)


def _most(rows: Integers) -> Integers:
    """Of each feature those codes that have the most rows."""
    order = rows[np.lexsort((rows[:, 1], -rows[:, 2], rows[:, 0]))]
    first = np.searchsorted(order[:, 0], order[:, 0])
    return _named(order[np.arange(len(order)) - first < MOST_NAMES])


def _add_names(whole: dict[str, dict[str, int]], more: Mapping[str, Mapping[str, int]]) -> None:
    for name, own in more.items():
        whole[name] = dict(Counter(whole.get(name, {})) + Counter(own))


def _add_ages(whole: dict[str, tuple[int, int]], more: Mapping[str, tuple[int, int]]) -> None:
    for name, (seconds, rows) in more.items():
        before = whole.get(name, (0, 0))
        whole[name] = before[0] + seconds, before[1] + rows
