"""What model events ask for: a version that was registered, deployed or promoted is tested, as long as it is not out of service again."""

from collections.abc import Iterator
from typing import NamedTuple

from ...schemas.configuration import Configuration
from ...schemas.messages.golden import GoldenRequest
from ...schemas.messages.model_event import ModelEvent
from ..bus import own
from ..bus.interface import Bus, TopicPartition
from ..reference import model_events
from ..reference.golden_records import request_of


class _Known(NamedTuple):
    offset: int
    written: int  #: ms
    event: ModelEvent


class Deployments:
    """The events of models with a golden set, as far as they have been read; those of versions that serve no longer are forgotten."""

    def __init__(self, bus: Bus, configuration: Configuration) -> None:
        self._bus, self._configuration = bus, configuration
        self._place = TopicPartition(configuration.topics.models, 0)  # one order for all
        self._known: dict[str, dict[str, list[_Known]]] = {}  # by model and version
        self.end = 0  #: so far it has been read

    def look(self) -> None:
        """Read on to the topic's end."""
        if self._place.topic not in self._bus.describe([self._place.topic]):
            return
        first, end = self._bus.watermarks(self._place)
        if end < self.end:  # the topic was made again
            self.end = 0
            self._known.clear()
        for batch in self._bus.read(self._place, max(first, self.end), end):
            columns = batch.offsets.tolist(), batch.timestamps.tolist(), batch.keys(), batch.values, batch.headers()
            for offset, written, key, value, headers in zip(*columns, strict=True):
                if key is None or value is None or not model_events.is_one(key):
                    continue
                try:
                    event = model_events.read(self._configuration.application, key, value, headers)
                except (own.Foreign, own.Unreadable):
                    continue  # told by the clerk
                settings = self._configuration.models.get(event.model)
                if settings is not None and settings.golden is not None:
                    self._take(_Known(offset, written, event))
        self.end = end

    def requests(self, since: int) -> Iterator[GoldenRequest]:
        """What the events from an offset on ask for, in their order."""
        known = [one for versions in self._known.values() for events in versions.values() for one in events]
        for one in sorted(one for one in known if one.offset >= since):
            yield from self._requests(one)

    def _take(self, one: _Known) -> None:
        """An event, and whose events are over by it."""
        event, versions = one.event, self._known.setdefault(one.event.model, {})
        if event.kind == "promoted":
            for version, events in list(versions.items()):
                if version != event.version and any(other.event.kind != "registered" for other in events):
                    del versions[version]
        if event.kind in {"rolled_back", "retired"}:
            versions.pop(event.version, None)
        if (tested := _tested(event)) is not None:
            versions.setdefault(tested, []).append(one)

    def _requests(self, one: _Known) -> Iterator[GoldenRequest]:
        event, version = one.event, _tested(one.event)
        golden = self._configuration.models[event.model].golden
        if golden is None or version is None:
            return
        asked = max(one.written if event.time is None else event.time, 0)
        for spread in [False, True] if event.kind == "registered" else [False]:  # how far two runs of one model are apart
            made = request_of(self._configuration, event.model, version, golden.set, "model", event.id, asked, spread=spread)
            yield made.model_copy(update={"parent": None if event.kind == "rolled_back" else event.parent})


def _tested(event: ModelEvent) -> str | None:
    """The version that an event asks to test: where one was rolled back, the one that serves again. None: none."""
    return {"rolled_back": event.parent, "retired": None}.get(event.kind, event.version)
