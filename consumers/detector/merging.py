"""The panes of a bucket, summed: of each segment, and of all. A pane may have come in parts, each a stretch of its vectors."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from ...detectors.counting.unseen import merged_names
from ...detectors.episodes.step import Bucket, Offsets, Segment
from ...schemas.messages.pane import Pane
from ..streams.align import Aligned


def merged(beginning: int, aligned: Aligned, panes: list[Pane], sizes: tuple[int, int], *, complete: bool) -> Bucket:
    """The bucket that begins then, of one model version; ``sizes`` of its vectors, whatever parts of them are there."""
    counts, sums = _summed(panes, sizes)
    by_segment: dict[str, list[Pane]] = {}
    for pane in panes:
        if pane.segment is not None:
            by_segment.setdefault(pane.segment, []).append(pane)
    segments = tuple(Segment(name, *_summed(own, sizes)) for name, own in sorted(by_segment.items()))
    ranges: dict[tuple[str, int], tuple[int, int]] = {}
    for pane in panes:
        low, high = ranges.get((pane.topic, pane.partition), (pane.first, pane.last))
        ranges[pane.topic, pane.partition] = (min(low, pane.first), max(high, pane.last))
    return Bucket(
        start=beginning,
        end=aligned.end,
        rows=sum(pane.rows for pane in panes),
        late=sum(pane.late for pane in panes),
        counts=counts,
        sums=sums,
        complete=complete,
        clock_decided=aligned.clock_decided,
        offsets=tuple(Offsets(*place, *ranges[place]) for place in sorted(ranges)),
        segments=segments,
        unseen=merged_names(pane.unseen for pane in panes),
    )


def _summed(panes: Sequence[Pane], sizes: tuple[int, int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The counts and sums of panes, some of which may have come in parts."""
    counts, sums = sizes
    return _added(counts, ((one.counts_at, one.counts) for one in panes)), _added(sums, ((one.sums_at, one.sums) for one in panes))


def _added(size: int, parts: Iterable[tuple[int, NDArray[np.int64]]]) -> NDArray[np.int64]:
    total = np.zeros(size, dtype=np.int64)
    for at, vector in parts:
        total[at : at + len(vector)] += vector
    return total
