"""Episodes: one change is opened once, updated when its severity or reach changes, and resolved once."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ...schemas.cloud_events import iso
from ...schemas.identity import derived_id
from ...schemas.messages.drift import Alarm, DriftedSignal, DriftEvent, Effect, Histogram, Kind, Severity, Statistics, Status, UsedPanes
from ...schemas.stored.reference import CategoricalProfile
from ..betting.mixture import BetName
from ..counting.layout import Signal
from ..counting.unseen import Names, commonest
from ..effects import Change, Measure, rounded
from .windows import Bucket, Offsets, Recent, Windows

#: From which ratio of an effect to its important bound on an episode is moderate, and major.
MODERATE, MAJOR = 1.0, 2.5
#: A signal returns on ten times the rows from its onset to its alarm, within these bounds.
RETURNS_ON, LEAST_ROWS, MOST_ROWS = 10, 500, 100_000
#: Or on fewer, no less than to its alarm, whose likelihood is so many times larger (natural log) if the change is over: under the bet that
#: found it such rows come while it goes on with a chance of at most 1 in 22,000 (Ville's inequality).
OVER = 10.0
#: A ratio of an effect to its important bound that is as good as none.
AS_BEFORE = 0.25
#: Of the volume a bucket is a row.
LEAST_BUCKETS = 20
#: An alarm whose onset lies within so many buckets of an episode's opening is the same change.
JOINED_WITHIN = 2
DETECTOR = "esr"
#: Of an episode, by what of a field its largest signal is; else by whether it is an input or an output.
_KINDS: dict[str, Kind] = {
    "availability": "availability",
    "pair": "pairs",
    "joint distance": "pairs",
    "length": "text",
    "new words": "text",
    "words": "text",
    "characters": "text",
    "volume": "volume",
    "duplicates": "duplicates",
    "errors": "performance",
    "relation": "performance",
    "ood": "ood",
}


def level(ratio: float) -> Severity:
    """What the largest ratio of an effect to its important bound makes of an episode."""
    return "major" if ratio >= MAJOR else "moderate" if ratio >= MODERATE else "minor"


@dataclass(frozen=True)
class EventIdentity:
    """What stands in every event of a model version, and in the ids derived for it."""

    application: str
    stream: str
    model: str
    version: str
    reference: str
    configuration: str
    budget: str
    segmented: bool = False
    lane: str = ""  #: "": that of the predictions


#: Of a bet and the rows since some time, the log of how much likelier they are if what it bets on is not so.
Doubt = Callable[[int, BetName, Recent], float]


@dataclass(frozen=True)
class Suspect:
    """A signal that an alarm blames, with its counts since the onset."""

    signal: int  #: among the tested ones
    share: float
    change: str
    log_evidence: float
    counts: NDArray[np.int64]  #: of the whole space
    rows: int  #: since its own onset, which may be another than the winner's
    only_in: tuple[str, ...] = ()  #: segments
    alarms: tuple[Alarm, ...] = ()
    bet: BetName | None = None  #: that which says most against it; None: it was found by other means


@dataclass
class Followed:
    """A signal of an episode."""

    signal: int
    since: int  #: end of the bucket in which it was blamed
    brief: int  #: rows that tell how severe it is: about those that it was found with
    needed: int  #: rows that tell that it has returned
    due: int  #: rows until it is looked at again
    opening: float  #: its ratio when it was blamed
    ratio: float  #: now
    shown: DriftedSignal
    bet: BetName | None = None

    def judge(self, runs: Sequence[Recent], oldest: int, measure: Measure, doubt: Doubt | None = None) -> int:
        """Look at the newest rows, and if they seem as before at ten times as many, or at as many as show that the change is over; returns
        the start of what was looked at.

        Only ``runs`` wholly behind the alarm count: one that reaches back is diluted with rows from before the change, and would resolve
        it at once. Where the windows, which begin at ``oldest``, have forgotten what lies before a run, it must do.
        """
        start = runs[0].start
        for rows in (self.brief, self.needed):
            enough = (run for run in runs if run.start >= self.since and (run.start == oldest or measure.rows(run.counts) >= rows))
            run = next(enough, None)
            if run is None:
                return start
            start, self.due = run.start, self.brief
            if not self.look(measure.on(run.counts)):
                return start
            if rows < self.needed and (over := self._over(runs, measure, doubt)) is not None:
                start = over
                break
            if rows >= self.needed and self.bet is not None and doubt is not None and doubt(self.signal, self.bet, run) < 0:
                return start  # small, and still there
        self._show(open=False)
        return start

    def _over(self, runs: Sequence[Recent], measure: Measure, doubt: Doubt | None) -> int | None:
        """The start of the shortest run on which the change is over by its own bet, and its effect gone; None: there is none."""
        if self.bet is None or doubt is None:
            return None
        behind = (run for run in runs if run.start >= self.since and measure.rows(run.counts) >= self.brief)
        run = next((run for run in behind if doubt(self.signal, self.bet, run) >= OVER), None)
        return run.start if run is not None and self.look(measure.on(run.counts)) else None

    def look(self, change: Change) -> bool:
        """Take its newest numbers; whether it seems as before."""
        self.ratio = change.ratio
        self._show(effect=change.effect, reference=change.reference, current=change.current, now=change.now, rows=change.rows)
        # Of a change that was small when it was told, half is hardly less than nothing: a quarter of what is important is as before.
        return self.ratio < 1 and self.ratio <= max(self.opening / 2, AS_BEFORE)

    def add(self, alarms: Iterable[Alarm]) -> None:
        """Further detectors have alarmed."""
        self._show(alarms=(*self.shown.alarms, *alarms))

    def told_by(self, detector: str) -> bool:
        """Whether this one has alarmed."""
        return any(alarm.detector == detector for alarm in self.shown.alarms)

    def name(self, categories: tuple[str, ...]) -> None:
        """The new categories, commonest first."""
        self._show(effect=self.shown.effect.model_copy(update={"new_categories": categories}))

    def give_up(self) -> None:
        """Follow it no longer."""
        self._show(open=False)

    def _show(self, **numbers: Effect | Histogram | Statistics | tuple[Alarm, ...] | int | None) -> None:
        self.shown = self.shown.model_copy(update=numbers)


@dataclass
class Episode:
    """One change of a model version."""

    id: str
    opening: int  #: end of the bucket that opened it
    onset: int
    detector: str = DETECTOR  #: the one that opened it
    sequence: int = 0  #: of the next event
    severity: Severity = "minor"
    followed: dict[int, Followed] = field(default_factory=dict)  #: by signal, in the order they joined

    @property
    def open(self) -> list[Followed]:
        """The signals that have not returned."""
        return [followed for followed in self.followed.values() if followed.shown.open]

    @property
    def kind(self) -> Kind:
        """That of the signal with the largest share."""
        largest = max(self.followed.values(), key=lambda followed: followed.shown.share).shown
        return _KINDS.get(largest.of) or ("output" if largest.role in ("prediction", "score") else "input")

    @property
    def scope(self) -> Literal["global", "local"]:
        """Whether more than some segments have changed."""
        shown = [followed.shown for followed in self.followed.values()]
        return "local" if all(one.segment is not None or one.only_in for one in shown) else "global"

    def raise_severity(self) -> bool:
        """To what its largest ratio says; within an episode it only rises."""
        largest = max(followed.ratio for followed in self.followed.values())
        now = level(largest)
        order: Sequence[Severity] = ("minor", "moderate", "major")
        if order.index(now) <= order.index(self.severity):
            return False
        self.severity = now
        return True

    def blame(self, suspects: Iterable[Suspect], measures: Sequence[Measure], end: int) -> None:
        """Signals that an alarm adds, in the bucket that ends at ``end``."""
        for suspect in suspects:
            measure = measures[suspect.signal]
            change = measure.on(suspect.counts)
            shown = DriftedSignal(
                name=measure.signal.name,
                role=measure.signal.role,
                of=measure.signal.of,
                segment=measure.signal.segment,
                only_in=suspect.only_in,
                alarms=suspect.alarms,
                share=rounded(suspect.share),
                change=suspect.change,
                log_evidence=rounded(suspect.log_evidence),
                effect=change.effect,
                was=change.was,
                now=change.now,
                reference=change.reference,
                current=change.current,
                rows=change.rows,
            )
            least = LEAST_BUCKETS if measure.signal.of == "volume" else LEAST_ROWS
            brief = max(least, min(suspect.rows, MOST_ROWS))
            needed = max(least, min(RETURNS_ON * suspect.rows, MOST_ROWS))
            ratio = change.ratio
            self.followed[suspect.signal] = Followed(suspect.signal, end, brief, needed, brief, ratio, ratio, shown, suspect.bet)

    def judge(
        self, windows: Windows, rows: NDArray[np.int64], measures: Sequence[Measure], doubt: Doubt | None = None
    ) -> tuple[list[int], int]:
        """Look at every open signal that is due; ``rows`` are those of the newest bucket, per tested signal.

        Returns the signals that returned, and the start of the longest run looked at.
        """
        if not windows.runs:
            return [], self.opening
        oldest, newest = windows.runs[0].start, windows.runs[-1]
        due: list[Followed] = []
        for followed in self.open:
            if followed.since <= newest.start:
                followed.due -= int(rows[followed.signal])
                if followed.due <= 0:
                    due.append(followed)
        start = newest.end
        runs = list(windows.after(min((followed.since for followed in due), default=start)))
        for followed in due:
            start = min(start, followed.judge(runs, oldest, measures[followed.signal], doubt))
        return [followed.signal for followed in due if not followed.shown.open], start

    def name(self, unseen: Names, signals: Sequence[Signal]) -> None:
        """Tell which new categories there are, in the signals that have any."""
        for followed in self.open:
            signal = signals[followed.signal]
            if isinstance(signal.profile, CategoricalProfile) and signal.of == "values" and signal.segment is None:
                followed.name(tuple(commonest(unseen.get(signal.name, {}))))

    def give_up(self) -> None:
        """Follow its signals no longer."""
        for followed in self.open:
            followed.give_up()

    def event(
        self,
        identity: EventIdentity,
        status: Status,
        bucket: tuple[int, int],
        offsets: Iterable[Offsets] = (),
        *,
        complete: bool,
        clock_decided: bool,
        reason: str | None = None,
    ) -> DriftEvent:
        """The next event of this episode: all its signals with their present numbers."""
        self.sequence += 1
        return DriftEvent(
            episode=self.id,
            sequence=self.sequence - 1,
            status=status,
            model=identity.model,
            version=identity.version,
            stream=identity.stream,
            reference=identity.reference,
            kind=self.kind,
            bucket=(iso(bucket[0]), iso(bucket[1])),
            scope=self.scope if identity.segmented else None,
            onset=iso(self.onset),
            signals=tuple(followed.shown for followed in self.followed.values()),
            detector=self.detector,
            budget=identity.budget,
            severity=self.severity,
            reason=reason,
            complete=complete,
            clock_decided=clock_decided,
            panes=tuple(UsedPanes(topic=topic, partition=place, offsets=(first, last)) for topic, place, first, last in offsets),
            configuration=identity.configuration,
        )

    def encoded(self) -> dict[str, Any]:  # plain numbers and texts of differing types
        """As it stands in a state."""
        followed = [{**vars(one), "shown": one.shown.model_dump()} for one in self.followed.values()]
        return {**vars(self), "followed": followed}

    @classmethod
    def decoded(cls, form: dict[str, Any]) -> "Episode":
        """What `encoded` wrote."""
        rows = [
            Followed(**{**row, "shown": DriftedSignal.model_validate(row["shown"]), "bet": _bet(row.get("bet"))})
            for row in form["followed"]
        ]
        return cls(**{**form, "followed": {one.signal: one for one in rows}})


def _bet(written: Sequence[Any] | None) -> BetName | None:  # plain data
    if written is None:
        return None
    bins, words, target = written
    return tuple(bins), words, target


def new_episode(identity: EventIdentity, bucket: Bucket, onset: int, detector: str = DETECTOR, number: int = 0) -> Episode:
    """A new episode. Its id counts the episodes of a bucket in its lane: eSR's is number 0."""
    lane = (identity.lane,) if identity.lane else ()
    name = derived_id("episode", identity.application, identity.model, identity.version, identity.reference, bucket.end, number, *lane)
    return Episode(name, bucket.end, onset, detector)


def joined(episodes: Iterable[Episode], onset: int, bucket: Bucket) -> Episode | None:
    """The latest open episode that an alarm with this onset belongs to: that whose opening is close to it, or later."""
    near = [e for e in episodes if e.opening >= onset - max(JOINED_WITHIN * (bucket.end - bucket.start), e.opening - e.onset)]
    return max(near, key=lambda episode: episode.opening, default=None)
