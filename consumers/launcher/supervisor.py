"""The process that starts one command and sees its end: ``python -I -S supervisor.py FOLDER``. The standard library is all it has.

*Guarantee.* At most one command becomes of a folder. Whoever has the folder's lock may start it, once: `started.json` is written by the
process that becomes the command, just before it does. The command inherits the lock. So it is held as long as this process or the command
lives, and no longer: the kernel frees it, also at a kill and at a reboot. No process id is believed, and no heartbeat is needed.

*Trap.* What the command leaves behind in the background may hold the lock. `exit.json` goes before it.
"""

import fcntl
import json
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

REQUEST, PLAN, LOCK, OUTPUT = "request.json", "plan.json", "lock", "output.log"
STARTED, EXIT, CANCEL = "started.json", "exit.json", "cancel"
#: Seconds between SIGTERM and SIGKILL.
GRACE_S = 5.0
_LOOK_S = 0.05
#: What a shell says of a command that it cannot start.
_NO_COMMAND = 127


class Held(Exception):
    """Somebody has the lock."""


def taken(folder: Path) -> int:
    """The lock of a folder, as an open file; raises `Held`."""
    lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise Held from None
    except BaseException:
        os.close(lock)
        raise
    return lock


def put(file: Path, content: object) -> None:
    """All of it or nothing, even if the power goes."""
    new = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        write(new, json.dumps(content).encode())
        new.replace(file)
    finally:
        new.unlink(missing_ok=True)
    synced(file.parent)


def write(file: Path, content: bytes) -> None:
    """On the disk, and readable to nobody else."""
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def synced(folder: Path) -> None:
    """Its names are on the disk."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def held(file: Path) -> Any:  # whatever `put` was given
    """The content of a file; None where there is none."""
    try:
        return json.loads(file.read_bytes())
    except FileNotFoundError:
        return None


def supervise(folder: Path) -> None:
    """Start the command of a folder, unless it has been started; see its end."""
    try:
        lock = taken(folder)
    except Held:
        return
    if (folder / EXIT).exists():
        return
    if (folder / STARTED).exists():
        put(folder / EXIT, {"state": "lost"})
    elif (folder / CANCEL).exists():
        put(folder / EXIT, {"state": "cancelled"})
    else:
        plan = held(folder / PLAN)
        if (command := os.fork()) == 0:
            _become(folder, lock, plan)
        end = _end(folder, command, time.monotonic() + plan["timeout_s"])
        if (folder / STARTED).exists():  # else nothing ran: it may be tried again
            _told(folder / EXIT, end)


def _become(folder: Path, lock: int, plan: dict[str, Any]) -> None:
    """Be the command. In the child; never returns."""
    try:
        os.setpgid(0, 0)
        request = os.open(folder / REQUEST, os.O_RDONLY)
        output = os.open(folder / OUTPUT, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
        for mine, its in ((request, 0), (output, 1), (output, 2)):
            os.dup2(mine, its)
        os.set_inheritable(lock, True)
        put(folder / STARTED, {"at": time.time_ns() // 1_000_000})
        environment = os.environ | {"DRIFTBUS_JOB": folder.name, "DRIFTBUS_EVENT": str(folder / REQUEST)}
        os.chdir(plan["directory"] or folder)
        os.execvpe(plan["command"][0], plan["command"], environment)
    except BaseException as error:  # noqa: BLE001  # whatever it is, this process must go no further
        with suppress(OSError):
            os.write(2, f"driftbus: {plan['command'][0]}: {error}\n".encode(errors="replace"))
        os._exit(_NO_COMMAND)


def _end(folder: Path, command: int, until: float) -> dict[str, Any]:
    """Wait for it. Its time over, or cancelled: SIGTERM to its group, then SIGKILL."""
    with suppress(OSError):
        os.setpgid(command, command)  # whoever of the two comes first: a signal finds the group
    state, kill_at = None, 0.0
    while os.waitid(os.P_PID, command, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        if state is None:
            state = "cancelled" if (folder / CANCEL).exists() else "timed_out" if time.monotonic() > until else None
            if state is not None:
                _signalled(command, signal.SIGTERM)
                kill_at = time.monotonic() + GRACE_S
        elif time.monotonic() > kill_at:
            _signalled(command, signal.SIGKILL)
        time.sleep(_LOOK_S)
    if state is not None:
        _signalled(command, signal.SIGKILL)  # what is left of its group; nobody else can have this number before it is waited for
    code = os.waitstatus_to_exitcode(os.waitpid(command, 0)[1])
    ended = state or ("succeeded" if code == 0 else "failed")
    return {"state": ended, "code": code, "at": time.time_ns() // 1_000_000}


def _signalled(group: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _told(file: Path, end: dict[str, Any]) -> None:
    """Write it down; on a full disk keep the lock, so that nobody takes the command for lost, and try again."""
    while True:
        try:
            put(file, end)
        except OSError:
            time.sleep(0.2)
        else:
            return


def main(folder: Path) -> None:
    """Away from whoever called: a session of our own, nothing of his left open."""
    if os.fork():
        os._exit(0)
    os.setsid()
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(nothing, number)
    supervise(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
