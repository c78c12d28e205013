"""Many detectors folded at once: the arithmetic of `driftbus.detectors.episodes.step`, a few hundred times as fast, and checked against it.

Log likelihood ratios are linear in the counts, so that a table of them per bin, asked of the detector's own bets, is all that is needed.
Values and their availability are fed, or flags of the lane `ood`; what else a reference has (pairs, say) gets no rows, and its part of
the weight stays unused.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from driftbus.consumers.reference.building.columns import Chunk, Key
from driftbus.detectors.episodes.step import Bucket, Decided, Suite, start, step
from driftbus.schemas.configuration import Model
from driftbus.schemas.stored.reference import Reference

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

#: As in the mixture: one bucket multiplies R by no more than its exponential. (A float32 ends soon behind it, far beyond any budget.)
_LARGEST_STEP = {np.float64: 600.0, np.float32: 60.0}
_NONE = np.zeros(0, dtype=np.int64)


class Columns:
    """Columns of features as the product builds a reference from them."""

    label = "rows"

    def __init__(self, columns: Mapping[str, Floats], times_ms: Counts) -> None:
        self._columns = {Key("feature", name): column for name, column in columns.items()}
        self._times = times_ms

    def chunks(self, keys: Sequence[Key] | None = None) -> Iterator[Chunk]:
        chosen = self._columns if keys is None else keys
        yield Chunk(len(self._times), self._times, {key: self._columns[key] for key in chosen})

    def remarks(self) -> Sequence[str]:
        return []


def compiled(reference: Reference, settings: Model) -> Suite:
    return Suite(reference, settings, application="benchmark", stream="-", configuration_hash="-", reference_hash="-")


class _Fed:
    """The signals of a detector that have rows: where their counts and their bets stand, and the log ratio of one row by bin and bet."""

    def __init__(self, tests: Decided) -> None:
        self.tables: list[tuple[slice, slice, Floats]] = []
        self.bets: list[int] = []
        for place, signal in enumerate(tests.bets.signals):
            if signal.group in ("values", "availability", "ood"):
                own = tests.bets.of(place)
                rows = np.zeros((signal.size, tests.space.length), dtype=np.int64)
                rows[np.arange(signal.size), signal.start + np.arange(signal.size)] = 1
                table = np.stack([tests.bets.log_ratios(row)[0][own] for row in rows])
                first = len(self.bets)
                self.bets += range(own.start, own.stop)
                self.tables.append((signal.span, slice(first, len(self.bets)), table))
        self.weight = tests.bets.joint_weight[self.bets]


class Detectors:
    """So many streams for each of several detectors, each restarted at once after its alarm."""

    def __init__(self, tests: Sequence[Decided], streams: int = 1, dtype: type[np.float64] | type[np.float32] = np.float32) -> None:
        self.fed = [_Fed(one) for one in tests]
        most = max(len(one.bets) for one in self.fed)
        self._budget = np.array([one.budget_seconds for one in tests], dtype=dtype)[:, None]
        self._weights = np.zeros((len(tests), 1, most), dtype=dtype)
        for row, one in zip(self._weights, self.fed, strict=True):
            row[0, : len(one.weight)] = one.weight
        self._dtype = dtype
        self.r = np.zeros((len(tests), streams, most), dtype=dtype)

    def fold(self, counts: Sequence[Counts], seconds: float) -> Iterator[NDArray[np.bool_]]:
        """Pane by pane, which streams alarm. Counts of a detector: [stream, pane, bin of the layout], of every signal in every pane."""
        streams, panes, _ = counts[0].shape
        ratios = np.zeros((panes, *self.r.shape), dtype=self._dtype)
        for place, (mine, fed) in enumerate(zip(counts, self.fed, strict=True)):
            for span, bets, table in fed.tables:
                logs = mine[..., span].reshape(streams * panes, -1).astype(self._dtype) @ table.astype(self._dtype)
                ratios[:, place, :, bets] = logs.reshape(streams, panes, -1).transpose(1, 0, 2)
        np.exp(np.minimum(ratios, _LARGEST_STEP[self._dtype], out=ratios), out=ratios)
        for ratio in ratios:
            self.r += seconds
            self.r *= ratio
            alarms = (self.r * self._weights).sum(axis=2) >= self._budget
            if alarms.any():
                self.r[alarms] = 0.0
            yield alarms


class Draw:
    """Panes of independent rows of one law: multinomial, or for small panes row by row (Walker's alias method), which is then faster."""

    _SMALL = 200

    def __init__(self, probabilities: Floats) -> None:
        self._p = probabilities / probabilities.sum()
        size = len(self._p)
        self._own, self._alias = self._p * size, np.arange(size)
        few, many = list(np.flatnonzero(self._own < 1)), list(np.flatnonzero(self._own >= 1))
        while few and many:
            low, high = few.pop(), many[-1]
            self._alias[low] = high
            self._own[high] -= 1 - self._own[low]
            if self._own[high] < 1:
                few.append(many.pop())

    def panes(self, rng: np.random.Generator, rows: int, panes: int) -> Counts:
        """Counts, [pane, bin]."""
        if rows > self._SMALL:
            return rng.multinomial(rows, self._p, size=panes)
        size = len(self._p)
        u = rng.random((panes, rows)) * size
        place = u.astype(np.int64)
        place = np.where(u - place < self._own[place], place, self._alias[place])
        return tallied(place, size)


def tallied(places: Counts, size: int) -> Counts:
    """Counts of the bins in every row of a matrix."""
    panes = len(places)
    offsets = np.arange(panes)[:, None] * size
    return np.bincount((places + offsets).ravel(), minlength=panes * size).reshape(panes, size)


def full(tests: Suite, values: Mapping[str, Counts], rows: int) -> Counts:
    """Counts in the layout: the values', by name, and that none of them was absent."""
    leading = next(iter(values.values())).shape[:-1]
    counts = np.zeros((*leading, tests.layout.size), dtype=np.int64)
    for signal in tests.layout.signals:
        if signal.of == "values":
            counts[..., signal.span] = values[signal.name]
        elif signal.of == "availability":
            counts[..., signal.start] = rows
    return counts


def check(tests: Decided, counts: Counts, rows: int, seconds: float) -> int:
    """How many panes, up to the first alarm, were compared: `Detectors` has the same R as `step`, and alarms with it."""
    detectors, state = Detectors([tests], dtype=np.float64), start(tests, 0)
    bets, length = detectors.fed[0].bets, round(seconds * 1000)
    for number, (alarm, pane) in enumerate(zip(detectors.fold([counts[None]], seconds), counts, strict=True)):
        bucket = Bucket(number * length, (number + 1) * length, rows, 0, pane, _NONE, True, False)
        state, events = step(tests, state, bucket)
        if bool(events) != bool(alarm[0, 0]):
            msg = f"pane {number}: step {'alarms' if events else 'is quiet'}, its copy does not agree"
            raise AssertionError(msg)
        if events:
            return number + 1
        np.testing.assert_allclose(detectors.r[0, 0], state.mixture.r[bets], rtol=1e-9)
    return len(counts)
