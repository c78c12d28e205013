"""Many Jobs on a real control plane: made at once, removed, and made while its API server is killed."""

import shlex
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from driftbus.consumers.launcher.kubernetes_job import name_of
from driftbus.consumers.launcher.seen import Seen

from ..waiting import until
from .jobs import ended, job
from .real import LONG_S, World

#: Seconds of work between two kills of the API server.
_BETWEEN_S = 2.0


def under_a_quota(world: World) -> str:
    """Calls that change a quota at once are refused as a conflict: that is none about the name."""
    hard = {"count/jobs.batch": "1000", "count/configmaps": "1000"}
    world.place.core.create_namespaced_resource_quota(world.place.name, {"metadata": {"name": "many"}, "spec": {"hard": hard}})
    numbers, said = range(100, 140), list[Seen]()
    with ThreadPoolExecutor(8) as pool:
        states = set(pool.map(lambda number: _run(world, number, said.append), numbers))
    conflicts = [one for one in said if one.why.startswith("HTTP 409")]
    world.place.core.delete_namespaced_resource_quota("many", world.place.name)
    assert states == {"succeeded"}, states
    world.once(*numbers)
    return f"{len(numbers)} Jobs by eight at once, each once; {len(conflicts)} conflicts"


def what_ended_is_removed(world: World) -> str:
    """More than a page of a list; what runs stays, and what is open."""
    launcher = world.launcher("hangs")
    numbers = range(200, 310)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: ended(world.launcher(), job(number, cancelling=True), LONG_S), numbers))
    assert launcher.ensure(job(310)).state == "started"
    launcher.clean(())
    assert _left(world, *numbers) == set(numbers), "of days ago there is none"
    launcher.kept = timedelta()
    launcher.clean({job(200).id})
    until(lambda: _left(world, *numbers, 310) == {200, 310}, LONG_S)
    events = {one.metadata.name for one in world.place.core.list_namespaced_config_map(world.place.name).items}
    assert not events & {name_of(job(number).id) for number in numbers if number > 200}
    return f"{len(numbers) - 1} Jobs and their events, in two pages"


def the_api_is_killed(world: World) -> str:
    """In the middle of calls, again and again."""
    assert world.restart is not None
    numbers, said = range(400, 440), list[Seen]()
    with ThreadPoolExecutor(4) as pool:
        running = [pool.submit(_run, world, number, said.append) for number in numbers]
        kills = 0
        while not all(one.done() for one in running):
            time.sleep(_BETWEEN_S)
            subprocess.run(shlex.split(world.restart), check=True, stdout=subprocess.DEVNULL)
            kills += 1
        states = {one.result() for one in running}
    assert states == {"succeeded"}, states
    world.once(*numbers)
    return f"{kills} kills, {len(numbers)} Jobs, each once; said meanwhile: {sorted({one.why[:60] for one in said} - {''})}"


def _run(world: World, number: int, told: Callable[[Seen], None]) -> str:
    """The end of one; all that is said of it is told."""
    launcher = world.launcher()

    def look() -> bool:
        seen.append(launcher.ensure(job(number)))
        told(seen[-1])
        return seen[-1].ended

    seen = list[Seen]()
    until(look, 10 * LONG_S)
    return seen[-1].state


def _left(world: World, *numbers: int) -> set[int]:
    here = {one.metadata.name for one in world.place.batch.list_namespaced_job(world.place.name).items}
    return {number for number in numbers if name_of(job(number).id) in here}
