"""What comes together in one read of the client: records and errors, rebalances and ends. The client's own words, in that order."""

import os
from collections.abc import Callable

import pytest
from confluent_kafka import Consumer, KafkaError, Message
from confluent_kafka import TopicPartition as KafkaPartition
from confluent_kafka.admin import AdminClient

from driftbus.consumers.bus import kafka_batches, kafka_errors, kafka_session
from driftbus.consumers.bus.interface import BusError, Output, TopicPartition
from driftbus.consumers.bus.kafka import KafkaBus
from driftbus.consumers.bus.kafka_settings import Settings

from .raw import produce
from .worlds import PATIENCE_S, Followed, World, numbered, read_values, wait_until, work

pytestmark = pytest.mark.kafka


def _together(monkeypatch: pytest.MonkeyPatch, *steps: Callable[[Consumer, list[Message]], bool]) -> None:
    """The next read ends when the client has said enough for each step in turn; those behind it are as they are."""
    left = list(steps)

    def take(consumer: Consumer, most: int, timeout_s: float) -> list[Message]:
        said: list[Message] = []

        def enough() -> bool:
            said.extend(kafka_batches.take(consumer, most, 0.05))
            return step(consumer, said)

        while left:
            step = left.pop(0)
            wait_until(enough)
        return said or kafka_batches.take(consumer, most, timeout_s)

    monkeypatch.setattr(kafka_session, "take", take)


def _said(said: list[Message], *codes: int) -> bool:
    return any((error := message.error()) is not None and error.code() in codes for message in said)


@pytest.mark.parametrize("there", [True, False])
def test_records_in_front_of_a_position_that_is_not_there_are_handed_out(
    cluster: World, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    """A leader that is catching up says so of what it will hold. If it is true, whoever ends over it has done what came before."""
    bus, topic = cluster.bus(), cluster.topic()
    source = TopicPartition(topic, 0)
    bus.publish(numbered(topic, 10))
    session = bus.session("r", [topic], Followed())
    first = read_values(session, 1)

    def read(consumer: Consumer, said: list[Message]) -> bool:
        if sum(message.error() is None for message in said) < 9:
            return False
        consumer.seek(KafkaPartition(topic, 0, 15))
        return True

    def astray(_: Consumer, said: list[Message]) -> bool:
        if not _said(said, *kafka_errors.ABOUT_OFFSETS):
            return False
        if there:
            bus.publish(numbered(topic, 10))
        return True

    _together(monkeypatch, read, astray)
    assert first + read_values(session, 9) == [b"%d" % i for i in range(10)]
    assert session.commit([work(source, 10)]) == {source}
    if not there:
        bus.publish(numbered(topic, 10))
    assert read_values(session, 10) == [b"%d" % i for i in range(10)]


@pytest.mark.parametrize("most", [1, 1000], ids=["its end alone", "records and its end"])
def test_a_partition_that_is_lost_and_comes_back_in_one_read_begins_where_it_was_committed(
    kafka: str, cluster: World, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    """Its end was said before it was lost: then what is not committed is to be read again, and its end to be said again."""
    bus, topic = cluster.bus(), cluster.topic()
    source, told = TopicPartition(topic, 0), Followed()
    bus.publish(numbered(topic, 10))
    session = bus.session("r", [topic], told)
    assert read_values(session, 10) == [b"%d" % i for i in range(10)]
    session.commit([work(source, 4)])
    if most > 1:
        bus.publish(numbered(topic, 3))
    group: Settings = {"bootstrap.servers": kafka, "group.id": f"{cluster.application}-r", "partition.assignment.strategy": "roundrobin"}
    guest = Consumer(dict(group))

    def at_end(_: Consumer, said: list[Message]) -> bool:
        return _said(said, KafkaError._PARTITION_EOF) and (most == 1 or any(message.error() is None for message in said))

    def lost(_: Consumer, __: list[Message]) -> bool:
        if not told.lost:
            guest.subscribe([topic])
            guest.poll(0)
        return bool(told.lost)

    def back(_: Consumer, __: list[Message]) -> bool:
        guest.poll(0)
        return source in told.held

    _together(monkeypatch, at_end, lost, back)
    assert session.consume(1000, 1) == []
    assert session.at_end() == {}
    count = 6 if most == 1 else 9
    assert read_values(session, count) == [b"%d" % i for i in [*range(4, 10), *range(count - 6)]]
    wait_until(lambda: source in session.at_end(), session)
    guest.close()


def test_what_retention_takes_away_while_it_is_read_is_said(kafka: str, cluster: World) -> None:
    few: Settings = {"queued.max.messages.kbytes": 1, "fetch.message.max.bytes": 1000, "fetch.max.bytes": 1000, "message.max.bytes": 1000}
    bus = KafkaBus({"bootstrap.servers": kafka, "batch.num.messages": 1, **few}, cluster.application, "few")
    topic = cluster.topic()
    cluster.opened.append(bus)
    source = TopicPartition(topic, 0)
    bus.publish([Output(topic, 0, None, os.urandom(800)) for _ in range(300)])
    end = bus.watermarks(source)[1]
    reading = bus.read(source, 0, end)
    first = next(reading)
    admin = AdminClient({"bootstrap.servers": kafka})
    [gone] = admin.delete_records([KafkaPartition(topic, 0, end - 10)]).values()
    gone.result(PATIENCE_S)
    with pytest.raises(BusError, match=rf"are gone \(retention\); read from {end - 10} on"):
        list(reading)
    assert int(first.offsets[-1]) < end - 11


def test_headers_whose_name_is_no_text_are_none_and_their_neighbours_are_whole(kafka: str, cluster: World) -> None:
    """The client's own producer cannot write such a name: other libraries can. Many, for an interpreter that is warm calls otherwise."""
    bus, topic = cluster.bus(), cluster.topic()
    source = TopicPartition(topic, 0)
    one, no_text = (b"a", b"1"), [b"\xff", b"caf\xe9", b"\xed\xa0\x80", b"a\x80b"]
    bad = [
        headers for name in no_text for headers in ([(name, b"2")], [one, (name, b"2")], [(name, b"2"), one], [(name, b"2"), (name, b"3")])
    ]
    records = [record for headers in 10 * bad for record in ((b"good", [one, ("ä".encode(), b"")]), (b"bad", headers), (b"none", []))]
    produce(kafka, topic, records)
    session = bus.session("r", [topic], Followed())
    read = [*bus.read(source, 0, len(records)), *wait_until(lambda: source in session.at_end(), session)]
    assert sum(map(len, read)) == 2 * len(records)
    expected = {b"good": (("a", b"1"), ("ä", b"")), b"bad": (), b"none": ()}
    for batch in read:
        assert batch.headers() == [expected[value] for value in batch.values if value is not None]
        assert batch.headers() is batch.headers()
