"""Notes of episodes: what a drift event says, as whoever folds the summaries needs it, where all evidence of its model lies."""

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

import msgspec

from ..fact import Fact
from .drift import DriftedSignal, DriftEvent, FurtherSignal, Kind, Severity, Status, moment

#: The kind of evidence that they are (`Evidence.of`), and of the progress that completes them.
EPISODE = "episode"
#: Bytes that a note has for its signals, and for its segments.
_MOST_BYTES = 60_000

_Any = TypeVar("_Any", Fact, str)


class NotedSignal(Fact):
    """One signal of the episode."""

    name: str
    role: str
    of: str
    segment: str | None = None
    open: bool
    share: float


class EpisodeNote(Fact):
    """What one event said. Model, version and stream stand in the `Evidence` that carries it, whose ``fact_id`` is the event's id."""

    episode: str
    sequence: int
    status: Status
    kind: Kind
    severity: Severity
    reason: str | None = None
    reference: str
    opened: int  #: ms, the end of the bucket that opened the episode
    onset: int  #: ms
    signals: tuple[NotedSignal, ...] = ()  #: open ones first, then by their shares
    more_signals: int = 0  #: so many more are not listed
    segments: tuple[str, ...] = ()  #: those that drift, of open signals; empty where all rows do
    more_segments: int = 0
    complete: bool
    clock_decided: bool

    @classmethod
    def of(cls, event: DriftEvent, opened: int) -> "EpisodeNote":
        """Of an event; ``opened``: the end of the bucket that opened its episode, ms."""
        all_told: tuple[DriftedSignal | FurtherSignal, ...] = (*event.signals, *event.further)
        told = sorted(all_told, key=lambda one: (not one.open, -one.share, one.name, one.of, one.segment or ""))
        signals = list(_within(map(_noted, told)))
        named = sorted({name for one in told if one.open for name in _segments(one)}) if event.status != "resolved" else []
        segments = list(_within(named))
        return cls(
            episode=event.episode,
            sequence=event.sequence,
            status=event.status,
            kind=event.kind,
            severity=event.severity,
            reason=event.reason,
            reference=event.reference,
            opened=opened,
            onset=moment(event.onset),
            signals=tuple(signals),
            more_signals=len(told) - len(signals) + event.more_signals,
            segments=tuple(segments),
            more_segments=len(named) - len(segments),
            complete=event.complete,
            clock_decided=event.clock_decided,
        )


def _noted(one: DriftedSignal | FurtherSignal) -> NotedSignal:
    return NotedSignal(name=one.name, role=one.role, of=one.of, segment=one.segment, open=one.open, share=one.share)


def _segments(one: DriftedSignal | FurtherSignal) -> Iterable[str]:
    """In which a signal has changed, where that is not everywhere."""
    if one.segment is not None:
        return (one.segment,)
    return one.only_in if isinstance(one, DriftedSignal) else ()


def _within(items: Iterable[_Any]) -> Iterator[_Any]:
    """As many of the first ones as there is room for."""
    left = _MOST_BYTES
    for one in items:
        plain: Any = one.model_dump() if isinstance(one, Fact) else one  # plain data
        left -= len(msgspec.msgpack.encode(plain))
        if left < 0:
            return
        yield one
