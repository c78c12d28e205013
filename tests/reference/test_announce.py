"""Announcements: which reference holds in which bucket."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Bus, Output
from driftbus.consumers.reference.announce import Announcements, announce, from_start
from driftbus.schemas.messages.announcement import Announcement

from ..streaming import configuration

SETTINGS = configuration()
TOPICS = SETTINGS.topics


def made() -> Bus:
    bus = EmbeddedBus(":memory:", "test", "one")
    bus.create(TOPICS.models, 3, settings={"cleanup.policy": "compact"})
    return bus


@pytest.fixture
def bus() -> Iterator[Bus]:
    bus = made()
    yield bus
    bus.close()


def at(since: int, reference: str | None, version: str = "1") -> Announcement:
    return Announcement(model="m", version=version, reference=reference, since=since)


def holding(announcements: Announcements, bucket: int, version: str = "1") -> str | None:
    found = announcements.holding("m", version, bucket)
    return None if found is None else found.reference


def test_the_latest_boundary_before_a_buckets_end_holds(bus: Bus) -> None:
    for announcement in (at(20, "second"), from_start("m", "1", "first", 9), at(40, None), at(20, "other", version="2")):
        announce(bus, SETTINGS, announcement)
    announcements = Announcements(bus, SETTINGS)
    assert announcements.refresh()
    assert [holding(announcements, bucket) for bucket in (10, 20, 30, 40, 50)] == ["first", "first", "second", "second", None]
    assert [holding(announcements, bucket, "2") for bucket in (20, 30)] == [None, "other"]
    assert announcements.holding("m", "1", 50) == at(40, None).model_copy(update={"application": SETTINGS.application})
    assert announcements.holding("m", "3", 50) is None
    assert [a.since for a in announcements.all() if a.version == "1"] == [-(2**62), 20, 40]


def test_reading_goes_on_where_it_ended(bus: Bus) -> None:
    announcements = Announcements(bus, SETTINGS)
    assert not announcements.refresh()
    announce(bus, SETTINGS, at(10, "a"))
    assert announcements.refresh()
    assert not announcements.refresh()
    announce(bus, SETTINGS, at(10, "b"))
    assert announcements.refresh()
    assert holding(announcements, 20) == "b"


def test_a_tombstone_withdraws(bus: Bus) -> None:
    announce(bus, SETTINGS, at(10, "a"))
    announcements = Announcements(bus, SETTINGS)
    announcements.refresh()
    bus.publish([Output(TOPICS.models, None, at(10, "a").model_copy(update={"application": SETTINGS.application}).key.encode(), None)])
    announcements.refresh()
    assert holding(announcements, 20) is None


DAMAGED = {
    "empty": (b"reference/m/1/20", b""),
    "no JSON": (b"reference/m/1/20", b"\xff{"),
    "not of its type": (b"reference/m/1/20", b"{}"),
    "a list": (b"reference/m/1/20", b"[1]"),
    "a number of another type": (b"reference/m/1/20", b'{"model": "m", "version": "1", "reference": "b", "since": {}}'),
    "a number out of 64 bits": (b"reference/m/1/20", b'{"model": "m", "version": "1", "reference": "b", "since": 99999999999999999999999}'),
    "under the key of another": (b"reference/m/1/20", b'{"model": "m", "version": "2", "reference": "b", "since": 20}'),
    "a key that is no text": (b"reference/\xff/1/20", b'{"model": "m", "version": "1", "reference": "b", "since": 20}'),
    "large": (b"reference/m/1/20", b"[" * 900_000),
}


@pytest.mark.parametrize("what", DAMAGED)
def test_what_is_none_is_told_and_stops_nobody(bus: Bus, what: str) -> None:
    announce(bus, SETTINGS, at(10, "a"))
    announcements = Announcements(bus, SETTINGS)
    key, value = DAMAGED[what]
    bus.publish([Output(TOPICS.models, 0, key, value)])
    announcements.refresh()
    assert holding(announcements, 30) == "a"
    assert len(announcements.table.unreadable) == 1
    announce(bus, SETTINGS, at(20, "c"))
    announcements.refresh()
    assert holding(announcements, 30) == "c"


def test_those_of_another_application_are_none_of_ours(bus: Bus) -> None:
    """Though they are of the same model, version and boundary."""
    theirs = configuration(application="another")
    announce(bus, SETTINGS, at(10, "ours"))
    announce(bus, theirs, at(10, "theirs"))
    announce(bus, theirs, at(20, "theirs"))
    for settings, reference in ((SETTINGS, "ours"), (theirs, "theirs")):
        announcements = Announcements(bus, settings)
        announcements.refresh()
        assert holding(announcements, 30) == reference
        assert len(announcements.table.applications) == 1


def test_those_of_before_applications_were_said_still_hold(bus: Bus) -> None:
    bus.publish([Output(TOPICS.models, 0, b"reference/m/1/10", b'{"model": "m", "version": "1", "reference": "old", "since": 10}')])
    announcements = Announcements(bus, SETTINGS)
    announcements.refresh()
    assert holding(announcements, 20) == "old"
    announce(bus, SETTINGS, at(10, "new"))
    announcements.refresh()
    assert holding(announcements, 20) == "new"


def test_other_records_of_the_topic_are_passed_over(bus: Bus) -> None:
    bus.publish([Output(TOPICS.models, 0, b"model/m/1/trained/7", b"{}")])
    announcements = Announcements(bus, SETTINGS)
    assert not announcements.refresh()
    assert not announcements.table.unreadable


def test_without_the_topic_nothing_holds() -> None:
    bus = EmbeddedBus(":memory:", "test", "one")
    announcements = Announcements(bus, SETTINGS)
    assert not announcements.refresh()
    bus.close()


@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from(["a", "b", None]), st.booleans()), max_size=12), st.integers(0, 12))
def test_it_is_what_a_search_through_all_would_find(written: list[tuple[int, str | None, bool]], bucket: int) -> None:
    bus = made()
    announcements = Announcements(bus, SETTINGS)
    latest: dict[int, str | None] = {}
    for since, reference, look in written:
        announce(bus, SETTINGS, at(since, reference))
        latest[since] = reference
        if look:
            announcements.refresh()
    announcements.refresh()
    before = [since for since in latest if since < bucket]
    assert holding(announcements, bucket) == (latest[max(before)] if before else None)
    bus.close()
