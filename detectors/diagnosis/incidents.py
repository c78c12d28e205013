"""Incidents: findings of one run after the other that are the same cause, from a suspicion to its end.

A finding is the open incident of equal cause whose scope overlaps and whose onset lies near; else it begins one. What two runs in a row
find, each with a window that the other did not have, is confirmed; a suspicion that is not found again is withdrawn. A fault of the
pipeline belongs to its source: it goes on under the same name when the model gets another version or reference.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from ...schemas.identity import derived_id
from ...schemas.messages.root_cause import Cause
from .finding import PIPELINE, Finding

Status = Literal["suspected", "confirmed", "superseded", "withdrawn", "resolved"]
Reason = Literal["recovered", "replaced", "retired", "reconfigured", "rejected"]

#: Windows between two onsets that are one: of what came at once, and of what grew.
NEAR, NEAR_GRADUAL = 3, 8
#: Runs in a row, each with a new window, that confirm.
CONFIRMED_AFTER = 2
#: Windows without it behind which a confirmed incident is over.
OVER_AFTER = 2
#: Confidence that it is news to cross.
CROSSED = (0.6, 0.9)
#: Incidents of one model that are open at once, and of those that are over how many are remembered.
MOST_OPEN, MOST_ENDED = 50, 100
#: Versions that one incident names: the newest it was found in.
MOST_VERSIONS = 20
#: Milliseconds for which what is over is remembered.
REMEMBERED_FOR = 90 * 86_400_000
#: Of an onset among the windows of another version, or reference: before all that are looked at now.
_ELSEWHERE = -1
#: Causes that touch the model as a whole, whatever features they are told by.
_OF_ALL: frozenset[Cause] = frozenset({"prediction_label_bias", "model_broken"})


class Home(NamedTuple):
    """One version against one reference: what runs are of."""

    version: str
    reference: str


class Onset(NamedTuple):
    """The first window that shows it: its number, and when it was."""

    number: int
    start: int
    end: int


class Word(NamedTuple):
    """What a person said of an incident."""

    agrees: bool  #: it is rightly told as what it is told as
    answer: Literal["confirm", "reject"]
    cause: Cause | None
    by: str | None
    note: str | None
    time: int  #: ms


class Placed(NamedTuple):
    """A finding, and when its onset was."""

    finding: Finding
    onset: Onset


class Run(NamedTuple):
    """When findings were made."""

    home: Home
    time: int  #: ms, the end of a grain
    number: int  #: among the runs of this version
    fresh: bool  #: there is a window that the last run did not have
    stands: bool  #: against a baseline that stands
    kept_from: int = 0  #: the number of the first window that is looked at whole


@dataclass
class Incident:
    """One. What its last finding says stands in ``finding``."""

    id: str
    finding: Finding
    onset: Onset
    begun: int  #: the number of the run that named it first
    since: int  #: and its time, ms
    status: Status = "suspected"
    reason: Reason | None = None
    superseded_by: str | None = None
    ended: int | None = None  #: ms
    #: By where it is looked for, runs in a row that found it so that it may be confirmed, each with a new window. Those of another version
    #: look at the same times: they are no second look.
    firm: dict[Home, int] = field(default_factory=dict)
    missed: dict[Home, int] = field(default_factory=dict)  #: by where it is looked for, windows without it
    adopted: set[Home] = field(default_factory=set)  #: of these, where it was not begun, and not found since the baseline stands
    versions: list[str] = field(default_factory=list)
    revision: int = 0
    said: dict[Home, str] = field(default_factory=dict)  #: by where it is looked for, what of it was last published: a change is news
    artifact: str | None = None
    word: Word | None = None  #: the last

    @property
    def rejected(self) -> bool:
        """Whether a person says that it is not what it is told as."""
        return self.word is not None and not self.word.agrees

    @property
    def open(self) -> bool:
        """Whether it has not ended."""
        return self.status in ("suspected", "confirmed")

    def is_of(self, one: Placed, run: Run) -> bool:
        """Whether a finding of this version is this incident."""
        finding, mine = one.finding, self.finding
        if finding.cause != mine.cause or run.home not in self.missed or not overlapping(finding, mine):
            return False
        return self.onset.number < run.kept_from or abs(one.onset.number - self.onset.number) <= _near(finding, mine)

    def hides(self, one: Placed, run: Run) -> bool:
        """Whether a finding is what a person rejected. One whose onset is no longer looked at is found where the view begins."""
        if not self.rejected or not self.is_of(one, run):
            return False
        near, onset = _near(one.finding, self.finding), max(self.onset.number, run.kept_from)
        return abs(one.onset.number - onset) <= near or (self.onset.number == _ELSEWHERE and _together(one.onset, self.onset, near))

    def outlasts(self, one: Placed, run: Run) -> bool:
        """Whether a finding of another cause is this one, confirmed when its beginning was looked at, which it no longer is: that something
        grew, or began with a deployment, is not to be seen in what came of it.
        """
        finding, mine = one.finding, self.finding
        if self.status != "confirmed" or run.home not in self.missed or run.home in self.adopted or finding.cause == mine.cause:
            return False
        seen_from_the_start = abs(one.onset.number - run.kept_from) <= NEAR
        return self.onset.number < run.kept_from and seen_from_the_start and overlapping(finding, mine)

    def adopts(self, one: Placed) -> bool:
        """Whether a finding of another version is this fault of the pipeline."""
        finding, mine = one.finding, self.finding
        same_source = finding.source is not None and finding.source == mine.source
        return finding.cause == mine.cause and finding.cause in PIPELINE and (same_source or overlapping(finding, mine))


@dataclass
class Incidents:
    """Those of one model."""

    application: str
    model: str
    open: list[Incident] = field(default_factory=list)
    ended: list[Incident] = field(default_factory=list)

    def follow(self, run: Run, found: Sequence[Placed]) -> list[Incident]:
        """Take what a run found; returns the incidents that it found or missed, in their order."""
        self.forget(run.time)
        rejected = self._heed(run)
        hit: dict[str, Incident] = {}
        new: list[tuple[int, Placed]] = []
        for number, one in enumerate(sorted((one for one in found if one.finding.live), key=_order)):
            if (incident := self._of(one, run, hit)) is None:
                new.append((number, one))
            else:
                self._found(incident, one, run)
                hit[incident.id] = incident
        missed = [incident for incident in self.open if incident.id not in hit]
        for number, one in new:
            stand = [incident for incident in missed if incident.outlasts(one, run)]
            for incident in stand:
                incident.missed[run.home] = 0
                hit[incident.id] = incident
            if not stand and (begun := self._begun(one, run, number)) is not None:
                self._found(begun, one, run)
                hit[begun.id] = begun
        touched = [one for one in self.open if run.home in one.missed]
        for incident in touched:
            if incident.id not in hit:
                self._missed(incident, run, list(hit.values()))
        self._let_go()
        return [*rejected, *touched]

    def of(self, incident: str) -> Incident | None:
        """By its id; None: there is none, or it was over long ago."""
        return next((one for one in (*self.open, *self.ended) if one.id == incident), None)

    def adopt(self, former: Home, home: Home, time: int, reason: Reason) -> list[Incident]:
        """A version gets another reference, or another one goes on in its place: faults of the pipeline go on there, all else of it has
        ended. Returns what changes."""
        changed = []
        for incident in self.open:
            if former not in incident.missed:
                continue
            del incident.missed[former]
            incident.firm.pop(former, None)
            incident.adopted.discard(former)
            if incident.finding.cause in PIPELINE and incident.status == "confirmed":
                if home not in incident.missed:
                    incident.missed[home] = 0
                    incident.adopted.add(home)
                incident.onset = incident.onset._replace(number=_ELSEWHERE)
            elif not incident.missed:
                self._end(incident, time, reason)
                changed.append(incident)
        self._let_go()
        return changed

    def retire(self, home: Home, time: int, reason: Reason = "retired") -> list[Incident]:
        """Nothing more comes of a version."""
        changed = []
        for incident in self.open:
            incident.firm.pop(home, None)
            if incident.missed.pop(home, None) is not None and not incident.missed:
                self._end(incident, time, reason)
                changed.append(incident)
        self._let_go()
        return changed

    def forget(self, time: int) -> None:
        """Let go of what was over long ago."""
        self.ended = [one for one in self.ended if one.ended is None or one.ended > time - REMEMBERED_FOR][-MOST_ENDED:]

    def _heed(self, run: Run) -> list[Incident]:
        """A confirmed one is confirmed, whatever its confidence; a rejected one is over. Returns these."""
        told = [one for one in self.open if one.word is not None and run.home in one.missed]
        for incident in told:
            if incident.rejected:
                self._end(incident, run.time, "rejected", "withdrawn")
            elif incident.status == "suspected":
                incident.status = "confirmed"
        self._let_go()
        return [one for one in told if not one.open]

    def _of(self, one: Placed, run: Run, hit: dict[str, Incident]) -> Incident | None:
        free = [incident for incident in self.open if incident.id not in hit]
        own = next((incident for incident in free if incident.is_of(one, run)), None)
        if own is not None:
            return own
        other = next((incident for incident in free if run.home not in incident.missed and incident.adopts(one)), None)
        if other is not None:
            other.missed[run.home] = 0
            other.onset = other.onset._replace(number=_ELSEWHERE)
        return other

    def _begun(self, one: Placed, run: Run, number: int) -> Incident | None:
        if len(self.open) >= MOST_OPEN or any(incident.hides(one, run) for incident in self.ended):
            return None
        parts = self.application, self.model, *run.home, run.time, number
        incident = Incident(derived_id("incident", *parts), one.finding, one.onset, run.number, run.time, missed={run.home: 0})
        self.open.append(incident)
        return incident

    def _found(self, incident: Incident, one: Placed, run: Run) -> None:
        incident.finding = one.finding
        if incident.onset.number >= run.kept_from:
            incident.onset = one.onset
        incident.missed[run.home] = 0
        if run.stands:
            incident.adopted.discard(run.home)
        if run.home.version not in incident.versions:
            incident.versions = [*incident.versions, run.home.version][-MOST_VERSIONS:]
        firm = incident.firm.get(run.home, 0) + run.fresh if one.finding.confirmable or _certain_next(one.finding) else 0
        incident.firm[run.home] = firm
        enough = firm >= (1 if one.finding.at_once else CONFIRMED_AFTER)
        if incident.status == "suspected" and one.finding.confirmable and enough:
            incident.status = "confirmed"

    def _missed(self, incident: Incident, run: Run, found: Sequence[Incident]) -> None:
        if run.home in incident.adopted and not run.stands:
            return  # its successor's baseline is yet to come
        incident.firm.pop(run.home, None)
        if incident.status == "suspected":
            if len(incident.missed) > 1:
                del incident.missed[run.home]
            else:
                self._end(incident, run.time, None, "withdrawn")
            return
        incident.missed[run.home] += run.fresh
        if incident.missed[run.home] < OVER_AFTER:
            return
        del incident.missed[run.home]
        if incident.missed:
            return
        instead = next((one for one in found if _takes_over(one, incident)), None)
        if instead is None:
            self._end(incident, run.time, "recovered")
        else:
            incident.superseded_by = instead.id
            self._end(incident, run.time, None, "superseded")

    def _end(self, incident: Incident, time: int, reason: Reason | None, status: Status = "resolved") -> None:
        incident.status = "withdrawn" if incident.status == "suspected" else status
        incident.reason = reason if incident.status == "resolved" or reason == "rejected" else None
        incident.ended = time

    def _let_go(self) -> None:
        self.ended += [one for one in self.open if not one.open]
        self.open = [one for one in self.open if one.open]


def _certain_next(finding: Finding) -> bool:
    """Whether the next window alone makes it certain: what awaits a baseline, or outcomes of rows behind its onset."""
    if finding.awaits == "baseline":
        return finding.cause in PIPELINE
    return finding.awaits == "arrivals" and finding.subtype == "missing_without_outcome"


def overlapping(one: Finding, other: Finding) -> bool:
    """Whether they touch the same features, or none."""
    if one.cause in _OF_ALL and other.cause == one.cause:
        return True
    return not one.features or not other.features or not set(one.features).isdisjoint(other.features)


def band(confidence: float) -> int:
    """How many of the bounds it has crossed that are news."""
    return sum(confidence >= bound for bound in CROSSED)


def in_order(incidents: Iterable[Incident]) -> list[Incident]:
    """Those begun first first."""
    return sorted(incidents, key=lambda one: (one.begun, one.since, one.id))


def _near(one: Finding, other: Finding) -> int:
    return NEAR_GRADUAL if "gradual" in (one.shape, other.shape) else NEAR


def _together(one: Onset, other: Onset, windows: int) -> bool:
    """Whether two onsets are so near in time: windows of two versions have numbers of their own."""
    return abs(one.end - other.end) <= windows * max(one.end - one.start, other.end - other.start)


def _takes_over(one: Incident, former: Incident) -> bool:
    return one.finding.cause != former.finding.cause and one.begun >= former.begun - 1 and overlapping(one.finding, former.finding)


def _order(one: Placed) -> tuple[str, str, tuple[str, ...], int]:
    """By which findings of one run are numbered."""
    return one.finding.cause, one.finding.subtype, one.finding.features, one.onset.number
