"""Silence: a model that was heard of, and of which no row comes any more. It is told although no message arrives, since progress goes on.

A fixed rule, outside the budget of false alarms: no row of any version for three times the longest gap of its reference. What is known is
how far the stream is complete, so the same log tells the same, however fast and by whom it is read.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ...schemas.cloud_events import iso
from ...schemas.configuration import Configuration
from ...schemas.identity import derived_id
from ...schemas.messages.drift import DriftedSignal, DriftEvent, Effect, Histogram, Status
from ..streams.buckets import Buckets, buckets

DETECTOR = "silence"
#: A gap so many times as long as the longest of the reference is none of its kind.
GAPS = 3
#: Where the reference has no times, nothing shorter than so many buckets is silence: its longest gap is then the longest one seen.
BUCKETS_UNTIMED = 10
#: In place of a budget: the rule has no rate of false alarms.
NO_BUDGET = "none"


#: An event, behind the end of the bucket it speaks of.
Told = tuple[int, DriftEvent]


class Completeness(NamedTuple):
    """How far a stream is complete, and how that came about."""

    through: int  #: the end of a bucket
    complete: bool
    clock_decided: bool


@dataclass
class HeardModel:
    """What is remembered of a monitored model's traffic."""

    version: str  #: the last one of which a bucket was tested
    reference: str
    longest_gap: int | None  #: of that reference, ms
    last: int  #: end of the last bucket with rows
    seen: int = 0  #: the longest gap between two buckets with rows, ms
    silent: bool = False


@dataclass
class Silences:
    """The models of one summaries partition, each silent or not. All versions of a model are heard together: an old one may retire."""

    configuration: Configuration
    traffic: dict[tuple[str, str], HeardModel] = field(default_factory=dict)  #: by stream and model
    _earliest: dict[str, int] = field(default_factory=dict)  # by stream, no silence is due before

    def passed(self, stream: str, known: Completeness) -> list[Told]:
        """The stream is complete so far: open the silences that this shows, in the order in which they are due."""
        if known.through < self._earliest.get(stream, known.through):
            return []
        due = [(when, key) for key, one in self.traffic.items() if key[0] == stream and (when := self._due(key, one)) is not None]
        self._earliest[stream] = min((when for when, _ in due if when > known.through), default=known.through)
        published = []
        for when, key in sorted(one for one in due if one[0] <= known.through):
            self.traffic[key].silent = True
            published.append(self._event("opened", key, when, known))
        return published

    def heard(self, stream: str, model: str, known: Completeness) -> list[Told]:
        """A bucket has rows of a model: a silence ends."""
        traffic = self.traffic.get((stream, model))
        if traffic is None:
            return []
        published = []
        if traffic.silent:
            published.append(self._event("resolved", (stream, model), known.through, known))
            self._earliest.pop(stream, None)
        gap = self._buckets(stream).start(known.through - 1) - traffic.last
        traffic.last, traffic.seen, traffic.silent = known.through, max(gap, traffic.seen), False
        return published

    def follow(self, stream: str, model: str, version: str, reference: str, longest_gap: int | None, end: int) -> None:
        """A bucket of this version was tested: from now on its model's silence is told, in its name."""
        before = self.traffic.get((stream, model))
        self.traffic[stream, model] = HeardModel(version, reference, longest_gap, end, 0 if before is None else before.seen)
        if before is None or before.reference != reference:
            self._earliest.pop(stream, None)

    def _due(self, key: tuple[str, str], traffic: HeardModel) -> int | None:
        """The end of the bucket at which its silence is told, if no row comes before; at the earliest that of the second empty one."""
        pane, settings = self.configuration.streams[key[0]].pane, self.configuration.model(key[1])
        if traffic.silent or settings.silence == "never" or pane.unit == "rows":
            return None  # of rows nobody knows how long a gap is
        of, last = self._buckets(key[0]), traffic.last
        if settings.silence is not None:
            limit = settings.silence
        elif traffic.longest_gap is not None:
            limit = GAPS * traffic.longest_gap
        else:
            limit = max(GAPS * traffic.seen, BUCKETS_UNTIMED * pane.milliseconds)
        return max(of.end(of.end(last)), of.end(last + limit - 1))

    def _buckets(self, stream: str) -> Buckets:
        return buckets(self.configuration.streams[stream].pane)

    def _event(self, status: Status, key: tuple[str, str], end: int, known: Completeness) -> Told:
        (stream, model), traffic, of = key, self.traffic[key], self._buckets(key[0])
        place = model, traffic.version, traffic.reference
        settings = self.configuration
        signal = DriftedSignal(
            name="(volume)",
            role="row",
            of="volume",
            open=status == "opened",
            share=1.0,
            change=f"silent since {iso(traffic.last)}",
            log_evidence=0.0,
            effect=Effect(),
            reference=Histogram(),
            current=Histogram(),
            rows=0,
        )
        event = DriftEvent(
            episode=derived_id("silence", settings.application, *place, of.end(traffic.last)),
            sequence=0 if status == "opened" else 1,
            status=status,
            model=model,
            version=traffic.version,
            stream=stream,
            reference=traffic.reference,
            kind="volume",
            bucket=(iso(of.start(end - 1)), iso(end)),
            onset=iso(traffic.last),
            signals=(signal,),
            detector=DETECTOR,
            budget=NO_BUDGET,
            severity="major",
            reason=None if status == "opened" else "recovered",
            complete=known.complete,
            clock_decided=known.clock_decided,
            configuration=settings.hash,
        )
        return end, event

    def plain(self) -> list[list[Any]]:  # numbers and texts
        """As it stands in a snapshot."""
        return [[*key, *vars(one).values()] for key, one in self.traffic.items()]

    @classmethod
    def restored(cls, configuration: Configuration, plain: list[list[Any]]) -> "Silences":
        """What `plain` wrote, less streams that the configuration no longer has."""
        kept = {(row[0], row[1]): HeardModel(*row[2:]) for row in plain if row[0] in configuration.streams}
        return cls(configuration, kept)
