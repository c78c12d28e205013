"""What an incident came to on the bus: causes confirmed in the end and on the way, how soon, and whether retraining was allowed."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from driftbus.detectors.diagnosis.finding import PIPELINE
from driftbus.schemas.messages.root_cause import Cause, RootCauseEvent

from .rows import BEGINNING, HOUR
from .scoring import Confirmed


class Ending(NamedTuple):
    """Of one incident."""

    confirmed: list[Confirmed]  #: in the end
    passing: list[Cause]  #: causes that were confirmed on the way, and are none of the truth's
    delays: dict[str, float]  #: hours from the fault's onset to the run that confirmed it, by cause
    allowed: bool  #: retraining, while a fault of the pipeline that was known of was open
    exchanged: dict[str, str]  #: feature -> whose values it has, as told last


def ending(events: Sequence[RootCauseEvent], truth: Sequence[dict[str, Any]]) -> Ending:
    """Of the events in their order."""
    last = {event.incident: event for event in events}
    confirmed = [Confirmed(one.cause, one.scope.features) for one in last.values() if one.status == "confirmed"]
    true = {fault["cause"]: fault["onset"] for fault in reversed(truth)}
    named = [event for event in events if event.status == "confirmed"]
    passing = sorted({event.cause for event in named} - true.keys() - {"undetermined"})
    delays: dict[str, float] = {}
    for event in named:
        hours = (event.run - BEGINNING) / HOUR
        if hours > true.get(event.cause, hours):
            delays.setdefault(event.cause, hours - true[event.cause])
    exchanged = {name: other for one in last.values() if one.status == "confirmed" for name, other in one.scope.exchanged.items()}
    return Ending(confirmed, passing, delays, _allowed(events, true), exchanged)


def _allowed(events: Sequence[RootCauseEvent], true: dict[str, int]) -> bool:
    """Whether the gate opens once a fault of the pipeline has been confirmed, which in these incidents lasts to the end."""
    known = False
    for event in events:
        known = known or (event.status == "confirmed" and event.cause in PIPELINE & true.keys())
        if known and event.retrain_gate.decision == "allow":
            return True
    return False
