"""What every bus promises (``consumers/bus/interface.py``), on each of them."""

import threading
import time
from collections.abc import Mapping

import numpy as np
import pytest

from driftbus.consumers.bus.interface import BusError, Fenced, Output, Position, TopicExists, TopicPartition

from .worlds import Followed, World, all_batches, everything, numbered, read_values, wait_until, work


def test_records_come_back_in_order_with_their_times(world: World) -> None:
    bus, topic = world.bus(), world.topic()
    bus.publish(numbered(topic, 2500))
    batches = list(all_batches(bus, topic))
    assert [v for b in batches for v in b.values] == [b"%d" % i for i in range(2500)]
    offsets, times = (np.concatenate([getattr(b, column) for b in batches]) for column in ("offsets", "timestamps"))
    assert (np.diff(offsets) > 0).all()
    assert times.tolist() == [1_600_000_000_000 + i for i in range(2500)]
    assert not any(b.append_time for b in batches)


def test_keys_headers_tombstones_and_large_values_survive(world: World) -> None:
    bus, topic = world.bus(), world.topic()
    large = bytes(range(256)) * 3600
    bus.publish(
        [Output(topic, 0, None, b"plain"), Output(topic, 0, b"k", None), Output(topic, 0, b"", large, (("a", b"1"), ("a", b"\xff")))]
    )
    (batch,) = all_batches(bus, topic)
    assert list(batch.keys()) == [None, b"k", b""]
    assert list(batch.values) == [b"plain", None, large]
    assert list(batch.headers()) == [(), (), (("a", b"1"), ("a", b"\xff"))]


def test_a_record_without_a_time_has_that_of_its_writing(world: World) -> None:
    bus, topic = world.bus(), world.topic()
    before = int(time.time() * 1000) - 1
    bus.publish([Output(topic, 0, None, b"")])
    (batch,) = all_batches(bus, topic)
    assert before <= batch.timestamps[0] <= time.time() * 1000 + 1


def test_append_time_is_the_logs_and_never_goes_back(world: World) -> None:
    bus, topic = world.bus(), world.topic(settings={"message.timestamp.type": "LogAppendTime"})
    before = int(time.time() * 1000) - 1
    for _ in range(3):
        bus.publish(numbered(topic, 2))
    batches = list(all_batches(bus, topic))
    times = np.concatenate([b.timestamps for b in batches])
    assert all(b.append_time for b in batches)
    assert (times >= before).all()
    assert (np.diff(times) >= 0).all()


def test_the_same_key_goes_to_the_same_partition(world: World) -> None:
    bus, topic = world.bus(), world.topic(partitions=4)
    bus.publish([Output(topic, None, b"%d" % (i % 20), b"") for i in range(200)])
    found: dict[bytes | None, set[int]] = {}
    for batch in all_batches(bus, topic):
        for key in list(batch.keys()):
            found.setdefault(key, set()).add(batch.source.partition)
    assert len(found) == 20
    assert all(len(partitions) == 1 for partitions in found.values())
    assert len(set.union(*found.values())) > 1


def test_slices_are_exact(world: World) -> None:
    bus, topic = world.bus(), world.topic()
    bus.publish(numbered(topic, 100))
    source = TopicPartition(topic, 0)
    assert [v for b in bus.read(source, 10, 20) for v in b.values] == [b"%d" % i for i in range(10, 20)]
    assert list(bus.read(source, 20, 20)) == []
    low, high = bus.watermarks(source)
    assert low == 0
    assert high >= 100
    assert sum(len(b) for b in bus.read(source, 50, 10_000)) == 50


def test_topics_have_ids_that_do_not_come_back(world: World) -> None:
    bus, topic = world.bus(), world.topic(partitions=3)
    first = bus.describe([topic, "nowhere"])
    assert set(first) == {topic}
    assert first[topic].partitions == 3
    assert first[topic].settings["retention.ms"] == "-1"
    with pytest.raises(TopicExists, match=topic):
        bus.create(topic, 1)
    bus.delete(topic)
    assert bus.describe([topic]) == {}
    bus.create(topic, 3)
    assert bus.describe([topic])[topic].id != first[topic].id


def test_subscribing_to_no_topic_says_which(world: World) -> None:
    with pytest.raises(BusError, match="nowhere"):
        world.bus().session("r", ["nowhere"], Followed())


