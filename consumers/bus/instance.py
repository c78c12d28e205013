"""An instance's name belongs to one live process of a machine: a locked file says which."""

import fcntl
import hashlib
import os
import tempfile
from pathlib import Path

from .interface import InstanceInUse

_held: dict[Path, tuple[int, int]] = {}  # file: (descriptor, claims on it by this process)


class Claim:
    """The claim of this process on a name, until `release` or its end: the lock goes with the process, also after kill -9.

    A second claim by the same process is granted (its sessions fence one another). What is noted in the file outlives the process.
    """

    def __init__(self, name: str, what: str) -> None:
        digest = hashlib.sha256(name.encode()).hexdigest()[:16]
        self._file = Path(tempfile.gettempdir()) / f"driftbus-{os.getuid()}-{digest}.lock"
        descriptor, claims = _held.get(self._file, (-1, 0))
        if not claims:
            descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                os.close(descriptor)
                msg = f"{what} is held by another live process of this machine: end that one, or give this one another name (instance:)"
                raise InstanceInUse(msg) from error
        _held[self._file] = descriptor, claims + 1

    def note(self, text: str) -> None:
        """Write down what a successor is to know."""
        self._file.write_text(text)

    def noted(self) -> str:
        """What this process or its predecessor wrote down; empty if nothing."""
        return self._file.read_text()

    def release(self) -> None:
        """Give the name back; the file stays, for removing a locked file is a race."""
        descriptor, claims = _held.pop(self._file)
        if claims > 1:
            _held[self._file] = descriptor, claims - 1
        else:
            os.close(descriptor)
