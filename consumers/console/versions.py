"""The record of a version: who made it, from what data, which parent, how well it did, and what was decided of it."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NamedTuple

from ...schemas.configuration import Configuration
from ...schemas.messages.model_event import ModelEvent
from ...schemas.messages.promotion import Promotion
from ..bus import own
from ..bus.interface import Bus
from ..reference import ledger
from ..reference.announce import Announcements
from ..reference.artifacts import ArtifactStore
from .deployments import Known, deployments, read
from .outputs import unanswered
from .reading import records_on


class VersionRecord(NamedTuple):
    """One version of a model."""

    model: str
    version: str
    events: list[Known]  #: in the order of their times
    steps: list[Promotion]  #: what was decided, in its order
    serves: bool
    outputs: str | None = None  #: why what it answers is not watched

    @property
    def made(self) -> ModelEvent | None:
        """The event by which it was registered."""
        return next((one.event for one in self.events if one.event.kind == "registered"), None)

    @property
    def story(self) -> list[tuple[int, str, str, str]]:
        """When, what, by whom and why, in their order."""
        of_events = [(one.at, one.event.kind, one.event.by or "", "") for one in self.events]
        return sorted([*of_events, *((one.time, f"decided: {one.step}", one.by or "", one.reason) for one in self.steps)])

    def plain(self) -> dict[str, Any]:  # JSON
        """All of it."""
        return {
            "model": self.model,
            "version": self.version,
            "serves": self.serves,
            "outputs": self.outputs,
            "events": [one.event.plain() | {"at": one.at} for one in self.events],
            "steps": [one.model_dump(mode="json", exclude_none=True) for one in self.steps],
        }


def versions(bus: Bus, configuration: Configuration, model: str) -> list[VersionRecord]:
    """Those of a model, in the order in which something was first said of them."""
    known = [one for one in read(bus, configuration).known if one.event.model == model]
    steps = [one for one in _steps(bus, configuration) if one.model == model]
    serving = {one.version for one in deployments(known) if one.serves}
    first = [*((one.at, one.event.version) for one in known), *((one.time, one.version) for one in steps)]
    names = dict.fromkeys(version for _, version in sorted(first))
    announced = Announcements(bus, configuration)
    announced.refresh()
    outputs = {one.version: one.why for one in unanswered(configuration, announced, known, ArtifactStore(configuration.artifacts))}
    return [
        VersionRecord(
            model,
            name,
            [one for one in known if one.event.version == name],
            [one for one in steps if one.version == name],
            name in serving,
            outputs.get(name),
        )
        for name in names
    ]


def _steps(bus: Bus, configuration: Configuration) -> Iterator[Promotion]:
    """All that the topic holds, each once."""
    seen = set[str]()
    for record in records_on(bus, configuration.topics.retrain):
        with suppress(own.Foreign, own.Unreadable):
            said = ledger.read_promotion(configuration.application, record.key, record.value, record.headers)
            if said is not None and said.id not in seen:
                seen.add(said.id)
                yield said
