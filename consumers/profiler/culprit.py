"""Which record makes a step raise: each is tried alone, in a run of its own, and written as it would be; nothing is published."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from ..bus.interface import Output
from ..process.last_net import of_a_record
from ..streams.cut import EARLIEST, LATEST, AcceptedRows, Cut
from ..streams.records import Records
from .partition import Partition
from .runs import ClosedRun


class Culprit(NamedTuple):
    """A record that raises alone."""

    offset: int
    before: int | None  #: the offset in front of it, of those read
    error: Exception


def culprit(records: Iterable[Records], partition: Partition, outputs: Callable[[Partition, ClosedRun], list[Output]]) -> Culprit | None:
    """The first record that raises an error of its own; None: none does."""
    before: int | None = None
    for some in records:
        if found := _first(some, partition, outputs):
            row, error = found
            return Culprit(int(some.offsets[row]), int(some.offsets[row - 1]) if row else before, error)
        before = int(some.offsets[-1]) if len(some) else before
    return None


def _first(records: Records, partition: Partition, outputs: Callable[[Partition, ClosedRun], list[Output]]) -> tuple[int, Exception] | None:
    """The first row that raises, by halves."""
    error = _tried(records, partition, outputs)
    if error is None:
        return None
    if len(records) == 1:
        return 0, error
    half = len(records) // 2
    if found := _first(records.before(half), partition, outputs):
        return found
    if found := _first(records.since(half), partition, outputs):
        return half + found[0], found[1]
    return None


def _tried(records: Records, partition: Partition, outputs: Callable[[Partition, ClosedRun], list[Output]]) -> Exception | None:
    """The error of these records as a run of their own."""
    if not len(records):
        return None
    times = np.clip(partition.rules.times(records.offsets, records.timestamps, records.ends), EARLIEST, LATEST)
    rows = AcceptedRows(0, len(records), partition.rules.buckets.ends(times), np.zeros(len(records), dtype=np.bool_), times)
    try:
        runs = partition.new_tally().add(records, [rows, Cut(int(records.offsets[-1]) + 1, None)], partition.aside.reasons)
        for run in runs:
            outputs(partition, run)
    except Exception as error:
        if not of_a_record(error):
            raise
        return error
    return None
