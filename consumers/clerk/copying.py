"""Which bucket a fact is evidence of, and that it is copied once: the clerk's fold of one partition, a pure function of its records."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from ...schemas.configuration import Configuration
from ...schemas.messages.evidence import Evidence
from ...schemas.messages.progress import InputPartition
from ...schemas.stored.snapshot import FORM, PartitionState
from ..streams.buckets import buckets
from ..streams.cut import EARLIEST, LATEST

#: Milliseconds behind which a fact that is written again is copied again: nobody repeats himself after so long.
REMEMBERED_FOR = 90 * 86_400_000
#: Facts that are remembered, whatever their age: the ones copied last.
MOST_REMEMBERED = 100_000


class Stated(Protocol):
    """A fact as its message has it."""

    @property
    def model(self) -> str:
        """Of which model it is."""
        ...

    @property
    def version(self) -> str:
        """Of which of its versions."""
        ...

    @property
    def id(self) -> str:
        """The same, however often it is written."""
        ...

    @property
    def time(self) -> int | None:
        """When it was so, ms; None: it does not say."""
        ...

    def plain(self) -> Mapping[str, Any]:  # JSON
        """All that it says."""
        ...


@dataclass
class Copying:
    """The facts of one partition, as evidence.

    A fact is evidence of the bucket in which it became known: that of its record's append time. Where the topic keeps its writers' times
    instead, as with ``clock: record``, no append time says anything, and the fact's own holds, else that of its record.
    """

    configuration: Configuration
    of: str
    copied: dict[str, int] = field(default_factory=dict)  #: facts, by id, with their buckets, in the order in which they were copied
    place: InputPartition | None = None
    append_time: bool = False
    changed: bool = False
    facts: int = 0  #: copied since it was made

    def situated(self, place: InputPartition, append_time: bool) -> None:
        """Where the next records stand, and whether their times are the log's."""
        self.place, self.append_time = place, append_time

    def feed(self, offset: int, appended: int, fact: Stated) -> Sequence[Evidence]:
        """The evidence that a fact is; nothing where it is one that was copied already."""
        if fact.id in self.copied:
            return []
        assert self.place is not None  # a fold is told before it is fed
        about = _possible(appended if fact.time is None else fact.time)
        stream = self.configuration.stream_of(fact.model)
        tiles = buckets(self.configuration.streams[stream].pane)
        bucket = tiles.end(_possible(appended) if self.append_time else about)
        self._remember(fact.id, bucket)
        self.facts += 1
        return [
            Evidence(
                of=self.of,
                stream=stream,
                topic=self.place.topic,
                topic_id=self.place.topic_id,
                partition=self.place.partition,
                offset=offset,
                bucket=bucket,
                about=about,
                model=fact.model,
                version=fact.version,
                fact_id=fact.id,
                fact=dict(fact.plain()),
            )
        ]

    def due(self, now: int) -> Sequence[Evidence]:
        """Nothing: a fact waits for nothing."""
        return []

    def resumed(self) -> Sequence[Evidence]:
        """Nothing."""
        return []

    def snapshot(self, position: int) -> tuple[PartitionState, Mapping[str, bytes]]:
        """What has been copied."""
        fold = {"copied": self.copied}
        return PartitionState(form=FORM, position=position, states=(), aligners={}, pending=(), fold=fold), {}

    def totals(self) -> Mapping[str, int]:
        """Facts copied."""
        return {"facts": self.facts}

    def _remember(self, fact: str, bucket: int) -> None:
        """And forget those of long ago, from the first on that was copied."""
        self.copied[fact] = bucket
        first = next(iter(self.copied))
        while len(self.copied) > MOST_REMEMBERED or self.copied[first] < bucket - REMEMBERED_FOR:
            del self.copied[first]
            first = next(iter(self.copied))


def _possible(time: int) -> int:
    """A time that has a bucket: whoever writes may write any."""
    return min(max(time, EARLIEST), LATEST)
