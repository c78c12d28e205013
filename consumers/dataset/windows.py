"""Which rows are in by their times, as a request has it: windows that are included, and those of faults, which are not."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...schemas.messages.retrain import Excluded, RetrainData
from ...schemas.stored.dataset import UNLISTED

Times = NDArray[np.int64]


class Chosen(NamedTuple):
    """Of rows by their times."""

    weights: NDArray[np.float64]  #: 0: no window includes it
    incident: NDArray[np.int64]  #: whose window leaves it out, as an index into the names; -1: none


class Windows:
    """Those of one request.

    >>> from ...schemas.messages.retrain import Included
    >>> half = Included(since=5, until=10, weight=0.5)
    >>> data = RetrainData(until=10, include=(Included(until=10), half), exclude=(Excluded(since=2, until=3, incident="0" * 32),))
    >>> [of_each.tolist() for of_each in Windows(data).of(np.array([1, 2, 3, 7, 10]))]
    [[1.0, 1.0, 1.0, 1.0, 0.0], [-1, 0, -1, -1, -1]]
    """

    def __init__(self, data: RetrainData) -> None:
        self._include, self._until = data.include, data.until
        whole: Sequence[Excluded] = [one for one in data.exclude if not one.features]
        self._named = [one for one in data.exclude if one.features]
        before = min((one.since for one in data.exclude), default=data.until) if data.more_excluded else None
        windows = [(one.since, one.until, one.incident) for one in whole]
        self._windows = [*windows, *([] if before is None else [(None, before, UNLISTED)])]
        #: Of the incidents whose windows leave whole rows out.
        self.names = list(dict.fromkeys(name for *_, name in self._windows))

    def of(self, times: Times) -> Chosen:
        """Where rows of these times are; of several windows that include one the largest weight holds."""
        weights, incident = np.zeros(len(times)), np.full(len(times), -1)
        if not self._include:
            weights[times < self._until] = 1.0
        for one in self._include:
            weights[_within(times, one.since, one.until)] = np.maximum(weights, one.weight)[_within(times, one.since, one.until)]
        for since, until, name in reversed(self._windows):  # so that of several the first is named
            incident[_within(times, since, until)] = self.names.index(name)
        return Chosen(weights, incident)

    def doubtful(self, feature: str, times: Times) -> NDArray[np.bool_]:
        """At which of these times a feature's values are in doubt, and only those."""
        found = np.zeros(len(times), dtype=bool)
        for one in self._named:
            if feature in one.features:
                found |= _within(times, one.since, one.until)
        return found

    @property
    def since(self) -> int | None:
        """No row is older; None: any may be."""
        begins = [one.since for one in self._include]
        return None if not begins or None in begins else min(one for one in begins if one is not None)


def _within(times: Times, since: int | None, until: int | None) -> NDArray[np.bool_]:
    found = np.ones(len(times), dtype=bool) if since is None else times >= since
    return found if until is None else found & (times < until)
