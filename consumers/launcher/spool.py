"""A folder of jobs, each of which runs at most once.

::

    spool/id                  who this spool is: what was begun in another one is not known here
    spool/JOB/request.json    the event, there before the folder has its name, so never half
    spool/JOB/plan.json       the command, its time, where it runs
    spool/JOB/lock            held while the supervisor or the command lives
    spool/JOB/started.json    written by the process that becomes the command: at most once
    spool/JOB/exit.json       how it ended
    spool/JOB/cancel          it is to end
    spool/JOB/output.log      what the command wrote
    spool/JOB/told            its end has been read back; days later the folder goes

*Guarantee.* However often `ensure` is called, and whoever dies meanwhile, the command of a job runs once, or is *lost*; never twice.

*Trap.* The folder is the memory: a spool that is gone has forgotten what ran. Locks hold on a local file system only.
"""

import os
import shutil
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from ...schemas.unusable import Unusable
from . import supervisor
from .supervisor import CANCEL, EXIT, PLAN, REQUEST, STARTED, Held, held, put, synced, taken, write

_TOLD, _ID, _NEW = "told", "id", ".new-"
#: What is on other machines: a lock there is none, or not freed by a kill.
_REMOTE = ("nfs", "cifs", "smb", "9p", "afs", "ceph", "glusterfs", "lustre", "fuse.")
_MOUNTS = Path("/proc/self/mounts")
#: Isolated, without site packages: nothing but the standard library, and quick.
_SUPERVISOR = (sys.executable, "-I", "-S", supervisor.__file__)


class UnusableSpool(Unusable):
    """The folder cannot be a spool, and why."""


class Plan(NamedTuple):
    """What runs."""

    command: Sequence[str]
    timeout_s: float
    directory: str | None  #: none: the job's folder


class Spool:
    """One folder."""

    def __init__(self, root: Path, environment: Mapping[str, str] = MappingProxyType({})) -> None:
        """``environment``: of commands, beside that of this process."""
        self._root, self._environment = root.absolute(), environment
        self._ended = set[str]()  #: folders are kept for days, and who waits asks twice a second: what has an end is not asked again
        try:
            self._root.mkdir(parents=True, exist_ok=True, mode=0o700)
            if remote := _remote(self._root):
                msg = f"{root} is on {remote}: locks hold on a local file system only; name a folder on a local disk"
                raise UnusableSpool(msg)
            for left in self._root.glob(f"{_NEW}*"):
                shutil.rmtree(left, ignore_errors=True)
            if held(self._root / _ID) is None:
                put(self._root / _ID, uuid.uuid4().hex)
            self.id: str = held(self._root / _ID)
        except OSError as error:
            msg = f"{root}: {error.strerror}"
            raise UnusableSpool(msg) from error

    def __contains__(self, job: str) -> bool:
        return (self._root / job).exists()

    def ensure(self, job: str, request: bytes, plan: Plan) -> Mapping[str, object]:
        """Make that it has been started; how it stands: its ``state``, and what else is known."""
        folder = self._root / job
        if not folder.exists():
            self._laid(job, request, plan)
        if end := held(folder / EXIT):
            return dict(end)
        try:
            lock = taken(folder)
        except Held:
            return {"state": "started" if (folder / STARTED).exists() else "requested"}
        try:
            if end := held(folder / EXIT):
                return dict(end)  # it ended between the two looks
            if (folder / STARTED).exists():
                put(folder / EXIT, {"state": "lost"})
                return {"state": "lost"}
        finally:
            os.close(lock)
        os.waitpid(os.posix_spawn(_SUPERVISOR[0], [*_SUPERVISOR, str(folder)], os.environ | self._environment), 0)  # it forks at once
        return {"state": "requested"}

    def lose(self, job: str) -> None:
        """Whatever became of it in another spool: here it is lost, and never run."""
        if job not in self:
            self._laid(job, b"", Plan((), 0, None), {"state": "lost"})

    def cancel(self, job: str) -> None:
        """It is to end, or never to begin."""
        with suppress(FileNotFoundError):
            (self._root / job / CANCEL).touch(0o600)

    def told(self, job: str) -> None:
        """Its end has been read back."""
        with suppress(FileNotFoundError, FileExistsError):  # each process reads it back again: its days count from the first time
            (self._root / job / _TOLD).touch(0o600, exist_ok=False)

    def forget(self, older_than_s: float) -> None:
        """Remove those whose ends were read back so long ago."""
        for mark in self._root.glob(f"*/{_TOLD}"):
            with suppress(OSError):
                if time.time() - mark.stat().st_mtime > older_than_s:
                    gone = mark.parent.rename(self._root / f"{_NEW}gone-{mark.parent.name}")
                    shutil.rmtree(gone, ignore_errors=True)

    def running(self) -> set[str]:
        """Jobs that have a folder, and no end, and do not get one here: of what the log calls over nobody asks any more."""
        with os.scandir(self._root) as found:
            folders = {one.name for one in found if one.is_dir() and not one.name.startswith(".")}
        self._ended = {job for job in folders if job in self._ended or self._is_over(self._root / job)}
        return folders - self._ended

    def _is_over(self, folder: Path) -> bool:
        """Whether it has an end. Nobody has its lock, and it had begun, or its end has been told: it has one now, and never runs again."""
        if (folder / EXIT).exists():
            return True
        if not (folder / STARTED).exists() and not (folder / _TOLD).exists():
            return False  # a supervisor may be on its way, and is to find the lock free
        try:
            lock = taken(folder)
        except (Held, OSError):
            return False
        try:
            if not (folder / EXIT).exists():
                put(folder / EXIT, {"state": "lost" if (folder / STARTED).exists() else "cancelled"})
        except OSError:
            return False  # a full disk
        finally:
            os.close(lock)
        return True

    def _laid(self, job: str, request: bytes, plan: Plan, end: object = None) -> None:
        """The folder gets its name when all is in it. A disk that is full leaves none."""
        new = self._root / f"{_NEW}{job}-{os.getpid()}"
        shutil.rmtree(new, ignore_errors=True)
        try:
            new.mkdir(mode=0o700)
            write(new / REQUEST, request)
            put(new / PLAN, plan._asdict())
            if end is not None:
                put(new / EXIT, end)
            new.rename(self._root / job)
        except OSError:
            shutil.rmtree(new, ignore_errors=True)
            raise
        synced(self._root)


def _remote(folder: Path) -> str | None:
    """The kind of file system of a folder, if it is one over a network. Where the system does not say, it is believed."""
    try:
        lines = [line.split() for line in _MOUNTS.read_text().splitlines()]
    except OSError:
        return None
    here = folder.resolve()
    found = max(((len(at), kind) for _, at, kind, *_ in lines if here.is_relative_to(at.replace("\\040", " "))), default=(0, ""))[1]
    return found if found.startswith(_REMOTE) else None
