"""Silence: a model that was heard of, and of which no row comes any more. It is told although no message arrives, since progress goes on.

A fixed rule, outside the budget of false alarms: no row of any version for three times the longest gap of its reference. What is known is
how far the stream is complete, so the same log tells the same, however fast and by whom it is read.

Nobody waits for ever for a model that will not come: it is forgotten when all its versions are retired, which progress says, since no row
may come any more that could; and when a changed configuration reads it from another stream, or not at all. A silence that is open then is
resolved, as `retired` or `reconfigured`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from ...schemas.cloud_events import iso
from ...schemas.configuration import Configuration
from ...schemas.identity import derived_id
from ...schemas.messages.drift import DriftedSignal, DriftEvent, Effect, Histogram, Status
from ..streams.buckets import Buckets, buckets
from .settings import configuration_hash

DETECTOR = "silence"
#: Of a reference, the bucket from which it holds, where none was announced.
NEVER_ANNOUNCED = -(2**63)
#: Retired models that are remembered, so that a late row makes none of them alive again.
MOST_RETIRED = 1_000
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


class OpenSilence(NamedTuple):
    """A silence that has been told."""

    episode: str
    bucket: tuple[int, int]  #: start and end of the one that decided


@dataclass
class HeardModel:
    """What is remembered of a monitored model's traffic."""

    version: str  #: the last one of which a bucket was tested
    reference: str
    longest_gap: int | None  #: of that reference, ms
    last: int  #: end of the last bucket with rows
    seen: int = 0  #: the longest gap between two buckets with rows, ms
    opened: OpenSilence | None = None
    since: int = NEVER_ANNOUNCED  #: the bucket from which that reference holds


