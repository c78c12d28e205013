"""A command runs once for each job, whoever dies: or the job is lost."""

import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from pydantic import ValidationError

from driftbus.consumers.launcher import spool as spools
from driftbus.consumers.launcher.command import CommandLauncher
from driftbus.consumers.launcher.launcher import starting
from driftbus.consumers.launcher.spool import Plan, Spool, UnusableSpool
from driftbus.consumers.launcher.supervisor import put
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.configuration.launchers import Command

from ..waiting import until
from .jobs import ended, job

#: Writes a line each time it runs, and what it was given.
SCRIPT = """
import os, sys, json, signal, time
open("{ran}", "a").write(os.environ["DRIFTBUS_JOB"] + "\\n")
event = sys.stdin.read()
assert event == open(os.environ["DRIFTBUS_EVENT"]).read()
open("{ran}.event", "w").write(event)
open("{ran}.argv", "wb").write(open("/proc/self/cmdline", "rb").read())
exec({then!r})
"""


class Place:
    """A spool in a folder, and what its command did."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.ran = folder, folder / "ran"

    def launcher(self, then: str = "", *, timeout_s: float = 60, most: int = 4, command: Sequence[str] = ()) -> CommandLauncher:
        script = SCRIPT.format(ran=self.ran, then=then)
        plan = Plan(command or (sys.executable, "-I", "-S", "-c", script), timeout_s, None)
        return CommandLauncher(Spool(self.folder / "spool"), plan, most)

    @property
    def times(self) -> int:
        return len(self.ran.read_text().splitlines()) if self.ran.exists() else 0

    def pid(self, of: str) -> int:
        """Of the process that has a command, or of its supervisor: by what it was called with."""
        for one in Path("/proc").iterdir():
            if one.name.isdecimal():
                try:
                    called, status = (one / "cmdline").read_bytes(), (one / "stat").read_text()
                except OSError:
                    continue
                if str(self.folder).encode() in called and (b"supervisor.py" in called) == (of == "supervisor") and ") Z" not in status:
                    return int(one.name)
        return 0


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_it_runs_once_with_the_event_on_its_input_and_as_a_file(place: Place) -> None:
    evil = job(note='a"; rm -rf / #\n$(id)')
    assert ended(place.launcher(), evil).state == "succeeded"
    assert place.times == 1
    assert (place.folder / "ran.event").read_bytes() == evil.event
    assert b"rm -rf" not in (place.folder / "ran.argv").read_bytes()
    assert place.launcher().ensure(evil).state == "succeeded", "another process reads it from the spool"
    assert place.times == 1


def test_what_it_exits_with_is_told_and_what_it_writes_is_not(place: Place) -> None:
    seen = ended(place.launcher("print('a secret'); sys.exit(3)"), job())
    assert (seen.state, seen.why) == ("failed", "exit code 3")
    assert "a secret" in (place.folder / "spool" / job().id / "output.log").read_text()


def test_no_such_command(place: Place) -> None:
    assert ended(place.launcher(command=("/no/such/command",)), job())[:2] == ("failed", "exit code 127")


def test_at_most_so_many_at_once_and_the_others_wait(place: Place) -> None:
    launcher = place.launcher("time.sleep(.3)", most=1)
    launcher.ensure(job(1))
    assert launcher.ensure(job(2)).why == "it waits for others to end"
    assert ended(launcher, job(1)).state == ended(launcher, job(2)).state == "succeeded"


def test_its_time_is_over(place: Place) -> None:
    assert ended(place.launcher("time.sleep(60)", timeout_s=0.3), job()).state == "timed_out"


def test_what_ignores_to_be_told_is_killed_and_its_children_with_it(place: Place) -> None:
    then = f"signal.signal(signal.SIGTERM, signal.SIG_IGN); os.fork(); open('{place.ran}', 'a').write('x'); time.sleep(60)"
    launcher = place.launcher(then)
    until(lambda: launcher.ensure(job()).state == "started")
    until(lambda: place.ran.exists() and place.ran.read_text().count("x") == 2)
    assert ended(launcher, job(cancelling=True)).state == "cancelled"
    until(lambda: not place.pid("command"))


def test_cancelled_before_it_began_it_never_begins(place: Place) -> None:
    assert place.launcher().ensure(job(cancelling=True)).state == "cancelled"
    assert place.times == 0
    assert job().id not in Spool(place.folder / "spool")


def test_its_supervisor_is_killed(place: Place) -> None:
    launcher = place.launcher(f"time.sleep(60) if not os.path.exists('{place.folder}/go') else None")
    until(lambda: launcher.ensure(job()).state == "started" and place.times == 1)
    os.kill(place.pid("supervisor"), signal.SIGKILL)
    until(lambda: not place.pid("supervisor"))
    assert launcher.ensure(job()).state == "started", "the command lives, and holds the lock"
    os.kill(place.pid("command"), signal.SIGKILL)
    assert ended(launcher, job()).state == "lost"
    assert ended(place.launcher(), job()).state == "lost", "for ever"
    assert place.times == 1


def test_what_it_leaves_behind_holds_the_lock_and_holds_nothing_up(place: Place) -> None:
    launcher = place.launcher("time.sleep(20) if os.fork() == 0 else None")
    assert ended(launcher, job(), 10).state == "succeeded"
    os.kill(place.pid("command"), signal.SIGKILL)


def test_a_disk_that_is_full_at_the_start(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left of the attempt is no job."""
    launcher = place.launcher()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(spools, "put", full)
        assert launcher.ensure(job()).state == "requested"
        assert [one.name for one in (place.folder / "spool").iterdir()] == ["id"]
    assert ended(launcher, job()).state == "succeeded"
    assert place.times == 1


