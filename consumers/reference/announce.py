"""Announcements on the compacted models topic: which reference holds for a model version, from which bucket on."""

from bisect import bisect_left
from itertools import accumulate

import msgspec

from ...schemas.cloud_events import Headers
from ...schemas.configuration import Configuration, Stream
from ...schemas.messages.announcement import FROM_START, Announcement
from ..bus.addressing import addressed
from ..bus.interface import Bus, Output
from ..bus.own import Foreign, Unreadable, content, owner
from ..bus.table import Table
from ..streams.buckets import buckets

#: Retired models that are named to those who remember what a model's traffic was like; bytes of their names, since one record says all.
MOST_RETIRED = 1_000
MOST_RETIRED_BYTES = 150_000
#: That a model takes beside its name: the name's length and the boundary, in msgpack.
_BESIDE = 12
#: No boundary is so late.
NEVER = 1 << 63

#: Live, profilers see an announcement in about a second; so much later it takes effect, so that all of them know of it in time.
_NOTICE_MS = 60_000


def soonest(stream: Stream, now: int) -> int:
    """The first bucket boundary from which something can hold that is announced now, by a live clock."""
    tiles = buckets(stream.pane)
    return tiles.end(tiles.end(tiles.end(now + _NOTICE_MS)))


def written(configuration: Configuration, announcement: Announcement) -> Output:
    """The record of an announcement, or a retirement (``reference`` None), for the configured application."""
    ours = announcement.model_copy(update={"application": configuration.application})
    return addressed(configuration, configuration.topics.models, ours, None)


def announce(bus: Bus, configuration: Configuration, announcement: Announcement) -> None:
    """Publish it."""
    bus.publish([written(configuration, announcement)])


class Announcements:
    """All that is announced for an application and can still hold, as far as it has been read.

    The topic is read from its beginning at every start. A later record of one key replaces an earlier one. Its key holds a time, so
    compaction does not keep it short: what can hold no more is forgotten (`forget`), and read again if it is asked for after all.
    """

    def __init__(self, bus: Bus, configuration: Configuration) -> None:
        self._application = configuration.application
        self.table: Table[bytes, Announcement] = Table(bus, configuration.topics.models, _key, self._read)
        self._forgotten = -NEVER  # of buckets that end at or before it, something is
        #: Per model version: boundaries, and what holds from each on.
        self._order: dict[tuple[str, str], tuple[list[int], list[Announcement]]] = {}
        self._versions: dict[str, list[str]] = {}  # by model
        self.models: frozenset[str] = frozenset()  #: of which anything is announced

    def refresh(self) -> bool:
        """Read on to the topic's end; whether anything changed."""
        changes = self.table.refresh()
        if self._forgotten > -NEVER and any(change.now is None for change in changes):
            self._again()  # what a withdrawn one had replaced may hold again
        else:
            self._sort({(one.model, one.version) for change in changes for one in (change.before, change.now) if one is not None})
        return bool(changes)

    def forget(self, before: int) -> None:
        """Drop what holds in no bucket that ends at ``before`` or later: of each model version, all but one of what lies in front of it."""
        for version, (boundaries, known) in self._order.items():
            if (over := bisect_left(boundaries, before) - 1) > 0:
                self.table.drop(one.key.encode() for one in known[:over])
                self._order[version] = boundaries[over:], known[over:]
                self._forgotten = max(self._forgotten, before)

    def holding(self, model: str, version: str, bucket: int) -> Announcement | None:
        """What was announced for the bucket that ends then: of all whose boundary lies before that end, the latest. None: nothing ever.

        Retired versions have an announcement without a reference.
        """
        if bucket < self._forgotten:
            self._again()
        boundaries, known = self._order.get((model, version), ((), ()))
        place = bisect_left(boundaries, bucket)
        return known[place - 1] if place else None

    def versions(self, model: str) -> list[str]:
        """Those of which anything is announced."""
        return self._versions.get(model, [])

    def retired(self) -> dict[str, int]:
        """Models all of whose versions are retired in the end, with the boundary behind which none is left: the newest that fit."""
        ends: dict[str, int | None] = {}
        for (model, _), (boundaries, known) in self._order.items():
            before = ends.get(model, boundaries[-1] if known else None)
            ends[model] = None if before is None or not known or known[-1].reference else max(before, boundaries[-1])
        found = sorted(((since, model) for model, since in ends.items() if since is not None), reverse=True)
        bytes_so_far = accumulate(len(model.encode()) + _BESIDE for _, model in found)
        fits = sum(so_far <= MOST_RETIRED_BYTES for so_far in bytes_so_far)
        return {model: since for since, model in found[: min(fits, MOST_RETIRED)]}

    def named(self) -> set[str]:
        """The references that can still hold."""
        return {one.reference for _, known in self._order.values() for one in known if one.reference is not None}

    def all(self) -> list[Announcement]:
        """Everything known, by model, version and boundary."""
        return [announcement for version in sorted(self._order) for announcement in self._order[version][1]]

    def _again(self) -> None:
        self._forgotten = -NEVER
        self.table.reload()
        self._order.clear()
        self._sort({(one.model, one.version) for one in self.table.facts.values()})

    def _sort(self, versions: set[tuple[str, str]]) -> None:
        by_version: dict[tuple[str, str], list[Announcement]] = {version: [] for version in versions}
        for one in self.table.facts.values() if versions else ():
            if (one.model, one.version) in by_version:
                by_version[one.model, one.version].append(one)
        for version, found in by_version.items():
            found.sort(key=lambda one: one.since)  # of one boundary, the last written holds
            self._order[version] = [one.since for one in found], found
            if not found:
                del self._order[version]
        if versions:
            self._versions = {}
            for model, name in sorted(self._order):
                self._versions.setdefault(model, []).append(name)
            self.models = frozenset(self._versions)

    def _read(self, key: bytes, value: bytes, headers: Headers) -> Announcement:
        said = content(_announcement, value)
        if said.key.encode() != key:
            msg = f"an announcement under the key of another: {said.key}"
            raise Unreadable(msg)
        whose = said.application or owner(headers)
        if whose is not None and whose != self._application:
            raise Foreign(whose)
        return said


def _key(key: bytes) -> bytes | None:
    return key if key.startswith(b"reference/") else None  # other kinds of announcements share the topic


def _announcement(value: bytes) -> Announcement:
    return Announcement.model_validate(msgspec.json.decode(value))


def from_start(model: str, version: str, reference: str, rows: int) -> Announcement:
    """An announcement that holds from the beginning of the log."""
    return Announcement(model=model, version=version, reference=reference, since=FROM_START, rows=rows)
