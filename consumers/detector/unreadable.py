"""Records that cannot be read: their share of a model's records, or of a stream's where not even the model can be read.

A one-sided mixture e-detector of the share against `USUAL`: R_q <- (R_q + d) (q/p)^k ((1-q)/(1-p))^(n-k) for every q of `BETS`, with k of
the bucket's n records unreadable and d its length in seconds; told when the mean of all R reaches the budget over `PART` (Shin, Ramdas,
Rinaldo, *E-detectors*, arXiv 2203.03532, section 4). So it takes that part of the model's budget, and no more. It is over when the bet that
found it has lost by `OVER`, as with any signal.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ...detectors.episodes.episode import OVER
from ...schemas.cloud_events import iso
from ...schemas.configuration import Configuration, FalseAlarms, Model
from ...schemas.identity import derived_id
from ...schemas.messages.drift import DriftedSignal, DriftEvent, Effect, Histogram, Severity, Status
from ...schemas.messages.progress import ReadRecords
from ..streams.buckets import Buckets
from .settings import configuration_hash
from .silence import Completeness

DETECTOR = "unreadable"
#: A share that is usual: `check` is red from there on.
USUAL = 0.01
#: Shares that are bet on, in equal parts.
BETS = (0.03, 0.1, 0.3, 0.6, 0.95)
#: Of the budget.
PART = 0.01
#: From which share on it is moderate, and major.
MODERATE, MAJOR = 0.05, 0.25
SEVERITIES: tuple[Severity, ...] = "minor", "moderate", "major"
#: Among models: the stream, of whose records not even the model can be read. No model is named so.
OF_STREAM = ""
#: In place of a model, a version, a reference, where these are not known.
NONE = "-"
#: Models whose share is followed, in each summaries partition; of others only what stands in their stream's.
MOST_FOLLOWED = 1_000
_LARGEST_STEP = 600.0

Told = tuple[int, DriftEvent]
Key = tuple[str, str]  # stream and model, or `OF_STREAM`


class OpenShare(NamedTuple):
    """An episode."""

    episode: str
    bucket: tuple[int, int]
    onset: int
    bet: int
    severity: Severity = "minor"  #: the worst so far


@dataclass
class Followed:
    """A share."""

    r: list[float] = field(default_factory=lambda: [0.0] * len(BETS))
    onset: int | None = None  #: start of the first bucket since the evidence was nothing
    unread: int = 0  #: since then, or since the episode's onset
    records: int = 0
    over: float = 0.0  #: evidence that it has ended
    looks: str = ""
    opened: OpenShare | None = None

    @property
    def severity(self) -> Severity:
        """Of its share since the onset."""
        share = self.unread / max(self.records, 1)
        return "major" if share >= MAJOR else "moderate" if share >= MODERATE else "minor"


@dataclass
class Unreadable:
    """The shares of one summaries partition."""

    configuration: Configuration
    followed: dict[Key, Followed] = field(default_factory=dict)
    waiting: dict[str, dict[int, list[ReadRecords]]] = field(default_factory=dict)  #: by stream and bucket
    unfit: dict[Key, Followed] = field(default_factory=dict)  #: with an episode that a changed configuration ends

    def take(self, stream: str, bucket: int, told: ReadRecords) -> None:
        """What a profiler has read, in the bucket in which it counts."""
        self.waiting.setdefault(stream, {}).setdefault(bucket, []).append(told)

    def passed(self, stream: str, of: Buckets, known: Completeness, rows: Mapping[str, int]) -> list[Told]:
        """All buckets up to this one are complete; ``rows`` of the models that have any in it."""
        waiting = self.waiting.get(stream, {})
        due = {bucket for bucket in waiting if bucket <= known.through}
        if any((stream, model) in self.followed for model in rows):
            due.add(known.through)
        told: list[Told] = []
        for bucket in sorted(due):
            told += self._read(
                stream, (of.start(bucket - 1), bucket), waiting.pop(bucket, []), known, rows if bucket == known.through else {}
            )
        return told

    def _read(
        self, stream: str, bucket: tuple[int, int], read: Sequence[ReadRecords], known: Completeness, rows: Mapping[str, int]
    ) -> list[Told]:
        unread, records, looks = Counter[str](), Counter[str](rows), Counter[tuple[str, str]]()
        for one in read:
            unread[one.model] += one.unread
            records[one.model] += one.records + (0 if one.model == OF_STREAM else one.unread)
            looks[one.model, one.looks] += one.unread
        likest = {model: what for (model, what), _ in sorted(looks.items(), key=lambda one: (one[1], one[0])) if what}
        told: list[Told] = []
        for model in sorted(records):
            key = stream, model
            if unread[model] and len(self.followed) < MOST_FOLLOWED:
                self.followed.setdefault(key, Followed())
            if key in self.followed and records[model]:
                told += self._step(key, unread[model], records[model], bucket, known, likest.get(model, ""))
        return told

    def _step(self, key: Key, unread: int, records: int, bucket: tuple[int, int], known: Completeness, looks: str) -> list[Told]:
        one, per = self.followed[key], self._allowed(key)
        one.looks = looks or one.looks
        length = records if per.of == "rows" else (bucket[1] - bucket[0]) / 1000
        limit = (per.per if per.of == "rows" else per.per / 1000) / PART
        ratios = [unread * math.log(q / USUAL) + (records - unread) * math.log((1 - q) / (1 - USUAL)) for q in BETS]
        one.unread, one.records = one.unread + unread, one.records + records
        if one.opened is not None:
            one.opened = one.opened._replace(severity=max(one.opened.severity, one.severity, key=SEVERITIES.index))
            one.over = max(0.0, one.over - ratios[one.opened.bet])
            if one.over < OVER:
                return []
            told = self._event("resolved", key, one, bucket, known, "recovered")
            self.followed[key] = Followed(looks=one.looks)
            return [told]
        one.onset = bucket[0] if one.onset is None else one.onset
        one.r = [(r + length) * math.exp(min(ratio, _LARGEST_STEP)) for r, ratio in zip(one.r, ratios, strict=True)]
        if sum(one.r) / len(BETS) < limit:
            if max(one.r) < length:  # nothing speaks for it
                one.onset, one.unread, one.records = None, 0, 0
            return []
        episode = derived_id("unreadable", self.configuration.application, *key, bucket[1])
        bet = max(range(len(BETS)), key=lambda bet: one.r[bet])
        one.opened = OpenShare(episode, bucket, one.onset, bet, one.severity)
        return [self._event("opened", key, one, bucket, known)]

    def _allowed(self, key: Key) -> FalseAlarms:
        """The budget of the model; of a stream the strictest of its models'."""
        if key[1] != OF_STREAM:
            return self.configuration.model(key[1]).false_alarms
        models = (model for model in self.configuration.models if self.configuration.stream_of(model) == key[0])
        allowed = [self.configuration.model(model).false_alarms for model in models] or [Model().false_alarms]
        return max(allowed, key=lambda one: (one.of == "time", one.per))

    def reconfigured(self) -> list[Told]:
        """Ends what goes on of streams that are not read any more, and of models that are read elsewhere."""
        known = Completeness(0, complete=True, clock_decided=False)
        told = [
            self._event("resolved", key, one, one.opened.bucket, known, "reconfigured") for key, one in self.unfit.items() if one.opened
        ]
        self.unfit.clear()
        return told

    def _event(
        self, status: Status, key: Key, one: Followed, bucket: tuple[int, int], known: Completeness, reason: str | None = None
    ) -> Told:
        stream, model = key
        assert one.opened is not None
        looks = f"; they look like {one.looks}" if one.looks else ""
        signal = DriftedSignal(
            name="(records)",
            role="row",
            of="unreadable",
            open=status == "opened",
            share=1.0,
            change=f"{one.unread:,} of {one.records:,} cannot be read{looks}",
            log_evidence=0.0,
            effect=Effect(),
            reference=Histogram(bins=("read", "unreadable"), counts=(99, 1)),
            current=Histogram(bins=("read", "unreadable"), counts=(one.records - one.unread, one.unread)),
            rows=one.records,
        )
        event = DriftEvent(
            episode=one.opened.episode,
            sequence=0 if status == "opened" else 1,
            status=status,
            model=NONE if model == OF_STREAM else model,
            version=NONE,
            stream=stream,
            reference=NONE,
            kind="unreadable",
            bucket=(iso(bucket[0]), iso(bucket[1])),
            onset=iso(one.opened.onset),
            signals=(signal,),
            detector=DETECTOR,
            budget=str(self._allowed(key)),
            severity=one.opened.severity,
            reason=reason,
            complete=known.complete,
            clock_decided=known.clock_decided,
            configuration=configuration_hash(self.configuration),
        )
        return bucket[1], event

    def open_now(self) -> int:
        """Episodes that go on."""
        return sum(one.opened is not None for one in self.followed.values())

    def plain(self) -> dict[str, Any]:  # numbers and texts
        """As it stands in a snapshot."""
        waiting = [
            [stream, bucket, list(one)] for stream, by_bucket in self.waiting.items() for bucket, all_ in by_bucket.items() for one in all_
        ]
        return {"shares": [[*key, *vars(one).values()] for key, one in self.followed.items()], "waiting": waiting}

    @classmethod
    def restored(cls, configuration: Configuration, plain: dict[str, Any]) -> "Unreadable":
        """What `plain` wrote, less what the configuration reads elsewhere, or not at all."""
        again = cls(configuration)
        former = ([stream, OF_STREAM if model == NONE else model, *rest] for stream, model, *rest in plain.get("followed", ()))
        for stream, model, *numbers, opened in [*former, *plain.get("shares", ())]:  # an earlier form, and this one
            one = Followed(*numbers)
            one.opened = None if opened is None else OpenShare(opened[0], (opened[1][0], opened[1][1]), *opened[2:])
            if stream in configuration.streams and (model == OF_STREAM or configuration.stream_of(model) == stream):
                again.followed[stream, model] = one
            elif one.opened is not None:
                again.unfit[stream, model] = one
        for stream, bucket, one in plain.get("waiting", ()):
            if stream in configuration.streams:
                again.waiting.setdefault(stream, {}).setdefault(bucket, []).append(ReadRecords(*one))
        return again
