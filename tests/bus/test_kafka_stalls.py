"""A partition of which nothing comes although it has records is noticed and taken up anew, whatever made the client so."""

import logging
from collections.abc import Callable, Iterator

import pytest
from confluent_kafka import Consumer
from confluent_kafka import TopicPartition as KafkaPartition

from driftbus.consumers.bus import kafka_asking, kafka_flow
from driftbus.consumers.bus.interface import Output, TopicPartition
from driftbus.consumers.bus.kafka import KafkaBus
from driftbus.consumers.bus.kafka_admin import committed
from driftbus.consumers.bus.kafka_errors import Ended
from driftbus.consumers.bus.kafka_patience import Patience
from driftbus.consumers.bus.kafka_session import KafkaSession

from .worlds import Followed, World, everything, numbered, read_values, wait_until, work

pytestmark = pytest.mark.kafka

_STALLED_S = 1.0


@pytest.fixture
def cluster(kafka: str) -> Iterator[World]:
    world = World(lambda instance, application: KafkaBus({"bootstrap.servers": kafka}, application, instance, stalled_s=_STALLED_S))
    yield world
    world.close()


def _client(session: object) -> Consumer:
    """What the session does not know is done to its client."""
    assert isinstance(session, KafkaSession)
    return session._consumer


def _paused(consumer: Consumer, source: TopicPartition) -> None:
    consumer.pause([KafkaPartition(*source)])


def _moved_away(consumer: Consumer, source: TopicPartition) -> None:
    """It waits for records that are not there yet."""
    consumer.pause([KafkaPartition(*source)])
    consumer.seek(KafkaPartition(*source, 0))


def _unassigned(consumer: Consumer, source: TopicPartition) -> None:
    """Reading again does not help: only another client does."""
    consumer.unassign()


@pytest.mark.parametrize(
    ("break_", "helps"), [(_paused, "again"), (_moved_away, "again"), (_unassigned, "anew")], ids=["paused", "moved away", "unassigned"]
)
@pytest.mark.parametrize("at_end", [True, False], ids=["at the end", "on the way"])
def test_a_partition_that_stalls_is_taken_up_anew(
    cluster: World,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    break_: Callable[[Consumer, TopicPartition], None],
    helps: str,
    at_end: bool,
) -> None:
    if helps == "anew":
        monkeypatch.setattr(kafka_flow, "_SEEK_S", 0.2)  # it is in vain
    bus, topic = cluster.bus(), cluster.topic()
    source = TopicPartition(topic, 0)
    bus.publish(numbered(topic, 1000))
    told = Followed()
    session = bus.session("r", [topic], told)
    first = read_values(session, 1000 if at_end else 10)
    session.commit([work(source, len(first))])
    if at_end:
        wait_until(lambda: source in session.at_end(), session)
    break_(_client(session), source)
    bus.publish(numbered(topic, 10))
    with caplog.at_level(logging.WARNING):
        rest = read_values(session, 1010 - len(first))
    assert first + rest == [b"%d" % i for i in [*range(1000), *range(10)]]
    assert f"nothing came of {topic}[0]" in caplog.text
    assert ("joining again" in caplog.text) == (helps == "anew"), "what reading again helps needs no new clients"
    assert told.lost == ([source] if helps == "anew" else [])


def test_what_is_quiet_or_paused_on_purpose_is_left_alone(cluster: World, caplog: pytest.LogCaptureFixture) -> None:
    bus, topic = cluster.bus(), cluster.topic(partitions=2)
    held, empty = TopicPartition(topic, 0), TopicPartition(topic, 1)
    told = Followed()
    session = bus.session("r", [topic], told)
    wait_until(lambda: session.at_end().keys() == {held, empty}, session)
    session.pause([held])
    bus.publish(numbered(topic, 1))
    with caplog.at_level(logging.WARNING):
        for _ in range(30):
            assert session.consume(10, _STALLED_S / 10) == []
    assert not caplog.records
    assert not told.lost


def test_an_aborted_transaction_leaves_nothing_paused(cluster: World) -> None:
    """While its reason passes, nothing is delivered; a rebalance may take partitions then, and share them out anew."""
    bus, topic, out = cluster.bus(), cluster.topic(partitions=4), cluster.topic()
    sources = [TopicPartition(topic, p) for p in range(4)]
    bus.publish([output for p in range(4) for output in numbered(topic, 1, p)])
    one = bus.session("r", [topic], Followed())
    wait_until(lambda: len(one.at_end()) == 4, one)
    two = cluster.bus("two").session("r", [topic], Followed())
    one.commit([work(source, 1, Output(out, 0, None, b"")) for source in sources])  # aborted where the group is being shared out anew
    wait_until(lambda: len(one.assignment()) == len(two.assignment()) == 2, one, two)
    bus.publish([output for p in range(4) for output in numbered(topic, 1, p)])
    ends = {source: bus.watermarks(source)[1] for source in sources}
    wait_until(lambda: {**one.at_end(), **two.at_end()} == ends, one, two)
    assert one.paused() == frozenset()
    assert len(everything(bus, out)) in {0, 4}


def test_a_client_that_does_not_get_into_its_group_is_replaced(
    cluster: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one whose request to join a coordinator never heard: nobody is waited for there, and nothing says that anything is wrong."""
    bus, topic = cluster.bus(), cluster.topic()
    bus.publish(numbered(topic, 2))
    told = Followed()
    session = bus.session("r", [topic], told)
    read_values(session, 2)
    _client(session).unsubscribe()
    wait_until(lambda: not told.held, session)
    bus.publish(numbered(topic, 1))
    monkeypatch.setattr(kafka_flow, "_OUTSIDE_S", _STALLED_S)
    with caplog.at_level(logging.WARNING):
        assert read_values(session, 3) == [b"0", b"1", b"0"], "nothing was committed"
    assert "does not come to be a member" in caplog.text


def test_a_client_that_does_not_hear_what_its_group_committed_is_replaced() -> None:
    """Whoever asks a coordinator that has gone asks for ever."""
    nobody = Consumer({"bootstrap.servers": "127.0.0.1:1", "group.id": "r"})
    with pytest.raises(Ended, match="what group r committed"):
        committed(nobody, "r", [TopicPartition("t", 0)], Patience(None), _STALLED_S)
    nobody.close()


def test_whoever_asks_a_group_and_hears_nothing_asks_as_another(kafka: str, cluster: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_asking, "UNHEARD_S", 0.0)
    bus, topic = cluster.bus(), cluster.topic()
    source = TopicPartition(topic, 0)
    session = bus.session("r", [topic], Followed())
    wait_until(lambda: bool(session.assignment()), session)
    session.commit([work(source, 7)])
    group = f"{cluster.application}-r"
    with kafka_asking.asking({"bootstrap.servers": kafka}, group, Patience(None)) as reader:
        reader._reader = Consumer({"bootstrap.servers": "127.0.0.1:1", "group.id": group})  # nobody is there any more
        assert committed(reader, group, [source], Patience(None))[source].offset == 7
