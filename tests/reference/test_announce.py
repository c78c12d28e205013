"""Announcements: which reference holds in which bucket."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Bus, Output
from driftbus.consumers.reference.announce import Announcements, announce, from_start
from driftbus.schemas.configuration import KafkaTopics
from driftbus.schemas.messages.announcement import Announcement

TOPICS = KafkaTopics()


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
        announce(bus, TOPICS, announcement)
    announcements = Announcements(bus, TOPICS)
    assert announcements.refresh()
    assert [holding(announcements, bucket) for bucket in (10, 20, 30, 40, 50)] == ["first", "first", "second", "second", None]
    assert [holding(announcements, bucket, "2") for bucket in (20, 30)] == [None, "other"]
    assert announcements.holding("m", "1", 50) == at(40, None)
    assert announcements.holding("m", "3", 50) is None
    assert [a.since for a in announcements.all() if a.version == "1"] == [-(2**62), 20, 40]


def test_reading_goes_on_where_it_ended(bus: Bus) -> None:
    announcements = Announcements(bus, TOPICS)
    assert not announcements.refresh()
    announce(bus, TOPICS, at(10, "a"))
    assert announcements.refresh()
    assert not announcements.refresh()
    announce(bus, TOPICS, at(10, "b"))
    assert announcements.refresh()
    assert holding(announcements, 20) == "b"


def test_a_tombstone_withdraws(bus: Bus) -> None:
    announce(bus, TOPICS, at(10, "a"))
    announcements = Announcements(bus, TOPICS)
    announcements.refresh()
    bus.publish([Output(TOPICS.models, None, at(10, "a").key.encode(), None)])
    announcements.refresh()
    assert holding(announcements, 20) is None


def test_other_records_of_the_topic_are_passed_over_and_damaged_ones_named(bus: Bus) -> None:
    bus.publish([Output(TOPICS.models, 0, b"model/m/1/trained/7", b"{}")])
    announcements = Announcements(bus, TOPICS)
    assert not announcements.refresh()
    bus.publish([Output(TOPICS.models, 0, b"reference/m/1/7", b"{}")])
    with pytest.raises(ValueError, match=r"driftbus.models\[0\]@1 is no announcement of a reference"):
        announcements.refresh()


def test_without_the_topic_nothing_holds() -> None:
    bus = EmbeddedBus(":memory:", "test", "one")
    announcements = Announcements(bus, TOPICS)
    assert not announcements.refresh()
    bus.close()


@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from(["a", "b", None]), st.booleans()), max_size=12), st.integers(0, 12))
def test_it_is_what_a_search_through_all_would_find(written: list[tuple[int, str | None, bool]], bucket: int) -> None:
    bus = made()
    announcements = Announcements(bus, TOPICS)
    latest: dict[int, str | None] = {}
    for since, reference, look in written:
        announce(bus, TOPICS, at(since, reference))
        latest[since] = reference
        if look:
            announcements.refresh()
    announcements.refresh()
    before = [since for since in latest if since < bucket]
    assert holding(announcements, bucket) == (latest[max(before)] if before else None)
    bus.close()
