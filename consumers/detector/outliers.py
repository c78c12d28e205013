"""Rows unlike the training data: whose fault it is, by what was counted of the outliers in their panes."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from ...detectors.episodes.step import Bucket
from ...detectors.familiarity import CELLS, WIDTH, FamiliaritySuite
from ...detectors.neighbours.masked import judged, length
from ...schemas.configuration import Model
from ...schemas.messages.drift import ToldOutliers
from ...schemas.messages.pane import Pane
from ..bus.own import Unreadable

#: Fields, and sources, of which an event says what they cure.
_MOST_TOLD = 10


def check(pane: Pane, tests: FamiliaritySuite) -> None:
    """Raise `Unreadable` where its masked outliers are not counted by the masks of its reference."""
    of_rows = tests.of_rows
    expected = 0 if of_rows is None else length(len(of_rows[1].masks))
    if len(pane.masked) != expected:
        msg = f"a pane of {len(pane.masked)} counts of masked outliers, where its reference makes {expected}"
        raise Unreadable(msg)


def counted(tests: FamiliaritySuite, bucket: Bucket, panes: Sequence[Pane]) -> tuple[int, ...]:
    """Rows scored, of them outliers, and what the bucket's panes say of those masked; nothing where no fields can be left out."""
    if tests.of_rows is None:
        return ()
    number, profile = tests.of_rows
    vectors = [pane.masked.tolist() for pane in panes if len(pane.masked)] or [[0] * length(len(profile.masks))]
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
        sources=tuple(dict.fromkeys(settings.sources_of(fields).values())),
        owners=settings.owners_of(fields),
        fields=_largest(found.fields) if sure else {},
        by_source=_largest(found.sources) if sure else {},
    )


def _largest(shares: Mapping[str, float]) -> dict[str, float]:
    order = sorted(shares, key=lambda name: (-shares[name], name))
    return {name: round(shares[name], 3) for name in order[:_MOST_TOLD]}
