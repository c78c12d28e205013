"""What the consumers of a process have counted, and how far they are: read between two turns, by the thread that turns."""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ..bus.interface import TopicPartition
from ..pipeline.runner import Pipeline
from ..process.standing import Located, Standing

#: By role; the names of the numbers are those of `driftbus.consumers.console.metrics.MEASURES`.
Numbers = Mapping[str, Mapping[str, int]]


@dataclass
class Followed:
    """How far behind partitions are: for how long they were not read to their end; live, no longer than record time says.

    A partition that is read as fast as it is written is seldom at its end when one looks: there record time tells.
    """

    now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000
    _since: dict[tuple[int, TopicPartition], int] = field(default_factory=dict)

    def behind(self, consumer: int, standing: Standing) -> int:
        """The farthest of a consumer's partitions, in ms."""
        now, lags = self.now_ms(), [0]
        before = {source: since for (whose, source), since in self._since.items() if whose == consumer}
        self._since = {key: since for key, since in self._since.items() if key[0] != consumer}
        for source, newest in standing.heard.items():
            if source in standing.at_end:
                continue
            self._since[consumer, source] = since = before.get(source, now)
            lags.append(now - since if newest is None else min(now - since, max(now - newest, 0)))
        return max(lags)


def numbers_of(pipeline: Pipeline, followed: Followed) -> Numbers:
    """By role: totals over its consumers, and how they stand. What cannot be known of one is left out."""
    found: dict[str, Counter[str]] = {}
    for place, consumer in enumerate(pipeline.consumers):
        own = found.setdefault(consumer.role, Counter())
        own.update(consumer.totals())
        if isinstance(consumer, Located):
            standing = consumer.standing()
            own["partitions"] += len(standing.heard)
            own["open_episodes"] += standing.open
            own["behind_ms"] = max(own["behind_ms"], followed.behind(place, standing))
    return found
