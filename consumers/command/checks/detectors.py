"""Detectors that are asked for by name: on what they are put, what they promise, and where they cannot judge."""

from collections.abc import Iterator
from datetime import timedelta

from ....detectors.betting.margin import UnusableBudget, budget
from ....detectors.betting.muted import watched
from ....detectors.betting.space import space
from ....detectors.episodes.at_work import AtWork, UnusableDetector
from ....detectors.named.choice import Kinds
from ....schemas.configuration import Model
from ....schemas.stored.reference import Reference
from ...replay.event_line import lasted
from .finding import Finding


def detectors_by_name(kinds: Kinds, reference: Reference, settings: Model) -> Iterator[Finding]:
    """One line per kind of detector."""
    who = f"{reference.model}/{reference.version}"
    try:
        at_work = AtWork.of(
            kinds, reference.model, settings, watched(space(reference), reference, settings).signals, budget(reference, settings).seconds
        )
    except UnusableDetector as error:
        yield Finding("wrong", str(error))
        return
    except UnusableBudget:
        return  # told where the budget is checked
    for name in dict.fromkeys(one.name for one in at_work.placed):
        placed = [one for one in at_work.placed if one.name == name]
        rate = placed[0].watcher.rate
        promise = (
            "states no rate of false alarms"
            if rate is None
            else f"each at most one false alarm in {lasted(timedelta(seconds=1 / rate))} of traffic"
        )
        on = ", ".join(dict.fromkeys(one.signal.name for one in placed))
        yield Finding("ok", f"{who}: {name} on {on}: {promise}")
    yield from (Finding("note", f"{who}: {reason}; there it is left out") for reason in at_work.refused)
