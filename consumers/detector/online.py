"""What became of a version's predictions between two slots of its golden set: it stands beside what is asked for."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...schemas.configuration import Configuration
from ...schemas.integers import packed, unpacked
from ...schemas.messages.golden import MOST_METRICS, GoldenRequest
from ...schemas.messages.performance import Metrics

Sums = NDArray[np.int64]


class Whose(NamedTuple):
    """Of a model version and the reference that it is watched against; of one segment, or of all."""

    model: str
    version: str
    reference: str
    since: int
    segment: str | None = None


#: What was realised, and what is estimated, of such sums.
MetricsOf = Callable[[Whose, Sums], tuple[Metrics, Metrics]]
#: Sums with these columns of a user's own metrics, with those that there are now; None: they are of other labels.
AsNow = Callable[[Whose, Sums, tuple[str, ...]], Sums | None]


class Online:
    """The sums of one join, by slot, until it is passed."""

    def __init__(self, configuration: Configuration, labels: str) -> None:
        self._every = {
            name: model.golden.every for name, model in configuration.models.items() if model.golden is not None and model.labels == labels
        }
        self._sums: dict[tuple[Whose, int], Sums] = {}

    def add(self, whose: Whose, about: int, counts: Sums) -> None:
        """What became known of an interval."""
        if every := self._every.get(whose.model):
            key = whose, _slot(about, every)
            self._sums[key] = self._sums.get(key, np.zeros(len(counts), dtype=np.int64)) + counts

    def beside(self, request: GoldenRequest, metrics_of: MetricsOf) -> GoldenRequest:
        """The request, with what is known of the slot that it speaks of: of the reference that holds longest now."""
        every, version = self._every.get(request.model), (request.model, request.version)
        known = [key for key in self._sums if every and key[0][:2] == version and key[1] == _slot(request.asked, every)]
        if not known:
            return request
        newest = max(known, key=lambda key: (key[0].since, key[0].reference))
        realised, estimated = metrics_of(newest[0], self._sums[newest])
        return request.model_copy(update={"realised": _there(realised), "estimated": _there(estimated)})

    def passed(self, through: int) -> None:
        """Forget the slots that are over."""
        self._sums = {key: sums for key, sums in self._sums.items() if key[1] > through}

    def plain(self, own_of: Callable[[Whose], tuple[str, ...]]) -> list[Any]:  # plain data for a snapshot
        """All that is remembered, with the columns that there are now of a user's own metrics."""
        return [[*whose, slot, packed(sums), list(own_of(whose))] for (whose, slot), sums in self._sums.items()]

    def restore(self, plain: list[Any], as_now: AsNow) -> None:
        """What `plain` wrote; but for sums of what labels are no longer, and those of former releases, of which it is not known."""
        for model, version, reference, since, segment, slot, sums, *own in plain:
            whose = Whose(model, version, reference, since, segment)
            if own and model in self._every and (vector := as_now(whose, unpacked(sums), tuple(own[0]))) is not None:
                self._sums[whose, slot] = vector


def _slot(time: int, every: int) -> int:
    """The end of the slot that a time, the end of an interval, belongs to."""
    return -(-time // every) * every


def _there(metrics: Metrics) -> dict[str, float] | None:
    """Those that are known, as many as a request holds; None: there are none."""
    known = {name: value for name, value in metrics.items() if value is not None}
    return dict(list(known.items())[:MOST_METRICS]) or None
