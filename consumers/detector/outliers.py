"""Rows unlike the training data: whose fault it is, by what was counted of the outliers in their panes."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ...detectors.episodes.step import Bucket
from ...detectors.familiarity import CELLS, WIDTH, FamiliaritySuite
from ...detectors.neighbours.masked import SAMPLES, judged, length
from ...schemas.configuration import Model
from ...schemas.messages.drift import ToldOutliers
from ...schemas.messages.pane import Pane
from ..bus.own import Unreadable

#: Masked outliers from which on what is told of them is not told again.
MANY = SAMPLES[-1]
#: Fields and sources of which an event says what they cure; owners that it names.
_MOST_TOLD = 10


class Fault(NamedTuple):
    """As it was told."""

    fault: str
    names: Sequence[str]
    masked: int


class Faults:
    """Of open episodes whose fault they are, as last told."""

    def __init__(self, told: Mapping[str, Fault] | None = None) -> None:
        self._told = dict(told or {})

    def tell(self, episode: str, found: ToldOutliers | None) -> bool:
        """Remember it; None: the episode has ended. Returns whether it differs from what was told."""
        before = self._told.pop(episode, None)
        if found is not None:
            self._told[episode] = Fault(found.fault, found.names, found.masked)
        return before is None or found is None or (before.fault, tuple(before.names)) != (found.fault, found.names)

    def open(self, episode: str) -> bool:
        """Whether it was told of few outliers, so that of many it is to be told again if it differs."""
        return episode in self._told and self._told[episode].masked < MANY

    def encoded(self) -> dict[str, Fault]:
        """As it stands in a snapshot."""
        return self._told

    @classmethod
    def decoded(cls, form: Mapping[str, Sequence[Any]]) -> "Faults":  # plain data
        """What `encoded` wrote."""
        return cls({episode: Fault(*own) for episode, own in form.items()})


def check(pane: Pane, tests: FamiliaritySuite) -> None:
    """Raise `Unreadable` where its masked outliers are not counted by the masks of its reference."""
    of_rows = tests.of_rows
    expected = 0 if of_rows is None else length(len(of_rows[1].masks), len(of_rows[1].pairs))
    if len(pane.masked) != expected:
        msg = f"a pane of {len(pane.masked)} counts of masked outliers, where its reference makes {expected}"
        raise Unreadable(msg)


def counted(tests: FamiliaritySuite, bucket: Bucket, panes: Sequence[Pane]) -> tuple[int, ...]:
    """Rows scored, of them outliers, and what the bucket's panes say of those masked; nothing where no fields can be left out."""
    if tests.of_rows is None:
        return ()
    number, profile = tests.of_rows
    vectors = [pane.masked.tolist() for pane in panes if len(pane.masked)] or [[0] * length(len(profile.masks), len(profile.pairs))]
    looked = WIDTH * number + CELLS + 1  # rows are all looked at exactly
    return (int(bucket.counts[looked]), int(bucket.counts[looked + 2]), *map(sum, zip(*vectors, strict=True)))


def told(tests: FamiliaritySuite, signals: Collection[str], counts: Sequence[int], settings: Model) -> ToldOutliers | None:
    """What an event says of a sum of `counted`; None: its signals are not of rows, or there are none."""
    if tests.of_rows is None or not counts or not counts[0]:
        return None
    profile = tests.of_rows[1]
    if profile.signal not in signals:
        return None
    scored, outliers, *masked = counts
    rate = outliers / scored
    found = judged(profile, np.array(masked, dtype=np.int64), rate=rate)
    fault, names = found.blame
    fields = [
        name
        for mask in profile.masks
        if mask.of == ("source" if fault == "source" else "field") and mask.name in names
        for name in mask.fields
    ]
    sure = fault != "unknown"
    return ToldOutliers(
        share=(round(profile.outliers / max(profile.calibration, 1), 4), round(rate, 4)),
        masked=masked[0],
        fault=fault,
        names=names,
        sources=tuple(dict.fromkeys(settings.sources_of(fields).values()))[:_MOST_TOLD],
        owners=settings.owners_of(fields)[:_MOST_TOLD],
        fields=_largest(found.fields) if sure else {},
        by_source=_largest(found.sources) if sure else {},
        by_pair=round(found.pair, 3) if fault == "both" else None,
    )


def _largest(shares: Mapping[str, float]) -> dict[str, float]:
    order = sorted(shares, key=lambda name: (-shares[name], name))
    return {name: round(shares[name], 3) for name in order[:_MOST_TOLD]}
