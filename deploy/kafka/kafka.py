#!/usr/bin/env python3
"""A real Kafka on this machine, without Docker: `start` prints its address, `stop` ends what `start` began.

Needs Java 17 and, the first time, Maven: the server's libraries are copied once into `.kafka/` of the checkout (else the user's cache).
It listens on 127.0.0.1 only. Nothing but Python's standard library is used, so that any Python can run it.
"""

import argparse
import base64
import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
import uuid
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

HERE = Path(__file__).resolve().parent
#: Seconds a broker may take to answer; two are usual, on a busy machine more.
PATIENCE_S = 90

_LOG4J = """
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=[%d] %p %m (%c)%n
rootLogger.level=INFO
rootLogger.appenderRef.out.ref=out
"""


class NoKafka(Exception):
    """It cannot be started here, and why."""


def cache() -> Path:
    """Where libraries and data are kept: `.kafka/` of the checkout, else the user's cache folder."""
    checkout = HERE.parent.parent
    if (checkout / "pyproject.toml").exists() and os.access(checkout, os.W_OK):
        return checkout / ".kafka"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "driftbus"


def libraries() -> Path:
    """The folder of the server's jars; fetched by Maven when this `pom.xml` has not been seen before."""
    pom = HERE / "pom.xml"
    folder = cache() / f"libs-{hashlib.sha256(pom.read_bytes()).hexdigest()[:12]}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two that start at once fetch once
        if not folder.exists():
            maven = _tool("mvn", "Maven (package maven) fetches Kafka's libraries")
            partial = folder.with_suffix(".partial")
            shutil.rmtree(partial, ignore_errors=True)
            command = [maven, "-q", "-B", "-ntp", "-f", str(pom), "dependency:copy-dependencies", "-DincludeScope=runtime"]
            fetched = subprocess.run([*command, f"-DoutputDirectory={partial}"], capture_output=True, text=True)
            if fetched.returncode:
                msg = f"Maven could not fetch Kafka's libraries: {fetched.stdout[-1000:]}{fetched.stderr[-1000:]}"
                raise NoKafka(msg)
            partial.rename(folder)
    return folder


def _tool(name: str, purpose: str) -> str:
    found = shutil.which(name)
    if found is None:
        msg = f"{name} is not installed: {purpose}"
        raise NoKafka(msg)
    return found


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for s in sockets:
            s.bind(("127.0.0.1", 0))
        return [s.getsockname()[1] for s in sockets]


