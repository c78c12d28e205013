"""What is remembered of one model's ledger, as plain data."""

from collections.abc import Iterator
from typing import Any

import msgspec

from ...schemas.messages.action import ActionEpisode, ActionIncident
from ...schemas.messages.job import ACTIVE, FINAL, State, TriggerKind
from .versions import Candidate, Pair

#: How long something that is over is remembered, ms; what is said of it later is too old.
REMEMBERED_FOR = 90 * 86_400_000

#: Windows of faults that are remembered for as long as data may reach back to them; the oldest go first.
MOST_FAULTS = 1_000

#: Words, evaluations and moves of versions that are remembered; the oldest go first.
MOST_HEARD = 2_000


class Incident(msgspec.Struct):
    """The newest revision of an incident."""

    fact: dict[str, Any]  # an `ActionIncident`, as JSON
    faulty: bool = False  #: it has once been a confirmed reason to forbid

    @property
    def is_fault(self) -> bool:
        """Whether no rows of its time are trained on: once it was a confirmed reason to forbid, as long as nobody has said that it is none.
        What is the matter with nobody knows what is one while it forbids, and no longer.
        """
        return self.faulty and self.fact["status"] != "withdrawn" and (self.is_known or self.forbids)

    @property
    def window(self) -> tuple[int, int | None]:
        """From its onset to its end; None: it has none yet."""
        return self.fact["onset"], None if self.fact["status"] in ("suspected", "confirmed") else self.fact["run"]

    @property
    def is_known(self) -> bool:
        """Whether it has a cause."""
        return bool(self.fact["cause"] != "undetermined")

    @property
    def forbids(self) -> bool:
        """Whether it does now."""
        return bool(self.fact["decision"] == "forbid" and self.fact["status"] == "confirmed")

    @property
    def said(self) -> ActionIncident:
        """What it says."""
        return ActionIncident.model_validate(self.fact)


class Episode(msgspec.Struct):
    """The newest word on an episode."""

    fact: dict[str, Any]  # an `ActionEpisode`, as JSON

    @property
    def said(self) -> ActionEpisode:
        """What it says."""
        return ActionEpisode.model_validate(self.fact)


class Wish(msgspec.Struct):
    """A trigger that has no job yet."""

    policy: str
    kind: TriggerKind
    trigger: str
    since: int
    overridden_by: str | None = None


class Tried(msgspec.Struct):
    """What was made of a trigger."""

    attempts: int
    at: int  #: when last
    unlaunched: int = 0  #: of these, those that never were
    settled: bool = False  #: nothing more comes of it


class Job(msgspec.Struct):
    """One that was made of a trigger."""

    policy: str
    kind: TriggerKind
    trigger: str
    attempt: int
    version: str
    since: int  #: of its state
    state: State | None = None
    on: str | None = None
    launched: bool = False
    approved_by: str | None = None
    overridden_by: str | None = None
    cancelled_by: str | None = None
    begins: int | None = None  #: of its data; None: where they begin
    until: int | None = None  #: of its data; None: it was not launched
    without: dict[str, int] = {}  #: faults that were left out of them, and from when on

    @property
    def key(self) -> str:
        """Of its trigger."""
        return key_of(self.policy, self.kind, self.trigger)

    @property
    def active(self) -> bool:
        """Whether it holds others up."""
        return self.state in ACTIVE

    @property
    def final(self) -> bool:
        """Whether it is over."""
        return self.state in FINAL


class Done(msgspec.Struct):
    """Something that was done to the model, or to what it rests on."""

    of: str
    at: int


class GoldenInUse(msgspec.Struct):
    """The set on which a new version is tested."""

    hash: str
    name: str
    announced: int


