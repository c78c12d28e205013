"""What plays that kill the product on a real Kafka have in common: a configuration, who lives, what is awaited, what is said."""

import argparse
import os
import signal
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import yaml

from driftbus.consumers.process.settings import load
from driftbus.schemas.configuration import Configuration

from .nursery import Nursery

_FILE = "driftbus.yaml"
_LAST_WORDS = 3_000

Found = TypeVar("Found")


def configured(address: str, folder: Path, name: str, **sections: Any) -> Configuration:  # as users write them
    """A configuration of two partitions, in a file of the folder; its application is new, and begins with a name."""
    application = f"{name}-{uuid.uuid4().hex[:8]}"
    written = {
        "application": application,
        "bus": "kafka",
        "kafka": {"bootstrap.servers": address},
        "artifacts": str(folder / "artifacts"),
        "topics": {"partitions": 2},
        "streams": {"predictions": {"topics": [f"{application}-scored"], "pane": "1s", "linger": "1s"}},
    }
    (folder / _FILE).write_text(yaml.safe_dump(written | sections))
    return load(folder / _FILE)


class Cast:
    """Processes by name: each is an instance of the folder's configuration, with roles of its own. They die with it."""

    def __init__(self, folder: Path, roles: Mapping[str, Sequence[str]]) -> None:
        self._folder, self._roles, self._nursery = folder, roles, Nursery()
        self.alive: dict[str, int] = {}  #: process ids

    def born(self, *names: str) -> None:
        """Of these, else of all: those that are not alive."""
        for name in names or self._roles:
            if name not in self.alive:
                file = self._folder / f"{name}.yaml"
                file.write_text((self._folder / _FILE).read_text() + f"instance: {name}\n")
                log = self._folder / f"{name}.log"
                self.alive[name] = self._nursery.start(log, "run", *self._roles[name], "--config", str(file))

    def kill(self, name: str) -> None:
        """Whatever it is doing."""
        os.kill(self.alive.pop(name), signal.SIGKILL)

    def end(self) -> None:
        """Tell all to stop."""
        while self.alive:
            os.kill(self.alive.popitem()[1], signal.SIGTERM)

    def close(self) -> None:
        """Leave no process behind."""
        self._nursery.close()


def awaited(over: Callable[[], bool], known: Callable[[], int], patience_s: float) -> None:
    """Wait until it is over, or until for so long nothing more has become known."""
    most, since = -1, time.monotonic()
    while not over() and time.monotonic() < since + patience_s:
        if (now := known()) > most:
            most, since = now, time.monotonic()
        time.sleep(0.3)


def parser_of(doc: str | None, kills: int) -> argparse.ArgumentParser:
    """What every such command takes."""
    parser = argparse.ArgumentParser(description=doc)
    parser.add_argument("--kills", type=int, default=kills)
    parser.add_argument("--seed", type=int, default=1)
    return parser


def performed(play: Callable[[str, Path], Found], right: Callable[[Found], bool]) -> tuple[Found, float]:
    """What came of it on a broker of its own, and its seconds; where that is wrong, the last words of its processes are printed."""
    from ..broker import broker

    with TemporaryDirectory() as folder, broker(Path(folder) / "cluster") as found:
        began = time.monotonic()
        told = play(found.address, Path(folder))
        took = time.monotonic() - began
        for log in () if right(told) else sorted(Path(folder).glob("*.log")):
            print(f"== {log.stem}\n{log.read_text()[-_LAST_WORDS:]}")
    return told, took
