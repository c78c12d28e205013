"""An hour of traffic by record time: drifts, late rows, gaps, wrong clocks, poison, a partition that stays empty for a while.

It is the same at every call, drawn once in a process, and is written chunk by chunk: a transaction for each minute, in front of some of
them one that is taken back.
"""

import random
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

import msgspec
import numpy as np

from driftbus.consumers.bus.interface import Output
from driftbus.consumers.streams.records import end_records
from driftbus.schemas.cloud_events import Headers
from driftbus.schemas.messages.announcement import FROM_START
from driftbus.schemas.stored.reference import CategoricalProfile, Reference

from ...streaming import BEGINNING, Sent, message, reference
from . import kinds
from .kinds import KINDS

TOPIC, PARTITIONS = "scored", 4
APPLICATION = "determinism"
MONITORED = tuple(f"m{i}" for i in range(6))
#: Monitored too, and not always there; its rows have ids, some of them twice, and later a field that its reference does not know.
QUIET = "quiet"
MODELS = (*MONITORED, *KINDS, QUIET, "unknown")  # the last has no reference
PER_SECOND = 3
PANE_MS = 10_000
#: So few, and so many of them late, that a process that dies often begins again with a late row: only what was committed knows its bucket.
MAX_ROWS, LATE_EVERY = 80, 2
CHUNKS, CHUNK_S = 60, 60
#: Partition 3 is empty until then.
WAKES = 20
MIDWAY_S = CHUNKS * CHUNK_S // 2
YEAR_MS = 365 * 86_400_000

#: Model, from second to second, by how many sd. The last two are met by a reference that takes effect midway: of m4 while an episode is
#: open, of m5 when the change comes.
DRIFTS = (
    ("m0", 600, 1_100),
    ("m1", 1_300, 1_700),
    ("m2", 300, 800),
    ("m3", 2_000, 2_500),
    ("m4", 1_500, 3_600),
    ("m5", MIDWAY_S, 3_600),
)
SHIFT = 2.0
#: Seconds in which the quiet model has no rows. It is silent after three times the longest gap of its reference.
SILENT = (range(1_500, 2_600), range(3_200, CHUNKS * CHUNK_S))
LONGEST_GAP_S = 30
REPEATED, UNEXPECTED = range(600, 900), range(2_700, CHUNKS * CHUNK_S)
RENEWED = ("m4", "m5")

POISON = (b"{", b"", None, b"\xff", b"[1]", b'{"features": {"amount": 1.0}}', b'{"model": "m1", "padding": "' + b"x" * 100_000)
#: The row counts; its field is invalid (and a dead letter) or null.
BAD_FIELDS = (
    b'{"model": "m1", "version": "1", "features": {"amount": "high", "age": 30, "colour": "red"}, "score": 0.5}',
    b'{"model": "m2", "version": "1", "features": {"amount": NaN, "age": null, "colour": 7}, "score": 0.5}',
)

#: All buckets end at or before it.
FINAL = BEGINNING + CHUNKS * CHUNK_S * 1000


class Record(NamedTuple):
    """A record to be written."""

    partition: int
    timestamp: int
    value: bytes | None
    headers: Headers = ()


class Chunk(NamedTuple):
    """A transaction, and one in front of it that is aborted: a gap in the offsets."""

    aborted: tuple[Record, ...]
    kept: tuple[Record, ...]


@dataclass(frozen=True)
class World:
    """What is written, and how much of it is to be counted."""

    chunks: tuple[Chunk, ...] = field(repr=False)
    good: int  #: rows
    ahead: int  #: records of wrong clocks


