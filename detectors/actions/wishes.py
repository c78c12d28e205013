"""Triggers that have no job yet: which there are, and what holds them up."""

from collections.abc import Iterator, Mapping

from ...schemas.configuration.retrain import DAY_MS, Policy
from ...schemas.messages.job import TriggerKind
from .state import Job, Ledger, Wish, key_of

Policies = Mapping[str, Policy]
#: What was so before the ledger began asks for jobs so long after, ms: by then the intake has copied what became of it.
SETTLED = 600_000


def want(ledger: Ledger, name: str, policy: Policy, kind: TriggerKind, trigger: str, *, overridden_by: str | None = None) -> None:
    """Take note of a trigger, unless it has had its attempts, is settled, waits already, or has a job that is not over."""
    key = key_of(name, kind, trigger)
    tried = ledger.tried.get(key)
    if key in ledger.wishes or (tried is not None and (tried.settled or tried.attempts - tried.unlaunched >= policy.attempts)):
        return
    if any(job.active and job.key == key for job in ledger.jobs.values()):
        return
    ledger.wishes[key] = Wish(name, kind, trigger, ledger.now, overridden_by)


def look(ledger: Ledger, policies: Policies) -> None:
    """Which triggers stand now, of those that stand as long as something is so; those that no longer do are dropped."""
    for key, wish in list(ledger.wishes.items()):
        if wish.policy not in policies:
            del ledger.wishes[key]
    for name, policy in policies.items():
        if policy.when == "schedule":
            continue
        standing = set(_standing(ledger, policy))
        of_kind = [(key, wish) for key, wish in ledger.wishes.items() if wish.policy == name and wish.kind == policy.when]
        for key, wish in of_kind:
            if wish.kind in ("cause", "performance", "labels") and wish.trigger not in standing and not _again(ledger, key, wish):
                del ledger.wishes[key]
        for trigger in sorted(standing):
            want(ledger, name, policy, policy.when, trigger)


def _again(ledger: Ledger, key: str, wish: Wish) -> bool:
    """A further attempt at labels that have been launched for, and so are new no more."""
    return wish.kind == "labels" and key in ledger.tried


def _standing(ledger: Ledger, policy: Policy) -> Iterator[str]:
    if policy.when == "cause":
        for name, incident in ledger.incidents.items():
            fact = incident.fact
            allowed = fact["status"] == "confirmed" and fact["decision"] == "allow" and fact["cause"] in policy.causes
            suits = policy.action is None or not fact["actions"] or policy.action in fact["actions"]
            if allowed and suits and fact["version"] not in ledger.retired and _fresh(ledger, fact["run"]):
                yield name
    elif policy.when == "performance":
        for name, episode in ledger.episodes.items():
            fact = episode.fact
            worse = fact["worse"] is not None and policy.worse_than is not None and fact["worse"] >= policy.worse_than
            if fact["status"] != "resolved" and worse and fact["version"] not in ledger.retired and _fresh(ledger, fact["time"]):
                yield name
    elif policy.when == "labels":
        if policy.new_labels is not None and ledger.labels - ledger.labels_at_launch >= policy.new_labels:
            yield str(ledger.labels_at_launch)
    elif policy.when == "event":
        for name, done in ledger.done.items():
            if done.of in policy.events and ledger.now - done.at >= policy.settle:
                yield name


def _fresh(ledger: Ledger, time: int) -> bool:
    return ledger.began is None or time >= ledger.began or ledger.now - ledger.began >= SETTLED


def obstacle(ledger: Ledger, policy: Policy, own: Job | None, *, overridden: bool) -> str | None:
    """What is in the way of a launch; None: nothing. It is put off, never dropped."""
    if not overridden and (fault := next(ledger.faults(), None)) is not None:
        return f"incident {fault} forbids it"
    if ledger.awaited is not None and not overridden:
        return f"version {ledger.awaited} is under evaluation"
    if ledger.version in ledger.retired:
        return f"version {ledger.version} is retired"
    if any(job.active and job is not own for job in ledger.jobs.values()):
        return "another job of the model is not over"
    if ledger.last_end is not None and ledger.now - ledger.last_end < policy.cooldown:
        return "the last job ended too short a time ago"
    if sum(ledger.now - at < DAY_MS for at in ledger.launches) >= policy.per_day:
        return "so many jobs have been asked for in a day as may be"
    return None
