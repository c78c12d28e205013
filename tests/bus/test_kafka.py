"""What only Kafka can do wrong: processes that die inside a transaction, groups that go on without a member, brokers that refuse."""

import os
import re
import signal
import subprocess
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient, NewPartitions  # type: ignore[attr-defined]  # exported

from driftbus.consumers.bus.interface import BusError, Fenced, InstanceInUse, Output, TopicPartition
from driftbus.consumers.bus.kafka import KafkaBus
from driftbus.consumers.bus.kafka_admin import Cluster
from driftbus.consumers.bus.kafka_settings import Settings

from .worlds import Followed, World, everything, numbered, read_values, wait_until, work

pytestmark = pytest.mark.kafka

_DIES_INSIDE = """
import os, sys
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient, NewPartitions  # type: ignore[attr-defined]  # exported
address, name, topic = sys.argv[1:]
producer = Producer({"bootstrap.servers": address, "transactional.id": name})
producer.init_transactions()
producer.begin_transaction()
producer.produce(topic, b"never", partition=0)
producer.flush()
os.kill(os.getpid(), 9)
"""

#: A member that holds its partitions until it is killed, and that dies when it is to give some away if its last argument says so.
_HOLDS = """
import os, sys
from driftbus.consumers.bus.kafka import KafkaBus
address, application, topic, *dies = sys.argv[1:]
class Follows:
    def assigned(self, partitions): return {}
    def revoked(self, partitions): dies and os.kill(os.getpid(), 9)
session = KafkaBus({"bootstrap.servers": address}, application, "one").session("r", [topic], Follows())
while not session.assignment():
    session.consume(1, .1)
print("here", flush=True)
while True:
    session.consume(1, .1)
"""


def test_a_transaction_whose_process_died_is_decided_by_its_successor(kafka: str, cluster: World) -> None:
    bus, topic, out = cluster.bus(), cluster.topic(), cluster.topic()
    bus.publish(numbered(topic, 1))
    died = subprocess.run([sys.executable, "-c", _DIES_INSIDE, kafka, f"{cluster.application}-r-one", out], check=False)
    assert died.returncode == -signal.SIGKILL
    assert bus.watermarks(TopicPartition(out, 0)) == (0, 0)
    assert bus.watermarks(TopicPartition(out, 0), committed=False) == (0, 1)
    started = time.monotonic()
    session = bus.session("r", [topic], Followed())
    read_values(session, 1)
    session.commit([work(TopicPartition(topic, 0), 1, Output(out, 0, None, b"once"))])
    assert everything(bus, out) == [b"once"]
    assert time.monotonic() - started < 10, "the dead one's transaction was waited for, not aborted"


def _holder(kafka: str, cluster: World, topic: str, **environment: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", _HOLDS, kafka, cluster.application, topic]
    holder = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | environment)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "here\n"
    return holder


def test_a_live_process_keeps_its_name_and_a_killed_one_is_replaced_at_once(kafka: str, cluster: World) -> None:
    bus, topic = cluster.bus(), cluster.topic()
    with _holder(kafka, cluster, topic) as holder:
        with pytest.raises(InstanceInUse, match="another live process"):
            bus.session("r", [topic], Followed())
        holder.kill()
    started = time.monotonic()
    session = bus.session("r", [topic], Followed())
    wait_until(lambda: bool(session.assignment()), session)
    assert time.monotonic() - started < 5, "a killed predecessor was waited for until its session timed out"


def test_a_live_process_of_another_machine_keeps_its_name(kafka: str, cluster: World) -> None:
    """Another machine: one that does not see this one's locks, which are by the brokers' addresses."""
    bus, topic = cluster.bus(), cluster.topic()
    with _holder(kafka.replace("127.0.0.1", "localhost"), cluster, topic) as holder:
        with pytest.raises(InstanceInUse, match="is a live member of group"):
            bus.session("r", [topic], Followed())
        holder.kill()
    session = bus.session("r", [topic], Followed())
    wait_until(lambda: bool(session.assignment()), session)


