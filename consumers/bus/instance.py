"""A name that belongs to one live process: a locked file says which.

A group on an embedded file is one process's, whoever reaches the file: the lock stands beside the file that its name leads to. Instances on
Kafka are named per machine, and their locks stand in a folder of the machine. Neither depends on TMPDIR, which differs between services and
containers.
"""

import errno
import fcntl
import hashlib
import logging
import os
import stat
from pathlib import Path

from .interface import BusError, InstanceInUse

_log = logging.getLogger(__name__)

#: Folders that all processes of a machine see alike: a service with a /tmp of its own has the first one in common with the others.
_OF_THE_MACHINE = (Path("/dev/shm"), Path("/var/tmp"), Path("/tmp"))
#: Of what is noted.
_LONGEST = 4096
#: Anybody may have put anything where a lock is to stand: nothing is followed, and nothing waited for (a FIFO's other end).
_SAFELY = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY

_held: dict[Path, tuple[int, int]] = {}  # file: (descriptor, claims on it by this process)


class Claim:
    """The claim of this process on a name, until `release` or its end: the lock goes with the process, also after kill -9.

    A second claim by the same process is granted (its sessions fence one another). What is noted in the file outlives the process.
    ``beside``: a file of which it is a part; else the name is one of this user on this machine.
    """

    def __init__(self, name: str, what: str, beside: str | None = None) -> None:
        digest = hashlib.sha256(name.encode()).hexdigest()[:16]
        if beside is None:
            self._file = _folder() / f"driftbus-{os.getuid()}-{digest}.lock"
        else:
            self._file = Path(f"{Path(beside).resolve()}-{digest}.lock")
        descriptor, claims = _held.get(self._file, (-1, 0))
        if not claims:
            descriptor = _opened(self._file, what, ours=beside is None)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                os.close(descriptor)
                where = "on this file" if beside else "of this machine"
                msg = f"{what} is held by another live process {where}: end that one, or give this one another name (instance:)"
                raise InstanceInUse(msg) from error
            except OSError as error:
                os.close(descriptor)
                msg = f"{what}: {self._file} cannot be locked ({error.strerror}); a file system with locks is needed"
                raise BusError(msg) from error
        _held[self._file] = descriptor, claims + 1

    def note(self, text: str) -> None:
        """Write down what a successor is to know; it goes on without, more slowly, where that cannot be written."""
        descriptor, content = _held[self._file][0], text.encode()
        try:
            os.ftruncate(descriptor, 0)  # nothing is better than a half
            if os.pwrite(descriptor, content, 0) < len(content):
                os.ftruncate(descriptor, 0)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            _log.warning("%s cannot be written to (%s): a successor waits until this process is missed", self._file, error.strerror)

    def noted(self) -> str:
        """What this process or its predecessor wrote down; empty if nothing, or if it cannot be read."""
        try:
            return os.pread(_held[self._file][0], _LONGEST, 0).decode(errors="replace")
        except OSError as error:
            _log.warning("%s cannot be read (%s)", self._file, error.strerror)
            return ""

    def release(self) -> None:
        """Give the name back; the file stays, for removing a locked file is a race."""
        descriptor, claims = _held.pop(self._file)
        if claims > 1:
            _held[self._file] = descriptor, claims - 1
        else:
            os.close(descriptor)


def _folder() -> Path:
    found = next((folder for folder in _OF_THE_MACHINE if folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)), None)
    if found is None:
        msg = f"none of {', '.join(map(str, _OF_THE_MACHINE))} can be written to: processes of one instance could not be told apart"
        raise BusError(msg)
    return found


def _opened(file: Path, what: str, *, ours: bool) -> int:
    """The lock's file, made if need be. Another user's may be locked too, if it can be read; not where the name is one user's."""
    try:
        try:
            descriptor = os.open(file, os.O_RDWR | os.O_CREAT | _SAFELY, 0o644)
        except PermissionError:
            descriptor = os.open(file, os.O_RDONLY | _SAFELY)
    except OSError as error:
        link = "; it is a link, or no file: remove it" if file.is_symlink() or file.exists() else ""
        msg = f"{what}: its lock {file} cannot be made ({error.strerror}){link or f'; let this user write to {file.parent}'}"
        raise BusError(msg) from error
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        problem = "no file"
    elif ours and found.st_uid != os.getuid():
        problem = f"another user's ({found.st_uid})"
    elif ours and found.st_nlink > 1:
        problem = "a file of another name, too"
    else:
        return descriptor
    os.close(descriptor)
    msg = f"{what}: its lock {file} is {problem}: remove it"
    raise BusError(msg)
