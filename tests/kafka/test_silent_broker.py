"""A broker that hangs: it takes requests and answers nothing. Consumers wait, commands end, and a process that is to stop stops.

One silence, in which everything is asked at once; what came of it is looked at behind it.
"""

import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from driftbus.consumers.bus.interface import Bus, BusError, Output, Position, Stopped, TopicPartition
from driftbus.consumers.bus.kafka import KafkaBus
from driftbus.consumers.bus.kafka_admin import Cluster
from driftbus.consumers.pipeline.topology import asked_for

from ..bus.worlds import Followed, everything, numbered, work
from ..streaming import configuration, prepare, reference, rows, send
from .brokers import silent

pytestmark = pytest.mark.kafka

_COMMAND_S = 2.0
#: What a question may take on top: requests that have begun are not interrupted.
_SLACK_S = 20.0
_LONG_S = 120.0
#: In which all of them are to be at work.
_START_S = 300.0

#: What a person asks, and what a running consumer does.
ASKS: dict[str, Callable[[Bus, TopicPartition], object]] = {
    "describe": lambda bus, source: bus.describe([source.topic]),
    "create": lambda bus, source: bus.create(f"{source.topic}-{uuid.uuid4().hex}", 1),
    "watermarks": lambda bus, source: bus.watermarks(source),
    "offset_at": lambda bus, source: bus.offset_at(source, 1_000),
    "committed": lambda bus, source: bus.committed("app-r", [source]),
    "publish": lambda bus, source: bus.publish(numbered(source.topic, 1)),
    "session": lambda bus, source: bus.session("r", [source.topic], Followed()),
}


class Process(NamedTuple):
    """One of the product: ``driftbus run ROLES``."""

    application: str
    roles: tuple[str, ...]
    streams: int = 1  #: of the application; each is another profiler, to be closed behind the one before


ROLES = asked_for(configuration())
#: By when they are told to stop: while the broker is silent, every role and all in one; twice; and when it answers again.
MEANWHILE = {role: Process("meanwhile", (role,), 8) for role in ROLES} | {"all": Process("together", ROLES, 2)}
PROCESSES = MEANWHILE | {"twice": Process("twice", ROLES[:1]), "afterwards": Process("afterwards", ROLES[:1])}


@dataclass
class Silence:
    """What was asked while the broker was silent, and what came of it."""

    answers: dict[str, object] = field(default_factory=dict)  #: by who asked what
    seconds: dict[str, float] = field(default_factory=dict)
    early: list[str] = field(default_factory=list)  #: answered, and nobody could have
    codes: dict[str, int] = field(default_factory=dict)  #: of processes
    copied: list[bytes | None] = field(default_factory=list)
    joined: threading.Event = field(default_factory=threading.Event)

    def copy(self, bus: KafkaBus, source: TopicPartition, count: int) -> threading.Thread:
        """Read and commit in a thread of its own, as a consumer does, until it has all."""

        def copy() -> None:
            followed, position = Followed(), 0
            session = bus.session("r", [source.topic], followed)
            self.joined.set()
            while max(position, _begun(followed.held.get(source))) < count:  # where it was not known, the group says how far it was done
                for batch in session.consume(1, 0.5):
                    end = int(batch.offsets[-1]) + 1
                    outputs = [Output("copies", 0, None, value) for value in batch.values]
                    position = end if session.commit([work(source, end, *outputs)]) else position
            self.answers["copied"] = max(position, _begun(followed.held.get(source)))

        thread = threading.Thread(target=copy, daemon=True)
        thread.start()
        return thread

    def ask(self, bus: KafkaBus, who: str, name: str, source: TopicPartition) -> threading.Thread:
        """Ask in a thread of its own."""

        def ask() -> None:
            began = time.monotonic()
            try:
                self.answers[f"{who} {name}"] = ASKS[name](bus, source)
            except BusError as error:
                self.answers[f"{who} {name}"] = error
            self.seconds[f"{who} {name}"] = time.monotonic() - began

        thread = threading.Thread(target=ask, daemon=True)
        thread.start()
        return thread


def _begun(position: Position | None) -> int:
    return 0 if position is None else position.offset


