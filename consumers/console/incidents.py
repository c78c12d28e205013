"""What people said of incidents, and the incident that somebody speaks of."""

from typing import NamedTuple

from ...detectors.diagnosis.calibration import Answered
from ...schemas.configuration import Configuration
from ...schemas.messages.feedback import Feedback
from ..bus import own
from ..bus.interface import Bus
from ..reference import feedback
from ..replay.event_line import short_id
from .causes import ToldIncident, incidents
from .reading import records_on

#: Of many incidents that begin alike.
_NAMED = 5


class Said(NamedTuple):
    """A person's word, and when it was said: as it states, else as it was written."""

    time: int
    word: Feedback


def incident_of(bus: Bus, configuration: Configuration, beginning: str) -> ToldIncident:
    """The one whose id begins so. Raises `LookupError` for none, and for several."""
    found = [one for one in incidents(bus, configuration) if one.id.startswith(beginning)]
    if len(found) != 1 or not beginning:
        named = ", ".join(sorted(short_id(one.id) if len(beginning) < len(short_id(one.id)) else one.id for one in found)[:_NAMED])
        said = f"{len(found)} incidents begin so: {named}{', ...' if len(found) > _NAMED else ''}" if found else "there is no such incident"
        msg = f"{beginning or repr('')}: {said} on {configuration.topics.root_causes}"
        raise LookupError(msg)
    return found[0]


def said(bus: Bus, configuration: Configuration) -> dict[tuple[str, str], Said]:
    """By model and incident, the last word on it, in the order of the log, as it counts for the diagnoser: one that is said again, by the
    same person at the same time, counts in its first place."""
    found: dict[tuple[str, str], Said] = {}
    heard: set[str] = set()
    for record in records_on(bus, configuration.topics.feedback):
        if record.value is None:
            continue
        try:
            word = feedback.read(configuration.application, record.key, record.value, record.headers)
        except (own.Foreign, own.Unreadable):
            continue
        if word.id not in heard:
            heard.add(word.id)
            found[word.model, word.incident] = Said(record.timestamp if word.time is None else word.time, word)
    return found


def answered(bus: Bus, configuration: Configuration) -> list[Answered]:
    """The incidents on which there is a word, with what they were told as when it was said."""
    words = said(bus, configuration)
    found = []
    for one in incidents(bus, configuration):
        if (told := words.get((one.last.model, one.id))) is not None:
            time, word = told
            seen = one.seen(time)
            found.append(Answered(seen.cause, seen.confidence if seen.score is None else seen.score, word.agrees(seen.cause)))
    return found
