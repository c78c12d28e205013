"""One result, judged: what was answered, and how it compares with an earlier one, on the rows answered both times."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...schemas.integers import Integers
from ...schemas.messages.golden import ERROR, FROM_NOTHING, INVALID, MILLION, TIMEOUT, GoldenResult, SliceEvaluation, Status, Verdict
from .losses import metrics

#: Of the rows, in hundredths: with fewer answers an evaluation failed.
ENOUGH = 95
#: A difference of so many times that of two runs at registration is one of the model.
SPREADS = 3
_WHY = {"timeout": TIMEOUT, "error": ERROR, "invalid": INVALID}


class Answers(NamedTuple):
    """A result, put together."""

    losses: Mapping[str, Integers]  #: the set's own first
    places: Mapping[str, int]
    slices: tuple[str, ...]
    members: Integers

    @property
    def primary(self) -> Integers:
        """By row, the set's own loss; below 0 there is none."""
        return next(iter(self.losses.values()), np.zeros(0, dtype=np.int64))


class Compared(NamedTuple):
    """Sums of losses on the rows that were answered both times."""

    common: int
    was: int
    change: int

    @property
    def relative(self) -> float:
        """The change as a share of what was lost before. From nothing it is none, or more than any bound.

        >>> Compared(9, 100, 5).relative, Compared(9, 0, 0).relative, Compared(9, 0, 1).relative
        (0.05, 0.0, 1000000.0)
        """
        if not self.was:
            return FROM_NOTHING if self.change else 0.0
        return self.change / self.was


def joined(chunks: Sequence[GoldenResult]) -> Answers:
    """The records of a result as one, in their order. Raises `ValueError` where they do not fit together."""
    first = chunks[0]
    for one in chunks:
        lengths = {len(values) for values in one.losses.values()} | (
            {len(one.members)} if one.members is not None and one.losses else set()
        )
        if len(lengths) > 1 or one.losses.keys() != first.losses.keys() or one.slices != first.slices:
            msg = "the records of a golden result do not fit together"
            raise ValueError(msg)
    losses = {name: np.concatenate([one.losses[name] for one in chunks]) for name in first.losses}
    rows = len(next(iter(losses.values()), ()))
    given = [one.members for one in chunks if one.members is not None]
    members = np.concatenate(given) if given else np.zeros(rows, dtype=np.int64)
    return Answers(losses, first.places, first.slices, members if len(members) == rows else np.zeros(rows, dtype=np.int64))


def status_of(losses: Integers) -> Status:
    """Whether enough was answered.

    >>> status_of(np.array([5] * 95 + [-1] * 5)), status_of(np.array([5] * 94 + [-1] * 6)), status_of(np.zeros(0, dtype=np.int64))
    ('partial', 'failed', 'failed')
    """
    answered = int(np.count_nonzero(losses >= 0))
    if not len(losses) or answered * 100 < ENOUGH * len(losses):
        return "failed"
    return "complete" if answered == len(losses) else "partial"


def compared(now: Integers, before: Integers) -> Compared | None:
    """On the rows answered both times; None: there is none.

    >>> compared(np.array([12, -1, 30]), np.array([10, 7, -3]))
    Compared(common=1, was=10, change=2)
    """
    both = (now >= 0) & (before >= 0) if len(now) == len(before) else np.zeros(len(now), dtype=bool)
    common = int(np.count_nonzero(both))
    return Compared(common, int(before[both].sum()), int((now[both] - before[both]).sum())) if common else None


def verdict_of(found: Compared, tolerance: int, spread: int | None) -> Verdict:
    """Whether a change is larger than the tolerance, and than three times the spread; both in millionths of the loss.

    >>> more, less = Compared(1, 100, 5), Compared(1, 100, 4)
    >>> verdict_of(more, 50_000, None), verdict_of(less, 50_000, None), verdict_of(more, 50_000, 20_000)
    ('worse', 'same', 'same')
    """
    least = max(tolerance * found.was, SPREADS * (spread or 0) * found.was)
    if not found.change or abs(found.change) * MILLION < least:
        return "same"
    return "worse" if found.change > 0 else "better"


def spread_of(found: Compared) -> int:
    """How far two runs of one model are apart, in millionths of the loss, rounded up.

    >>> spread_of(Compared(1, 3, -1)), spread_of(Compared(1, 0, 0))
    (333334, 0)
    """
    return min(1_000 * MILLION, -(-abs(found.change) * MILLION // found.was)) if found.was else 0


def counts_of(losses: Integers) -> dict[str, int]:
    """Rows that have a loss, and rows that have none, by the reason."""
    return {"answered": int(np.count_nonzero(losses >= 0))} | {name: int(np.count_nonzero(losses == code)) for name, code in _WHY.items()}


def metrics_of(answers: Answers, rows: NDArray[np.bool_]) -> dict[str, float]:
    """The metrics of some rows, those that have no loss left out."""
    within = rows & (answers.primary >= 0)
    sums = {name: (int(values[within].sum()), answers.places.get(name, 0)) for name, values in answers.losses.items()}
    return metrics(sums, int(np.count_nonzero(within)))


def slices_of(answers: Answers, before: Integers | None) -> tuple[SliceEvaluation, ...]:
    """Every slice by itself."""
    told = []
    for bit, name in enumerate(answers.slices):
        rows = (answers.members >> bit & 1).astype(bool)
        now = answers.primary[rows]
        fits = before is not None and len(before) == len(rows)
        found = compared(now, before[rows]) if before is not None and fits else None
        told.append(
            SliceEvaluation(
                name=name,
                rows=len(now),
                answered=int(np.count_nonzero(now >= 0)),
                metrics=metrics_of(answers, rows),
                common=0 if found is None else found.common,
                change=None if found is None else found.relative,
            )
        )
    return tuple(told)
