"""What the closed loop came to: the jobs and versions as they went, a table of all policies, and a picture."""

import time
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

import click
import numpy as np

from ...schemas.messages.root_cause import RootCauseEvent
from ..console.screen import Table, Terminal
from ..reference.building.messages import epoch_ms
from ..reference.files import written_whole
from ..reference.scratch import scratch
from ..replay.event_line import short_id
from ..replay.terminal import Styled
from .loop import AFTER, GATED, NAIVE, Fault, Loop, Story, play
from .loop_picture import Drawn, Forbidden, draw
from .policies import DAY, Played
from .timetable import SPOILT, log_loss, losses

WEEK = 7 * DAY
#: The month and day on which the fault begins, if nobody says another.
FAULT = "07-08"
#: Causes that are the pipeline's: while one is confirmed nothing is trained.
_FAULTS = ("training_serving_skew", "feature_unavailability")


def run_loop(folder: Path, terminal: Terminal, seed: int, fault: str) -> None:
    """Play the year and tell it; the picture goes into the folder. ``fault``: MM-DD."""
    began = time.perf_counter()
    try:
        start = epoch_ms(f"2013-{fault}T00:00Z")
    except ValueError:
        msg = f"--fault {fault}: write MM-DD, a day of 2013, such as 09-09"
        raise click.UsageError(msg) from None
    terminal.say(
        "2013 in New York: every second flight; a model of January answers before they leave, without knowing the delay at departure"
    )
    with scratch("loop") as place:
        loop = play(Path(place), terminal, Story(seed, Fault(start)))
    tell(loop, terminal)
    if find_spec("matplotlib"):
        with written_whole(folder / "loop.png") as place:
            picture(loop, place)
        terminal.say("picture: loop.png")
    terminal.say(f"{time.perf_counter() - began:.0f} s")


def tell(loop: Loop, terminal: Terminal) -> None:
    """In the order of time; then the table."""
    lines = [
        *_jobs(loop),
        *_versions(loop),
        *((one.start, f"FORBIDDEN  {one.text}, until {_day(one.end)}") for one in forbidden(loop.causes)),
    ]
    lines.append((loop.fault.start, f"INJECTED   {', '.join(SPOILT)} come as hours and minutes, until {_day(loop.fault.end)}"))
    for when, text in sorted(lines):
        terminal.say(Styled(_day(when), "dim"), f"  {text}")
    terminal.say()
    table = Table("policy", "jobs", "changes of the model", "log loss without the fault's week", "in it", "in the 3 weeks after")
    for name, played in loop.policies.items():
        table.row(name, str(loop.jobs_of(name)), str(len(played.changes)), *(f"{loss:.4f}" for loss in _losses(loop, played)))
    terminal.table(table)


def _losses(loop: Loop, played: Played) -> Iterator[float]:
    """Without the fault's week, in it, and behind it."""
    flights, (start, end) = loop.flights, (loop.fault.start, loop.fault.end)
    there = flights.known & ~np.isnan(played.score)
    during = (flights.scheduled >= start) & (flights.scheduled < end)
    behind = (flights.scheduled >= end) & (flights.scheduled < end + AFTER)
    for rows in (there & ~during, there & during, there & behind):
        yield log_loss(played.score[rows], flights.late[rows])


def _jobs(loop: Loop) -> Iterator[tuple[int, str]]:
    for name, job in loop.jobs.items():
        states = ", ".join(dict.fromkeys(status.state for status in job.statuses))
        yield job.statuses[0].time, f"JOB        {short_id(name)}  {job.last.policy}: {states}"


def _versions(loop: Loop) -> Iterator[tuple[int, str]]:
    for said in loop.steps:
        yield said.time, f"{said.step.replace('_', ' ').upper():<10} {short_id(said.version)}  {said.reason}"


def forbidden(causes: Sequence[RootCauseEvent]) -> Iterator[Forbidden]:
    """From when to when what is wrong with a feature forbade every job, by confirmed incident; and whom it names."""
    incidents: dict[str, list[RootCauseEvent]] = {}
    for cause in causes:
        incidents.setdefault(cause.incident, []).append(cause)
    for revisions in incidents.values():
        of_its_own = [one for one in revisions if one.cause in _FAULTS and _forbids(one)]
        if of_its_own:
            first = of_its_own[0]
            end = next((one.run for one in revisions if one.run > first.run and not _forbids(one)), revisions[-1].run)
            scope = first.scope
            what = f"{', '.join(scope.features)}: {first.cause.replace('_', ' ')}; tell {', '.join(scope.owners) or 'its owner'}"
            yield Forbidden(first.run, end, what)


def _forbids(one: RootCauseEvent) -> bool:
    return one.status == "confirmed" and one.retrain_gate.decision == "forbid"


def picture(loop: Loop, path: Path) -> None:
    """Frozen, naive and gated, week by week."""
    flights = loop.flights
    first = min(int(flights.scheduled[~np.isnan(played.score)][0]) for played in loop.policies.values()) // DAY * DAY
    weeks = range(first, int(flights.scheduled[-1]), WEEK)
    place = (flights.scheduled - first) // WEEK

    def drawn(name: str) -> Drawn:
        played = loop.policies[name]
        rows = flights.known & ~np.isnan(played.score)
        own = losses(played.score[rows], flights.late[rows])
        counts = np.bincount(place[rows], minlength=len(weeks))
        with np.errstate(invalid="ignore", divide="ignore"):
            loss = np.bincount(place[rows], own, minlength=len(weeks)) / np.where(counts > 0, counts, np.nan)
        jobs = [one.statuses[0].time for one in loop.jobs.values() if one.request is not None] if name == GATED else played.changes
        return Drawn(name, float(own.mean()), loss, jobs, played.changes)

    draw(path, weeks, (drawn("frozen"), drawn(NAIVE), drawn(GATED)), (loop.fault.start, loop.fault.end), list(forbidden(loop.causes)))


def _day(when: int) -> str:
    return time.strftime("%b %d", time.gmtime(when / 1000))