def test_what_a_member_gave_away_when_it_died_is_served(kafka: str, cluster: World) -> None:
    """It comes back under its static name before it is missed, so that no further rebalance would tell the group."""
    topic = cluster.topic(partitions=4)
    command = [sys.executable, "-c", _HOLDS, kafka, cluster.application, topic, "dies"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as dying:
        assert dying.stdout is not None
        assert dying.stdout.readline() == "here\n"
        other = cluster.bus("two").session("r", [topic], Followed())
        wait_until(lambda: dying.poll() is not None, other)
    again = cluster.bus("one").session("r", [topic], Followed())
    wait_until(lambda: len(again.assignment() | other.assignment()) == 4, again, other)


@pytest.mark.parametrize("name", ["a b", "../x", ".", "x" * 300, "\x01", "\u00e9"])
def test_of_topics_that_are_asked_about_together_the_one_that_is_refused_is_named(cluster: World, name: str) -> None:
    bus, topics = cluster.bus(), [cluster.topic(), cluster.topic()]
    with pytest.raises(BusError, match=re.escape(f": {name}: Broker: Invalid topic")):
        bus.describe([topics[0], name, topics[1]])


def test_a_name_that_is_no_text_is_no_topic_s(cluster: World) -> None:
    """The client would end the process."""
    bus, topics = cluster.bus(), [cluster.topic(), cluster.topic()]
    assert list(bus.describe([topics[1], "a\udcff", topics[0], "\ud800", topics[1]])) == [topics[1], topics[0]]
    assert bus.describe(["\udcff"]) == {}


def test_a_session_that_another_of_its_process_has_fenced_leaves_the_name_to_that_one(cluster: World) -> None:
    """It ends at once, and who comes after that one need not wait until nobody has been heard of for a session timeout."""
    topic = cluster.topic()
    cluster.bus().publish(numbered(topic, 1))
    fenced = cluster.bus().session("r", [topic], Followed())
    wait_until(lambda: bool(fenced.assignment()), fenced)
    successor = cluster.bus().session("r", [topic], Followed())
    wait_until(lambda: bool(successor.assignment()), successor)
    began = time.monotonic()
    with pytest.raises(Fenced):
        wait_until(lambda: False, fenced, successor)
    assert time.monotonic() - began < 6, "it did not know that the other one is of its own process"
    successor.close()
    began = time.monotonic()
    last = cluster.bus().session("r", [topic], Followed())
    wait_until(lambda: bool(last.assignment()), last)
    assert time.monotonic() - began < 6, "it did not know that the name was its own process's"


def test_a_fenced_session_without_a_rival_in_its_group_begins_anew(kafka: str, cluster: World) -> None:
    """What a coordinator does that aborts a slow transaction: the producer is fenced, and nobody else is there."""
    bus, topic, out = cluster.bus(), cluster.topic(), cluster.topic()
    source, told = TopicPartition(topic, 0), Followed()
    bus.publish(numbered(topic, 2))
    session = bus.session("r", [topic], told)
    read_values(session, 2)
    Producer({"bootstrap.servers": kafka, "transactional.id": f"{cluster.application}-r-one"}).init_transactions()
    assert session.commit([work(source, 2, Output(out, 0, None, b"fenced"))]) == set()
    assert told.lost == [source]
    assert read_values(session, 2) == [b"0", b"1"]
    assert session.commit([work(source, 2, Output(out, 0, None, b"once"))]) == {source}
    assert everything(bus, out) == [b"once"]


def _ghost(kafka: str, cluster: World, topic: str) -> None:
    """A member under the name of instance `one` that nobody is: what a broker makes of a join whose answer is lost."""
    ghost = _joining(kafka, f"{cluster.application}-r")
    ghost.subscribe([topic])
    deadline = time.monotonic() + 30
    while not ghost.assignment():
        ghost.poll(0.1)
        assert time.monotonic() < deadline
    ghost.close()  # as a static member it does not leave


def _joining(kafka: str, group: str) -> Consumer:
    """A client under the name of instance `one`."""
    settings: dict[str, str | int | float | bool] = {"group.id": group, "group.instance.id": f"{group}-one", "bootstrap.servers": kafka}
    return Consumer({**settings, "partition.assignment.strategy": "roundrobin", "session.timeout.ms": 6000})


def _members(admin: AdminClient, group: str) -> set[str | None]:
    """The static names of a group."""
    return {member.group_instance_id for member in admin.describe_consumer_groups([group])[group].result().members}


@pytest.mark.parametrize("busy", [True, False], ids=["while it commits", "while it waits"])
def test_a_session_that_lost_the_answer_to_its_own_join_begins_anew(kafka: str, cluster: World, busy: bool) -> None:
    """The group has a member of its name that it does not know, and that is not heard of again: no other process."""
    bus, topic, out = cluster.bus(), cluster.topic(), cluster.topic()
    source, told = TopicPartition(topic, 0), Followed()
    bus.publish(numbered(topic, 2))
    session = bus.session("r", [topic], told)
    read_values(session, 2)
    _ghost(kafka, cluster, topic)
    if busy:
        wait_until(lambda: not session.commit([work(source, 2, Output(out, 0, None, b"fenced"))]))
    wait_until(lambda: told.lost == [source] and source in told.held, session)
    assert session.commit([work(source, 2, Output(out, 0, None, b"once"))]) == {source}
    assert everything(bus, out) == [b"once"]


def test_a_process_is_not_kept_out_by_a_predecessor_that_died_while_the_group_was_waiting(kafka: str, cluster: World) -> None:
    """As long as a rebalance lasts, a group misses nobody who has asked to join: longer than a session here, as somebody is deaf."""
    bus, busy, topic = cluster.bus(), cluster.bus("two"), cluster.topic(2)
    other = busy.session("r", [topic], Followed())
    wait_until(lambda: bool(other.assignment()), other)
    group, admin = f"{cluster.application}-r", AdminClient({"bootstrap.servers": kafka})
    ghost = _joining(kafka, group)
    ghost.subscribe([topic])
    while f"{group}-one" not in _members(admin, group):
        ghost.poll(0.1)
    ghost.close()  # as a static member it does not leave; and it never gets its answer
    with ThreadPoolExecutor(1) as pool:
        opening = pool.submit(bus.session, "r", [topic], Followed())
        with pytest.raises(TimeoutError):
            opening.result(8.5)  # by then it would be missed, if the group missed anybody
        wait_until(opening.done, other)
        session = opening.result()
    wait_until(lambda: bool(session.assignment()), session, other)


def test_a_process_is_not_kept_out_by_its_predecessors_lost_join(kafka: str, cluster: World) -> None:
    bus, topic = cluster.bus(), cluster.topic()
    _ghost(kafka, cluster, topic)
    session = bus.session("r", [topic], Followed())
    wait_until(lambda: bool(session.assignment()), session)


@pytest.mark.parametrize("stays", [True, False], ids=["the other stays", "the other leaves"])
def test_work_of_a_member_that_the_group_gave_up_is_dropped(kafka: str, stays: bool) -> None:
    """The group goes on without a member that asks for nothing; what that one hands in afterwards is aborted, and was done by the other.

    Where the other leaves, the partitions come back to the client that had them: from where the other was.
    """
    slow: Settings = {"bootstrap.servers": kafka, "max.poll.interval.ms": 6000}
    world = World(lambda instance, application: KafkaBus(slow, application, instance))
    topic, out = world.topic(partitions=2), world.topic()
    sources = {TopicPartition(topic, p) for p in range(2)}
    world.bus().publish(numbered(topic, 1, 0) + numbered(topic, 1, 1))
    told = Followed()
    sleeper = world.bus("sleeper").session("r", [topic], told)
    wait_until(lambda: sleeper.at_end().keys() == sources, sleeper)
    others = world.bus("other")
    other = others.session("r", [topic], Followed())
    read = wait_until(lambda: other.at_end().keys() == sources, other)
    other.commit([work(s, 1, Output(out, 0, None, b"other")) for s in sources])
    assert {batch.source for batch in read} == sources
    if not stays:
        others.close()
        group = Cluster(slow)
        wait_until(lambda: group.member(f"{world.application}-r", f"{world.application}-r-other")[0] is None)
    assert sleeper.commit([work(s, 1, Output(out, 0, None, b"sleeper")) for s in sources]) == set()
    assert set(told.lost) == sources
    assert everything(world.bus(), out) == [b"other", b"other"]
    world.close()


def test_what_the_broker_refuses_for_good_is_said_and_not_repeated(cluster: World) -> None:
    bus, topic, out = cluster.bus(), cluster.topic(), cluster.topic(settings={"max.message.bytes": "1000"})
    bus.publish(numbered(topic, 1))
    session = bus.session("r", [topic], Followed())
    read_values(session, 1)
    ahead = int((time.time() + 7200) * 1000)
    refused = {"raise max.message.bytes": Output(out, 0, None, os.urandom(2000)), "too far ahead": Output(out, 0, None, b"", (), ahead)}
    for reason, output in refused.items():
        with pytest.raises(BusError, match=reason):
            session.commit([work(TopicPartition(topic, 0), 1, output)])
    with pytest.raises(BusError, match="record of time 0"):
        bus.publish([Output(out, 0, None, b"", (), 0)])
    assert session.commit([work(TopicPartition(topic, 0), 1, Output(out, 0, None, b"fine"))])
    assert everything(bus, out) == [b"fine"]


def test_a_topic_made_again_is_another_one(cluster: World) -> None:
    bus, topic = cluster.bus(), cluster.topic()
    source = TopicPartition(topic, 0)
    bus.publish(numbered(topic, 5))
    first = cluster.bus()
    session = first.session("r", [topic], Followed())
    read_values(session, 2)
    session.commit([work(source, 2)])
    first.close()
    bus.delete(topic)
    bus.create(topic, 1)
    told = Followed()
    successor = bus.session("r", [topic], told)
    bus.publish(numbered(topic, 1))
    assert read_values(successor, 1) == [b"0"]
    assert told.held == {source: None}


def test_a_partition_that_is_added_is_read_from_its_beginning(kafka: str) -> None:
    """Within the time that the settings give."""
    soon: Settings = {"bootstrap.servers": kafka, "topic.metadata.refresh.interval.ms": 200}
    world = World(lambda instance, application: KafkaBus(soon, application, instance))
    bus, topic, told = world.bus(), world.topic(), Followed()
    session = bus.session("r", [topic], told)
    wait_until(lambda: bool(session.assignment()), session)
    admin = AdminClient({"bootstrap.servers": kafka})
    admin.create_partitions([NewPartitions(topic, 2)])[topic].result(30)
    added = TopicPartition(topic, 1)
    wait_until(lambda: bus.describe([topic])[topic].partitions == 2)
    bus.publish(numbered(topic, 2, 1))
    assert read_values(session, 2) == [b"0", b"1"]
    assert told.held == {TopicPartition(topic, 0): None, added: None}
    world.close()


def test_secrets_stay_out_of_errors(kafka: str) -> None:
    secret = uuid.uuid4().hex
    settings = {"bootstrap.servers": kafka, "sasl.password": secret, "sasl.username": "u", "security.protocol": "nonsense"}
    with pytest.raises(BusError) as refused:
        KafkaBus(settings, "app", "one")
    assert "security.protocol" in str(refused.value)
    assert secret not in str(refused.value)
