"""Brokers that begin with the same data: one is prepared and stopped, every run starts one on a copy of its directory."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

_SCRIPT = Path(__file__).parents[3] / "deploy" / "kafka" / "kafka.py"
_STOPS_S = 60


class Broker:
    """One broker on a directory of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def start(self) -> str:
        """Its address."""
        return self._script("start", "--port", "0").strip()

    def stop(self) -> None:
        """End it and leave its data, whole, to be copied."""
        pid = int((self.folder / "node-1" / "pid").read_text())
        os.kill(pid, signal.SIGTERM)
        wait_until(lambda: str(self.folder) not in _arguments(pid), _STOPS_S, f"the end of the broker on {self.folder}")

    def remove(self) -> None:
        """End it, and forget its data."""
        self._script("stop")

    def copy(self, folder: Path) -> "Broker":
        """Another with the data of this one, on ports of its own."""
        shutil.copytree(self.folder, folder, ignore=shutil.ignore_patterns("pid", "server.log", ".lock"))
        state, properties = folder / "cluster.json", folder / "node-1" / "server.properties"
        text = properties.read_text().replace(str(self.folder), str(folder))
        ports = dict(zip(old := sorted(set(re.findall(r"127\.0\.0\.1:(\d+)", text))), _free_ports(len(old)), strict=True))
        properties.write_text(re.sub(r"(?<=127\.0\.0\.1:)\d+", lambda port: ports[port[0]], text))
        state.write_text(json.dumps({node: int(ports[str(port)]) for node, port in json.loads(state.read_text()).items()}))
        return Broker(folder)

    def _script(self, *arguments: str) -> str:
        command = [sys.executable, str(_SCRIPT), *arguments, "--directory", str(self.folder)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        assert not done.returncode, done.stderr
        return done.stdout


def wait_until(claim: Callable[[], bool], patience_s: float, what: str) -> None:
    """Ask until the claim holds."""
    deadline = time.monotonic() + patience_s
    while not claim():
        assert time.monotonic() < deadline, f"{what}: not in {patience_s} s"
        time.sleep(0.05)


def _arguments(pid: int) -> str:
    return subprocess.run(["ps", "-o", "args=", "-p", str(pid)], capture_output=True, text=True).stdout


def _free_ports(count: int) -> list[str]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [str(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return ports