def test_outputs_and_positions_appear_together_and_a_successor_goes_on(world: World) -> None:
    topic, out = world.topic(), world.topic(partitions=2)
    source = TopicPartition(topic, 0)
    first = world.bus()
    first.publish(numbered(topic, 10))
    session = first.session("r", [topic], Followed())
    assert read_values(session, 4) == [b"0", b"1", b"2", b"3"]
    outputs = [Output(out, 0, b"k", b"a"), Output(out, 1, b"k", b"b")]
    assert session.commit([work(source, 4, *outputs, metadata="high=1600000000003")]) == {source}
    group = f"{world.application}-r"
    assert first.committed(group, [source, TopicPartition(out, 0)]) == {source: Position(4, "high=1600000000003")}
    assert everything(first, out) == [b"a", b"b"]
    first.close()

    told = Followed()
    successor = world.bus().session("r", [topic], told)
    assert read_values(successor, 6) == [b"%d" % i for i in range(4, 10)]
    assert told.held == {source: Position(4, "high=1600000000003")}


def test_a_new_partition_starts_at_its_beginning_or_where_the_assignment_says(world: World) -> None:
    bus, topic = world.bus(), world.topic(partitions=2)
    bus.publish(numbered(topic, 5, 0) + numbered(topic, 5, 1))
    told = Followed(starts={TopicPartition(topic, 1): 3})
    session = bus.session("r", [topic], told)
    assert sorted(v or b"" for v in read_values(session, 7)) == sorted([b"0", b"1", b"2", b"3", b"4", b"3", b"4"])
    assert told.held == {TopicPartition(topic, 0): None, TopicPartition(topic, 1): None}


def test_an_offset_that_is_not_there_is_refused_with_the_range(world: World) -> None:
    bus, topic = world.bus(), world.topic()
    bus.publish(numbered(topic, 5))
    session = bus.session("r", [topic], Followed(starts={TopicPartition(topic, 0): 1000}))
    with pytest.raises(BusError, match=rf"{topic}\[0\] from offset 1000, but it holds 0 to"):
        wait_until(lambda: False, session)


def test_what_an_assignment_raises_comes_out_of_consume(world: World) -> None:
    class Broken(Followed):
        def assigned(self, partitions: Mapping[TopicPartition, Position | None]) -> Mapping[TopicPartition, int]:
            msg = f"no artifact for {len(partitions)} partitions"
            raise LookupError(msg)

    session = world.bus().session("reader", [world.topic(2)], Broken())
    with pytest.raises(LookupError, match="no artifact for 2 partitions"):
        wait_until(lambda: bool(session.consume(10, 0.1)))
    session.close()


def test_nothing_of_a_commit_that_fails_is_seen(world: World) -> None:
    bus, topic, out = world.bus(), world.topic(), world.topic()
    source = TopicPartition(topic, 0)
    bus.publish(numbered(topic, 3))
    session = bus.session("r", [topic], Followed())
    read_values(session, 3)
    session.commit([work(source, 1, Output(out, 0, None, b"whole"))])
    with pytest.raises(BusError, match="partition"):
        session.commit([work(source, 3, Output(out, 0, None, b"half"), Output(out, 99, None, b"no such partition"))])
    session.commit([work(source, 2, Output(out, 0, None, b"after"))])
    assert everything(bus, out) == [b"whole", b"after"]
    assert bus.committed(f"{world.application}-r", [source]) == {source: Position(2)}


def test_an_idle_session_is_woken_by_a_record(world: World) -> None:
    bus, topic = world.bus(), world.topic()
    session = bus.session("r", [topic], Followed())
    wait_until(lambda: bool(session.at_end()), session)
    writer = threading.Thread(target=bus.publish, args=([Output(topic, 0, None, b"awake")],))
    started = time.monotonic()
    writer.start()
    assert read_values(session, 1) == [b"awake"]
    assert time.monotonic() - started < 10
    writer.join()


def test_the_end_is_reached_behind_trailing_control_records(world: World) -> None:
    bus, topic = world.bus(), world.topic(partitions=2)
    full, empty = TopicPartition(topic, 0), TopicPartition(topic, 1)
    bus.publish(numbered(topic, 10))
    session = bus.session("r", [topic], Followed())
    wait_until(lambda: set(session.at_end()) == {full, empty}, session)
    assert session.at_end() == {full: bus.watermarks(full)[1], empty: 0}
    bus.publish(numbered(topic, 10, 1))
    read_values(session, 10)
    wait_until(lambda: session.at_end().get(empty) == bus.watermarks(empty)[1], session)