@dataclass
class Silences:
    """The models of one summaries partition, each silent or not. All versions of a model are heard together: an old one may retire."""

    configuration: Configuration
    traffic: dict[tuple[str, str], HeardModel] = field(default_factory=dict)  #: by stream and model
    retired: dict[tuple[str, str], int] = field(default_factory=dict)  #: models of which no version is left, and from when on
    unfit: dict[tuple[str, str], HeardModel] = field(default_factory=dict)  #: restored, open, and nothing that the configuration looks for
    _earliest: dict[str, int] = field(default_factory=dict)  # by stream, nothing is due before

    def passed(self, stream: str, known: Completeness) -> list[Told]:
        """The stream is complete so far: what this shows of silences, in the order in which it is due."""
        if known.through < self._earliest.get(stream, known.through):
            return []
        due: list[tuple[int, Status, tuple[str, str]]] = []
        held = False
        for key, one in self.traffic.items():
            if key[0] == stream:
                silent, retired = self._due(key, one), self._retired_at(key, one)
                if silent is not None and silent <= known.through and not known.complete:
                    held = True  # somewhere there are rows that nobody has read
                elif silent is not None and (retired is None or silent < retired):
                    due.append((silent, "opened", key))
                if retired is not None:
                    due.append((retired, "resolved", key))
        self._earliest[stream] = known.through if held else min((when for when, *_ in due if when > known.through), default=known.through)
        return [told for when, status, key in sorted(due) if when <= known.through for told in self._tell(status, key, when, known)]

    def _tell(self, status: Status, key: tuple[str, str], when: int, known: Completeness) -> list[Told]:
        """Open a silence, or forget a model that is retired."""
        traffic, of = self.traffic[key], self._buckets(key[0])
        bucket = of.start(when - 1), when
        if status == "opened":
            place = traffic.version, traffic.reference, of.end(traffic.last)
            traffic.opened = OpenSilence(derived_id("silence", self.configuration.application, key[1], *place), bucket)
            return [self._event(status, key, traffic, bucket, known)]
        del self.traffic[key]
        return [] if traffic.opened is None else [self._event(status, key, traffic, max(bucket, traffic.opened.bucket), known, "retired")]

    def retire(self, stream: str, models: Mapping[str, int]) -> None:
        """Progress says of which models no version is left, and from which bucket on. Remembered of the newest `MOST_RETIRED`."""
        if models:
            self.retired |= {(stream, model): max(since, self.retired.get((stream, model), since)) for model, since in models.items()}
            newest = sorted(self.retired.items(), key=lambda one: (one[0] in self.traffic, one[1], one[0]), reverse=True)
            self.retired = dict(newest[: max(MOST_RETIRED, sum(key in self.traffic for key in self.retired))])
            self._earliest.pop(stream, None)

    def reconfigured(self) -> list[Told]:
        """Resolve what was open of models that the configuration reads elsewhere, or whose silence it does not look for any more."""
        told, known = [], Completeness(0, complete=True, clock_decided=False)
        for key, traffic in sorted(self.unfit.items()):
            assert traffic.opened is not None
            told.append(self._event("resolved", key, traffic, traffic.opened.bucket, known, "reconfigured"))
        self.unfit.clear()
        return told

    def heard(self, stream: str, model: str, known: Completeness) -> list[Told]:
        """A bucket has rows of a model: a silence ends."""
        traffic = self.traffic.get((stream, model))
        if traffic is None:
            return []
        published = []
        start = self._buckets(stream).start(known.through - 1)
        if traffic.opened is not None:
            published.append(self._event("resolved", (stream, model), traffic, (start, known.through), known, "recovered"))
            self._earliest.pop(stream, None)
        traffic.last, traffic.seen, traffic.opened = known.through, max(start - traffic.last, traffic.seen), None
        return published

    def follow(self, stream: str, model: str, version: str, reference: str, longest_gap: int | None, end: int, since: int) -> None:
        """A bucket of this version was tested: from now on its model's silence is told, in its name.

        Not of one that is retired: a late row of its last days brings nothing back.
        """
        key = stream, model
        if self.retired.get(key, since) > since and self.retired[key] < end:
            return
        before = self.traffic.get(key)
        self.traffic[key] = HeardModel(version, reference, longest_gap, end, 0 if before is None else before.seen, since=since)
        if before is None or (before.reference, before.since) != (reference, since):
            self._earliest.pop(stream, None)

    def _retired_at(self, key: tuple[str, str], traffic: HeardModel) -> int | None:
        """The bucket boundary behind which no row of the model is waited for."""
        since = self.retired.get(key)
        return None if since is None or since <= traffic.since else self._buckets(key[0]).end(since - 1)

    def _due(self, key: tuple[str, str], traffic: HeardModel) -> int | None:
        """The end of the bucket at which its silence is told, if no row comes before; at the earliest that of the second empty one."""
        pane, settings = self.configuration.streams[key[0]].pane, self.configuration.model(key[1])
        if traffic.opened is not None or settings.silence == "never" or pane.unit == "rows":
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

    def _event(
        self,
        status: Status,
        key: tuple[str, str],
        traffic: HeardModel,
        bucket: tuple[int, int],
        known: Completeness,
        reason: str | None = None,
    ) -> Told:
        (stream, model), (start, end) = key, bucket
        assert traffic.opened is not None
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
            episode=traffic.opened.episode,
            sequence=0 if status == "opened" else 1,
            status=status,
            model=model,
            version=traffic.version,
            stream=stream,
            reference=traffic.reference,
            kind="volume",
            bucket=(iso(start), iso(end)),
            onset=iso(traffic.last),
            signals=(signal,),
            detector=DETECTOR,
            budget=NO_BUDGET,
            severity="major",
            reason=reason,
            complete=known.complete,
            clock_decided=known.clock_decided,
            configuration=configuration_hash(self.configuration),
        )
        return end, event

    def open_now(self) -> int:
        """Silences that have been told, and go on."""
        return sum(one.opened is not None for one in self.traffic.values())

    def plain(self) -> list[list[Any]]:  # numbers and texts
        """As it stands in a snapshot."""
        return [[*key, *vars(one).values()] for key, one in self.traffic.items()]

    def plainly_retired(self) -> list[list[Any]]:  # numbers and texts
        """As it stands in a snapshot."""
        return [[*key, since] for key, since in sorted(self.retired.items())]

    @classmethod
    def restored(cls, configuration: Configuration, plain: list[list[Any]], retired: list[list[Any]]) -> "Silences":
        """What `plain` and `plainly_retired` wrote, less what the configuration reads elsewhere, or not at all."""
        again = cls(configuration, retired={(stream, model): since for stream, model, since in retired})
        for stream, model, *rest in plain:
            key, one = (stream, model), HeardModel(*rest)
            read = stream in configuration.streams and configuration.stream_of(model) == stream
            one.opened = _opened(one.opened)
            if one.opened is not None and (not read or configuration.model(model).silence == "never"):
                again.unfit[key] = replace(one)
                one.opened = None
            if read:
                again.traffic[key] = one
        return again


def _opened(plain: object) -> OpenSilence | None:
    """As a snapshot holds it. An earlier form said only that there is one: it is forgotten, and told anew if the silence goes on."""
    match plain:
        case [str() as episode, [int() as start, int() as end]]:
            return OpenSilence(episode, (start, end))
    return None
