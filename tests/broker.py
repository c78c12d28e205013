"""The tests' broker: the one that DRIFTBUS_TEST_KAFKA names, else one in Docker, else one of Java.

Docker is taken where an engine of this machine answers and has the image, in the version of ``deploy/kafka/pom.xml``, so that nothing is
waited for. Only where there is no Java is the image pulled. Whatever is taken must work: what is wrong with it is said, not passed over.
"""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from .needs import HOW, leave_out, without_java

GIVEN = "DRIFTBUS_TEST_KAFKA"
_DEPLOYED = Path(__file__).parents[1] / "deploy" / "kafka"
_SOCKET = "unix:///var/run/docker.sock"
_ANSWERS_S, _PULLS_S, _STARTS_S = 2, 120, 90
#: As `deploy/kafka/kafka.py` configures its single broker.
_SETTINGS = {
    "KAFKA_NODE_ID": "1",
    "KAFKA_PROCESS_ROLES": "broker,controller",
    "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
    "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
    "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
    "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
    "KAFKA_HEAP_OPTS": "-Xms128m -Xmx768m",
    **{
        f"KAFKA_{topic}_{setting}": value
        for topic in ("OFFSETS_TOPIC", "TRANSACTION_STATE_LOG", "SHARE_COORDINATOR_STATE_TOPIC")
        for setting, value in (("REPLICATION_FACTOR", "1"), ("NUM_PARTITIONS", "4"))
    },
    "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
    "KAFKA_SHARE_COORDINATOR_STATE_TOPIC_MIN_ISR": "1",
}


class Broker(NamedTuple):
    """Where it is, and where it comes from."""

    address: str
    source: str


@contextmanager
def broker(directory: Path) -> Iterator[Broker]:
    """One for as long as the block; the test is left out where there is none, and fails in the gate."""
    if given := os.environ.get(GIVEN):
        yield Broker(given, GIVEN)
    elif image_there():
        with _in_docker() as found:
            yield found
    elif missing := without_java():
        leave_out(f"{GIVEN} names none, no Docker engine has or gets {image()}, and there is no {' and no '.join(missing)} to start one")
    else:
        with _by_java(directory) as found:
            yield found


def image() -> str:
    """With the version that Java would run."""
    version = re.search(r"kafka_[\d.]+</artifactId>\s*<version>([^<]+)", (_DEPLOYED / "pom.xml").read_text())
    assert version is not None
    return f"apache/kafka:{version[1]}"


def image_there() -> bool:
    """Whether a Docker engine on this machine has the image, or gets it where there is nothing else."""
    kind, _, path = os.environ.get("DOCKER_HOST", _SOCKET).partition("://")
    with socket.socket(socket.AF_UNIX) as engine:
        if kind != "unix" or engine.connect_ex(path):
            return False  # without a question that could wait, and without importing its client
    import docker  # of testcontainers
    from docker.errors import DockerException, ImageNotFound
    from requests.exceptions import RequestException

    client = docker.DockerClient(f"unix://{path}", timeout=_PULLS_S if without_java() else _ANSWERS_S)
    try:
        client.images.get(image())
    except ImageNotFound:
        if not without_java():
            return False
        try:
            client.images.pull(image())
        except (DockerException, RequestException):
            return False
    except (DockerException, RequestException):
        return False
    finally:
        client.close()
    return True


@contextmanager
def _in_docker() -> Iterator[Broker]:
    """On a free port of 127.0.0.1, the same in the container: the address that it tells its clients is its own too."""
    ours = {"RYUK_DISABLED": "true", "HOST_OVERRIDE": "127.0.0.1", "CONNECTION_MODE": "docker_host"}  # no second image to be pulled
    for name, value in ours.items():
        os.environ.setdefault(f"TESTCONTAINERS_{name}", value)  # read at its import
    from testcontainers.core.container import DockerContainer
    from testcontainers.core.wait_strategies import LogMessageWaitStrategy

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    container = DockerContainer(image()).with_envs(
        **_SETTINGS,
        KAFKA_LISTENERS=f"PLAINTEXT://:{port},CONTROLLER://:9093",
        KAFKA_ADVERTISED_LISTENERS=f"PLAINTEXT://127.0.0.1:{port}",
    )
    bound: Any = container.ports  # handed to Docker's client as it is, which takes a pair
    bound[f"{port}/tcp"] = ("127.0.0.1", port)
    container.waiting_for(LogMessageWaitStrategy("Kafka Server started").with_startup_timeout(_STARTS_S))
    with container:
        yield Broker(f"127.0.0.1:{port}", f"Docker, {image()}")


@contextmanager
def _by_java(directory: Path) -> Iterator[Broker]:
    """By the script that users have."""
    command = [sys.executable, str(_DEPLOYED / "kafka.py"), "--port", "0", "--directory", str(directory)]
    try:
        started = subprocess.run([*command, "start"], capture_output=True, text=True, timeout=300)
        if started.returncode:
            pytest.fail(f"no Kafka could be started ({started.stderr.strip()}): {HOW}", pytrace=False)
        yield Broker(started.stdout.strip(), "Java, deploy/kafka/kafka.py")
    finally:
        subprocess.run([*command, "stop"], check=True, timeout=60)