def test_paused_partitions_wait_and_lose_nothing(world: World) -> None:
    bus, topic = world.bus(), world.topic(partitions=2)
    held, other = TopicPartition(topic, 0), TopicPartition(topic, 1)
    bus.publish(numbered(topic, 5, 0) + numbered(topic, 5, 1))
    session = bus.session("r", [topic], Followed())
    wait_until(lambda: {held, other} == session.at_end().keys(), session)
    session.pause([held])
    bus.publish(numbered(topic, 3, 0) + numbered(topic, 3, 1))
    assert read_values(session, 3) == [b"0", b"1", b"2"]
    assert session.consume(10, 0.2) == []
    session.resume([held])
    (batch,) = session.consume(10, 30)
    assert batch.source == held
    assert list(batch.values) == [b"0", b"1", b"2"]


@pytest.mark.parametrize(("count", "leaves"), [(1, False), (2, False), (2, True)], ids=["one", "both", "both, and given back"])
def test_a_paused_partition_that_was_taken_is_delivered(world: World, count: int, leaves: bool) -> None:
    """Pausing is forgotten with the partition: the client must not remember what the session forgets."""
    bus, topic = world.bus(), world.topic(partitions=2)
    both = [TopicPartition(topic, p) for p in range(2)]
    bus.publish(numbered(topic, 5, 0) + numbered(topic, 5, 1))
    told = Followed()
    one = bus.session("r", [topic], told)
    wait_until(lambda: len(one.at_end()) == 2, one)
    one.pause(both[:count])
    assert one.paused() == frozenset(both[:count])
    two = world.bus("two").session("r", [topic], Followed())
    wait_until(lambda: len(one.assignment()) == len(two.assignment()) == 1, one, two)
    if leaves:
        two.close()
        wait_until(lambda: len(one.assignment()) == 2, one)
    assert one.paused() <= frozenset(both) - set(told.lost)
    one.resume(list(one.paused()))
    bus.publish(numbered(topic, 3, 0) + numbered(topic, 3, 1))
    ends = {source: bus.watermarks(source)[1] for source in both}
    wait_until(lambda: {**one.at_end(), **two.at_end()} == ends, one, *([] if leaves else [two]))


@pytest.mark.parametrize("together", [True, False], ids=["in a transaction", "in one each"])
def test_an_offset_is_found_by_time(world: World, together: bool) -> None:
    """Kafka counts control records, too, by the time of their commit: what is found may lie in front of what was asked for."""
    bus, topic = world.bus(), world.topic(partitions=2)
    source, empty = TopicPartition(topic, 0), TopicPartition(topic, 1)
    records = [Output(topic, 0, None, b"", (), time_ms) for time_ms in (1_000, 5_000, 3_000, 3_000, 9_000, 2_000)]
    for some in [records] if together else [[record] for record in records]:
        bus.publish(some)
    found = [(int(o), int(t)) for batch in all_batches(bus, topic) for o, t in zip(batch.offsets, batch.timestamps, strict=True)]
    low, end = bus.watermarks(source)
    for time_ms in (-(2**62), -2, -1, 0, 1_000, 1_001, 2_000, 3_000, 5_000, 5_001, 9_000, 9_001, 2**62):
        at = bus.offset_at(source, time_ms)
        first = next((offset for offset, recorded in found if recorded >= time_ms), end)
        assert low <= at <= first
        assert all(recorded < time_ms for offset, recorded in found if offset < at)
        if together and first < end:
            assert at == first
    assert bus.offset_at(source, 2**62) == end
    assert bus.offset_at(empty, 0) == 0


def test_seek_reads_on_from_there(world: World) -> None:
    bus, topic = world.bus(), world.topic()
    bus.publish(numbered(topic, 10))
    session = bus.session("r", [topic], Followed())
    read_values(session, 10)
    session.seek(TopicPartition(topic, 0), 7)
    assert read_values(session, 3) == [b"7", b"8", b"9"]


