"""What topics say of an incident, or of an episode: all that a document is made of beside stored windows."""

from collections.abc import Sequence
from dataclasses import dataclass

from ...schemas.configuration import Configuration
from ..bus.interface import Bus
from ..console import causes, deployments, episodes
from ..console.causes import ToldIncident
from ..console.deployments import Known
from ..console.episodes import ToldEpisode


@dataclass(frozen=True)
class Said:
    """Incidents, none where nothing is known; the episodes that they are behind; what was done to the model."""

    incidents: Sequence[ToldIncident]
    episodes: Sequence[ToldEpisode]
    events: Sequence[Known]


def said(bus: Bus, configuration: Configuration, beginning: str) -> Said:
    """Of the incident, else the episode, whose id begins so. Raises `LookupError` where there is none, and for several."""
    found = causes.incidents(bus, configuration)
    there = bool(bus.describe([configuration.topics.drift]))
    known = episodes.episodes(bus, configuration) if there else []
    events = deployments.read(bus, configuration).known
    incident = causes.beginning_so(found, beginning)
    if incident is not None:
        own = [one for one in known if incident.names(one.id)]
        return Said([incident], own, [one for one in events if one.event.model == incident.last.model])
    if not there:
        msg = f"{beginning}: there is no such incident on {configuration.topics.root_causes}, and no topic {configuration.topics.drift}"
        raise LookupError(msg)
    episode = episodes.episode_of(bus, configuration, beginning)
    own_events = [one for one in events if one.event.model == episode.last.model]
    return Said(causes.behind(found, episode.id), [episode], own_events)
