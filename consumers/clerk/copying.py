"""Which bucket a fact is evidence of, and that it is copied once: the clerk's fold of one partition, a pure function of its records."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from ...schemas.configuration import Configuration
from ...schemas.identity import derived_id
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
    def model(self) -> str | None:
        """Of which model it is; None: of every one that the configuration lists."""
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
        """The evidence that a fact is, for each model that it concerns; nothing where it is one that was copied already."""
        if fact.id in self.copied:
            return []
        said = [self._evidence(offset, appended, fact, model) for model in self._concerned(fact)]
        self._remember(fact.id, max((one.bucket for one in said), default=_possible(appended)))
        self.facts += 1
        return said

    def _concerned(self, fact: Stated) -> Sequence[str]:
        return tuple(self.configuration.models) if fact.model is None else (fact.model,)

    def _evidence(self, offset: int, appended: int, fact: Stated, model: str) -> Evidence:
        assert self.place is not None  # a fold is told before it is fed
        about = _possible(appended if fact.time is None else fact.time)
        stream = self.configuration.stream_of(model)
        tiles = buckets(self.configuration.streams[stream].pane)
        return Evidence(
            of=self.of,
            stream=stream,
            topic=self.place.topic,
            topic_id=self.place.topic_id,
            partition=self.place.partition,
            offset=offset,
            bucket=tiles.end(_possible(appended) if self.append_time else about),
            about=about,
            model=model,
            version=fact.version,
            fact_id=fact.id if fact.model is not None else derived_id("concerns", fact.id, model),
            fact=dict(fact.plain()),
        )

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
