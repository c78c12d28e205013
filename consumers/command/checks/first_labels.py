"""The first labels of predictions, from what the topics hold, and how long they took.

Looked at are predictions that are all as old as a *horizon*, and those of their labels that came within it. Younger ones would show fast
labels alone, and more of them the faster an outcome is known.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ....schemas.configuration import Configuration, Labels, Stream
from ....schemas.outcome import NO_VALUE
from ...bus.interface import Batch, Bus, TopicPartition
from ...decode.json import JSONDecoder
from ...decode.labels import LabelDecoder
from ...streams.records import ToldEnds, records_of, told_ends

Integers = NDArray[np.int64]

#: Records at either end of a partition, of which the time of the first or last is taken: a few may be end records.
_ENDS = 10
#: Later than any record.
_NEVER = 1 << 62


class FirstLabels(NamedTuple):
    """Of n predictions; times in ms."""

    made: Integers  #: when the prediction was made
    delays: Integers  #: how long after it the label came, at most the horizon
    values: Integers
    horizon: int  #: all predictions that were looked at are as old


def first_labels(bus: Bus, configuration: Configuration, name: str, most: int) -> FirstLabels | None:
    """Those of a stream of labels, from at most so many records of it; None: the topics say nothing."""
    own = configuration.labels[name]
    labelled = _partitions(bus, configuration, configuration.read_as(name))
    predicted = [one for stream in configuration.awaited_by(name) for one in _partitions(bus, configuration, configuration.streams[stream])]
    ends = [time for one in labelled for time in one.times(last=True)]
    begins = [min(times) for one in predicted if (times := one.times(last=False))]
    if not ends or not begins:
        return None
    end = max(ends)
    horizon = min(2 * own.wait, (end - max(begins)) // 2)
    while horizon > 0 and sum(one.rows(end - 2 * horizon - own.early, end) for one in labelled) > most:
        horizon //= 2
    if horizon <= 0:
        return None
    begin = end - 2 * horizon
    made: dict[str, int] = {}
    for one in predicted:
        _predictions(one, begin, end - horizon, most // len(predicted), made)
    first: dict[str, tuple[int, int]] = {}
    for one in labelled:
        _labels(one, begin - own.early, end, own, made, first)
    there = [(made[id_], time - made[id_], value) for id_, (time, value) in first.items() if time - made[id_] <= horizon]
    columns = np.array(there, dtype=np.int64).reshape(-1, 3).T
    return FirstLabels(columns[0], np.maximum(columns[1], 0), columns[2], horizon)


def _predictions(source: "_Partition", start: int, end: int, most: int, made: dict[str, int]) -> None:
    """When the predictions of a span of time were made, by id: the earliest of each."""
    decoder = JSONDecoder(source.stream.mapping, source.stream.where)
    for batch, rows in source.read(start, end, most):
        ids = decoder.columns((), [batch.values[row] for row in rows], ids=True).ids
        for id_, time in zip(ids or (), batch.timestamps[rows].tolist(), strict=ids is not None):
            if isinstance(id_, str):
                made[id_] = min(time, made.get(id_, time))


def _labels(source: "_Partition", start: int, end: int, own: Labels, made: dict[str, int], first: dict[str, tuple[int, int]]) -> None:
    """The first label of each of these predictions, and when it came."""
    reader = LabelDecoder(own)
    for batch, rows in source.read(start, end):
        keys, headers = batch.keys(), batch.headers()
        read = reader.read([batch.values[row] for row in rows], [keys[row] for row in rows], [headers[row] for row in rows])
        for id_, time, value in zip(read.ids, batch.timestamps[rows][read.rows].tolist(), read.values.tolist(), strict=True):
            if id_ in made and value != NO_VALUE and time >= made[id_] - own.early:
                first[id_] = min((time, value), first.get(id_, (time, value)))


def _partitions(bus: Bus, configuration: Configuration, stream: Stream) -> list["_Partition"]:
    topics, told = bus.describe(stream.topics).values(), told_ends(configuration, stream)
    return [_Partition(bus, stream, TopicPartition(topic.name, number), told) for topic in topics for number in range(topic.partitions)]


class _Partition(NamedTuple):
    """One of a stream's, by the times of its records."""

    bus: Bus
    stream: Stream
    place: TopicPartition
    told: ToldEnds | None  #: whose end records hold

    def read(self, start: int, end: int, most: int | None = None) -> Iterator[tuple[Batch, list[int]]]:
        """Records between two times, at most about so many: which of a batch they are."""
        first, stop = self._span(start, end)
        yield from self._read(first, stop if most is None else min(stop, first + most), start, end)

    def rows(self, start: int, end: int) -> int:
        """About how many there are."""
        first, stop = self._span(start, end)
        return stop - first

    def times(self, *, last: bool) -> list[int]:
        """Of a few records at one end."""
        first, end = self.bus.watermarks(self.place)
        span = (max(first, end - _ENDS), end) if last else (first, min(first + _ENDS, end))
        return [time for batch, rows in self._read(*span, 0, _NEVER) for time in batch.timestamps[rows].tolist()]

    def _read(self, first: int, stop: int, start: int, end: int) -> Iterator[tuple[Batch, list[int]]]:
        for batch in self.bus.read(self.place, first, stop):
            there = ~records_of(batch, self.told).ends & (batch.timestamps >= start) & (batch.timestamps <= end)
            yield batch, np.flatnonzero(there).tolist()

    def _span(self, start: int, end: int) -> tuple[int, int]:
        """The first offset, and the one behind the last."""
        low, high = self.bus.watermarks(self.place)
        first, stop = (min(max(self.bus.offset_at(self.place, max(time, 0)), low), high) for time in (start, end + 1))
        return first, max(first, stop)
