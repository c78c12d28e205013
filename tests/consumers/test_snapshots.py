"""Snapshots: whole, or not at all."""

from driftbus.consumers.bus import snapshots
from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.snapshots import written
from driftbus.schemas.stored.snapshot import CHUNK, FORM, PartitionState

TOPIC = "driftbus.snapshots"


def state(position: int, *states: str, form: int = FORM) -> PartitionState:
    return PartitionState(form=form, position=position, states=states, aligners={}, pending=())


def bus() -> EmbeddedBus:
    made = EmbeddedBus(":memory:", "test", "a")
    made.create(TOPIC, 1, settings={"cleanup.policy": "compact"})
    return made


def test_the_last_one_is_read_in_all_its_chunks() -> None:
    log, large = bus(), bytes(range(256)) * (CHUNK // 100)
    log.publish(written(TOPIC, 0, state(5, "a", "b"), {"a": large, "b": b"1"}, ()))
    first = snapshots.read(log, TOPIC, 0)
    assert first is not None
    assert first.states == {"a": large, "b": b"1"}
    log.publish(written(TOPIC, 0, state(9, "a"), {"a": b"small"}, first.keys))
    second = snapshots.read(log, TOPIC, 0)
    assert second is not None
    assert (second.state.position, second.states) == (9, {"a": b"small"})
    assert len(second.keys) == 2  # what the large one was made of is gone


def test_none_is_none() -> None:
    assert snapshots.read(bus(), TOPIC, 0) is None


def test_one_of_another_form_is_not_read() -> None:
    log = bus()
    log.publish(written(TOPIC, 0, state(5, "a", form=FORM - 1), {"a": b"1"}, ()))
    assert snapshots.read(log, TOPIC, 0) is None
