"""What is open in one partition, of all that somebody is told: a pure fold of its drift, root causes and jobs.

*Guarantee.* What belongs together is one: an incident stands for the episodes that it explains, a policy's failed job for its further
attempts; an episode that outlives its incident is told by itself again. Its severity only rises, and what has ended never opens again: so
what is to be said follows from what it is and what was told. It is the same in whatever order the topics are read: what ended first is
known by when it was written.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal, TypeVar

from ...schemas.configuration import Configuration
from ...schemas.messages.alert import Alerted, Of
from ...schemas.messages.drift import DriftEvent, Severity, moment
from ...schemas.messages.job import JobStatus
from ...schemas.messages.promotion import Promotion
from ...schemas.messages.root_cause import RootCauseEvent
from .wording import STEPS, of_approval, of_episode, of_incident, of_job, of_step

Said = DriftEvent | RootCauseEvent | JobStatus | Promotion
#: *within*: it is told as part of another from now on; *missed*: it was over before anybody was told.
News = Literal["opened", "worse", "ended", "missed", "within"]
ORDER: tuple[Severity, ...] = ("minor", "moderate", "major")
#: What was over for so long, in ms, and nobody could be told of: it is given up.
GIVEN_UP = 86_400_000
#: What happened, and is nothing that goes on, is told as open for so long, in ms: an Alertmanager says nothing of what is over at once.
TOLD_FOR = 3_600_000
#: Episodes and incidents that are remembered for what they explain, at most.
MOST_EXPLAINED = 50_000
_Value = TypeVar("_Value")
_FAILED = frozenset({"failed", "timed_out", "lost"})


@dataclass(frozen=True)
class Subject:
    """One thing that may be told."""

    of: Of
    id: str
    model: str
    version: str
    severity: Severity
    since: int  #: ms, as the data state it
    heading: str  #: a line
    text: str
    known: int  #: ms: when the first record of it was written
    ended: int | None = None  #: the same of the last
    within: bool = False  #: another stands for it
    until: int | None = None  #: ms: then it is over by itself
    by_drift: bool = False  #: an incident of which nobody knows what it costs: it is as grave as what drifts

    @property
    def about(self) -> str:
        """What it is."""
        return f"{self.of}/{self.id}"

    def told(self, name: str, state: Literal["open", "ended", "undelivered"], now: int) -> Alerted:
        """That somebody was told."""
        return Alerted(
            name=name, model=self.model, version=self.version, of=self.of, subject_id=self.id, severity=self.severity, state=state, time=now
        )


def news(one: Subject, told: Alerted | None) -> News | None:
    """What there is to say."""
    if told is None:
        return "opened" if one.ended is None and not one.within else None if one.within else "missed"
    if told.state != "open":
        return "opened" if may_return(one, told) and one.ended is None and not one.within else None
    if one.ended is not None or one.within:
        return "within" if one.within else "ended"
    return "worse" if ORDER.index(one.severity) > ORDER.index(told.severity) else None


def may_return(one: Subject, told: Alerted) -> bool:
    """Whether it was told to be over for as long only as another stood for it."""
    return one.of == "episode" and told.state == "ended"


@dataclass
class Subjects:
    """Those of one partition, for one who is told under a name; ``begun``: ms, what had ended before is not told."""

    configuration: Configuration
    name: str
    begun: int
    known: dict[str, Subject] = field(default_factory=dict)  #: by what each is about; what is over until it is dropped
    told: dict[str, Alerted] = field(default_factory=dict)  #: what was told last; of what is over until it is dropped
    _explained: dict[str, set[str]] = field(default_factory=dict)  # of episodes, the incidents that explain each; in the order they came
    _stood: dict[str, int] = field(default_factory=dict)  # incidents that were told and are forgotten: ms, when the last record was written
    _drifts: dict[str, Severity] = field(default_factory=dict)  # of episodes, how grave each was at most; in the order they came
    _held: dict[str, dict[str, str]] = field(default_factory=dict)  # by model and version, what each is held by
    _failing: dict[tuple[str, str], str] = field(default_factory=dict)  # by model and policy, the first job that failed

    def feed(self, said: Said, written: int) -> None:
        """Take note of a record that was written then. Raises what is wrong with it."""
        models = self.configuration.alerts[self.name].models
        if (models is not None and said.model not in models) or not self.configuration.acts_on(said.model):
            return
        if isinstance(said, DriftEvent):
            self._episode(said, written)
        elif isinstance(said, RootCauseEvent):
            self._incident(said, written)
        elif isinstance(said, Promotion):
            self._step(said, written)
        else:
            self._job(said, written)

    def tell(self, said: Alerted) -> None:
        """Take note of what was told."""
        if said.name == self.name:
            self.told[said.about] = said

    def due(self, now: int) -> Iterator[Subject]:
        """Those that are to be told as they are: open, or over and not yet told to be."""
        settings = self.configuration.alerts[self.name]
        for about, known in self.known.items():
            one, told = self._with_incidents(known), self.told.get(about)
            if one.of == "episode" and (told is None or may_return(one, told)) and (one.ended or now) - self._alone(one) < settings.wait:
                continue  # an incident may explain it yet; or it was over too soon
            if told is None:
                if not self._grave(one):
                    continue
            elif ORDER.index(one.severity) < ORDER.index(told.severity):
                one = replace(one, severity=told.severity)  # it had been graver, and only rises
            yield one

    @property
    def open_now(self) -> int:
        """How many are open, and told by themselves."""
        return sum(one.ended is None and not self._with_incidents(one).within for one in self.known.values())

    def forgotten(self) -> None:
        """What is told as open, and nobody knows any more (its policy is gone, the topic keeps it no longer), is over."""
        for about, told in self.told.items():
            if about not in self.known and told.state == "open":
                heading, text = f"{told.of} {told.subject_id} of model {told.model}", "driftbus knows nothing of it any more."
                self.known[about] = Subject(
                    told.of, told.subject_id, told.model, told.version, told.severity, told.time, heading, text, told.time, told.time
                )

    def drop(self, now: int, *, restored: bool = False) -> None:
        """Forget what is over, and of which nothing is to be said; ``restored``: or was to be said a day ago, or before it all began."""
        since = max(self.begun, now - GIVEN_UP) if restored else self.begun
        for about, one in list(self.known.items()):
            if one.ended is None and one.until is not None and one.until <= now:
                self.known[about] = replace(one, ended=one.until)
        waiting, gone = {one.about for one in self.due(now)}, list[Subject]()
        for about, one in list(self.known.items()):
            if one.ended is not None:
                told = self.told.get(about)
                early = told is None and one.ended < since
                if about not in waiting or early or news(self._with_incidents(one), told) is None:
                    gone.append(one)
        for one in gone:
            if one.of == "incident" and self._is_told(one):
                _keep(self._stood, one.about, one.ended or now)
        for one in gone:
            self.known.pop(one.about)
            self.told.pop(one.about, None)
        for about, said in list(self.told.items()):
            if said.state != "open" and about not in self.known:
                del self.told[about]

    def _episode(self, event: DriftEvent, written: int) -> None:
        heading, text = of_episode(event)
        one = Subject("episode", event.episode, event.model, event.version, event.severity, moment(event.onset), heading, text, written)
        if event.status == "resolved":
            self._over(one, written)
            return
        self._open(one)
        _keep(self._drifts, one.id, max(one.severity, self._drifts.get(one.id, one.severity), key=ORDER.index))
        for about in self._explained.get(one.id, ()):
            incident = self.known.get(about)
            if incident is not None and incident.by_drift and (incident.ended is None or written <= incident.ended):
                self._open(replace(incident, severity=one.severity))

    def _incident(self, event: RootCauseEvent, written: int) -> None:
        heading, text = of_incident(event)
        one = Subject("incident", event.incident, event.model, event.version, "minor", event.onset.window[0], heading, text, written)
        if event.status not in ("suspected", "confirmed"):
            self._over(one, written)
            return
        if event.status == "suspected" and not self.configuration.alerts[self.name].suspected:
            return
        severity = _by_impact(event, [self._drifts[name] for name in event.episodes if name in self._drifts])
        self._open(replace(one, severity=severity, by_drift=event.impact.harm == "unknown"))
        for name in event.episodes:
            _keep(self._explained, name, self._explained.get(name, set()) | {one.about})

    def _with_incidents(self, one: Subject) -> Subject:
        """An episode, and whether an incident that is told stands for it: now, or as it ended."""
        if one.of != "episode":
            return one
        ends = self._told_until(one)
        return replace(one, within=any(end is None or (one.ended is not None and one.ended <= end) for end in ends))

    def _alone(self, one: Subject) -> int:
        """Since when, in ms, no incident that is told stands for an episode."""
        return max([one.known, *(end for end in self._told_until(one) if end is not None)])

    def _told_until(self, one: Subject) -> list[int | None]:
        """Of the incidents that are told and explain an episode, when each ended."""
        explaining, ends = self._explained.get(one.id, ()), list[int | None]()
        for about in explaining:
            incident = self.known.get(about)
            if incident is not None and self._is_told(incident):
                ends.append(incident.ended)
            elif incident is None and about in self._stood:
                ends.append(self._stood[about])
        return ends

    def _is_told(self, one: Subject) -> bool:
        return one.about in self.told or self._grave(one)

    def _grave(self, one: Subject) -> bool:
        """Whether it is grave enough for whom it would be told."""
        return ORDER.index(one.severity) >= ORDER.index(self.configuration.alerts[self.name].severity)

    def _job(self, status: JobStatus, written: int) -> None:
        own = self.configuration.models.get(status.model)
        if own is None or status.policy not in own.retrain:
            return  # nobody will ever say how it goes on
        heading, text = of_approval(status)
        asked = Subject("approval", status.job, status.model, status.version, "moderate", status.time, heading, text, written)
        if status.state == "awaiting_approval":
            self._open(asked)
            return
        if asked.about in self.known:
            self._over(replace(asked, heading=f"{heading} no more: {status.state.replace('_', ' ')}"), written)
        policy = status.model, status.policy
        heading, text = of_job(status)
        if status.state in _FAILED:
            first = self._failing.setdefault(policy, status.job)
            self._open(Subject("job", first, status.model, status.version, "moderate", status.time, heading, text, written))
        elif status.state == "succeeded" and (first_ := self._failing.pop(policy, None)):
            self._over(Subject("job", first_, status.model, status.version, "moderate", status.time, heading, text, written), written)

    def _step(self, said: Promotion, written: int) -> None:
        """What happened; but that a version is held goes on until something else becomes of it, or another one serves."""
        own = self._held.setdefault(said.model, {})
        heading, text = of_step(said) if said.step in STEPS else ("", "")
        for version in [version for version in own if version == said.version or said.step == "promote"]:
            if before := self.known.get(own.pop(version)):
                self._over(replace(before, heading=f"{before.heading} no more"), written)
        if not heading:
            return
        severity: Severity = "moderate" if said.step in ("roll_back", "held") else "minor"
        one = Subject("step", said.id, said.model, said.version, severity, said.time, heading, text, written)
        if said.step == "held":
            own[said.version] = one.about
            self._open(one)
        else:
            self._open(replace(one, until=written + TOLD_FOR))

    def _open(self, one: Subject) -> None:
        """New, or more of it is known. Raises `ValueError` where nobody could be told of it."""
        one.told(self.name, "open", 0)
        before = self.known.get(one.about)
        if before is not None:
            severity = max(one.severity, before.severity, key=ORDER.index)
            one = replace(one, severity=severity, known=before.known, since=before.since)
        self.known[one.about] = one

    def _over(self, one: Subject, written: int) -> None:
        if before := self.known.get(one.about):
            self.known[one.about] = replace(before, heading=one.heading, text=one.text, ended=written)


def _keep(found: dict[str, _Value], name: str, value: _Value) -> None:
    """Remember it, and no more than so many: the oldest goes."""
    found[name] = value
    while len(found) > MOST_EXPLAINED:
        del found[next(iter(found))]


def _by_impact(event: RootCauseEvent, drifts: list[Severity]) -> Severity:
    """What it costs; where nobody knows, how much drifts, and no less than moderate where it is confirmed."""
    if event.impact.harm == "harmful":
        return "major"
    if event.impact.harm == "benign":
        return "minor"
    return max([*drifts, "moderate" if event.status == "confirmed" else "minor"], key=ORDER.index)