@cache
def traffic() -> World:
    """All chunks; the last holds the end records."""
    draw, choose = np.random.default_rng(5), random.Random(5)
    chunks: list[Chunk] = []
    bad = ahead = total = 0
    for number in range(CHUNKS):
        rows = _rows(draw, number)
        for i in range(1, len(rows), LATE_EVERY):
            rows[i] = rows[i]._replace(time=rows[i].time - choose.choice((500, 15_000, 40_000)))
        for i in range(11, len(rows), 307):
            rows[i] = rows[i]._replace(value=choose.choice(BAD_FIELDS))
        for i in range(5, len(rows), 401):
            rows[i], bad = rows[i]._replace(value=choose.choice(POISON)), bad + 1
        rows[100] = rows[100]._replace(time=rows[100].time - YEAR_MS)  # a row all the same, however late
        wrong = _wrong_clocks(number, rows)
        total, ahead = total + len(rows), ahead + wrong
        aborted = tuple(choose.sample(rows, 50)) if number % 5 == 1 else ()
        chunks.append(Chunk(_timed(aborted), _timed(rows)))
    end = end_records(APPLICATION, TOPIC, PARTITIONS, FINAL + PANE_MS + 1_000)
    chunks.append(Chunk((), tuple(_record(output) for output in end)))
    return World(tuple(chunks), total - bad - ahead, ahead)


def references(keep: kinds.Keep) -> list[tuple[Reference, int]]:
    """Every model's from the start, and two that take effect midway; each with the time from which it holds."""
    first = [(reference(model, seed=i), FROM_START) for i, model in enumerate(MONITORED)]
    ids = CategoricalProfile(categories=("new",), counts=(10_000, 0), tau=(1.0, 1.0))
    quiet = reference(QUIET, seed=15).model_copy(update={"longest_gap": LONGEST_GAP_S * 1000, "ids": ids})
    first += [(built, FROM_START) for built in (quiet, *kinds.references(keep))]
    return [*first, *((reference(model, mean=SHIFT, seed=20), BEGINNING + MIDWAY_S * 1000) for model in RENEWED)]


def settings(address: str, artifacts: str) -> dict[str, Any]:  # a configuration as its user writes it
    """The configuration of every run. Some commits of detectors, every 5 s, come with a snapshot and some without."""
    return {
        "application": APPLICATION,
        "kafka": {"bootstrap.servers": address},
        "artifacts": artifacts,
        "snapshot_every": "6s",
        "streams": {"predictions": {"topics": [TOPIC], "pane": "10s", "clock": "record", "max_rows": MAX_ROWS}},
        "models": {model: KINDS[model].settings if model in KINDS else {"false_alarms": "1 per 1h"} for model in MODELS},
    }


def _rows(draw: np.random.Generator, chunk: int) -> list[Sent]:
    partitions = PARTITIONS if chunk >= WAKES else PARTITIONS - 1
    return [
        Sent(
            int(draw.integers(partitions)),
            second * 1000 + i * 1000 // PER_SECOND,
            _message(draw, model, second, i),
        )
        for second in range(chunk * CHUNK_S, (chunk + 1) * CHUNK_S)
        for model in MODELS
        for i in range(PER_SECOND)
        if model != QUIET or not any(second in silence for silence in SILENT)
    ]


def _message(draw: np.random.Generator, model: str, second: int, number: int) -> bytes:
    if model in KINDS:
        return kinds.message(draw, model, second + number / PER_SECOND)
    drawn = message(draw, model, shift=SHIFT * any(m == model and start <= second < end for m, start, end in DRIFTS))
    if model != QUIET:
        return drawn
    plain = msgspec.json.decode(drawn, type=dict[str, Any])
    extra = {"discount": number} if second in UNEXPECTED else {}
    id_ = f"{second}" if second in REPEATED else f"{second}/{number}"
    return msgspec.json.encode({**plain, "id": id_, "features": {**plain["features"], **extra}})


def _wrong_clocks(chunk: int, rows: list[Sent]) -> int:
    """Put records of a year ahead among the rows: one as the first of a partition, later one or two in a row; how many."""
    places = {0: (0, 1), 3: (200, 1), 7: (200, 2)}
    place, count = places.get(chunk if chunk == 0 else chunk % 10, (0, 0))
    row = rows[place]
    rows[place:place] = [row._replace(time=row.time + YEAR_MS)] * count
    return count


def _timed(rows: tuple[Sent, ...] | list[Sent]) -> tuple[Record, ...]:
    return tuple(Record(row.partition, BEGINNING + row.time, row.value) for row in rows)


def _record(output: Output) -> Record:
    assert output.partition is not None
    assert output.timestamp is not None
    return Record(output.partition, output.timestamp, output.value, output.headers)
