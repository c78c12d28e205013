"""Starts the product's processes as its users do, restarts those that die, and kills some."""

import os
import random
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ..nursery import Nursery

_STOPS_S, _LOOK_S = 60, 0.02


@dataclass
class Worker:
    """A process of the product: an instance name, its roles (none: all), and the crash switches of its lives to come."""

    name: str
    roles: tuple[str, ...] = ()
    switches: list[tuple[str, int]] = field(default_factory=list)
    starts: int = 0


class Supervisor:
    """Keeps workers alive. Whatever ends in another way than by SIGKILL is an error of the product."""

    def __init__(self, folder: Path, settings: dict[str, Any], workers: list[Worker]) -> None:  # settings as their user writes them
        self._folder = folder
        self._nursery = Nursery()
        self._running: dict[str, tuple[Worker, int]] = {}  # by name, with its process id
        for worker in workers:
            (folder / f"{worker.name}.yaml").write_text(yaml.safe_dump({**settings, "instance": worker.name}))
            self._start(worker)
        self.kills = 0

    def restart_dead(self) -> None:
        """Start those again that have been killed, or have killed themselves at a switch."""
        ended = self._nursery.ended()
        for worker, pid in list(self._running.values()):
            if pid not in ended:
                continue
            assert ended[pid] == -signal.SIGKILL, f"{worker.name} ended with {ended[pid]}: {self.told(worker)}"
            if worker.switches:
                del worker.switches[0]
            self._start(worker)

    def kill_one(self, draw: random.Random) -> None:
        """SIGKILL, whatever it is doing."""
        _, pid = self._running[draw.choice(sorted(self._running))]
        if pid not in self._nursery.ended():
            os.kill(pid, signal.SIGKILL)
            self.kills += 1

    @property
    def switches_left(self) -> bool:
        """Whether crash switches are still to be hit."""
        return any(worker.switches for worker, _ in self._running.values())

    def hits(self) -> list[str]:
        """The points at which workers killed themselves."""
        return [line for file in self._folder.glob("*.hits") for line in file.read_text().splitlines()]

    def stop(self) -> None:
        """Ask all to stop; they do so in peace."""
        for _, pid in self._running.values():
            os.kill(pid, signal.SIGTERM)
        deadline, ended = time.monotonic() + _STOPS_S, dict[int, int]()
        while not all(pid in ended for _, pid in self._running.values()):
            assert time.monotonic() < deadline, self.last_words()
            time.sleep(_LOOK_S)
            ended = self._nursery.ended()
        for worker, pid in self._running.values():
            assert ended[pid] == 0, f"{worker.name} ended with {ended[pid]}: {self.told(worker)}"
        self._running.clear()

    def end(self) -> None:
        """Leave no process behind."""
        self._nursery.close()

    def told(self, worker: Worker) -> str:
        """The last that a worker said."""
        return (self._folder / f"{worker.name}.log").read_text(errors="replace")[-3000:]

    def last_words(self) -> str:
        """Of all."""
        return "\n".join(f"{name}: {self.told(worker)[-1000:]}" for name, (worker, _) in self._running.items())

    def _start(self, worker: Worker) -> None:
        switch = (*worker.switches[0], str(self._folder / f"{worker.name}.hits")) if worker.switches else None
        arguments = ["run", *worker.roles, "--config", str(self._folder / f"{worker.name}.yaml")]
        pid = self._nursery.start(self._folder / f"{worker.name}.log", *arguments, switch=switch)
        worker.starts += 1
        self._running[worker.name] = worker, pid