def _random_id() -> str:
    """As Kafka writes ids; one that begins with a dash would be taken for an option."""
    while (name := base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")).startswith("-"):
        pass
    return name


def _arguments(pid: int) -> str:
    """The command line of a process; empty when it has ended."""
    if Path("/proc/self").exists():
        with contextlib.suppress(OSError):
            return Path(f"/proc/{pid}/cmdline").read_text()
        return ""
    return subprocess.run(["ps", "-ww", "-o", "args=", "-p", str(pid)], capture_output=True, text=True).stdout


def answers(port: int) -> bool:
    """Whether a broker on this port answers a request (ApiVersions)."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as s:
            request = struct.pack(">hhih", 18, 0, 7, -1)
            s.sendall(struct.pack(">i", len(request)) + request)
            return s.recv(8)[4:] == struct.pack(">i", 7)
    except OSError:
        return False


class Cluster:
    """One or three brokers, each a controller too, in a directory that remembers them; with these properties beside its own."""

    def __init__(self, directory: Path, properties: Mapping[str, object] | None = None) -> None:
        self.directory = directory
        self._properties = properties or {}
        self._state = directory / "cluster.json"

    @property
    def ports(self) -> dict[int, int]:
        """Node: the port that clients use."""
        return {int(node): port for node, port in json.loads(self._state.read_text()).items()} if self._state.exists() else {}

    @property
    def address(self) -> str:
        """For `bootstrap.servers`."""
        return ",".join(f"127.0.0.1:{port}" for port in self.ports.values())

    def start(self, brokers: int = 1, port: int = 0, without: Collection[int] = ()) -> str:
        """Make the cluster where there is none yet, start what does not run, but for some, wait until all of these answer; the address."""
        java = _tool("java", "Kafka needs Java 17 (package openjdk-17-jre-headless)")
        libs = libraries()
        if not self.ports:
            self._make(java, libs, brokers, port)
        nodes = [node for node in self.ports if node not in without]
        for node in nodes:
            if self.pid(node) is None:
                self._run(java, libs, node)
        for node in nodes:
            self._wait(node)
        return self.address

    def stop(self) -> None:
        """End the brokers, and forget their data."""
        nodes = [node for node in self.ports if self._signal(node, signal.SIGTERM)]
        deadline = time.monotonic() + 20
        while any(self.pid(node) is not None for node in nodes):
            if time.monotonic() > deadline:
                for node in nodes:
                    self._signal(node, signal.SIGKILL)
            time.sleep(0.05)
        if self._state.exists():
            shutil.rmtree(self.directory)

    def kill(self, node: int) -> None:
        """SIGKILL one broker; `start` brings it back with its data."""
        self._signal(node, signal.SIGKILL)
        while self.pid(node) is not None:
            time.sleep(0.02)

    def pid(self, node: int) -> int | None:
        """The process of a broker, if it runs and is ours: a number alone might be somebody else's by now."""
        file = self._folder(node) / "pid"
        if not file.exists():
            return None
        pid = int(file.read_text())
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)  # where we are its parent, so that it does not stay a zombie
        return pid if str(self._folder(node)) in _arguments(pid) else None

    def _folder(self, node: int) -> Path:
        return self.directory.resolve() / f"node-{node}"

    def _signal(self, node: int, number: int) -> bool:
        pid = self.pid(node)
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        return pid is not None

    def _make(self, java: str, libs: Path, brokers: int, port: int) -> None:
        nodes = range(1, brokers + 1)
        free = _free_ports(2 * brokers)
        ports = {node: port + node - 1 if port else free.pop() for node in nodes}
        controllers = {node: free.pop() for node in nodes}
        quorum = ",".join(f"{node}@127.0.0.1:{controllers[node]}:{_random_id()}" for node in nodes)
        cluster_id = _random_id()
        for node in nodes:
            folder = self._folder(node)
            folder.mkdir(parents=True, exist_ok=True)
            properties = dict(_properties(node, ports[node], controllers, folder)) | self._properties
            lines = (f"{key}={value}\n" for key, value in properties.items())
            (folder / "server.properties").write_text("".join(lines))
            (folder / "log4j2.properties").write_text(_LOG4J)
            options = ["format", "-t", cluster_id, "-c", str(folder / "server.properties"), "--initial-controllers", quorum]
            formatted = subprocess.run([java, "-cp", f"{libs}/*", "kafka.tools.StorageTool", *options], capture_output=True, text=True)
            if formatted.returncode:
                msg = f"{folder} could not be formatted: {formatted.stdout[-1000:]}{formatted.stderr[-1000:]}"
                raise NoKafka(msg)
        self._state.write_text(json.dumps(ports))

    def _run(self, java: str, libs: Path, node: int) -> None:
        folder = self._folder(node)
        command = [java, "-Xms128m", "-Xmx768m", f"-Dlog4j2.configurationFile={folder / 'log4j2.properties'}", "-cp", f"{libs}/*"]
        with (folder / "server.log").open("ab") as log:
            process = subprocess.Popen(
                [*command, "kafka.Kafka", str(folder / "server.properties")],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        (folder / "pid").write_text(str(process.pid))
        process.returncode = 0  # it outlives this object, on purpose

    def _wait(self, node: int) -> None:
        deadline, missed = time.monotonic() + PATIENCE_S, 0
        while not answers(self.ports[node]):
            missed = missed + 1 if self.pid(node) is None else 0  # a process that has just begun has no arguments for a moment
            if missed > 5 or time.monotonic() > deadline:
                log = (self._folder(node) / "server.log").read_text(errors="replace")[-2000:]
                msg = f"broker {node} on 127.0.0.1:{self.ports[node]} does not answer; is the port taken? Its log ends: {log}"
                raise NoKafka(msg)
            time.sleep(0.2)


def _properties(node: int, port: int, controllers: dict[int, int], folder: Path) -> Iterator[tuple[str, object]]:
    brokers = len(controllers)
    yield from {
        "process.roles": "broker,controller",
        "node.id": node,
        "controller.quorum.bootstrap.servers": ",".join(f"127.0.0.1:{p}" for p in controllers.values()),
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controllers[node]}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controllers[node]}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": folder / "data",
        "auto.create.topics.enable": "false",
        "default.replication.factor": brokers,
        "group.initial.rebalance.delay.ms": 0,
        "broker.session.timeout.ms": 6000,  # a killed broker is replaced soon
        "min.insync.replicas": min(brokers, 2),
    }.items()
    for topic in ("offsets.topic", "transaction.state.log", "share.coordinator.state.topic"):
        yield f"{topic}.replication.factor", brokers
        yield f"{topic}.num.partitions", 4  # fewer than the default 50: starts faster
    for topic in ("transaction.state.log", "share.coordinator.state.topic"):
        yield f"{topic}.min.isr", min(brokers, 2)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["start", "stop"])
    parser.add_argument("--brokers", type=int, choices=[1, 3], default=1)
    parser.add_argument("--port", type=int, default=9092, help="of the first broker; the others follow; 0: any free ones")
    parser.add_argument("--directory", type=Path, default=None, help="of data and logs (default: in the cache); stop removes it")
    given = parser.parse_args()
    cluster = Cluster(given.directory or cache() / "cluster")
    try:
        sys.stdout.write(f"{cluster.start(given.brokers, given.port)}\n" if given.command == "start" else "")
    except NoKafka as error:
        cluster.stop()
        sys.exit(f"kafka: {error}")
    if given.command == "stop":
        cluster.stop()


if __name__ == "__main__":
    main()