class Ledger(msgspec.Struct):
    """All that is remembered of one model."""

    began: int | None = None  #: when its first fact became known; none: no fact said yet what time it is
    now: int = 0
    incidents: dict[str, Incident] = {}
    episodes: dict[str, Episode] = {}
    jobs: dict[str, Job] = {}
    wishes: dict[str, Wish] = {}
    tried: dict[str, Tried] = {}
    launches: list[int] = []  #: times of the last day
    last_end: int | None = None
    labels: int = 0
    labels_at_launch: int = 0
    due: dict[str, int] = {}  #: by policy, the last instant
    done: dict[str, Done] = {}  #: events, by id
    version: str = "-"
    parent: str | None = None
    made_by: str | None = None  #: the job of the version in force
    retired: list[str] = []
    reached: dict[str, Any] = {}  # an `ActionReach`, as JSON
    candidates: dict[str, Candidate] = {}  #: by version
    pairs: dict[str, Pair] = {}  #: of versions that answered the same
    heard: dict[str, int] = {}  #: words, evaluations and moves that counted, and when
    references: dict[str, str] = {}  #: content hashes, by version
    golden: str | None = None  #: content hash of the set that the version in force was tested on last
    awaited: str | None = None  #: a version on which no verdict is there, and no job is started meanwhile
    reviewed: int = 0  #: predictions that people labelled
    golden_set: GoldenInUse | None = None
    feature_versions: dict[str, str] = {}  #: by source

    def begins(self) -> None:
        """Now, and what was done before asks for nothing."""
        self.began = self.now
        self.done = {name: done for name, done in self.done.items() if done.at >= self.now}
        for one in self.candidates.values():
            one.registered = one.since = self.now
            one.unseen = None if one.unseen is None else self.now

    def hears(self, name: str, time: int | None) -> bool:
        """Whether a fact is heard for the first time: what is said again later brings nothing back."""
        if name in self.heard or (time is not None and time < self.now - REMEMBERED_FOR):
            return False
        self.heard[name] = self.now
        if len(self.heard) > MOST_HEARD:
            del self.heard[min(self.heard, key=lambda each: (self.heard[each], each))]
        return True

    def faults(self) -> Iterator[str]:
        """Incidents that forbid every job: of a version that is retired, too, for what its sources deliver goes to its successor."""
        return (name for name in sorted(self.incidents) if self.incidents[name].forbids)

    def plain(self) -> dict[str, Any]:  # numbers and texts
        """As it stands in a snapshot."""
        written: dict[str, Any] = msgspec.to_builtins(self)
        return written

    @classmethod
    def restored(cls, plain: dict[str, Any]) -> "Ledger":
        """What `plain` wrote."""
        return msgspec.convert(plain, cls)


def key_of(policy: str, kind: str, trigger: str) -> str:
    """Of a trigger."""
    return f"{policy}/{kind}/{trigger}"


def forget(ledger: Ledger) -> None:
    """What has been over for long; but the windows of faults, which no later job learns from, stay."""
    horizon = ledger.now - REMEMBERED_FOR
    over = [name for name, one in ledger.incidents.items() if one.fact["status"] not in ("suspected", "confirmed")]
    over = sorted(
        (name for name in over if ledger.incidents[name].fact["run"] < horizon), key=lambda name: (ledger.incidents[name].fact["run"], name)
    )
    faults = [name for name in over if ledger.incidents[name].is_fault]
    for name in {*over} - {*faults[-MOST_FAULTS:]}:
        del ledger.incidents[name]
    for name, episode in list(ledger.episodes.items()):
        if episode.fact["status"] == "resolved" and episode.fact["time"] < horizon:
            del ledger.episodes[name]
    # of versions that serve or may come to: a fault may yet be found in their data
    kept = {one.job for one in ledger.candidates.values() if one.open or one.state == "promoted"}
    for name in [name for name, job in ledger.jobs.items() if job.final and job.since < horizon and name not in kept]:
        del ledger.jobs[name]
    held = {job.key for job in ledger.jobs.values()} | ledger.wishes.keys()
    for key, tried in list(ledger.tried.items()):
        if tried.at < horizon and key not in held and not _stands(ledger, key):
            del ledger.tried[key]
    ledger.done = {name: done for name, done in ledger.done.items() if done.at >= horizon}
    ledger.heard = {name: at for name, at in ledger.heard.items() if at >= horizon}


def _stands(ledger: Ledger, key: str) -> bool:
    """Whether a trigger may still ask for a job: its incident or episode is not forgotten, or no label has come since."""
    _, kind, trigger = key.split("/", 2)
    return trigger in ledger.incidents or trigger in ledger.episodes or (kind == "labels" and trigger == str(ledger.labels_at_launch))
