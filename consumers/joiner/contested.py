"""Predictions that two versions of a model answered, when their label becomes known: who of them was better, in whole numbers."""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...detectors.joining.joiner import Ledger, Told
from ...detectors.joining.matching import Matching
from ...detectors.joining.rows import Happening, Unmatched
from ...detectors.outcomes.versus import Answers, gains, sums
from ...schemas.configuration import Configuration
from ...schemas.messages.contest import MOST_DAYS, STAKES, Contest, ContestDay
from ...schemas.stored.outcomes import Task
from ..streams.buckets import Every
from ..streams.spans import Spans, up

Rows = NDArray[np.void]
#: The model and the name of a version, by its code.
VersionOf = Callable[[int], tuple[str, str]]


def contested(configuration: Configuration, join: str) -> dict[str, int]:
    """By model whose versions are compared by these labels, the length of what is taken for a day, ms."""
    if join not in configuration.labels:
        return {}
    pane = configuration.read_as(join).pane.milliseconds
    models = configuration.models.items()
    return {name: up(own.promotion.day, pane) for name, own in models if own.labels == join and own.promotion is not None}


class _Of(NamedTuple):
    """Which two, and when what became of them was known: the end of an interval."""

    told: int
    model: str
    version: str
    other: str


class Contested:
    """A ledger that compares versions, too.

    A prediction counts when the outcome of the later one of the two is told: each pair once. Nothing is kept of it but sums, and these no
    longer than one interval.

    Parameters
    ----------
    days
        By model whose versions are compared, the length of a day.
    """

    def __init__(
        self, ledger: Ledger, configuration: Configuration, join: str, days: Mapping[str, int], version_of: VersionOf, spans: Spans
    ) -> None:
        self._ledger, self._days, self._version_of = ledger, days, version_of
        self._application, self._join, self._intervals = configuration.application, join, Every(spans.about)
        self._task: Task = configuration.labels[join].outcome if days else "binary"
        self._sums: dict[_Of, dict[int, NDArray[np.int64]]] = {}
        self.matching: Matching | None = None  #: of the joiner whose ledger this is

    def add(self, step: int, happening: Happening) -> None:
        """Count it."""
        if self._days and happening.what == "first" and len(happening.rows):
            self._compare(self._intervals.end(step - 1), happening.rows)
        self._ledger.add(step, happening)

    def add_unmatched(self, step: int, unmatched: Unmatched) -> None:
        """As the ledger."""
        self._ledger.add_unmatched(step, unmatched)

    def arrivals(self, step: int) -> Iterable[Told]:
        """As the ledger."""
        return self._ledger.arrivals(step)

    def revisions(self) -> Iterable[Told]:
        """As the ledger."""
        return self._ledger.revisions()

    def _compare(self, told: int, rows: Rows) -> None:
        assert self.matching is not None  # it is told before anything is added
        first, other = self.matching.beside(rows)
        if not len(first):
            return
        codes, which = np.unique(np.stack([first["version"], other["version"]]), axis=1, return_inverse=True)
        for place, (one, second) in enumerate(codes.T.tolist()):
            (model, version), (_, beside) = self._version_of(one), self._version_of(second)
            if model in self._days:
                some = np.flatnonzero(which.reshape(-1) == place)
                pair = (first[some], other[some]) if version < beside else (other[some], first[some])
                self._add(_Of(told, model, *sorted((version, beside))), *pair)

    def _add(self, of: _Of, first: Rows, other: Rows) -> None:
        """By the day of the earlier of the two predictions."""
        days = Every(self._days[of.model])
        starts = days.ends(np.minimum(first["about"], other["about"]) - 1) - self._days[of.model]
        own = self._sums.setdefault(of, {})
        for start in np.unique(starts).tolist():
            some = starts == start
            own_answers, others = (Answers(one["value"][some], one["score"][some]) for one in (first, other))
            found = gains(self._task, own_answers, others, first["label"][some])
            own[start] = own[start] + sums(found) if start in own else sums(found)

    def told(self, through: int, again: int, *, ended: bool) -> list[Contest]:
        """What is over by then, and not told yet; ``ended``: all of it. ``again``: in front of the time, what grows as time goes back."""
        over = sorted(of for of in self._sums if ended or of.told <= through)
        found = []
        for of in over:
            at = min(of.told, through)
            days = sorted(self._sums.pop(of).items())[-MOST_DAYS:]
            found.append(
                Contest(
                    application=self._application,
                    labels=self._join,
                    model=of.model,
                    version=of.version,
                    other=of.other,
                    partition=0,
                    place=max(at, 0) + again,
                    through=at,
                    day=self._days[of.model],
                    days=tuple(_day(start, own.tolist()) for start, own in days),
                )
            )
        return found


def _day(start: int, own: list[int]) -> ContestDay:
    rows, better, squares, gained, *wealth = own
    wins, losses = tuple(wealth[: len(STAKES)]), tuple(wealth[len(STAKES) :])
    return ContestDay(start=start, rows=rows, better=better, squares=squares, gained=gained, wins=wins, losses=losses)
