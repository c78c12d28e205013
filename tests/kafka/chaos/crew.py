"""The product's processes under faults: started, killed, paused, stopped, and started again when it is time."""

import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from ..nursery import Nursery

_FAREWELL_S = 30


class Death(NamedTuple):
    """A process that ended by itself: nobody had told it to."""

    at_s: float
    name: str
    code: int
    lived_s: float
    words: str  #: its last


@dataclass
class _Member:
    role: str
    pid: int
    born: float
    back_at: float | None = None  # when it is to be started again, or continued
    paused: bool = False
    meant: bool = False  # its end is
    gone: bool = False  # and for good


class Crew:
    """Processes by instance name. Whoever ends without having been told to is noted, and started again after a second."""

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:  # settings as their user writes them
        self._folder, self._settings = folder, settings
        self.began = time.monotonic()  # of the run: deaths are told from then on
        self._members: dict[str, _Member] = {}
        self.deaths: list[Death] = []
        self._nursery = Nursery()

    def start(self, name: str) -> None:
        """A process of the role that its name begins with."""
        config = self._folder / f"{name}.yaml"
        config.write_text(yaml.safe_dump({**self._settings, "instance": name}))
        role = name.partition("-")[0]
        pid = self._nursery.start(self._folder / f"{name}.log", "run", role, "--config", str(config))
        self._members[name] = _Member(role, pid, time.monotonic())

    def kill(self, name: str, back_at: float) -> None:
        """SIGKILL, whatever it is doing."""
        self._end(name, signal.SIGKILL, back_at)

    def stop(self, name: str, back_at: float) -> None:
        """SIGTERM, as operators do."""
        self._end(name, signal.SIGTERM, back_at)

    def pause(self, name: str, back_at: float) -> None:
        """SIGSTOP; it knows nothing of the time that passes."""
        member = self._members[name]
        if not member.meant:
            self._signal(name, signal.SIGSTOP)
            member.paused, member.back_at = True, back_at

    def leave(self, name: str, number: signal.Signals) -> None:
        """It ends, and nobody takes its place."""
        self._end(name, number, None)
        self._members[name].gone = True

    def look(self, *, may_start: bool) -> list[str]:
        """Continue and, where that may be, start again whose time it is; what was done, for the journal."""
        now, told = time.monotonic(), list[str]()
        ended = self._nursery.ended()
        for name, member in list(self._members.items()):
            if member.pid in ended and member.gone:
                del self._members[name]
            elif member.pid in ended:
                if not member.meant:
                    death = Death(now - self.began, name, ended[member.pid], now - member.born, self.words(name))
                    self.deaths.append(death)
                    member.meant, member.paused, member.back_at = True, False, now + 1
                    told.append(f"{name} ENDED BY ITSELF with {death.code}: {death.words.strip().splitlines()[-1:]}")
                if may_start and member.back_at is not None and now >= member.back_at:
                    self.start(name)
                    told.append(f"{name} started")
            elif member.paused and member.back_at is not None and now >= member.back_at:
                member.paused, member.back_at = False, None
                self._signal(name, signal.SIGCONT)
                told.append(f"{name} continued")
        return told

    @property
    def whole(self) -> bool:
        """Whether everybody is there, and awake."""
        return not any(member.meant or member.paused for member in self._members.values())

    def words(self, name: str) -> str:
        """The last that a process said."""
        log = self._folder / f"{name}.log"
        return log.read_text(errors="replace")[-600:] if log.exists() else ""

    def dismiss(self) -> list[str]:
        """Ask all to stop; what was wrong with how they did."""
        for name in self._members:
            self._signal(name, signal.SIGCONT)
            self._signal(name, signal.SIGTERM)
        deadline, ended = time.monotonic() + _FAREWELL_S, dict[int, int]()
        while time.monotonic() < deadline and not all(member.pid in ended for member in self._members.values()):
            ended = self._nursery.ended()
            time.sleep(0.05)
        codes = {name: ended.get(member.pid) for name, member in self._members.items()}
        late = [f"{name} has not ended {_FAREWELL_S} s after SIGTERM" for name, code in codes.items() if code is None]
        return late + [f"{name} ended with {code} after SIGTERM: {self.words(name)}" for name, code in codes.items() if code]

    def close(self) -> None:
        """Leave no process behind."""
        self._nursery.close()

    def _end(self, name: str, number: signal.Signals, back_at: float | None) -> None:
        member = self._members[name]
        self._signal(name, number)
        self._signal(name, signal.SIGCONT)
        member.meant, member.paused, member.back_at = True, False, back_at

    def _signal(self, name: str, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):  # not reaped before the nursery was asked: the number is nobody else's, or nobody's
            os.kill(self._members[name].pid, number)
