"""What a source's rows say about traffic: how many there are in a bucket, and how many have an id that had been there."""

from collections.abc import Iterator, Sequence

import numpy as np

from ....detectors.betting.scores import scores
from ....detectors.counting.bins import bins_of, profile_of
from ....detectors.profiling.dependence import Dependence
from ....schemas.configuration import Model, PaneLength, TopicSlice
from ....schemas.stored.reference import CategoricalProfile, NumericProfile
from ....schemas.text import ID, fitted
from ...streams.buckets import buckets
from .columns import Chunk, Integers

#: With fewer buckets, or rows with an id, there is nothing to compare with.
FEWEST = 500
#: Traffic has the rhythm of the week: a shorter reference would call every night, or every Sunday, a change.
WEEK_MS = 7 * 86_400_000
#: What comes again more often than this is no id of a row.
MOST_REPEATED = 0.01
#: Rows that ids are compared in where there are no times.
_RUN = 50_000


class TrafficProfiling:
    """Takes the rows as they come.

    Rows per bucket are those of the live traffic only if the reference is a part of it, and nothing of it is left out: they are profiled
    where it is a slice of a topic that covers a week, or where the configuration says so.
    """

    def __init__(self, label: str, settings: Model, pane: PaneLength | None) -> None:
        self._label, self._pane, self._settings = label, pane, settings
        self._buckets = None if pane is None or pane.unit != "time" else buckets(pane)
        self._first = 0  # number of the next row
        self._counted: list[tuple[Integers, Integers]] = []  # buckets, and their rows
        self._run: int | None = None
        self._seen: set[object] = set()
        self._ids = np.zeros(2, dtype=np.int64)
        self._repeats = Dependence(np.eye(2))

    def add(self, chunk: Chunk) -> None:
        """The next rows."""
        runs = np.arange(self._first, self._first + chunk.rows, dtype=np.int64) // _RUN
        self._first += chunk.rows
        if self._buckets is not None and chunk.times is not None:
            runs = self._buckets.ends(chunk.times)
            distinct, rows = np.unique(runs, return_counts=True)
            self._counted.append((distinct, rows))
        if chunk.ids is not None:
            self._compare(chunk.ids, runs.tolist())

    def _compare(self, ids: Sequence[object], runs: Sequence[int]) -> None:
        """Whether each id had been there in its bucket."""
        repeated: list[bool] = []
        for one, run in zip(ids, runs, strict=True):
            if run != self._run:
                self._run, self._seen = run, set()
            if isinstance(one, str | int | float):
                short = fitted(one, ID) if isinstance(one, str) else one
                repeated.append(short in self._seen)
                self._seen.add(short)
        codes = np.array(repeated, dtype=np.int64)
        self._ids += np.bincount(codes, minlength=2)
        self._repeats.add(codes)

    def ids(self) -> CategoricalProfile | None:
        """Rows whose id was new, and those whose id had been there; None: there are no ids, or they are none of rows."""
        new, repeated = self._ids.tolist()
        if new + repeated < FEWEST or self._repeated > MOST_REPEATED:
            return None
        return CategoricalProfile(categories=("new",), counts=(new, repeated), tau=tuple(self._repeats.tau().tolist()))

    @property
    def _repeated(self) -> float:
        return int(self._ids[1]) / max(int(self._ids.sum()), 1)

    def volume(self) -> NumericProfile | None:
        """Rows per bucket that has any; without the first and the last one, which may be there in part only."""
        wanted, (ends, rows) = self._settings.volume, self._per_bucket()
        if wanted is None:
            span = int(ends[-1] - ends[0]) if len(ends) else 0
            wanted = isinstance(self._settings.reference, TopicSlice) and self._settings.rate is None and span >= WEEK_MS
        if not wanted or len(rows) < FEWEST:
            return None
        values = rows.astype(np.float64)
        profile = profile_of(values)
        dependence = Dependence(scores(profile).T)
        dependence.add(bins_of(profile, values))
        location, spread, skew, tails = dependence.tau().tolist()
        return profile.model_copy(update={"tau": (location, spread, skew, tails)})

    def _per_bucket(self) -> tuple[Integers, Integers]:
        if not self._counted:
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
        ends, place = np.unique(np.concatenate([ends for ends, _ in self._counted]), return_inverse=True)
        rows = np.bincount(place, weights=np.concatenate([rows for _, rows in self._counted]))
        return ends[1:-1], rows[1:-1].astype(np.int64)

    def warnings(self) -> Iterator[str]:
        """Why something is not watched that was asked for, or that mapped ids suggest."""
        if self._repeated > MOST_REPEATED:
            yield f"{self._label}: {self._repeated:.1%} of the ids come again within a bucket: they are of no request, and not watched"
        if not self._settings.volume:
            return
        ends, rows = self._per_bucket()
        if not len(ends):
            why = "panes must be a length of time" if self._buckets is None else "its rows have no times"
            yield f"{self._label}: volume is not watched: {why}"
        elif len(rows) < FEWEST:
            yield f"{self._label}: volume is not watched: rows are in {len(rows)} buckets of {self._pane}, {FEWEST} are needed"
        elif ends[-1] - ends[0] < WEEK_MS:
            days = float(ends[-1] - ends[0]) / 86_400_000
            yield f"{self._label}: volume is compared with {days:.1f} days; traffic has the rhythm of a week: give 7 or more"
