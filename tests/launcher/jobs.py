"""Jobs for launchers, and how one waits for what becomes of them."""

import msgspec

from driftbus.consumers.launcher.seen import Job, Launcher, Seen

from ..waiting import until


def job(number: int = 1, *, cancelling: bool = False, started: bool = False, **facts: object) -> Job:
    """One that asks for little."""
    name = f"{number:032x}"
    told = {"job": name, "model": "eta", **facts}
    return Job(name, msgspec.json.encode(told), told, 0, started, cancelling)


def ended(launcher: Launcher, one: Job, within_s: float = 30.0) -> Seen:
    """What a launcher says of a job in the end."""
    found: list[Seen] = []

    def look() -> bool:
        found.append(launcher.ensure(one))
        return found[-1].state not in ("requested", "started")

    until(look, within_s)
    return found[-1]
