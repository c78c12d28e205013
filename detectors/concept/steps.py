"""How much the labels of one step hang together, and those of neighbouring steps: of steps only sums are known, never an order."""

from typing import Any

from scipy.special import chdtri

#: Neighbouring steps that are looked at together.
STEPS = (1, 4, 16, 64, 256)
_FEWEST_BATCHES = 16
#: One length in so many shows a dependence by chance.
_CHANCE = 1e-3


class StepSums:
    """Of sums s over the n labels of steps: how many labels count as one independent label.

    With a common mean m, sum (s - n m)^2 over batches of steps is sum n Var where labels are independent. The largest ratio that no
    chance makes is taken, as of batches of equal length (`driftbus.detectors.profiling.dependence`). All that is kept are sums of
    integers.

    >>> days = StepSums()
    >>> for day in range(40):
    ...     days.add(100, 10 + 20 * (day % 2))
    >>> 6 < days.tau(0.2 * 0.8) < 7
    True
    """

    def __init__(self) -> None:
        #: Of each number of steps: batches, sums of n, of n^2, of s n, of s^2; and of the open batch its steps, n, s.
        self._sums = [[0] * 5 for _ in STEPS]
        self._open = [[0] * 3 for _ in STEPS]
        self._rows = self._total = 0

    def add(self, rows: int, total: int) -> None:
        """A step's labels, and the sum of what they are."""
        self._rows, self._total = self._rows + rows, self._total + total
        for steps, sums, batch in zip(STEPS, self._sums, self._open, strict=True):
            batch[:] = batch[0] + 1, batch[1] + rows, batch[2] + total
            if batch[0] == steps:
                _, n, s = batch
                sums[:] = (old + new for old, new in zip(sums, (1, n, n * n, s * n, s * s), strict=True))
                batch[:] = 0, 0, 0

    def tau(self, variance: float) -> float:
        """At least 1; ``variance`` is that of a single label."""
        largest, mean = 1.0, self._total / max(self._rows, 1)
        for batches, n, nn, sn, ss in self._sums:
            if batches < _FEWEST_BATCHES or variance <= 0 or not n:
                continue
            ratio = (ss - 2 * mean * sn + mean * mean * nn) / (n * variance) * batches / (batches - 1)
            if ratio > chdtri(batches - 1, _CHANCE) / (batches - 1):
                largest = max(largest, float(ratio))
        return largest

    def encoded(self) -> list[Any]:  # nested lists of integers; in decimal, since they may leave 64 bits
        """Plain data."""
        return [[list(map(str, each)) for each in (*self._sums, *self._open)], str(self._rows), str(self._total)]

    @classmethod
    def decoded(cls, form: list[Any]) -> "StepSums":
        """What `encoded` wrote."""
        self = cls()
        sums, rows, total = form
        numbers = [list(map(int, each)) for each in sums]
        self._sums, self._open = numbers[: len(STEPS)], numbers[len(STEPS) :]
        self._rows, self._total = int(rows), int(total)
        return self
