"""The closed loop: a year of flights in which drift leads to jobs, jobs to versions, and the better ones into service; beside it what else
one might do. Nothing here decides anything: that is the consumers' business, and each of them is the one that `driftbus run` starts.
"""

import sys
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ...schemas.configuration import Configuration
from ...schemas.messages.model_event import ModelEvent
from ...schemas.messages.promotion import Promotion
from ...schemas.messages.root_cause import RootCauseEvent
from ...schemas.stored.golden import golden_set
from ..bus.embedded import EmbeddedBus
from ..bus.interface import TopicDescription
from ..bus.tail import CauseTopic, Tail
from ..console.jobs import ToldJob, jobs
from ..console.screen import Terminal
from ..golden.collecting import Columns, collected
from ..pipeline.between import rest
from ..pipeline.own_topics import create_topics
from ..pipeline.runner import Pipeline, seldom_collected
from ..process.beside import process_beside
from ..process.settings import load
from ..reference import ledger
from ..reference.announce import announce, from_start
from ..reference.artifacts import ArtifactStore
from ..reference.building.messages import epoch_ms
from ..reference.building.source import reference_of
from ..reference.golden_sets import announced, announcement, store_of
from ..reference.model_events import tell
from .data import Flights, save, written, year
from .endpoint import Endpoint
from .forest import Forest
from .policies import DAY, MONTH, Played, Year, columns, each_alarm, frozen, known_by, monthly
from .reduce import WEATHER
from .server import FIRST, LABELS, MODEL, PARTITIONS, SCORED, TIMETABLE, Server, Versions
from .timetable import as_clock, chosen

CONFIGURATION = """\
application: flights-loop
bus: embedded
embedded: {folder}/bus.sqlite
artifacts: {folder}/artifacts
topics: {{partitions: 1}}
streams:
  predictions:
    topics: [flights.scored]
    pane: 1d                          # the producer waits at each day's end: nothing is known sooner
    clock: record                     # the flights' own time, not the wall clock
    act: true                         # jobs are run all the same
    grace: 0
    mapping: {{entity: id}}
labels:
  landed: {{topics: [flights.labels], wait: 2d, about: 1d}}
features:
  timetable: {{topics: [flights.timetable], wait: 1d}}      # as the training pipeline reads it
sources:
  weather: {{owner: meteorology, same_code: true}}
  schedule: {{owner: planning}}
models:
  nyc-late:
    labels: landed
    agreement: {{log: timetable, features: [sched_dep, sched_arr]}}
    reference: {{file: {folder}/january.parquet, time: time, prediction: prediction, score: score}}
    false_alarms: 1 per 365d          # over all signals together
    min_effect: 0.1
    features:
      "*": {{source: schedule}}
{weather}
    retrain:
      drifted: {{when: cause, on: trainer, start_within: 2d, finish_within: 2d}}   # launchers act between two days
      fresh: {{when: labels, new_labels: {labels}, on: trainer, start_within: 2d, finish_within: 2d}}
    promotion: {{shadow: 21d, evidence: 5}}       # one of two alike is taken for better once in five times, at most
    golden:                                       # a version is asked these rows before it is in the shadow
      every: 30d
      call: {{http: {{url: "{url}", template: {{rows: "{{rows}}", version: "{{version}}"}}, answer: scores, batch: 500}}}}
    diagnosis: {{thresholds: {{null: 0.1}}}}        # calm air has no direction: months differ in that
launchers:
  trainer:
    command:
      run: ["{python}", -m, driftbus.consumers.demo.fit, ../trained.parquet]
      folder: {folder}/versions
      spool: {folder}/spool
      timeout: 10m
"""
_WEATHER = "\n".join(f"      {name}: {{source: weather}}" for name in WEATHER)
STARTS, ENDS = epoch_ms("2013-02-01T00:00Z"), epoch_ms("2013-12-31T00:00Z")
WEEK = 7 * DAY
#: One flight in so many travels: another one by each seed.
EVERY = 2
#: Flights of January that no version is trained on, about so many: each is asked them before it answers in the shadow.
GOLDEN = 1_000
#: Labels of about a month, by which a job is asked for.
FRESH = 12_000
NAIVE, GATED = "at each alarm, 14 days", "gated"
#: What else one might do: computed by another process meanwhile.
BESIDE: dict[str, Callable[[Year, Forest], Played]] = {
    "frozen": frozen,
    NAIVE: each_alarm,
    "monthly, 30 days": partial(monthly, window=MONTH),
    "monthly, all": partial(monthly, window=None),
}
#: Behind the fault.
AFTER = 21 * DAY


class Fault(NamedTuple):
    """When the schedule comes as hours and minutes."""

    start: int = epoch_ms("2013-07-08T00:00Z")

    @property
    def end(self) -> int:
        """A week later."""
        return self.start + WEEK


class Story(NamedTuple):
    """What may be told otherwise."""

    seed: int = 0  #: which flights travel
    fault: Fault = Fault()
    ends: int = ENDS
    fresh: int = FRESH  #: labels by which a job is asked for


