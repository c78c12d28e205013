"""An embedded group is one process's, whatever either of two processes takes for its temporary folder, or calls the file."""

import json
import os
import resource
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from driftbus.consumers.bus import instance
from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.instance import Claim
from driftbus.consumers.bus.interface import BusError, InstanceInUse

from .worlds import Followed

_CHILD = """
import json, sys
from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.instance import Claim
class Follows:
    def assigned(self, partitions): return {}
    def revoked(self, partitions): pass
file, group = sys.argv[1:]
try:
    held = EmbeddedBus(file, "app", "one").session(group, ["in"], Follows()) if file else Claim(group, "the name")
    print(json.dumps(["held", ""]), flush=True)
    sys.stdin.read()
except Exception as error:
    print(json.dumps([type(error).__name__, str(error)]), flush=True)
"""
#: Names of one file, given the folder that it is in.
NAMES: dict[str, Callable[[Path], str]] = {
    "the same": lambda folder: str(folder / "bus.sqlite"),
    "relative": lambda folder: os.path.relpath(folder / "bus.sqlite"),
    "a symlink": lambda folder: linked(folder, folder / "other/link.sqlite", folder / "bus.sqlite"),
    "through a linked folder": lambda folder: linked(folder, folder / "other/folder", folder) + "/bus.sqlite",
}


def linked(folder: Path, link: Path, to: Path) -> str:
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(to)
    return str(link)


class Process:
    """A process with a temporary folder of its own, which claims a group and waits."""

    def __init__(self, folder: Path, file: str, group: str = "r") -> None:
        own = tempfile.mkdtemp(dir=folder)
        command = [sys.executable, "-c", _CHILD, file, group]
        pipes = subprocess.PIPE
        self._child = subprocess.Popen(command, env={**os.environ, "TMPDIR": own}, stdin=pipes, stdout=pipes, text=True)
        assert self._child.stdout is not None
        self.kind, self.text = json.loads(self._child.stdout.readline())
        self.left = list(Path(own).iterdir())

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, *_: object) -> None:
        self._child.communicate("", timeout=60)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    bus = EmbeddedBus(str(tmp_path / "bus.sqlite"), "app", "maker")
    bus.create("in", 1)
    bus.close()
    return tmp_path


def test_a_group_is_one_process_s_whatever_the_temporary_folder_and_the_name(folder: Path) -> None:
    with Process(folder, str(folder / "bus.sqlite")) as one:
        assert (one.kind, one.left) == ("held", [])
        with Process(folder, str(folder / "bus.sqlite")) as two:
            assert (two.kind, two.left) == ("InstanceInUse", [])
        for name in NAMES.values():
            bus = EmbeddedBus(name(folder), "app", "one")
            with pytest.raises(InstanceInUse, match="held by another live process on this file"):
                bus.session("r", ["in"], Followed())
            bus.session("another", ["in"], Followed())
            bus.close()
    bus = EmbeddedBus(str(folder / "bus.sqlite"), "app", "one")
    bus.session("r", ["in"], Followed())  # the lock went with the process
    bus.close()


def test_two_names_of_one_file_are_refused(folder: Path) -> None:
    os.link(folder / "bus.sqlite", folder / "again.sqlite")
    for name in ("bus.sqlite", "again.sqlite"):
        with pytest.raises(BusError, match="has 2 names"):
            EmbeddedBus(str(folder / name), "app", "one")
    (folder / "again.sqlite").unlink()
    EmbeddedBus(str(folder / "bus.sqlite"), "app", "one").close()


def test_a_name_on_this_machine_does_not_depend_on_the_temporary_folder(tmp_path: Path) -> None:
    name = f"of {tmp_path}"
    with Process(tmp_path, "", name) as one:
        assert one.kind == "held"
        with pytest.raises(InstanceInUse, match="of this machine"):
            Claim(name, "the name")
        assert one.left == []
    claim = Claim(name, "the name")
    claim.note("who it was")
    claim.release()
    again = Claim(name, "the name")
    assert again.noted() == "who it was"
    again.release()


