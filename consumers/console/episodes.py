"""Episodes as the drift topic tells them, for verbs that speak of one or of all."""

from collections.abc import Iterable
from dataclasses import dataclass

from ...schemas.configuration import Configuration
from ...schemas.messages.drift import DriftedSignal, DriftEvent, FurtherSignal
from ..bus.interface import Bus
from ..bus.tail import DriftTopic
from ..replay.event_line import short_id

#: Of many episodes that begin alike.
_NAMED = 5


@dataclass(frozen=True)
class ToldEpisode:
    """All events of one episode, in their order."""

    events: tuple[DriftEvent, ...]

    @property
    def id(self) -> str:
        """Whole."""
        return self.first.episode

    @property
    def first(self) -> DriftEvent:
        """That opened it, unless it is gone."""
        return self.events[0]

    @property
    def last(self) -> DriftEvent:
        """That says how it stands."""
        return self.events[-1]

    @property
    def is_open(self) -> bool:
        """It has not been resolved."""
        return self.last.status != "resolved"

    @property
    def drifted(self) -> list[DriftedSignal | FurtherSignal]:
        """The signals that are, or when last told were, in drift, as far as events list them."""
        event = self._drifting
        return [] if event is None else [one for part in (event.signals, event.further) for one in part if one.open]

    @property
    def unlisted(self) -> int:
        """So many more of them no event lists."""
        return 0 if self._drifting is None else self._drifting.more_signals

    @property
    def _drifting(self) -> DriftEvent | None:
        return next((event for event in reversed(self.events) if any(one.open for one in event.signals)), None)


def told(events: Iterable[DriftEvent]) -> list[ToldEpisode]:
    """The episodes that events speak of, in the order in which they are first spoken of. An event told twice counts once."""
    found: dict[str, dict[int, DriftEvent]] = {}
    for event in events:
        found.setdefault(event.episode, {})[event.sequence] = event
    return [ToldEpisode(tuple(own[number] for number in sorted(own))) for own in found.values()]


def episodes(bus: Bus, configuration: Configuration) -> list[ToldEpisode]:
    """All that the drift topic holds."""
    topic = DriftTopic(bus, configuration, from_start=True)
    return told(event for event in topic.new() if isinstance(event, DriftEvent))


def episode_of(bus: Bus, configuration: Configuration, beginning: str) -> ToldEpisode:
    """The one whose id begins so. Raises `LookupError` for none, and for several."""
    found = [one for one in episodes(bus, configuration) if one.id.startswith(beginning)]
    if len(found) != 1:
        named = ", ".join(sorted(short_id(one.id) if len(beginning) < len(short_id(one.id)) else one.id for one in found)[:_NAMED])
        said = f"{len(found)} episodes begin so: {named}{', ...' if len(found) > _NAMED else ''}" if found else "there is no such episode"
        msg = f"{beginning or repr('')}: {said} on {configuration.topics.drift}; driftbus episodes lists them"
        raise LookupError(msg)
    return found[0]
