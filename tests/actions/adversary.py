"""Ledgers of an adversary: gates that flap, statuses in any order, clocks that jump, a quarter of all facts said again at any later point.

``python -m tests.actions.adversary --worlds 300`` holds every invariant over so many, and says which changes of state were seen.
"""

import argparse
import random
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from driftbus.detectors.actions.edges import EDGES
from driftbus.detectors.actions.state import Ledger
from driftbus.detectors.actions.step import Said, step
from driftbus.schemas.configuration import Policy
from driftbus.schemas.configuration import Promotion as Settings
from driftbus.schemas.messages.action import (
    ActionDue,
    ActionEpisode,
    ActionIncident,
    ActionLabels,
    ActionObserved,
    ActionRequest,
    ActionTick,
    ActionWord,
    LedgerFact,
)
from driftbus.schemas.messages.job import ACTIVE, FINAL, JobStatus
from driftbus.schemas.messages.promotion import STEPS, Promotion
from driftbus.schemas.messages.retrain import RetrainRequest

from . import adversary_versions
from .adversary_versions import CheckedVersions, Versions, moved, willing

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
MODEL, APPLICATION = "eta", "rides"
Policies = Mapping[str, Policy]


class Entry(NamedTuple):
    """A fact of the ledger, and when it became known."""

    known: int
    fact: LedgerFact
    again: bool = False


def policies(chance: random.Random) -> dict[str, Policy]:
    """Some of each kind."""
    every = {
        "cause": Policy(
            when="cause",
            approval=chance.random() < 0.4,
            cooldown=chance.choice([0, HOUR, DAY]),
            per_day=chance.choice([1, 2, 5]),
            attempts=chance.choice([1, 2, 3]),
            approve_within=chance.choice([HOUR, 7 * DAY]),
        ),
        "weekly": Policy(when="schedule", cron="0 3 * * 0", cooldown=chance.choice([0, DAY])),
        "labels": Policy(when="labels", new_labels=chance.choice([500, 1_000])),
        "worse": Policy(when="performance", worse_than=0.1, approval=chance.random() < 0.3),
        "hand": Policy(when="person", dry_run=chance.random() < 0.2),
    }
    return {name: every[name] for name in chance.sample(sorted(every), chance.randrange(1, 6))}