class Loop(NamedTuple):
    """What became of the year."""

    flights: Flights
    fault: Fault
    policies: dict[str, Played]
    jobs: dict[str, ToldJob]
    steps: list[Promotion]  #: of new versions
    causes: list[RootCauseEvent]

    def jobs_of(self, policy: str) -> int:
        """That were launched."""
        launched = sum(job.request is not None for job in self.jobs.values())
        return launched if policy == GATED else len(self.policies[policy].changes)


def play(scratch: Path, terminal: Terminal, story: Story) -> Loop:
    """Serve the year, a day at a time, and compute beside it what other policies come to."""
    all_ = year()
    drawn = np.random.default_rng(story.seed).integers(EVERY, size=len(all_) // EVERY)
    true = chosen(all_, np.arange(len(drawn)) * EVERY + drawn)
    flights = as_clock(true, story.fault.start, story.fault.end)
    january = np.flatnonzero(flights.scheduled < STARTS)
    held = np.zeros(len(flights), dtype=bool)
    held[january[1::2]] = True
    played = Year(flights, STARTS, story.ends, held)
    first = _first(played, scratch)
    with process_beside() as other:
        beside = {name: other.submit(policy, played, first) for name, policy in BESIDE.items()}
        loop = _served(scratch, terminal, story, flights, true)
    return loop._replace(policies={name: one.result() for name, one in beside.items()} | loop.policies)


def _served(scratch: Path, terminal: Terminal, story: Story, flights: Flights, true: Flights) -> Loop:
    """A day at a time; the next one when all is done."""
    versions = Versions(scratch / "versions")
    with closing(Endpoint(versions.scores)) as endpoint:
        configuration = load(_written(scratch, story.fresh, endpoint.url))
        with closing(EmbeddedBus(configuration.embedded, configuration.application, "loop")) as bus:
            _set_up(bus, configuration, scratch)
            server = Server(bus, configuration, flights, true, versions, STARTS)
            with closing(Pipeline(bus, configuration)) as pipeline, seldom_collected(), terminal.pace() as show:
                for now in range(STARTS, story.ends, DAY):
                    server.serve(now)
                    rest(pipeline)
                    day = time.strftime("%b %d", time.gmtime(now / 1000))
                    show(f"{day}   rows {pipeline.totals['rows']:,}   versions {len(server.changes) + 1}")
            gated = Played(server.score, [when for when, _ in server.changes])
            told, causes = jobs(bus, configuration), CauseTopic(bus, configuration, from_start=True).new()
            steps = Tail(bus, configuration, configuration.topics.retrain, ledger.PROMOTIONS, from_start=True).new()
    return Loop(flights, story.fault, {GATED: gated}, told, steps, causes)


def _set_up(bus: EmbeddedBus, configuration: Configuration, scratch: Path) -> None:
    """Topics, the reference, the golden set, and that the first version serves."""
    for topic in (SCORED, LABELS, TIMETABLE):
        bus.restore(TopicDescription(topic, f"demo-{topic}", PARTITIONS), [])  # an id by chance would go into the names of data
    create_topics(bus, configuration)
    store = ArtifactStore(configuration.artifacts)
    reference = reference_of(configuration, MODEL, FIRST, store=store)
    announce(bus, configuration, from_start(MODEL, FIRST, store.put(reference.encoded()), reference.rows))
    found = collected(str(scratch / "golden.parquet"), Columns("late", "id", ("origin",), ("time",)), "log_loss")
    golden = golden_set(MODEL, "log_loss", found.rows)
    store_of(configuration).put(golden.encoded())
    bus.publish([announced(configuration, announcement(golden, STARTS, None, None))])
    tell(bus, configuration, ModelEvent(model=MODEL, version=FIRST, kind="promoted", time=STARTS, job="january"))


def _first(played: Year, scratch: Path) -> Forest:
    """The version that serves in February; what it was trained on, what it answers on the rest of January, and of that a golden set."""
    flights, model = played.flights, played.trained(0, STARTS)
    (scratch / "versions").mkdir()
    model.save(scratch / "versions" / f"{FIRST}.npz")
    held, known = np.flatnonzero(played.held), known_by(flights, STARTS)
    tested = np.flatnonzero(known & played.held)
    for name, rows in (("trained", np.flatnonzero(known & ~played.held)), ("golden", tested[:: max(1, len(tested) // GOLDEN)])):
        own = {"id": flights.id[rows], "time": flights.scheduled[rows], "late": flights.late[rows]}
        written(scratch / f"{name}.parquet", own | columns(flights, rows))
    save(scratch / "january.parquet", chosen(flights, held), model.score(columns(flights, held)), 0, STARTS)
    return model


def _written(scratch: Path, fresh: int, url: str) -> Path:
    """The configuration, as a user would write it."""
    file = scratch / "driftbus.yaml"
    file.write_text(CONFIGURATION.format(folder=scratch, python=sys.executable, labels=fresh, weather=_WEATHER, url=url), encoding="utf-8")
    return file