def test_a_process_that_died_while_it_laid_a_job_left_none(place: Place) -> None:
    left = place.folder / "spool" / f".new-{job().id}-1"
    left.mkdir(parents=True)
    (left / "request.json").write_text("half")
    assert ended(place.launcher(), job()).state == "succeeded"
    assert not left.exists()


def test_folders_go_days_behind_the_reading_back_of_their_ends(place: Place) -> None:
    launcher, spool = place.launcher(), Spool(place.folder / "spool")
    ended(launcher, job(1))
    ended(launcher, job(2))
    launcher.closed(job(1).id)
    launcher.clean(())
    assert job(1).id in spool
    spool.forget(-1)
    assert job(1).id not in spool
    assert job(2).id in spool, "its end has not been read back"


def test_what_is_lost_in_another_spool_never_runs_here(place: Place) -> None:
    Spool(place.folder / "spool").lose(job().id)
    assert place.launcher().ensure(job()).state == "lost"
    assert place.times == 0


def test_a_spool_keeps_its_name(place: Place) -> None:
    assert Spool(place.folder / "spool").id == Spool(place.folder / "spool").id != Spool(place.folder / "other").id


@pytest.mark.parametrize(("kind", "remote"), [("nfs4", True), ("ext4", False), ("fuse.sshfs", True)])
def test_locks_do_not_hold_on_other_machines(tmp_path: Path, kind: str, remote: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/root / ext4 rw 0 0\nhost:/x {tmp_path} {kind} rw 0 0\n")
    monkeypatch.setattr(spools, "_MOUNTS", mounts)
    if remote:
        with pytest.raises(UnusableSpool, match="local file system"):
            Spool(tmp_path / "spool")
    else:
        Spool(tmp_path / "spool")


@pytest.mark.parametrize(
    ("spool", "why"),
    [("file", "Not a directory"), ("file/below", "Not a directory"), ("/proc/nowhere", "No such file"), ("x" * 300, "too long")],
)
def test_a_folder_that_can_be_no_spool_is_told_with_the_path_of_its_key(tmp_path: Path, spool: str, why: str) -> None:
    (tmp_path / "file").touch()
    launchers = {"nightly": {"command": {"run": ["true"], "spool": str(tmp_path / spool)}}}
    settings = Configuration.model_validate({"application": "a", "streams": {"s": {"topics": ["t"]}}, "launchers": launchers})
    with pytest.raises(UnusableSpool, match=f"launchers\\.nightly\\.command\\.spool: .*{why}"):
        starting(settings, "nightly", lambda: 0)


def test_all_or_nothing_is_written(tmp_path: Path) -> None:
    put(tmp_path / "a", {"state": "lost"})
    with pytest.raises(TypeError):
        put(tmp_path / "a", object())
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("a", '{"state": "lost"}')]


@pytest.mark.parametrize("environment", [{"": "x"}, {"A=B": "x"}, {"A\0": "x"}, {"A": "x\0y"}])
def test_an_environment_that_no_process_can_have_is_refused_at_start(environment: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="environment"):
        Command(run=("true",), environment=environment)


def test_the_days_of_a_folder_count_from_the_first_reading_back(place: Place) -> None:
    """Each process reads all ends back again: one that is started every day would keep every folder."""
    launcher, spool = place.launcher(), Spool(place.folder / "spool")
    ended(launcher, job())
    launcher.closed(job().id)
    old = time.time() - 8 * 86_400
    os.utime(place.folder / "spool" / job().id / "told", (old, old))
    place.launcher().closed(job().id)
    launcher.clean(())
    assert job().id not in spool


def test_what_runs_is_known_by_folders_without_an_end(place: Place) -> None:
    launcher, spool = place.launcher("time.sleep(60)"), Spool(place.folder / "spool")
    assert spool.running() == set()
    until(lambda: {launcher.ensure(job(number)).state for number in range(2)} == {"started"})
    spool.lose(job(2).id)
    for _ in range(2):
        assert spool.running() == {job(0).id, job(1).id}
    ended(launcher, job(0, cancelling=True))
    assert spool.running() == {job(1).id}
    launcher.closed(job(0).id)
    spool.forget(-1)
    assert spool.running() == {job(1).id}
    ended(launcher, job(1, cancelling=True))
    assert spool.running() == set()
