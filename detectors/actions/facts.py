"""What each kind of fact changes in a model's ledger.

A fact counts once: only with a revision, sequence, total or instant above the last.
"""

from collections.abc import Mapping

from ...schemas.configuration.retrain import Policy
from ...schemas.messages.action import (
    ActionCoincidence,
    ActionDue,
    ActionEpisode,
    ActionIncident,
    ActionLabels,
    ActionModel,
    ActionReach,
    ActionRequest,
    LedgerFact,
)
from ...schemas.messages.action_data import ActionGolden, ActionReviewed
from .state import REMEMBERED_FOR, Done, Episode, GoldenInUse, Incident, Ledger
from .wishes import want

Policies = Mapping[str, Policy]
#: Versions of which it is known what their data look like.
MOST_REFERENCES = 1_000
#: So far from the log's time, ms, the clock by which cron lines are evaluated may be. It is more than passes until the intake says an
#: instant again: one that is said too early counts then.
ASTRAY = 900_000


def take(ledger: Ledger, fact: LedgerFact, policies: Policies) -> None:
    """Remember what a fact says; what people and launchers say of jobs is `driftbus.detectors.actions.transitions`' business."""
    if isinstance(fact, ActionIncident):
        _incident(ledger, fact)
    elif isinstance(fact, ActionEpisode):
        _episode(ledger, fact)
    elif isinstance(fact, ActionLabels):
        ledger.labels = max(ledger.labels, fact.total)
    elif isinstance(fact, ActionReviewed):
        ledger.reviewed = max(ledger.reviewed, fact.total)
    elif isinstance(fact, ActionGolden):
        if ledger.golden_set is None or fact.announced >= ledger.golden_set.announced:
            ledger.golden_set = GoldenInUse(fact.golden, fact.name, fact.announced)
    elif isinstance(fact, ActionDue):
        _due(ledger, fact, policies)
    elif isinstance(fact, ActionRequest):
        _request(ledger, fact, policies)
    elif isinstance(fact, ActionCoincidence):
        _happened(ledger, fact.fact_id, fact.of, fact.time)
        if fact.of == "feature_version":
            ledger.feature_versions[fact.source or "-"] = fact.ref
    elif isinstance(fact, ActionReach):
        _reach(ledger, fact)


def _reach(ledger: Ledger, fact: ActionReach) -> None:
    """The newest counts, whichever comes last; one of a clock that was ahead is no newest one."""
    known = ledger.reached.get("time")
    if known is None or fact.time is None or not fact.time < known <= ledger.now + ASTRAY:
        ledger.reached = fact.model_dump(mode="json")


def _too_old(ledger: Ledger, time: int | None) -> bool:
    """It may have counted, and been forgotten."""
    return time is not None and time < ledger.now - REMEMBERED_FOR


def _incident(ledger: Ledger, fact: ActionIncident) -> None:
    known = ledger.incidents.get(fact.incident)
    own = not fact.blocked_by or fact.incident in fact.blocked_by
    faulty = fact.status == "confirmed" and fact.decision == "forbid" and own
    if known is None and not faulty and _too_old(ledger, fact.run):  # no window of a fault is too old
        return
    if known is not None and fact.revision <= known.fact["revision"]:
        return
    ledger.incidents[fact.incident] = Incident(fact.model_dump(mode="json"), faulty or (known is not None and known.faulty))


def _episode(ledger: Ledger, fact: ActionEpisode) -> None:
    known = ledger.episodes.get(fact.episode)
    if (known is None and _too_old(ledger, fact.time)) or (known is not None and fact.sequence <= known.fact["sequence"]):
        return
    plain = fact.model_dump(mode="json")
    ledger.episodes[fact.episode] = Episode(plain | {"time": ledger.now if fact.time is None else fact.time})


def _due(ledger: Ledger, fact: ActionDue, policies: Policies) -> None:
    """With the first instant of a policy its schedule begins: it came before anybody asked for it, and so did all before now, which a clock
    that is behind tells later. One that has not come is of a clock that is ahead: it would be the last one until it comes.
    """
    policy, last = policies.get(fact.policy), ledger.due.get(fact.policy)
    if policy is None or policy.when != "schedule" or fact.instant > ledger.now + ASTRAY:
        return
    if last is None or last > ledger.now + ASTRAY:  # former releases took whatever was said
        ledger.due[fact.policy] = max(fact.instant, ledger.now - ASTRAY)
        return
    if fact.instant <= last:
        return
    ledger.due[fact.policy] = fact.instant
    for key, wish in list(ledger.wishes.items()):
        if wish.policy == fact.policy and wish.kind == "schedule":
            del ledger.wishes[key]
    want(ledger, fact.policy, policy, "schedule", str(fact.instant))


def _request(ledger: Ledger, fact: ActionRequest, policies: Policies) -> None:
    policy = policies.get(fact.policy)
    if policy is None or _too_old(ledger, fact.time) or (fact.override and fact.by is None):
        return
    want(ledger, fact.policy, policy, "person", fact.request, overridden_by=fact.by if fact.override else None)


def moved(ledger: Ledger, fact: ActionModel) -> bool:
    """What was done with a version; whether that is news: the same promotion, said again later, brings back nothing."""
    if not ledger.hears(f"moved/{fact.fact_id}", fact.time):
        return False
    if fact.reference is not None:
        ledger.references = dict([*ledger.references.items(), (fact.version, fact.reference)][-MOST_REFERENCES:])
    candidate = ledger.candidates.get(fact.version)
    if fact.event == "retired":
        if fact.version not in ledger.retired:
            ledger.retired = [*ledger.retired, fact.version][-1_000:]
    elif fact.event == "promoted" or (fact.event == "deployed" and (candidate is None or not candidate.open)):
        _in_force(ledger, fact.version, fact.parent, fact.job)
    elif fact.event == "rolled_back" and fact.parent is not None and ledger.version in ("-", fact.version):
        _in_force(ledger, fact.parent, None, None)
    _happened(ledger, fact.fact_id, fact.event, fact.time)
    return True


def _in_force(ledger: Ledger, version: str, parent: str | None, job: str | None) -> None:
    ledger.version, ledger.parent, ledger.made_by = version, parent, job
    ledger.retired = [name for name in ledger.retired if name != version]


def _happened(ledger: Ledger, name: str, of: str, time: int | None) -> None:
    """What was done before the ledger began asks for nothing; while nobody knows when that is, `Ledger.begins` leaves it out later."""
    at = ledger.now if time is None else time
    if (ledger.began is None or at >= ledger.began) and name not in ledger.done and not _too_old(ledger, time):
        ledger.done[name] = Done(of, at)
