"""What only the embedded bus promises."""

import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import BusError, InstanceInUse, Output, Position, TopicDescription, TopicPartition
from driftbus.consumers.bus.log import Recorded

from .worlds import Followed, everything, numbered, read_values, wait_until, work

_CHILD = """
import sys
from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Output, Position, TopicPartition, Work
class Follows:
    def assigned(self, partitions): return {}
    def revoked(self, partitions): pass
bus = EmbeddedBus(sys.argv[1], "app", "one")
session = bus.session("r", ["in"], Follows())
session.consume(1, 0)
number = 0
while True:
    number += 1
    outputs = [Output("out", 0, None, b"%d" % number) for _ in range(50)]
    session.commit([Work(TopicPartition("in", 0), outputs, Position(number))])
    print(number, flush=True)
"""


def test_kill_minus_nine_leaves_whole_commits_and_a_free_name(tmp_path: Path) -> None:
    file = str(tmp_path / "bus.sqlite")
    bus = EmbeddedBus(file, "app", "one")
    bus.create("in", 1)
    bus.create("out", 1)
    bus.publish(numbered("in", 1))
    with subprocess.Popen([sys.executable, "-c", _CHILD, file], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        while int(child.stdout.readline()) < 20:
            pass
        with pytest.raises(InstanceInUse, match="another live process"):
            bus.session("r", ["in"], Followed())
        child.send_signal(signal.SIGKILL)
    written = everything(bus, "out")
    committed = bus.committed("app-r", [TopicPartition("in", 0)])[TopicPartition("in", 0)].offset
    assert written == [b"%d" % n for n in range(1, committed + 1) for _ in range(50)]
    told = Followed(starts={TopicPartition("in", 0): 0})
    assert read_values(bus.session("r", ["in"], told), 1) == [b"0"]
    assert told.held == {TopicPartition("in", 0): Position(committed)}
    bus.close()


def test_another_process_writing_to_the_file_is_heard(tmp_path: Path) -> None:
    file = str(tmp_path / "bus.sqlite")
    bus = EmbeddedBus(file, "app", "one")
    bus.create("in", 1)
    session = bus.session("r", ["in"], Followed())
    assert session.consume(1, 0) == []
    write = "import sys; from driftbus.consumers.bus.embedded import EmbeddedBus; from driftbus.consumers.bus.interface import Output\n"
    write += 'EmbeddedBus(sys.argv[1], "app", "two").publish([Output("in", 0, None, b"from afar")])'
    subprocess.run([sys.executable, "-c", write, file], check=True)
    assert read_values(session, 1) == [b"from afar"]
    bus.close()


def test_a_failed_write_changes_nothing_and_the_log_goes_on() -> None:
    bus = EmbeddedBus(":memory:", "app", "one")
    bus.create("t", 1)
    with pytest.raises(BusError, match=r"t\[3\] does not exist: the topic has partitions 0 to 0"):
        bus.publish([Output("t", 0, None, b"half"), Output("t", 3, None, b"nowhere")])
    with pytest.raises(BusError, match="topic u does not exist"):
        bus.publish([Output("t", 0, None, b"half"), Output("u", 0, None, b"nowhere")])
    bus.publish([Output("t", 0, None, b"whole")])
    assert everything(bus, "t") == [b"whole"]
    bus.close()


def test_compacted_topics_keep_the_last_of_each_key_and_never_reuse_an_offset() -> None:
    bus = EmbeddedBus(":memory:", "app", "one")
    bus.create("t", 1, settings={"cleanup.policy": "compact"})
    bus.publish([Output("t", 0, b"a", b"1"), Output("t", 0, b"b", b"1"), Output("t", 0, b"a", b"2")])
    bus.publish([Output("t", 0, b"a", None)])
    (batch,) = bus.read(TopicPartition("t", 0), 0, 10)
    assert (batch.offsets.tolist(), list(batch.values)) == ([1, 3], [b"1", None])
    assert bus.watermarks(TopicPartition("t", 0)) == (0, 4)
    with pytest.raises(BusError, match="without a key"):
        bus.publish([Output("t", 0, None, b"")])
    bus.close()


def test_restored_records_are_followed_by_new_ones() -> None:
    bus = EmbeddedBus(":memory:", "app", "one")
    topic = TopicDescription("t", "id", 1)
    bus.restore(topic, [Recorded(0, 500, 7, b"k", b"v"), Recorded(0, 510, 8, None, None)])
    session = bus.session("r", ["t"], Followed())
    bus.publish([Output("t", 0, None, b"new")])
    assert read_values(session, 3) == [b"v", None, b"new"]
    assert session.at_end() == {TopicPartition("t", 0): 512}
    with pytest.raises(BusError, match="take another file"):
        bus.restore(TopicDescription("t", "other", 1), [])
    with pytest.raises(BusError, match="offsets 3 to 499 are lost"):
        wait_until(lambda: False, bus.as_instance("two").session("s", ["t"], Followed(starts={TopicPartition("t", 0): 3})))
    bus.close()


def test_a_file_of_something_else_is_left_alone(tmp_path: Path) -> None:
    database, text = tmp_path / "other.sqlite", tmp_path / "text"
    connection = sqlite3.connect(database)
    connection.execute("CREATE TABLE mine (x)")
    connection.close()
    text.write_text("not a database, and long enough to be seen as none: " * 100)
    for file in (database, text):
        before = file.read_bytes()
        with pytest.raises(BusError, match="name another file"):
            EmbeddedBus(str(file), "app", "one")
        assert file.read_bytes() == before


def test_threads_share_a_group_and_nothing_is_lost_or_double() -> None:
    log = EmbeddedBus(":memory:", "app", "writer")
    log.create("in", 4)
    log.create("out", 1)

    def copy(instance: str) -> None:
        bus = log.as_instance(instance)
        session = bus.session("copier", ["in"], Followed())
        while len(everything(bus, "out")) < 400:
            for batch in session.consume(7, 0.05):
                outputs = [Output("out", 0, None, value) for value in batch.values]
                session.commit([work(batch.source, int(batch.offsets[-1]) + 1, *outputs)])
        bus.close()

    threads = [threading.Thread(target=copy, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for i in range(400):
        log.publish([Output("in", i % 4, None, b"%d" % i)])
    for thread in threads:
        thread.join(60)
    assert sorted(int(value or b"-1") for value in everything(log, "out")) == list(range(400))
    log.close()
