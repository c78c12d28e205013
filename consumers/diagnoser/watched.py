"""What is remembered of one model version against one reference: its windows, and what came of it since the last run."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from ...detectors.diagnosis.evidence import Window as Evidence
from ...detectors.diagnosis.incidents import Home
from ...detectors.diagnosis.reading import Reading
from ...detectors.diagnosis.sums import Place, Read
from ...detectors.diagnosis.windows import Window, Windows
from ...detectors.familiarity.places import CELLS, WIDTH
from ...schemas.identity import content_hash
from ...schemas.messages.pane import AGREEMENT, OOD, REVISIONS, Pane
from ...schemas.stored.reference import Reference
from ..streams.buckets import Buckets
from .recalled import Recalled

#: Outcomes about kept windows that are worth a run.
ENOUGH_OUTCOMES = 500


@dataclass
class Watched:
    """One version."""

    home: Home
    since: int  #: the bucket from which its reference holds
    reference: Reference
    reading: Reading
    grains: Buckets
    windows: Windows = field(default_factory=Windows)
    latest: int = 0  #: the end of the last bucket with rows
    touched: int | None = None  #: the end of the bucket in which something came since the last grain's end
    ran: int | None = None  #: the last grain's end that was looked at
    runs: int = 0
    outcomes: int = 0  #: labelled rows since the last run
    news: bool = False  #: an evaluation, a deployment or an episode since the last run
    _drawn: list[Evidence] | None = field(default=None, repr=False)
    _read: dict[int, tuple[bytes, Evidence]] = field(default_factory=dict, repr=False)  #: by a window's number, of which sums

    @property
    def basis(self) -> str:
        """By what its outcomes are counted; empty: there are none."""
        plan = self.reading.outcomes
        return "" if plan is None else content_hash(plan.basis.model_dump_json().encode())

    @property
    def due(self) -> int | None:
        """The end of the grain in which there is something to be looked at."""
        if self.touched is None:
            return None
        behind = self.touched if self.ran is None else max(self.touched, self.ran + 1)
        return self.grains.end(behind - 1)

    def take(self, pane: Pane, bucket: int, *, complete: bool, clock_decided: bool) -> None:
        """A pane of predictions, of kind `ood`, of what became of predictions, or of pairs; it came in this bucket."""
        if pane.of == REVISIONS:
            self._take_outcomes(pane)
        elif pane.of == AGREEMENT:
            self._take_pairs(pane)
        elif pane.of == OOD:
            self._take_compared(pane)
        else:
            self._take_predictions(pane, complete=complete, clock_decided=clock_decided)
        self.touched = bucket

    def notice(self, bucket: int) -> None:
        """There is news of the model."""
        self.news, self.touched = True, bucket

    def seen(self, window: Window) -> Evidence:
        """A window as a diagnosis looks at it."""
        content, known = window.written(), self._read.get(window.first)
        if known is None or known[0] is not content:
            known = self._read[window.first] = content, self.reading.window(window)
        return known[1]

    def drawn(self, draw: Callable[[], list[Evidence]]) -> list[Evidence]:
        """What stands for the baseline before there is one; drawn once."""
        if self._drawn is None:
            self._drawn = draw()
        return self._drawn

    def rest(self) -> None:
        """Let go of what is looked at no more, and of what can be made again."""
        kept = {one.first: one for one in self.windows.all() if one is not self.windows.open}
        self._read = {first: known for first, known in self._read.items() if first in kept and kept[first].written() is known[0]}
        for first, (_, evidence) in self._read.items():
            if evidence.counted is not None:
                evidence.values = Recalled(partial(self.reading.values, kept[first]))
        for one in kept.values():
            one.packed()
        if self.windows.stands:
            self._drawn = None

    def _take_predictions(self, pane: Pane, *, complete: bool, clock_decided: bool) -> None:
        window = self.windows.containing(pane.about)
        if window is None and pane.about > self.windows.through:
            window = self.windows.opened(self.grains.start(pane.about - 1))
        if window is None:
            return
        if self._fits(pane):
            window.sums.add(_counts(pane, self.reading.layout.size), self.reading.size)
        window.sums.rows += pane.rows
        window.sums.complete &= complete
        window.sums.clock_decided |= clock_decided
        window.sums.read_from(Place(pane.topic, pane.partition), pane.first, pane.last)
        window.changed()
        self.latest = max(self.latest, pane.about)

    def _fits(self, pane: Pane) -> bool:
        """Else it is the detector's to tell."""
        layout = self.reading.layout
        return pane.counts_at + len(pane.counts) <= layout.size and pane.sums_at + len(pane.sums) <= layout.wide

    def _take_compared(self, pane: Pane) -> None:
        window = self.windows.containing(pane.about)
        if window is None and pane.about > self.windows.through:
            window = self.windows.opened(self.grains.start(pane.about - 1))
        if window is None:
            return
        masked = pane.masked if self.reading.masked(pane.masked) else None
        inside = (pane.inside_at, pane.inside) if self.reading.fits_inside(pane.inside_at + len(pane.inside)) else None
        window.sums.add(Read(inside=inside, masked=masked), 0)
        scored, outliers = window.sums.compared
        more = self._compared(pane)
        window.sums.compared = scored + more[0], outliers + more[1]
        window.changed()

    def _compared(self, pane: Pane) -> tuple[int, int]:
        """Rows that were compared exactly, and outliers among them."""
        subject = self.reading.subject
        if subject is None or pane.counts_at or len(pane.counts) < WIDTH * (subject + 1):
            return 0, 0
        looked = WIDTH * subject + CELLS + 1
        return int(pane.counts[looked]), int(pane.counts[looked + 2])

    def _take_outcomes(self, pane: Pane) -> None:
        plan = self.reading.outcomes
        if plan is None or pane.counts_at + len(pane.counts) > plan.size or (pane.parts == 1 and len(pane.counts) != plan.size):
            return
        vector = np.zeros(plan.size, dtype=np.int64)
        vector[pane.counts_at : pane.counts_at + len(pane.counts)] = pane.counts
        labelled = plan.number(vector, "labelled")
        window = self.windows.containing(pane.about)
        if window is None:
            self.windows.expired += max(labelled, 0)
            return
        window.sums.add_outcomes(vector)
        window.changed()
        self.outcomes += abs(labelled)

    def _take_pairs(self, pane: Pane) -> None:
        window = self.windows.containing(pane.about)
        if window is not None and self.reading.pairs is not None and self.reading.pairs.fits(pane):
            window.sums.add_pairs(np.concatenate((pane.counts, pane.sums)), pane.commonest.reshape(-1, 3))
            window.changed()

    def plain(self) -> tuple[list[Any], dict[str, bytes]]:  # plain data
        """As it stands in a snapshot; sums by the names of their windows."""
        windows, sums = self.windows.plain()
        numbers = [self.since, self.latest, self.touched, self.ran, self.runs, self.outcomes, self.news]
        return [list(self.home), [*numbers, self.basis, self.reading.compared_by], windows], sums


def _counts(pane: Pane, size: int) -> Read:
    """What a pane of predictions adds."""
    return Read(
        counts=((pane.counts_at, pane.counts), (size + pane.sums_at, pane.sums)),
        unseen=pane.unseen,
        magnitudes=pane.magnitudes,
        repeated=pane.repeated,
        ages=pane.ages,
    )
