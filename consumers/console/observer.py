"""Looks at the consumers after each of their turns: a line in the log a minute, and numbers for whoever asks for them.

It runs in the thread that turns, and reads a few numbers once a second. Who serves them (`serving`) reads `Observer.reading`, which is
replaced as a whole: no lock of the bus or of a consumer is ever waited for, and none of theirs waits.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from ..pipeline.runner import Pipeline
from .logs import facts
from .numbers import Followed, Numbers, numbers_of

_log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
LINE_EVERY_S = 60.0


@dataclass(frozen=True)
class Reading:
    """The numbers of one time."""

    numbers: Numbers = field(default_factory=dict)
    turns: int = 0


class Observer:
    """To be called after every turn. ``clock``: seconds that never go back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.reading = Reading()
        self.turned_at = clock()
        self._turns = 0
        self._followed = Followed()
        self._looked_at, self._told_at = -LOOK_EVERY_S, self.turned_at

    def __call__(self, pipeline: Pipeline) -> None:
        """Note that they turned; now and then, read and tell."""
        self.turned_at = now = self.clock()
        self._turns += 1
        if now - self._looked_at >= LOOK_EVERY_S:
            self.reading, self._looked_at = Reading(numbers_of(pipeline, self._followed), self._turns), now
        if now - self._told_at >= LINE_EVERY_S:
            self._told_at = now
            tell(self.reading.numbers)


def tell(numbers: Numbers) -> None:
    """The line of a minute: totals of this process since it started, and how things are now."""
    totals = {name: sum(own.get(name, 0) for own in numbers.values()) for each in numbers.values() for name in each}
    behind = max((own["behind_ms"] for own in numbers.values() if "behind_ms" in own), default=0) / 1000
    words = {"rows": "rows", "panes": "panes", "buckets": "buckets", "events": "events", "dead_letters": "dead letters"}
    counted = [f"{totals[name]:,} {word}" for name, word in words.items() if name in totals]
    open_now = [f"{totals['open_episodes']:,} episodes open"] if "open_episodes" in totals else []
    line = ", ".join([*counted, *open_now, f"{totals.get('partitions', 0)} partitions, {behind:,.0f} s behind"])
    kept = {name: value for name, value in totals.items() if name != "behind_ms"}
    _log.info("%s", line, extra=facts(**kept, behind_s=behind, roles=sorted(numbers)))