def test_two_sessions_share_and_a_closed_ones_partitions_move(world: World) -> None:
    bus, topic = world.bus(), world.topic(partitions=4)
    everywhere = {TopicPartition(topic, p) for p in range(4)}
    told_one, told_two = Followed(), Followed()
    one = bus.session("r", [topic], told_one)
    wait_until(lambda: one.assignment() == everywhere, one)
    two = world.bus("two").session("r", [topic], told_two)
    wait_until(lambda: len(one.assignment()) == len(two.assignment()) == 2, one, two)
    assert one.assignment() | two.assignment() == everywhere
    assert set(told_one.lost) >= two.assignment()  # all of them, where a rebalance begins with giving everything back
    assert frozenset(told_one.held) == one.assignment()
    assert frozenset(told_two.held) == two.assignment()
    two.close()
    wait_until(lambda: one.assignment() == everywhere, one)


def test_what_two_sessions_commit_while_partitions_move_is_there_once(world: World) -> None:
    """Work is done for exactly the partitions that `commit` returns; the others' is read and done again by their new owner."""
    bus, topic, out = world.bus(), world.topic(partitions=4), world.topic()
    for p in range(4):
        bus.publish([Output(topic, p, None, b"%d-%d" % (p, i)) for i in range(5)])
    one = bus.session("r", [topic], Followed())
    behind = {b.source: b for b in wait_until(lambda: len(one.at_end()) == 4, one)}
    two = world.bus("two").session("r", [topic], Followed())
    copies = [work(s, int(b.offsets[-1]) + 1, *(Output(out, 0, None, v) for v in b.values)) for s, b in behind.items()]
    done = one.commit(copies)
    read = wait_until(lambda: len(one.assignment()) == len(two.assignment()) == 2 and len(two.at_end()) == 2, one, two)
    for batch in read:
        mover = two if batch.source in two.assignment() else one
        again = [Output(out, 0, None, value) for value in batch.values]
        mover.commit([work(batch.source, int(batch.offsets[-1]) + 1, *again)])
    assert {b.source for b in read} == behind.keys() - done
    assert sorted(v or b"" for v in everything(bus, out)) == sorted(b"%d-%d" % (p, i) for p in range(4) for i in range(5))


def test_work_of_partitions_that_are_somebody_elses_is_dropped(world: World) -> None:
    bus, topic, out = world.bus(), world.topic(partitions=2), world.topic()
    bus.publish(numbered(topic, 1, 0) + numbered(topic, 1, 1))
    told = Followed()
    one = bus.session("r", [topic], told)
    wait_until(lambda: len(one.assignment()) == 2, one)
    two = world.bus("two").session("r", [topic], Followed())
    wait_until(lambda: len(one.assignment()) == len(two.assignment()) == 1, one, two)
    (kept,), (lost,) = one.assignment(), two.assignment()
    assert lost in told.lost
    done = one.commit([work(lost, 1, Output(out, 0, None, b"stale")), work(kept, 1, Output(out, 0, None, b"mine"))])
    assert done == {kept}
    assert everything(bus, out) == [b"mine"]
    assert one.commit([work(lost, 1, Output(out, 0, None, b"stale"))]) == set()


def test_a_zombie_is_fenced(world: World) -> None:
    topic, out = world.topic(), world.topic()
    source = TopicPartition(topic, 0)
    bus = world.bus()
    bus.publish(numbered(topic, 2))
    zombie = bus.session("r", [topic], Followed())
    read_values(zombie, 2)
    successor = world.bus().session("r", [topic], Followed())
    read_values(successor, 2)
    with pytest.raises(Fenced, match="one"):
        zombie.commit([work(source, 2, Output(out, 0, None, b"zombie"))])
    with pytest.raises(Fenced):
        wait_until(lambda: False, zombie)
    assert successor.commit([work(source, 1, Output(out, 0, None, b"successor"))]) == {source}
    assert everything(bus, out) == [b"successor"]


def test_an_idle_zombie_is_told(world: World) -> None:
    topic = world.topic()
    zombie = world.bus().session("r", [topic], Followed())
    wait_until(lambda: bool(zombie.assignment()), zombie)
    successor = world.bus().session("r", [topic], Followed())
    with pytest.raises(Fenced):
        wait_until(lambda: False, zombie, successor)


def test_groups_and_roles_do_not_disturb_one_another(world: World) -> None:
    bus, topic = world.bus(), world.topic()
    bus.publish(numbered(topic, 3))
    for role in ("profiler", "detector"):
        session = bus.session(role, [topic], Followed())
        assert read_values(session, 3) == [b"0", b"1", b"2"]
        assert session.commit([work(TopicPartition(topic, 0), 3)]) == {TopicPartition(topic, 0)}