@pytest.fixture(scope="module")
def silence(own_broker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Silence]:  # the script's Cluster
    """The silence, over."""
    found, settings = Silence(), {"bootstrap.servers": own_broker.address}
    source = TopicPartition("asked", 0)
    maker = KafkaBus(settings, "maker", "one")
    maker.create("asked", 1, settings={"retention.ms": "-1"})
    maker.create("copies", 1, settings={"retention.ms": "-1"})
    maker.publish(numbered("asked", 3))
    buses = {(who, name): KafkaBus(settings, f"{who}-{name}", "one", limit) for who, limit in _PATIENCE.items() for name in ASKS}
    processes: dict[str, subprocess.Popen[bytes]] = {}
    copier = KafkaBus(settings, "copier", "one", None)
    try:
        _start(processes, own_broker, maker, tmp_path_factory.mktemp("processes"))
        copying = found.copy(copier, source, 3)
        assert found.joined.wait(_LONG_S)
        with silent(own_broker):
            began = time.monotonic()
            threads = {key: found.ask(bus, *key, source) for key, bus in buses.items()}
            time.sleep(1)  # a second of silence: all ask by now
            for name in (*MEANWHILE, "twice"):
                processes[name].terminate()
            for (who, _), bus in buses.items():
                if who == "stopped":
                    bus.stop()
            processes["twice"].send_signal(signal.SIGINT)
            found.codes |= {name: processes[name].wait(20) for name in ("twice", *MEANWHILE)}
            for (who, _), thread in threads.items():
                if who != "consumer":
                    thread.join(_COMMAND_S + _SLACK_S)
            time.sleep(max(began + 10 - time.monotonic(), 0))  # longer than a session
            found.early = [asked for asked in found.answers if asked.startswith("consumer")]
        copying.join(_LONG_S)
        for thread in threads.values():
            thread.join(_LONG_S)
        found.copied = everything(maker, "copies")
        assert processes["afterwards"].poll() is None
        processes["afterwards"].terminate()
        found.codes["afterwards"] = processes["afterwards"].wait(20)
        yield found
    finally:
        for process in processes.values():
            process.kill()
            process.wait()
        for bus in [maker, copier, *buses.values()]:
            bus.close()


_PATIENCE = {"command": _COMMAND_S, "consumer": None, "stopped": None}


def _start(processes: "dict[str, subprocess.Popen[bytes]]", own_broker: Any, bus: KafkaBus, folder: Path) -> None:  # the script's Cluster
    """Processes at work: all roles of all applications."""
    address = {"bootstrap.servers": own_broker.address}
    prepare(bus, configuration(application="any", bus="kafka", kafka=address, artifacts=str(folder / "artifacts")), [reference("m0")])
    send(bus, rows(60, ["m0"]))
    for number in range(1, max(process.streams for process in PROCESSES.values())):
        bus.create(f"scored{number}", 1)
    for name, (application, roles, streams) in PROCESSES.items():
        stream = {"pane": "10s", "clock": "record"}
        text = {"application": application, "kafka": address, "artifacts": str(folder / "artifacts"), "topics": {"prefix": "driftbus"}}
        more = {f"s{number}": {**stream, "topics": [f"scored{number}"]} for number in range(1, streams)}
        text |= {"streams": {"predictions": {**stream, "topics": ["scored"]}, **more}, "models": {"m0": {"false_alarms": "1 per 1h"}}}
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(text))
        command = [str(Path(sys.executable).parent / "driftbus"), "run", *roles, "--config", str(folder / f"{name}.yaml")]
        with (folder / f"{name}.log").open("wb") as log:
            processes[name] = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | {"HOSTNAME": "one"})
    deadline, cluster = time.monotonic() + _START_S, Cluster(address)
    idle = {(process.application, role) for process in PROCESSES.values() for role in process.roles}
    while idle := {one for one in idle if not _works(bus, cluster, *one)}:
        for name, one in processes.items():
            assert one.poll() is None, (folder / f"{name}.log").read_text()
        assert time.monotonic() < deadline, idle


def _works(bus: KafkaBus, cluster: Cluster, application: str, role: str) -> bool:
    """Whether a role has committed something of the input, or has joined the group of those that read our own topics."""
    if role == ROLES[0]:
        return bool(bus.committed(f"{application}-{role}-predictions", [TopicPartition("scored", number) for number in range(4)]))
    member, settled = cluster.member(f"{application}-{role}", f"{application}-{role}-one")
    return member is not None and settled


@pytest.mark.parametrize("name", ASKS)
def test_a_command_ends_and_says_what_it_waited_for(silence: Silence, name: str) -> None:
    error = silence.answers[f"command {name}"]
    assert isinstance(error, BusError)
    assert "not in 2 s" in str(error)
    assert "is the cluster up?" in str(error)
    assert silence.seconds[f"command {name}"] < _COMMAND_S + _SLACK_S


@pytest.mark.parametrize("name", ASKS)
def test_a_running_consumer_waits_until_the_broker_answers(silence: Silence, name: str) -> None:
    assert not silence.early
    assert not isinstance(silence.answers[f"consumer {name}"], BusError)


@pytest.mark.parametrize("name", ASKS)
def test_what_waits_gives_up_when_the_process_is_to_stop(silence: Silence, name: str) -> None:
    assert isinstance(silence.answers[f"stopped {name}"], Stopped)
    assert silence.seconds[f"stopped {name}"] < _SLACK_S


def test_what_a_session_read_and_committed_is_there_once(silence: Silence) -> None:
    assert silence.answers["copied"] == 3
    assert silence.copied == [b"0", b"1", b"2"]


@pytest.mark.parametrize("name", [*MEANWHILE, "afterwards"])
def test_a_process_ends_in_peace_when_it_is_told_to(silence: Silence, name: str) -> None:
    """Within 20 s, whatever its role."""
    assert silence.codes[name] == 0


def test_a_process_ends_at_once_when_it_is_told_twice(silence: Silence) -> None:
    assert silence.codes["twice"] == 128 + signal.SIGINT