class Adversary:
    """A world: it answers to what was really asked for, wrongly, twice or never."""

    def __init__(self, chance: random.Random) -> None:
        self._chance, self._revisions = chance, Counter[str]()
        self.versions = Versions(chance)
        self.asked: list[str] = []  # jobs requested
        self.seen: list[str] = []  # jobs that people know of

    def facts(self, number: int) -> Iterator[Entry]:
        """So many, and what is said again."""
        chance, at, labels = self._chance, 10**12, 0
        told = [Entry(at, ActionDue(model=MODEL, policy="weekly", instant=at // (7 * DAY) * 7 * DAY))]  # with which its schedule begins
        yield told[0]
        for _ in range(number):
            at += chance.choice([0, 1, MINUTE, 10 * MINUTE, HOUR, 5 * HOUR])
            if chance.random() < 0.1:
                labels += chance.randrange(500)
                fact: LedgerFact = ActionLabels(model=MODEL, total=labels, time=at - chance.choice([0, DAY]))
            else:
                fact = self._fact(at)
            told.append(Entry(at, fact))
            yield told[-1]
            while chance.random() < 0.25:
                yield chance.choice(told)._replace(known=at, again=True)

    def _fact(self, at: int) -> LedgerFact:
        chance, kind = self._chance, self._chance.random()
        if chance.random() < 0.3:
            return self.versions.fact(at, self.asked)
        if kind < 0.33:
            return self._incident(at)
        if kind < 0.43:
            return ActionDue(model=MODEL, policy="weekly", instant=at // (7 * DAY) * 7 * DAY, time=at)
        if kind < 0.49:
            return self._episode(at)
        if kind < 0.54:
            return ActionRequest(model=MODEL, policy="hand", request=f"m{chance.randrange(4)}", by="ann", time=at)
        if kind < 0.68 and self.seen:
            said = chance.choice(["approve", "approve", "approve", "reject", "cancel"])
            return ActionWord(model=MODEL, kind=said, job=chance.choice(self.seen), by="ann", time=at)
        if kind < 0.9 and self.asked:
            seen = chance.choice(["started", "started", "succeeded", "failed", "lost", "cancelled", "timed_out"])
            return ActionObserved(model=MODEL, job=chance.choice(self.asked[-3:]), state=seen, time=at)
        return ActionTick(time=at)

    def _incident(self, at: int) -> ActionIncident:
        chance = self._chance
        name = chance.choice("abcdef") * 32
        self._revisions[name] += 1
        fields: dict[str, Any] = {
            "status": chance.choice(["suspected", "confirmed", "confirmed", "resolved", "superseded"]),
            "decision": chance.choice(["allow", "allow", "hold", "forbid"]),
            "cause": chance.choice(["data_drift", "feature_drift", "feature_unavailability"]),
            "onset": at - chance.choice([HOUR, DAY]),
        }
        return incident(name, self._revisions[name], at, **fields)

    def _episode(self, at: int) -> ActionEpisode:
        chance, name = self._chance, self._chance.choice("xyz")
        self._revisions[name] += 1
        status = chance.choice(["opened", "updated", "resolved"])
        return episode(name, self._revisions[name], at, status=status, worse=chance.choice([0.05, 0.2]))


def incident(name: str, revision: int, at: int, **fields: Any) -> ActionIncident:
    """A revision; confirmed, allowed and of data drift where nothing else is said."""
    said = {"status": "confirmed", "decision": "allow", "cause": "data_drift", "version": "1", "onset": at - HOUR, "run": at, "time": at}
    return ActionIncident.model_validate({"model": MODEL, "incident": name, "revision": revision, **said, **fields})


def episode(name: str, sequence: int, at: int, **fields: Any) -> ActionEpisode:
    """A word on an episode of performance."""
    said = {"status": "opened", "of": "performance", "severity": "major", "version": "1", "onset": at - HOUR, "time": at, "worse": 0.2}
    return ActionEpisode.model_validate({"model": MODEL, "episode": name, "sequence": sequence, **said, **fields})


def fold(entries: Sequence[Entry], own: Policies, promotion: Settings | None = None, *, times: int = 1) -> list[Said]:
    """What a ledger leads to, each fact so many times."""
    ledger = Ledger()
    every = (entry for entry in entries for _ in range(times))
    return [said for entry in every for said in step(APPLICATION, MODEL, ledger, entry.known, entry.fact, own, promotion)]


class World(NamedTuple):
    """What happened in one."""

    entries: list[Entry]
    said: list[Said]
    own: dict[str, Policy]
    promotion: Settings | None


class Checked:
    """The invariants, held over all that is said."""

    def __init__(self, own: Policies, promotion: Settings | None) -> None:
        self._own, self.states = own, dict[str, str]()
        self.versions, self._hold = CheckedVersions(), promotion is not None and promotion.hold
        self._launched: list[int] = []
        self._ended: int | None = None
        self._attempts, self._succeeded = Counter[tuple[str, str, str]](), Counter[tuple[str, str, str]]()

    def take(self, one: Said, ledger: Ledger) -> None:
        """One change of state, or step."""
        if isinstance(one, Promotion):
            self.versions.take(one, ledger)
        elif isinstance(one, JobStatus):
            self._of_job(one, ledger)

    def _of_job(self, one: JobStatus, ledger: Ledger) -> None:
        assert (one.before, one.state) in EDGES, one
        assert self.states.get(one.job) == one.before, one
        trigger = (one.policy, one.trigger_kind, one.trigger)
        self._attempts[trigger] += one.state in ("requested", "dry_run")
        self.states[one.job] = one.state
        if one.state in ("requested", "dry_run"):
            policy = self._own[one.policy]
            assert next(ledger.faults(), None) is None, "launched under a fault"
            assert not (self._hold and any(each.open for each in ledger.candidates.values())), "launched while a version is looked at"
            assert sum(one.time - at < DAY for at in self._launched) < policy.per_day, "too many a day"
            assert self._ended is None or one.time - self._ended >= policy.cooldown, "too soon"
            self._launched.append(one.time)
        if one.state == "dry_run" or (one.state in FINAL and one.before in ("requested", "started", "cancelling")):
            self._ended = one.time
        self._succeeded[trigger] += one.state == "succeeded"
        assert sum(state in ACTIVE for state in self.states.values()) <= 1, "two at once"
        assert self._attempts[trigger] <= self._own[one.policy].attempts, "too many attempts"
        assert self._succeeded[trigger] <= 1, "it succeeded twice"


def run(seed: int, facts: int = 120, *, snapshot_every: int | None = None) -> World:
    """A world, its invariants held; ``snapshot_every``: the ledger is written down and restored after so many facts."""
    chance = random.Random(seed)
    own, promotion = policies(chance), adversary_versions.settings(chance)
    adversary, checked, ledger = Adversary(chance), Checked(own, promotion), Ledger()
    entries: list[Entry] = []
    every: list[Said] = []
    for number, entry in enumerate(adversary.facts(facts)):
        entries.append(entry)
        if snapshot_every and number % snapshot_every == 0:
            ledger = Ledger.restored(ledger.plain())
        for one in step(APPLICATION, MODEL, ledger, entry.known, entry.fact, own, promotion):
            every.append(one)
            checked.take(one, ledger)
            if isinstance(one, Promotion):
                adversary.versions.asked(one)
            elif isinstance(one, JobStatus):
                if one.state == "requested":
                    adversary.asked.append(one.job)
                    adversary.seen.append(one.job)
                elif one.state == "awaiting_approval" and chance.random() < 0.8:
                    adversary.seen.append(one.job)
    _ends(ledger, own, promotion, checked)
    return World(entries, every, own, promotion)


def _ends(ledger: Ledger, own: Policies, promotion: Settings | None, checked: Checked) -> None:
    """The adversary stops: no fault, launchers silent or willing, and the clock goes on. Then everything wanted gets its turn."""
    at = ledger.now

    def feed(fact: LedgerFact) -> None:
        for one in step(APPLICATION, MODEL, ledger, at, fact, own, promotion):
            checked.take(one, ledger)

    for name, one in list(ledger.incidents.items()):
        if one.fact["decision"] == "forbid":
            feed(incident(name, one.fact["revision"] + 1, at, status="resolved", decision="hold"))
    if ledger.version in ledger.retired:  # nothing starts for it
        feed(moved("promoted", "last", 0))
    for number in range(1_200):
        at += HOUR
        feed(ActionTick(time=at))
        for fact in willing(ledger):
            feed(fact)
        for name, job in list(ledger.jobs.items()):
            if job.state == "requested" and number % 3 == 0:
                feed(ActionObserved(model=MODEL, job=name, state="succeeded"))
    assert not ledger.wishes, ledger.wishes
    assert not any(job.active for job in ledger.jobs.values())
    assert not any(one.open for one in ledger.candidates.values()), "nothing is decided of a version"


def statuses(said: Sequence[Said]) -> list[JobStatus]:
    """Of all that is said."""
    return [one for one in said if isinstance(one, JobStatus)]


def same_however_it_is_read(seed: int, facts: int = 120) -> World:
    """Replay, a snapshot every 7 facts, every fact twice, and the ledger without its repetitions: the same launches."""
    world = run(seed, facts)
    assert run(seed, facts, snapshot_every=7).said == world.said, "a snapshot changed it"
    assert fold(world.entries, world.own, world.promotion) == world.said, "a replay changed it"
    assert fold(world.entries, world.own, world.promotion, times=2) == world.said, "every fact twice changed it"
    once = [entry if not entry.again else Entry(entry.known, ActionTick(time=0)) for entry in world.entries]
    assert fold(once, world.own, world.promotion) == world.said, "repetitions changed it"
    return world


def main() -> None:
    """Many worlds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=300)
    parser.add_argument("--facts", type=int, default=120)
    asked = parser.parse_args()
    began, edges, requests = time.perf_counter(), Counter[tuple[str | None, str]](), 0
    steps = Counter[str]()
    for seed in range(asked.worlds):
        said = same_however_it_is_read(seed, asked.facts).said
        edges.update((one.before, one.state) for one in statuses(said))
        steps.update(one.step for one in said if isinstance(one, Promotion))
        requests += sum(isinstance(one, RetrainRequest) for one in said)
    unseen = [edge for edge in EDGES if edge not in edges]
    print(f"{asked.worlds} worlds, {requests} requests, {len(edges)} of {len(EDGES)} changes of state seen, not {unseen}")
    print(", ".join(f"{step} {steps[step]}" for step in STEPS))
    print(f"{time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
