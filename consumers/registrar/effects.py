"""What a step writes: requests to test, announcements of references, model events. A function of the step, of what the models topic says,
and of when it is done.

What is there already is not written again: a promotion that was said has been done, whoever asks for it again.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from ...schemas.configuration import Configuration
from ...schemas.messages.announcement import Announcement
from ...schemas.messages.golden import GoldenRequest
from ...schemas.messages.model_event import Kind, ModelEvent
from ...schemas.messages.promotion import Promotion
from ..bus.interface import Bus, Output, TopicPartition
from ..bus.own import Foreign
from ..bus.table import Table
from ..reference import golden_records, model_events
from ..reference.announce import NEVER, Announcements, soonest, written
from ..reference.golden_sets import AnnouncedSets, NoGoldenSet
from ..reference.outputs import of_their_jobs
from ..streams.buckets import buckets
from .answering import Profiled
from .counted import Unwatched
from .step import Step

_DAY_MS = 86_400_000


class Effects:
    """The models topic as far as it has been read, and what is to be added to it."""

    def __init__(self, bus: Bus, configuration: Configuration) -> None:
        self._bus, self._configuration = bus, configuration
        self._announced = Announcements(bus, configuration)
        self._events: Table[bytes, ModelEvent] = Table(bus, configuration.topics.models, _key, self._read)
        self._by_id: dict[str, ModelEvent] = {}

    def refresh(self) -> None:
        """Read on to the topic's end."""
        self._announced.refresh()
        for change in self._events.refresh():
            if change.now is not None:
                self._by_id.setdefault(change.now.id, change.now)  # the first counts

    def refreshed(self) -> bool:
        """`refresh`; whether that is all that has been written: of who had a partition before, something may be on its way."""
        topic = self._configuration.topics.models
        described = self._bus.describe([topic], settings=False).get(topic)
        places = [TopicPartition(topic, number) for number in range(described.partitions if described else 0)]
        whole = all(self._bus.watermarks(one, committed=False)[1] <= self._bus.watermarks(one)[1] for one in places)
        self.refresh()
        return whole

    def unwatched(self) -> list[Unwatched]:
        """Versions that are watched by the reference that their job made."""
        held = of_their_jobs(self._announced, self._by_id.values())
        return [Unwatched(one.model, one.version, one.reference, one.since) for one in held if one.reference is not None]

    def watched(self, thing: Unwatched, made: Profiled, now: int) -> Output:
        """From the next boundary on, the reference with its outputs."""
        since = soonest(self._configuration.streams[self._configuration.stream_of(thing.model)], now)
        said = Announcement(model=thing.model, version=thing.version, reference=made.reference, since=since, rows=made.rows)
        return written(self._configuration, said)

    def informed(self, step: Step) -> Step:
        """With what the topic says of it, for those who do it."""
        return replace(step, references=tuple(self._references(step.said)), made=self._registered(step.said))

    def _registered(self, said: Promotion) -> ModelEvent | None:
        of_job = self._by_id.get(_event_id(said, "registered"))
        same = (one for one in self._by_id.values() if (one.model, one.version, one.kind) == (said.model, said.version, "registered"))
        return of_job or next(same, None)

    def _references(self, said: Promotion) -> list[str]:
        """Those that a step announces, which must be readable before: profilers end by one that is not. What has taken the place of one
        that was announced already stays: a person's, or one with what the version answers.
        """
        version, wanted = said.version, said.reference
        if said.step == "roll_back" and said.parent is not None:
            version, wanted = said.parent, self._last(said.model, said.parent) or said.parent_reference
        elif said.step not in ("shadow", "promote"):
            return []
        return [] if wanted is None or wanted in self._living(said.model, version) else [wanted]

    def of(self, step: Step, usable: Mapping[str, int], now: int) -> list[Output]:
        """The records of a step. ``usable``: by reference that can be announced, its rows."""
        said = step.said
        stream = self._configuration.streams[self._configuration.stream_of(said.model)]
        if stream.clock == "live":
            since = soonest(stream, now)
        else:  # the day that follows
            tiles, day = buckets(stream.pane), -(-said.time // _DAY_MS) * _DAY_MS
            now, since = day, tiles.start(day) if tiles.start(day) == day else tiles.end(day)
        events = list(self._told(step, now))
        if events and all(one.id in self._by_id for one in events):
            return []  # all of it was written with them
        outputs = [model_events.written(self._configuration, one) for one in events if one.id not in self._by_id]
        if not step.over:
            outputs += [written(self._configuration, one) for one in self._monitored(said, usable, since)]
            outputs += [golden_records.output(self._configuration, one) for one in self._asked(step)]
        return outputs

    def _told(self, step: Step, now: int) -> Iterator[ModelEvent]:
        """What became of versions."""
        said = step.said
        if said.step == "promote":
            yield self._event(step, said.version, "promoted", now, said.parent)
            if said.parent is not None:
                yield self._event(step, said.parent, "retired", now, None)
        elif said.step == "roll_back":
            yield self._event(step, said.version, "rolled_back", now, said.parent)
        elif said.step == "refuse":
            yield self._event(step, said.version, "retired", now, None)

    def _event(self, step: Step, version: str, kind: Kind, time: int, parent: str | None) -> ModelEvent:
        said = step.said
        return ModelEvent(model=said.model, version=version, kind=kind, time=time, job=step.job, parent=parent, by=said.by)

    def _monitored(self, said: Promotion, usable: Mapping[str, int], since: int) -> Iterator[Announcement]:
        """Which reference holds, and which does no longer, from the next boundary on."""
        comes, goes = {
            "shadow": (said.version, None),
            "promote": (said.version, None),
            "retire": (None, said.parent),
            "roll_back": (said.parent, said.version),
            "refuse": (None, said.version),
        }.get(said.step, (None, None))
        for reference in self._references(said):
            if comes is not None and reference in usable:
                yield Announcement(model=said.model, version=comes, reference=reference, since=since, rows=usable[reference])
        if goes is not None and self._in_the_end(said.model, goes) is not None:
            yield Announcement(model=said.model, version=goes, reference=None, since=since)

    def _in_the_end(self, model: str, version: str) -> str | None:
        """The reference that holds behind all that is announced."""
        found = self._announced.holding(model, version, NEVER)
        return None if found is None else found.reference

    def _last(self, model: str, version: str) -> str | None:
        """The one that held last: it stays named."""
        return next((one for one in reversed(self._all(model, version)) if one is not None), None)

    def _living(self, model: str, version: str) -> list[str]:
        """Those that were announced since it was retired last, if it ever was."""
        found = list[str]()
        for one in self._all(model, version):
            found = [] if one is None else [*found, one]
        return found

    def _all(self, model: str, version: str) -> list[str | None]:
        """All that was announced of it, in the order of the boundaries; None: it was retired."""
        return [one.reference for one in self._announced.all() if (one.model, one.version) == (model, version)]

    def _asked(self, step: Step) -> Iterator[GoldenRequest]:
        """The test of a version that was registered; who asks for that event, too, asks for the same."""
        said, settings = step.said, self._configuration.models[step.said.model].golden
        if said.step != "evaluate" or settings is None:
            return
        golden, named = settings.set, _event_id(said, "registered") if said.number == 1 else said.id
        if said.golden is not None and said.golden != self._in_use(said.model):
            golden = said.golden
        for spread in (False, True):
            made = golden_records.request_of(
                self._configuration, said.model, said.version, golden, "model", named, max(said.time, 0), spread=spread
            )
            yield made.model_copy(update={"parent": said.parent})

    def _in_use(self, model: str) -> str | None:
        try:
            return AnnouncedSets(self._bus, self._configuration).in_use(model)
        except NoGoldenSet:
            return None

    def _read(self, key: bytes, value: bytes, headers: tuple[tuple[str, bytes], ...]) -> ModelEvent:
        said = model_events.read(self._configuration.application, key, value, headers)
        if said.model not in self._configuration.models:
            raise Foreign("")
        return said


def _key(key: bytes) -> bytes | None:
    return key if model_events.is_one(key) else None


def _event_id(said: Promotion, kind: Kind) -> str:
    """Of the event that a job wrote of a version."""
    return ModelEvent(model=said.model, version=said.version, kind=kind, job=said.job or said.id).id
