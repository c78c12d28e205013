"""What a session is to deliver of each of its partitions, how far that is, and whether it really goes on."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, NamedTuple

from confluent_kafka import Consumer, KafkaException
from confluent_kafka import TopicPartition as KafkaPartition

from . import kafka_errors
from .interface import TopicPartition
from .kafka_admin import Cluster
from .kafka_patience import Patience

#: Seconds without progress on a partition that has records to read, after which it is taken up anew.
STALLED_S = 30.0
#: Seconds without partitions in a group that does not know the client, after which it is asked why.
_OUTSIDE_S = 10.0
#: Between two reads no more than this counts: whoever does not ask is not kept waiting.
_COUNTS_S = 1.0
#: Where the client has more to hand out than it is asked for, a partition's turn may be long in coming: such time counts less.
_BUSY_PART = 0.1
#: Seconds that a client may refuse to read from elsewhere.
_SEEK_S = 5.0


class Stall(NamedTuple):
    """A partition of which nothing comes, although there is something."""

    source: TopicPartition
    position: int
    end: int
    times: int  #: found so in a row


@dataclass
class _Place:
    position: int
    heard_at: float  #: by the flow's clock
    held: bool = False
    end: int | None = None  #: read to it
    stalls: int = 0


class Flow:
    """A session's partitions. What stands here is what we want of the client, never what we think it does: it is told, or looked at.

    *Trap*: librdkafka keeps a partition paused when it is taken away and comes back to the same client.
    """

    def __init__(self, stalled_s: float = STALLED_S) -> None:
        self._stalled_s = stalled_s
        self._places: dict[TopicPartition, _Place] = {}
        self._silent = False
        self._clock, self._last = 0.0, time.monotonic()
        self._inside_at = 0.0
        self._asked: Mapping[TopicPartition, Future[Any]] = {}  # of an answer that has an offset
        self._asked_at = 0.0

    def begin(self, consumer: Consumer, starts: Mapping[TopicPartition, int]) -> None:
        """These have been assigned, to be read from there; whatever became of them when the client had them before."""
        self._places |= {source: _Place(start, self._clock) for source, start in starts.items()}
        self.tell(consumer, starts)

    def forget(self, gone: Iterable[TopicPartition]) -> None:
        """These are ours no more."""
        for source in gone:
            self._places.pop(source, None)

    def hold(self, consumer: Consumer, sources: Iterable[TopicPartition], *, held: bool) -> None:
        """Whether those of them that are ours are to be delivered."""
        ours = [source for source in sources if source in self._places]
        for source in ours:
            self._places[source].held, self._places[source].heard_at = held, self._clock
        self.tell(consumer, ours)

    def silence(self, consumer: Consumer, *, silent: bool) -> None:
        """Whether nothing is to be delivered just now, of partitions that are new neither."""
        self._silent = silent
        self.tell(consumer, self._places)

    def tell(self, consumer: Consumer, sources: Iterable[TopicPartition]) -> None:
        """Tell the client what is wanted of these, whatever it was told before."""
        asked = set(sources)
        held = asked if self._silent else asked & self.held
        for say, said in ((consumer.pause, held), (consumer.resume, asked - held)):
            if said:
                say([KafkaPartition(*source) for source in said])

    def seek(self, consumer: Consumer, source: TopicPartition, position: int, patience: Patience) -> None:
        """It is to be read from there."""
        place = self._places[source]
        place.position, place.end, place.heard_at = position, None, self._clock
        trying, deadline = patience.trying(f"reading {source} from {position}"), time.monotonic() + _SEEK_S
        while True:
            try:
                return consumer.seek(KafkaPartition(*source, position))
            except KafkaException as exception:
                if time.monotonic() > deadline:  # it has lost the partition, and does not say so
                    msg = f"reading {source} from {position}: {kafka_errors.error_of(exception).str()}"
                    raise kafka_errors.Ended(msg) from exception
                trying.nothing_came()  # for a moment the client cannot, where a leader is being looked for

    @property
    def ours(self) -> frozenset[TopicPartition]:
        """All partitions."""
        return frozenset(self._places)

    @property
    def held(self) -> frozenset[TopicPartition]:
        """Those of which nothing is to be delivered."""
        return frozenset(source for source, place in self._places.items() if place.held)

    @property
    def ends(self) -> dict[TopicPartition, int]:
        """Those read to their end, with the position there."""
        return {source: place.end for source, place in self._places.items() if place.end is not None}

    def position(self, source: TopicPartition) -> int:
        """The next offset to read of a partition of ours."""
        return self._places[source].position

    def ended(self, source: TopicPartition, position: int) -> None:
        """It was read to its end."""
        if (place := self._places.get(source)) and position >= place.position:
            place.position, place.end, place.heard_at, place.stalls = position, position, self._clock, 0

    def delivered(self, source: TopicPartition, last: int) -> None:
        """Records up to this offset were handed out."""
        place = self._places[source]
        place.position, place.heard_at, place.stalls = max(place.position, last + 1), self._clock, 0
        if place.end is not None and place.end <= last:
            place.end = None

    def listened(self, *, drained: bool) -> None:
        """The client was asked for records; ``drained``: it had no more of them."""
        now = time.monotonic()
        self._clock += min(now - self._last, _COUNTS_S) * (1 if drained else _BUSY_PART)
        self._last = now

    def outside(self, member: Callable[[], object]) -> bool:
        """Whether the client was asked for records for long, has no partitions, and is no member of the group. Said once each time."""
        if self._places or member():
            self._inside_at = self._clock
        if found := self._clock - self._inside_at >= _OUTSIDE_S:
            self._inside_at = self._clock
        return found

    def stalls(self, cluster: Cluster) -> Sequence[Stall]:
        """Partitions found to have stalled. Their ends are asked for now and then, and never waited for."""
        if self._asked:
            if not all(answer.done() for answer in self._asked.values()) and self._clock - self._asked_at < self._stalled_s:
                return ()
            answers, self._asked = self._asked, {}
            ends = {source: end for source, answer in answers.items() if (end := _end(answer)) is not None}
            if len(ends) < len(answers):  # of those there is still to be asked, and not the leader that is gone
                cluster.forget()
            return [stall for source, end in ends.items() if (stall := self._stall(source, end))]
        quiet = [source for source, place in self._places.items() if self._quiet(place)]
        if quiet and self._clock - self._asked_at >= self._stalled_s / 4:
            self._asked_at = self._clock
            self._asked = cluster.ends_soon(quiet)
        return ()

    def _quiet(self, place: _Place) -> bool:
        return not place.held and self._clock - place.heard_at >= self._stalled_s

    def _stall(self, source: TopicPartition, end: int) -> Stall | None:
        place = self._places.get(source)
        if place is None or not self._quiet(place):
            return None
        place.heard_at = self._clock
        if end <= max(place.position, 0):
            return None  # nothing is there to come
        place.stalls += 1
        return Stall(source, place.position, end, place.stalls)


def _end(answer: "Future[Any]") -> int | None:
    """None: it is not known."""
    if not answer.done() or answer.exception() is not None:
        return None
    offset = int(answer.result().offset)
    return offset if offset >= 0 else None
