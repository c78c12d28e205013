"""Starts the product's processes as its users do, restarts those that die, and kills some."""

import random
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import yaml

from . import crashing

_DRIFTBUS = Path(sys.executable).parent / "driftbus"
_STOPS_S = 60


@dataclass
class Worker:
    """A process of the product: an instance name, its roles (none: all), and the crash switches of its lives to come."""

    name: str
    roles: tuple[str, ...] = ()
    switches: list[tuple[str, int]] = field(default_factory=list)
    starts: int = 0

    def command(self, folder: Path) -> list[str]:
        """What starts it: with a switch while there are some."""
        run = ["run", *self.roles, "--config", str(folder / f"{self.name}.yaml")]
        if not self.switches:
            return [str(_DRIFTBUS), *run]
        point, hits = self.switches[0]
        return [sys.executable, crashing.__file__, point, str(hits), str(folder / f"{self.name}.hits"), *run]


class Supervisor:
    """Keeps workers alive. Whatever ends in another way than by SIGKILL is an error of the product."""

    def __init__(self, folder: Path, settings: dict[str, Any], workers: list[Worker]) -> None:  # settings as their user writes them
        self._folder = folder
        self._log = folder / "workers.log"
        self._running: dict[str, tuple[Worker, subprocess.Popen[bytes], IO[bytes]]] = {}
        for worker in workers:
            (folder / f"{worker.name}.yaml").write_text(yaml.safe_dump({**settings, "instance": worker.name}))
            self._start(worker)
        self.kills = 0

    def restart_dead(self) -> None:
        """Start those again that have been killed, or have killed themselves at a switch."""
        for worker, process, log in list(self._running.values()):
            if process.poll() is None:
                continue
            log.close()
            assert process.returncode == -signal.SIGKILL, f"{worker.name} ended with {process.returncode}: {self.told(worker)}"
            if worker.switches:
                del worker.switches[0]
            self._start(worker)

    def kill_one(self, draw: random.Random) -> None:
        """SIGKILL, whatever it is doing."""
        _, process, _ = self._running[draw.choice(sorted(self._running))]
        if process.poll() is None:
            process.kill()
            self.kills += 1

    @property
    def switches_left(self) -> bool:
        """Whether crash switches are still to be hit."""
        return any(worker.switches for worker, _, _ in self._running.values())

    def hits(self) -> list[str]:
        """The points at which workers killed themselves."""
        return [line for file in self._folder.glob("*.hits") for line in file.read_text().splitlines()]

    def stop(self) -> None:
        """Ask all to stop; they do so in peace."""
        for _, process, _ in self._running.values():
            process.terminate()
        for worker, process, log in self._running.values():
            process.wait(_STOPS_S)
            log.close()
            assert process.returncode == 0, f"{worker.name} ended with {process.returncode}: {self.told(worker)}"
        self._running.clear()

    def end(self) -> None:
        """Leave no process behind."""
        for _, process, log in self._running.values():
            process.kill()
            process.wait()
            log.close()

    def told(self, worker: Worker) -> str:
        """The last that a worker said."""
        return (self._folder / f"{worker.name}.log").read_text(errors="replace")[-3000:]

    def last_words(self) -> str:
        """Of all."""
        return "\n".join(f"{name}: {self.told(worker)[-1000:]}" for name, (worker, _, _) in self._running.items())

    def _start(self, worker: Worker) -> None:
        log = (self._folder / f"{worker.name}.log").open("ab")
        process = subprocess.Popen(worker.command(self._folder), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        worker.starts += 1
        self._running[worker.name] = worker, process, log
