"""What is kept of references and announcements: while it is used, and while it can hold."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Bus, Output
from driftbus.consumers.reference.announce import Announcements, announce
from driftbus.consumers.reference.artifacts import ArtifactStore
from driftbus.consumers.reference.holding import FORGET_EVERY, HeldReferences
from driftbus.consumers.reference.kept import IN_TURN, Kept
from driftbus.schemas.messages.announcement import Announcement

from ..streaming import configuration, prepare, reference

SETTINGS = configuration()
TOPICS = SETTINGS.topics


@pytest.fixture
def bus() -> Iterator[Bus]:
    bus = EmbeddedBus(":memory:", "test", "a")
    bus.create(TOPICS.models, 3, settings={"cleanup.policy": "compact"})
    yield bus
    bus.close()


def at(since: int, reference: str | None = "r", version: str = "1") -> Announcement:
    return Announcement(model="m", version=version, reference=reference, since=since, application="test")


def test_the_ones_asked_for_last_are_kept_by_number_and_size() -> None:
    made: list[str] = []

    def make(name: str) -> tuple[str, int]:
        made.append(name)
        return name, len(name)

    few, small = Kept(make, 2, 100), Kept(make, 100, 10)
    assert [few(name) for name in "abac"] == list("abac")
    assert made == list("abc")
    assert few("a") == "a"
    assert made == list("abc")
    assert few("b") == "b"
    assert made == list("abcb")
    for name in ("x" * 6, "y" * 6, "z" * 20):
        assert small(name) == name
    assert len(small) == 1


def test_what_is_in_turn_is_not_made_in_every_round() -> None:
    made: list[str] = []

    def make(name: str) -> tuple[str, int]:
        made.append(name)
        return name, 1

    kept = Kept(make, 10, 10**9, patience=4)
    for _ in range(5):
        for name in range(100):
            kept(str(name))
    assert len(made) == len(kept) == 100
    for _ in range(1_000):
        kept("0")
    kept("new")
    assert len(kept) == 10
    kept.only({"new", "0"})
    assert len(kept) == 2


def test_there_is_an_end_to_what_is_in_turn() -> None:
    kept = Kept(lambda name: (name, 1), 10, 10**9, patience=10**9)
    for number in range(1_000):
        kept(str(number))
    assert len(kept) <= IN_TURN * 10


def test_a_thousand_replaced_references_leave_as_many_as_are_kept(tmp_path: Path) -> None:
    settings = configuration(artifacts=str(tmp_path))
    bus, store = EmbeddedBus(":memory:", "test", "a"), ArtifactStore(str(tmp_path))
    prepare(bus, settings, [])
    one = reference("m0", rows=500)
    for number in range(1_000):
        name = store.put(one.model_copy(update={"longest_gap": number}).encoded())
        announce(bus, settings, Announcement(model="m0", version="1", reference=name, since=number * 10))
    held, most = HeldReferences(bus, settings, store), 0
    for number in range(1_000):
        for _ in range(10):  # a short life: it is not asked for often enough to be told from one in turn
            found = held.holding("m0", "1", number * 10 + 5)
            held.monitored(found.reference or "")
        most = max(most, len(held._monitored))
    assert most <= 2 * FORGET_EVERY // 10 + 100  # dropped when they can hold no more
    assert len(held._announcements.all()) <= 2 * FORGET_EVERY // 10 + 1
    assert held.announced("m0")
    assert not held.announced("m1")
    bus.close()


def test_what_can_hold_no_more_is_forgotten_and_read_again_if_asked_for(bus: Bus) -> None:
    for since, name in ((10, "a"), (20, "b"), (30, None), (40, "c")):
        announce(bus, SETTINGS, at(since, name))
    announce(bus, SETTINGS, at(10, "other", version="2"))
    announcements = Announcements(bus, SETTINGS)
    announcements.refresh()
    before = [announcements.holding("m", "1", bucket) for bucket in range(60)]
    announcements.forget(35)
    assert [one.since for one in announcements.all()] == [30, 40, 10]
    assert [announcements.holding("m", "1", bucket) for bucket in range(35, 60)] == before[35:]
    assert [one.since for one in announcements.all()] == [30, 40, 10]
    announce(bus, SETTINGS, at(50, "later"))
    assert announcements.holding("m", "1", 15) == before[15]
    assert [announcements.holding("m", "1", bucket) for bucket in range(60)] == before
    assert announcements.refresh()
    assert announcements.holding("m", "1", 55) == at(50, "later")


def test_what_was_forgotten_holds_again_when_its_successor_is_withdrawn(bus: Bus) -> None:
    for since, name in ((10, "a"), (20, "b")):
        announce(bus, SETTINGS, at(since, name))
    announcements = Announcements(bus, SETTINGS)
    announcements.refresh()
    announcements.forget(30)
    bus.publish([Output(TOPICS.models, None, at(20).key.encode(), None)])
    assert announcements.refresh()
    assert announcements.holding("m", "1", 40) == at(10, "a")
