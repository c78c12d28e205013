"""How much the labels of one step hang together, and those of neighbouring steps: of steps only sums are known, never an order."""

from typing import Any

from scipy.special import chdtri

#: Neighbouring steps that are looked at together.
STEPS = tuple(2**power for power in range(13))
#: Fewer batches than these are asked of single steps, and where some length shows a dependence, but of no fewer than the least.
_ENOUGH, _FEWEST = 24, 8
#: One length in so many shows a dependence by chance; then one bound in so many lies too low, and else every other one: a higher one would
#: slow down the tests of labels that are independent.
_CHANCE, _TOO_LOW, _NO_SIGN = 1e-2, 0.1, 0.5


class StepSums:
    """Of sums s over the n labels of steps: how many labels count as one independent label, at most.

    With a common mean m, sum (s - n m)^2 over batches of steps is sum n Var where labels are independent. Where such ratios show a
    dependence, of each the bound is taken that it exceeds in one case of ten, and of these the largest: too small a tau has no bottom (of
    rates that move by .04 over 400 labels 5,000 labels show a fourth, and 27 times the false alarms come), too large a one costs little.
    All that is kept are sums of integers.

    >>> days = StepSums()
    >>> for day in range(40):
    ...     days.add(100, 10 + 20 * (day % 2))
    >>> 8 < days.tau(0.2 * 0.8) < 10
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
        ratios = self._ratios(variance)
        depends = any(ratio > chdtri(free, _CHANCE) / free for ratio, free in ratios)
        asked = [one for place, one in enumerate(ratios) if depends or place == 0 or one[1] + 1 >= _ENOUGH]
        below = _TOO_LOW if depends else _NO_SIGN
        return max([1.0, *(float(ratio * free / chdtri(free, 1 - below)) for ratio, free in asked)])

    def _ratios(self, variance: float) -> list[tuple[float, int]]:
        """From the shortest batches on: to what independent labels have, with the degrees of freedom."""
        found, mean = list[tuple[float, int]](), self._total / max(self._rows, 1)
        for batches, n, nn, sn, ss in self._sums:
            if batches >= _FEWEST and variance > 0 and n:
                ratio = (ss - 2 * mean * sn + mean * mean * nn) / (n * variance) * batches / (batches - 1)
                found.append((float(ratio), batches - 1))
        return found

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
