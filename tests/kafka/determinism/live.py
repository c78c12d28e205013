"""Traffic of this moment, for ``clock: live``: bursts and silences, rows that come late, a partition without rows at first."""

import random
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from driftbus.schemas.messages.announcement import FROM_START
from driftbus.schemas.stored.reference import Reference

from ...streaming import message, reference
from .kinds import Keep
from .world import PARTITIONS, POISON, SHIFT, YEAR_MS, Chunk, Record
from .world import settings as recorded_settings

MODELS = ("m0", "m1", "m2", "unknown")
PACE_S = 0.25
TICKS = 160
PER_TICK = 60
PANE_MS, GRACE_MS = 1_000, 500
#: Ticks in which nothing is written: longer than linger, so that the clock completes buckets.
SILENT = (range(50, 62), range(110, 122))
#: Partition 3 has no rows until then.
WAKES = 60
#: Model m0 is shifted in these.
DRIFTS = range(65, 100)


class Traffic:
    """What is written, and how much of it is to be counted."""

    def __init__(self) -> None:
        self.good = 0
        self.ahead = 0
        self.last = 0  #: timestamp

    def chunks(self) -> Iterator[Chunk]:
        """A transaction for every tick, with the times of its writing."""
        draw, choose = np.random.default_rng(6), random.Random(6)
        for tick in range(TICKS):
            if any(tick in silence for silence in SILENT):
                yield Chunk((), ())
                continue
            now = time.time_ns() // 1_000_000
            kept = [self._row(draw, choose, tick, now) for _ in range(PER_TICK)]
            if tick % 20 == 10:
                wrong = kept[10]._replace(timestamp=now + YEAR_MS)
                kept[10:10] = [wrong, wrong]
                kept += [wrong._replace(timestamp=now)] * 2  # so that it is judged by records, not by the end of the partition
                self.good, self.ahead = self.good + 2, self.ahead + 2
            self.last = max(self.last, now)
            yield Chunk(tuple(kept[:20]) if tick % 7 == 3 else (), tuple(kept))

    def final(self) -> int:
        """All buckets with rows end at or before it."""
        return self.last // PANE_MS * PANE_MS + PANE_MS

    def _row(self, draw: np.random.Generator, choose: random.Random, tick: int, now: int) -> Record:
        partition = choose.randrange(PARTITIONS if tick >= WAKES else PARTITIONS - 1)
        timestamp = now - (choose.randrange(2_000, 8_000) if choose.random() < 0.02 else choose.randrange(400))
        if choose.random() < 0.01:
            return Record(partition, timestamp, choose.choice(POISON[:-1]))
        self.good += 1
        model = choose.choice(MODELS)
        return Record(partition, timestamp, message(draw, model, shift=SHIFT * (model == "m0" and tick in DRIFTS)))


def references(keep: Keep) -> list[tuple[Reference, int]]:
    """Of all models but one, from the start."""
    return [(reference(model, seed=i), FROM_START) for i, model in enumerate(MODELS[:-1])]


def settings(address: str, artifacts: str) -> dict[str, Any]:  # a configuration as its user writes it
    """As with record time, but the wall clock may complete buckets: after a second of silence."""
    live = {"pane": f"{PANE_MS}ms", "clock": "live", "grace": f"{GRACE_MS}ms", "linger": "1s"}
    recorded = recorded_settings(address, artifacts)
    stream = {**recorded["streams"]["predictions"], **live}
    return {
        **recorded,
        "application": "live",
        "streams": {"predictions": stream},
        "models": {m: {"false_alarms": "1 per 1h"} for m in MODELS},
    }
