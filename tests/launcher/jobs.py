"""Jobs for launchers, and how one waits for what becomes of them."""

import time
from collections.abc import Callable

import msgspec

from driftbus.consumers.launcher.seen import Job, Launcher, Seen


def job(number: int = 1, *, cancelling: bool = False, started: bool = False, **facts: object) -> Job:
    """One that asks for little."""
    name = f"{number:032x}"
    told = {"job": name, "model": "eta", **facts}
    return Job(name, msgspec.json.encode(told), told, 0, started, cancelling)


def until(look: Callable[[], bool], within_s: float = 30.0) -> None:
    """Look again and again until something holds; of what does not come, the test is told."""
    ends = time.monotonic() + within_s
    while not look():
        assert time.monotonic() < ends, "it did not come"
        time.sleep(0.02)


def ended(launcher: Launcher, one: Job, within_s: float = 30.0) -> Seen:
    """What a launcher says of a job in the end."""
    found: list[Seen] = []

    def look() -> bool:
        found.append(launcher.ensure(one))
        return found[-1].state not in ("requested", "started")

    until(look, within_s)
    return found[-1]
