"""Records of one input partition, column by column, with those told apart that are no rows but say how far it is complete."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...schemas.cloud_events import Headers
from ...schemas.configuration import Configuration, Stream
from ..bus.interface import Batch, Output
from .cut import CONFIRM

#: Header of an end record: no row, the stream ends behind it. Its value is the application that is told so.
END_HEADER = "driftbus-end"
#: Header of a mark: no row, and the partition is complete through its time; more follows. Its value, too, is the application.
MARK_HEADER = "driftbus-mark"


@dataclass(frozen=True)
class Records:
    """Records of one partition, column by column."""

    offsets: NDArray[np.int64]
    timestamps: NDArray[np.int64]
    ends: NDArray[np.bool_]  #: end records, and marks
    values: Sequence[bytes | None]
    keys: Callable[[], Sequence[bytes | None]]
    headers: Callable[[], Sequence[Headers]]

    def __len__(self) -> int:
        return len(self.offsets)

    def since(self, start: int) -> "Records":
        """Those from an index on."""
        keys, headers = self.keys, self.headers
        return Records(
            self.offsets[start:],
            self.timestamps[start:],
            self.ends[start:],
            self.values[start:],
            lambda: keys()[start:],
            lambda: headers()[start:],
        )

    def before(self, stop: int) -> "Records":
        """Those in front of an index."""
        keys, headers = self.keys, self.headers
        return Records(
            self.offsets[:stop],
            self.timestamps[:stop],
            self.ends[:stop],
            self.values[:stop],
            lambda: keys()[:stop],
            lambda: headers()[:stop],
        )

    def emptied(self, rows: Sequence[int]) -> "Records":
        """The same with no value, key or header in some rows, which are no end records either."""
        if not rows:
            return self
        gone, ends, keys, headers = frozenset(rows), self.ends.copy(), self.keys, self.headers
        ends[list(rows)] = False
        return Records(
            self.offsets,
            self.timestamps,
            ends,
            [None if row in gone else value for row, value in enumerate(self.values)],
            lambda: [None if row in gone else key for row, key in enumerate(keys())],
            lambda: [() if row in gone else heads for row, heads in enumerate(headers())],
        )

    def followed_by(self, other: "Records") -> "Records":
        """These, then the others."""
        return joined([self, other]) if len(self) else other


NO_RECORDS = Records(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0, dtype=bool), (), lambda: (), lambda: ())


def joined(parts: Sequence[Records]) -> Records:
    """All of them, in this order."""
    if len(parts) == 1:
        return parts[0]
    return Records(
        np.concatenate([part.offsets for part in parts]),
        np.concatenate([part.timestamps for part in parts]),
        np.concatenate([part.ends for part in parts]),
        list(chain.from_iterable(part.values for part in parts)),
        lambda: list(chain.from_iterable(part.keys() for part in parts)),
        lambda: list(chain.from_iterable(part.headers() for part in parts)),
    )


def parts_of(values: Sequence[bytes | None], most: int) -> Iterator[slice]:
    """Consecutive parts of at most so many bytes, or of one value.

    >>> list(parts_of([b"1234", b"1", None, b"123456789", b"1"], 5))
    [slice(0, 3, None), slice(3, 4, None), slice(4, 5, None)]
    """
    try:
        whole = sum(map(len, values)) <= most  # type: ignore[arg-type]  # a tombstone, which has no length, ends it
    except TypeError:
        whole = sum(len(value) for value in values if value) <= most
    start, size = 0, 0
    for place, value in enumerate(() if whole else values):
        size += len(value or b"")
        if size > most and place > start:
            yield slice(start, place)
            start, size = place, len(value or b"")
    yield slice(start, len(values))


class ToldEnds(NamedTuple):
    """Whose end records and marks hold on a stream."""

    application: str
    grace: int | None  #: of the stream, ms, behind which a mark stands for its time; None: marks hold nothing, panes being of rows


def told_ends(configuration: Configuration, stream: Stream) -> ToldEnds | None:
    """Whose end records and marks hold on a stream: the application's own, which whoever replays for it writes. None: nobody's, since where
    a clock tells the end no record does.
    """
    if stream.clock != "record":
        return None
    return ToldEnds(configuration.application, None if stream.pane.unit == "rows" else stream.grace)


def records_of(batch: Batch, told: ToldEnds | None) -> Records:
    """A batch with its end records and marks told apart: they have no value, and a header of their own that names the application.

    Any other with that header is a record like all others: one without a value, for the dead letters.
    """
    ends, timestamps = np.zeros(len(batch), dtype=bool), batch.timestamps
    if told is not None and not all(batch.values):
        headers, of_ours = batch.headers(), told.application.encode()
        empty = [(i, headers[i] or ()) for i, value in enumerate(batch.values) if not value]
        ends[[i for i, own in empty if (END_HEADER, of_ours) in own]] = True
        marks = [i for i, own in empty if (MARK_HEADER, of_ours) in own and not ends[i] and told.grace is not None]
        if marks:
            ends[marks], timestamps = True, timestamps.copy()
            timestamps[marks] += told.grace or 0
    return Records(batch.offsets, timestamps, ends, batch.values, batch.keys, batch.headers)


def end_records(application: str, topic: str, partitions: int, timestamp: int) -> list[Output]:
    """For every partition of an input topic: nothing follows, so every bucket up to ``timestamp`` - grace is complete.

    Their time is judged like any other, by the records that follow: so there are as many as it takes.
    """
    return _for_each(END_HEADER, application, topic, partitions, timestamp)


def marks(application: str, topic: str, partitions: int, timestamp: int) -> list[Output]:
    """For every partition of an input topic: all that is earlier than ``timestamp`` stands in front of these. As many as end records."""
    return _for_each(MARK_HEADER, application, topic, partitions, timestamp)


def _for_each(header: str, application: str, topic: str, partitions: int, timestamp: int) -> list[Output]:
    own = ((header, application.encode()),)
    return [Output(topic, number, None, None, own, timestamp) for number in range(partitions) for _ in range(1 + CONFIRM)]