PUT_THERE: dict[str, Callable[[Path, Path], object]] = {
    "a link to a file": lambda lock, other: lock.symlink_to(other),
    "a link to nothing": lambda lock, other: lock.symlink_to(other / "nothing"),
    "a hard link": lambda lock, other: lock.hardlink_to(other),
    "a FIFO": lambda lock, other: os.mkfifo(lock),
    "a folder": lambda lock, other: lock.mkdir(),
    "a socket": lambda lock, other: os.mknod(lock, stat.S_IFSOCK | 0o600),
}


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the machine's locks stand."""
    folder = tmp_path / "shm"
    folder.mkdir()
    monkeypatch.setattr(instance, "_OF_THE_MACHINE", (folder,))
    return folder


def lock_of(machine: Path, name: str) -> Path:
    """Where the lock of a name stands."""
    Claim(name, "the name").release()
    [lock] = machine.iterdir()
    lock.unlink()
    return lock


@pytest.mark.parametrize("put", PUT_THERE.values(), ids=PUT_THERE)
def test_what_somebody_put_where_a_lock_is_to_stand_is_refused_and_not_touched(
    machine: Path, tmp_path: Path, put: Callable[[Path, Path], object]
) -> None:
    lock, other = lock_of(machine, "name"), tmp_path / "other"
    other.write_text("of somebody")
    put(lock, other)
    with pytest.raises(BusError, match="remove it") as refused:
        Claim("name", "the name").note("who it was")
    assert str(lock) in str(refused.value)
    assert other.read_text() == "of somebody"


def test_another_users_lock_is_not_taken_for_ones_own(machine: Path) -> None:
    if os.getuid() != 0:
        lock_of(machine, "name").symlink_to("/etc/hostname")  # this user can make no other's
    else:
        lock = lock_of(machine, "name")
        lock.write_text("a member of somebody's choosing")
        os.chown(lock, 65534, 65534)
    with pytest.raises(BusError, match="remove it"):
        Claim("name", "the name")


def test_what_cannot_be_noted_ends_nobody(machine: Path, caplog: pytest.LogCaptureFixture) -> None:
    claim = Claim("name", "the name")
    claim.note("before")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3, before[1]))  # as on a full disk
    try:
        claim.note("longer than that")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "cannot be written to" in caplog.text
    assert claim.noted() == ""
    claim.note("short")
    assert claim.noted() == "short"
    claim.release()


@pytest.mark.parametrize("becomes", [None, "a link to a file", "a FIFO", "a folder"])
def test_a_lock_that_vanishes_ends_nobody(machine: Path, tmp_path: Path, becomes: str | None) -> None:
    """Some systems clean up behind a user who logs out, and somebody may put something there then."""
    claim = Claim("name", "the name")
    [lock] = machine.iterdir()
    lock.unlink()
    other = tmp_path / "other"
    other.write_text("of somebody")
    if becomes is not None:
        PUT_THERE[becomes](lock, other)
    claim.note("who it was")
    assert claim.noted() == "who it was"
    assert other.read_text() == "of somebody"
    claim.release()


def test_what_is_noted_replaces_what_was(machine: Path) -> None:
    claim = Claim("name", "the name")
    for text in ("a long one", "short", "", "ä\ud7ff", "x" * 1000):
        claim.note(text)
        assert claim.noted() == text
    claim.release()


def as_nobody(attempt: Callable[[], object]) -> str:
    """What an attempt says to somebody who is not root."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if os.getuid() == 0:
                os.setgid(65534)
                os.setuid(65534)
            attempt()
            said = "nothing"
        except BusError as error:
            said = str(error)
        except OSError as error:
            said = f"not a BusError: {error!r}"
        os.write(write, said.encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as answer:
        said = answer.read()
    os.waitpid(child, 0)
    return said


@pytest.mark.parametrize("there", [True, False])
def test_a_folder_that_cannot_be_written_to_is_said(folder: Path, there: bool) -> None:
    if not there:
        for file in folder.glob("bus.sqlite*"):
            file.unlink()
    for part in (*(above for above in folder.parents if "pytest-of-" in str(above)), folder):  # the tests' own
        part.chmod(part.stat().st_mode | 0o055)
    folder.chmod(0o555)
    said = as_nobody(lambda: EmbeddedBus(str(folder / "bus.sqlite"), "app", "one").session("r", ["in"], Followed()))
    folder.chmod(0o755)
    assert f"let this user write to it and to {folder}" in said


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(BusError, match="there is no folder"):
        EmbeddedBus(str(tmp_path / "none/bus.sqlite"), "app", "one")
