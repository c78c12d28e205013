"""Which versions of a model serve, and served when, as the models topic tells it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from ...schemas.configuration import Configuration
from ...schemas.messages.model_event import ModelEvent
from ..bus.interface import Bus
from ..bus.own import Foreign, Unreadable
from ..reference import model_events
from ..streams.cut import EARLIEST, LATEST
from .reading import Read, records_on


class Known(NamedTuple):
    """An event, and when it was so: as it states, else as it was written."""

    at: int
    event: ModelEvent


class ModelEvents(NamedTuple):
    """What is on the topic."""

    known: list[Known]  #: in the order of their times
    unreadable: dict[str, str]  #: places of records, with reasons


@dataclass(frozen=True)
class Deployment:
    """A version, while it serves; one that is registered, and does not serve, has no ``since``."""

    model: str
    version: str
    kind: str  #: of the last event that says how it serves: deployed, promoted, rolled_back (to it), registered
    since: int | None  #: ms
    until: int | None = None  #: ms; None: it still does
    job: str | None = None
    parent: str | None = None

    @property
    def serves(self) -> bool:
        """Now, as far as events tell."""
        return self.since is not None and self.until is None

    def beside(self, other: "Deployment") -> bool:
        """Whether another version of the model served at the same time."""
        if self.model != other.model or self.version == other.version or self.since is None or other.since is None:
            return False
        return (other.until is None or self.since < other.until) and (self.until is None or other.since < self.until)


def read(bus: Bus, configuration: Configuration) -> ModelEvents:
    """Of the application, those that are there now; one that was written twice counts once, as it was first."""
    return events_of(configuration, records_on(bus, configuration.topics.models))


def events_of(configuration: Configuration, records: Iterable[Read]) -> ModelEvents:
    """What records of the topic hold, in the order in which they were written."""
    found, unreadable = dict[bytes, Known](), dict[str, str]()
    for record in records:
        if record.key is None or not model_events.is_one(record.key):
            continue
        if record.value is None:
            found.pop(record.key, None)
            continue
        try:
            event = model_events.read(configuration.application, record.key, record.value, record.headers)
        except Foreign:
            continue
        except Unreadable as error:
            unreadable[f"{configuration.topics.models}[{record.source.partition}]@{record.offset}"] = str(error)
            continue
        written = min(max(record.timestamp, EARLIEST), LATEST)
        found.setdefault(record.key, Known(written if event.time is None else event.time, event))
    once = dict[str, Known]()
    for one in found.values():
        once.setdefault(one.event.id, one)
    return ModelEvents(sorted(once.values(), key=lambda one: one.at), unreadable)


def serving(configuration: Configuration, known: Iterable[Known], now: int) -> list[Deployment]:
    """Those that serve: of models with a live clock, by now; else in the end."""

    def has_come(one: Known) -> bool:
        return one.at <= now or configuration.streams[configuration.stream_of(one.event.model)].clock == "record"

    return [one for one in deployments(filter(has_come, known)) if one.serves]


def deployments(known: Iterable[Known]) -> list[Deployment]:
    """By model, in the order in which they began; what is only registered comes last.

    >>> first, second = (ModelEvent(model="fraud", version=version, kind="deployed", time=5) for version in "12")
    >>> [one.beside(other) for one in deployments([Known(1, first), Known(5, second)]) for other in deployments([Known(1, first)])]
    [False, True]
    >>> [one.until for one in deployments([Known(1, first), Known(5, second.model_copy(update={"kind": "promoted"}))])]
    [5, None]
    """
    by_model: dict[str, list[Known]] = {}
    for one in known:
        by_model.setdefault(one.event.model, []).append(one)
    return [deployment for _, events in sorted(by_model.items()) for deployment in _of_one(events)]


def _of_one(events: Iterable[Known]) -> Iterator[Deployment]:
    serving, over, registered = dict[str, Deployment](), list[Deployment](), dict[str, Deployment]()

    def begins(version: str, one: Known) -> None:
        before = serving.get(version) or registered.pop(version, None)
        since = one.at if before is None or before.since is None else before.since
        job = one.event.job or (before.job if before else None)
        parent = one.event.parent if version == one.event.version else None
        serving[version] = Deployment(
            one.event.model, version, one.event.kind, since, job=job, parent=parent or (before.parent if before else None)
        )

    def ends(version: str, at: int) -> None:
        if version in serving:
            over.append(replace(serving.pop(version), until=at))
        registered.pop(version, None)

    for one in events:
        version = one.event.version
        match one.event.kind:
            case "registered":
                if version not in serving:
                    registered[version] = Deployment(
                        one.event.model, version, one.event.kind, None, job=one.event.job, parent=one.event.parent
                    )
            case "deployed":
                begins(version, one)
            case "promoted":
                for other in [name for name in serving if name != version]:
                    ends(other, one.at)
                begins(version, one)
            case "rolled_back":
                ends(version, one.at)
                if one.event.parent is not None:
                    begins(one.event.parent, one)
            case "retired":
                ends(version, one.at)
    yield from sorted([*over, *serving.values()], key=lambda one: (one.since or 0, one.version))
    yield from sorted(registered.values(), key=lambda one: one.version)
