"""What has died keeps no room from others, whoever called it lost; what lives does; and nothing runs twice for it."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.launcher.command import CommandLauncher
from driftbus.consumers.launcher.launcher import Launching
from driftbus.consumers.launcher.spool import Plan, Spool
from driftbus.consumers.launcher.supervisor import put, supervise
from driftbus.schemas.configuration import Configuration

from ..waiting import until
from .jobs import ended, job
from .test_command import Place
from .worlds import facts, launching, prepared, request, say, settings_of, status, turned_until

APPLICATION = "app"
_RAN = "import os; open({ran!r}, 'a').write(os.environ['DRIFTBUS_JOB'] + '\\n'); "
_WAITS = _RAN + "import time\nwhile not os.path.exists({go!r}): time.sleep(0.02)"


@pytest.fixture
def bus() -> Iterator[EmbeddedBus]:
    with closing(EmbeddedBus(":memory:", APPLICATION, "one")) as one:
        yield one


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def settled(bus: EmbeddedBus, place: Place) -> Configuration:
    run = [sys.executable, "-I", "-S", "-c", _WAITS.format(ran=str(place.ran), go=str(place.folder / "go"))]
    found = settings_of(
        place.folder, {"command": {"run": run, "spool": str(place.folder / "spool"), "at_once": 1}}, application=APPLICATION
    )
    prepared(bus, found)
    return found


def killed(place: Place, *which: str) -> None:
    for of in which:
        pid = place.pid(of)
        os.kill(pid, signal.SIGKILL)
        until(lambda: place.pid(of) != pid)  # noqa: B023  # called at once


def started(one: Launching, bus: EmbeddedBus, settings: Configuration, place: Place, name: str) -> None:
    turned_until(one, bus, settings, [(name, "started")])
    until(lambda: name in place.ran.read_text())


def test_one_whose_supervisor_alone_was_killed_makes_room_when_its_command_ends(bus: EmbeddedBus, place: Place) -> None:
    settings = settled(bus, place)
    first, second = request(settings, 1), request(settings, 2)
    say(bus, settings, first)
    one = launching(bus, settings)
    started(one, bus, settings, place, first.job)
    killed(place, "supervisor")
    say(bus, settings, status(first, "lost"), second)
    one.finish()
    until(lambda: (one.turn(0.01), one.done)[1])
    assert [fact for fact in facts(bus, settings) if fact.job == second.job] == [], "the first one's command lives"
    (place.folder / "go").touch()
    turned_until(one, bus, settings, [(second.job, "succeeded")])
    one.close()
    assert place.ran.read_text().split() == [first.job, second.job]


@pytest.mark.parametrize("which", [("supervisor", "command"), ("command",)])
def test_one_that_died_while_nobody_looked_makes_room_at_once(bus: EmbeddedBus, place: Place, which: tuple[str, ...]) -> None:
    settings = settled(bus, place)
    first, second = request(settings, 1), request(settings, 2)
    say(bus, settings, first)
    one = launching(bus, settings)
    started(one, bus, settings, place, first.job)
    one.close()
    killed(place, *which)
    say(bus, settings, status(first, "lost"), second)
    (place.folder / "go").touch()
    one = launching(bus, settings)
    turned_until(one, bus, settings, [(second.job, "succeeded")])
    one.close()
    assert place.ran.read_text().split() == [first.job, second.job]


@pytest.mark.parametrize(
    ("left", "told", "room"),
    [
        (("started.json",), True, True),
        (("started.json", "cancel"), True, True),
        (("started.json", "lock"), True, True),
        (("started.json",), False, True),
        (("lock",), True, True),
        (("cancel",), True, True),
        ((), True, True),
        ((), False, False),
        (("lock", "cancel"), False, False),
    ],
)
def test_whatever_a_power_cut_leaves(place: Place, left: tuple[str, ...], room: bool, *, told: bool) -> None:
    """Of what may still be begun the room is kept; what keeps none is never begun."""
    launcher = place.launcher(most=1)
    folder = place.folder / "spool" / job(1).id
    folder.mkdir()
    (folder / "request.json").write_bytes(job(1).event)
    put(folder / "plan.json", Plan((sys.executable, "-I", "-S", "-c", _RAN.format(ran=str(place.ran))), 60, None)._asdict())
    for name in left:
        (folder / name).write_text('{"at": 1}' if name == "started.json" else "")
    if told:
        launcher.closed(job(1).id)
    assert (launcher.ensure(job(2)).why == "it waits for others to end") != room
    if not room:
        assert ended(launcher, job(1)).state in ("succeeded", "cancelled")
    before = place.times
    assert ended(launcher, job(2)).state == "succeeded"
    assert place.times == before + 1
    supervise(folder)  # one that was on its way, and comes late
    assert place.times == before + 1


def test_what_lives_keeps_its_room_though_it_was_told(place: Place) -> None:
    launcher = place.launcher(f"import time\nwhile not os.path.exists('{place.folder}/go'): time.sleep(0.02)", most=1)
    until(lambda: launcher.ensure(job(1)).state == "started" and place.times == 1)
    launcher.closed(job(1).id)
    assert launcher.ensure(job(2)).why == "it waits for others to end"
    assert CommandLauncher(Spool(place.folder / "spool"), Plan(("true",), 60, None), 1).ensure(job(2)).why, "of another process too"
    (place.folder / "go").touch()
    assert ended(launcher, job(2)).state == "succeeded"
    assert place.times == 2
