"""Incidents as the topic of root causes tells them, for verbs that speak of one or of all."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ...detectors.diagnosis.text import what
from ...detectors.diagnosis.words import when
from ...schemas.cloud_events import iso
from ...schemas.configuration import Configuration
from ...schemas.messages.root_cause import RootCauseEvent
from ..bus.interface import Bus
from ..bus.tail import CauseTopic
from ..replay.event_line import place, short_id

#: Of many incidents that begin alike.
_NAMED = 5
#: Statuses in which an incident goes on.
OPEN = ("suspected", "confirmed")


@dataclass(frozen=True)
class ToldIncident:
    """All revisions of one incident, in their order."""

    revisions: tuple[RootCauseEvent, ...]

    @property
    def id(self) -> str:
        """Whole."""
        return self.last.incident

    @property
    def last(self) -> RootCauseEvent:
        """That says how it stands."""
        return self.revisions[-1]

    @property
    def is_open(self) -> bool:
        """It has not ended."""
        return self.last.status in OPEN

    @property
    def known(self) -> bool:
        """It is, or was, the cause: neither a suspicion that came to nothing, nor one that another says better."""
        return self.last.status not in ("withdrawn", "superseded")

    def seen(self, time: int) -> RootCauseEvent:
        """The revision that a person saw who spoke then: the last one by that time, else the first."""
        return next((one for one in reversed(self.revisions) if one.run <= time), self.revisions[0])

    def names(self, episode: str) -> bool:
        """Whether it is behind an episode, as any of its revisions says."""
        return any(episode in one.episodes for one in self.revisions)


def told(events: Iterable[RootCauseEvent]) -> list[ToldIncident]:
    """The incidents that events speak of, in the order in which they are first spoken of. A revision told twice counts once."""
    found: dict[str, dict[int, RootCauseEvent]] = {}
    for event in events:
        found.setdefault(event.incident, {})[event.revision] = event
    return [ToldIncident(tuple(own[number] for number in sorted(own))) for own in found.values()]


def incidents(bus: Bus, configuration: Configuration) -> list[ToldIncident]:
    """All that the topic holds; none where there is no such topic, for nobody looks for causes."""
    if not bus.describe([configuration.topics.root_causes]):
        return []
    return told(CauseTopic(bus, configuration, from_start=True).new())


def beginning_so(found: Sequence[ToldIncident], beginning: str) -> ToldIncident | None:
    """The one whose id begins so; None: there is none. Raises `LookupError` for several."""
    named = [one for one in found if one.id.startswith(beginning)] if beginning else []
    if len(named) > 1:
        ids = ", ".join(sorted(one.id for one in named)[:_NAMED])
        msg = f"{beginning}: {len(named)} incidents begin so: {ids}{', ...' if len(named) > _NAMED else ''}"
        raise LookupError(msg)
    return named[0] if named else None


def behind(found: Iterable[ToldIncident], episode: str) -> list[ToldIncident]:
    """Those that are behind an episode; confirmed ones first, then the newest."""
    named = [one for one in found if one.known and one.names(episode)]
    return sorted(named, key=lambda one: (one.last.status == "suspected", -one.last.run, one.id))


def cause_line(event: RootCauseEvent) -> str:
    """What is behind it, and whether a retrain may start: one line."""
    parts = [
        f"{when(event.run, rows=True) if event.in_rows else place(iso(event.run)):<16}",
        f"{event.status.upper():<10}",
        short_id(event.incident),
        f"{event.model}/{event.version}",
        event.cause.replace("_", " "),
        what(event),
        f"retraining: {event.retrain_gate.decision}",
    ]
    return "  ".join(parts)


def why(known: Sequence[ToldIncident]) -> Iterator[str]:
    """What is behind an episode: a paragraph each, and where to read on."""
    for one in known:
        yield ""
        yield f"cause: {in_short(one)}; retraining: {one.last.retrain_gate.decision}"
        yield f"  {one.last.text}"
        yield f"  all of it: driftbus explain {short_id(one.id)}"


def in_short(one: ToldIncident) -> str:
    """The cause, as it stands beside an episode."""
    certain = "" if one.last.status == "confirmed" else f" ({one.last.status})"
    return f"{one.last.cause.replace('_', ' ')}{certain} {short_id(one.id)}"
