"""The demo: a year of flights through the product, with a fixed winter reference, then with one that is rebuilt in summer.

Nothing here detects anything: topics, references, consumers and events are those of ``driftbus run``. Other settings of ``bus`` and
``kafka`` in the configuration below, and the same story plays on a real Kafka.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import yaml

from ...schemas.messages.announcement import FROM_START, Announcement
from ...schemas.messages.drift import DriftEvent
from ...schemas.messages.root_cause import RootCauseEvent
from ..bus.interface import Bus, Output
from ..bus.open import open_bus
from ..console.screen import Terminal
from ..pipeline.own_topics import create_topics
from ..pipeline.runner import Pipeline, seldom_collected
from ..process.settings import parsed
from ..reference.announce import announce
from ..reference.artifacts import ArtifactStore
from ..reference.building.messages import epoch_ms
from ..reference.building.source import reference_of
from ..reference.files import written_whole
from ..reference.scratch import scratch
from ..replay.event_line import lasted
from ..replay.picture import draw, episodes, moment
from .data import FEATURES, Flights, in_celsius, save, year
from .known import FAULT, INJECTED, THE_FAULT, YEAR
from .messages import LABELS, MODEL, PARTITIONS, SCORED, VERSION, labels, predictions
from .model import auc, scores
from .reduce import WEATHER
from .view import Pace, Screen
from .watched import Watched

CONFIGURATION = """\
application: {application}
{bus}
artifacts: {folder}/artifacts
topics: {{prefix: {application}, partitions: 1}}
streams:
  predictions:
    topics: [flights.scored]
    pane: 1h
    clock: record                     # the flights' own time, not the wall clock
    grace: 0                          # they come in its order
{labels}sources:                              # same_code: training and serving read the same feed
  weather: {{owner: meteorology, same_code: true}}
  schedule: {{owner: planning, same_code: true}}
  gate: {{owner: ground-staff, same_code: true}}
models:
  nyc-late:
    {beside}
    reference: {{file: {folder}/{reference}.parquet, time: time, prediction: prediction, score: score}}
    false_alarms: 1 per 365d          # over all signals together
    min_effect: 0.1                   # smaller shifts, in standard deviations, are no news
    features:
      "*": {{source: schedule}}
{weather}
      dep_delay: {{source: gate, min_effect: 1}}  # every thunderstorm shifts it
"""
#: Of the act that tells root causes: what became of the flights, and which are unlike those of January.
_LABELS = "labels:\n  landed: {topics: [flights.labels], wait: 2d, about: 12h}  # of an hour too few land to say how it went\n"
_BESIDE = "labels: landed\n    ood: {sample: 4}                  # one row in four is compared with January's"
_WEATHER = "\n".join(f"      {name}: {{source: weather}}" for name in WEATHER)
TRAINED_UNTIL = "2013-01-22T05:00Z"
#: Between two looks at the drift topic.
_LOOK_EVERY_S = 0.1


class DemoReference(NamedTuple):
    """Holds from ``since`` on (None: from the start), and is made of the flights from ``first`` to ``last``."""

    name: str
    since: str | None
    first: str
    last: str


JANUARY = DemoReference("january", None, "2013-01-01T05:00Z", "2013-02-01T05:00Z")
#: Made of all there is between the fault and its own beginning.
SPRING = DemoReference("spring", "2013-07-01T04:00Z", FAULT[1], "2013-07-01T04:00Z")
_REBUILT = moment(str(SPRING.since))


class Act(NamedTuple):
    """One run over the year; ``told_from``: what was before is as in the act before. ``causes``: whether root causes are looked for."""

    application: str
    title: str
    references: tuple[DemoReference, ...]
    told_from: datetime
    file: str
    causes: bool


ACTS = (
    Act("flights", "January as reference, all year", (JANUARY,), YEAR[0], "events.jsonl", causes=True),
    Act(
        "flights-rebuilt",
        "rebuilt on July 1 from the months since the fault",
        (JANUARY, SPRING),
        _REBUILT,
        "events-rebuilt.jsonl",
        causes=False,
    ),
)


def run_demo(folder: Path, terminal: Terminal, kafka: Mapping[str, str] | None = None) -> None:
    """Play the story; pictures, events and root causes go into the folder. ``kafka``: librdkafka's settings."""
    screen, began = Screen(terminal), time.perf_counter()
    found = {}
    with scratch("demo") as place:
        stage = Stage(year(), place, kafka)
        for line in [*stage.written(ACTS[0], JANUARY).splitlines(), ""]:
            screen.say(line)
        screen.say(
            f"2013 in New York: {len(stage.flights):,} flights, a lateness model trained on the first three weeks "
            f"(AUC {stage.auc:.2f} on the rest), {len(FEATURES) + 2} features and outputs watched"
        )
        screen.say("INJECTED: from Feb 18 to Feb 25 temperatures come in Celsius")
        screen.legend()
        stage.publish()
        for act in ACTS:
            screen.say()
            screen.say(act.title)
            watched = stage.play(act, screen)
            found[act.title] = watched.events
            _write(folder / act.file, watched.events)
            if act.causes:
                _write(folder / "causes.jsonl", watched.causes)
    _sum_up(found, screen)
    picture = 'none, it needs: pip install "driftbus[plot]"'
    if find_spec("matplotlib"):
        with written_whole(folder / "drift.png") as place:
            draw(place, found, YEAR, [INJECTED])
        picture = "drift.png"
    files = ", ".join([*(act.file for act in ACTS), "causes.jsonl"])
    screen.say(f'{time.perf_counter() - began:.0f} s; picture: {picture}; events: {files}; next: README, "Your own topic"')


class Stage:
    """The flights with their model, and the bus on which they are played; the flights given are spoilt by the fault."""

    def __init__(self, flights: Flights, scratch: str, kafka: Mapping[str, str] | None = None) -> None:
        self.flights, self._scratch, self._kafka = flights, scratch, kafka
        training = self.flights.known & (self.flights.landed < epoch_ms(TRAINED_UNTIL))
        in_celsius(self.flights, epoch_ms(FAULT[0]), epoch_ms(FAULT[1]))
        self._score = scores(self.flights, training)
        rest = self.flights.known & ~training
        self.auc = auc(self._score[rest], self.flights.late[rest])

    def written(self, act: Act, reference: DemoReference) -> str:
        """The configuration of an act as a user would write it."""
        embedded = {"bus": "embedded", "embedded": f"{self._scratch}/bus.sqlite"}
        bus = yaml.safe_dump(embedded if self._kafka is None else {"bus": "kafka", "kafka": dict(self._kafka)}, sort_keys=False).strip()
        labels, beside = (_LABELS, _BESIDE) if act.causes else ("", "diagnosis: off")
        return CONFIGURATION.format(
            application=act.application,
            bus=bus,
            folder=self._scratch,
            reference=reference.name,
            labels=labels,
            beside=beside,
            weather=_WEATHER,
        )

    def publish(self) -> None:
        """Write what the model says of every flight, and the labels, to topics that must be new."""
        with closing(open_bus(parsed(self.written(ACTS[0], JANUARY)))) as bus:
            for topic in (SCORED, LABELS):
                bus.create(topic, PARTITIONS, settings={"retention.ms": "-1"})  # by their own time the records are years old
            _publish(bus, predictions(self.flights, self._score))
            _publish(bus, labels(self.flights))

    def play(self, act: Act, screen: Screen) -> Watched:
        """Announce the references, run the consumers to the end of the year, and show meanwhile what they publish."""
        configuration = parsed(self.written(act, JANUARY))
        with closing(open_bus(configuration)) as bus:
            create_topics(bus, configuration)
            for reference in act.references:
                self._announce(bus, act, reference)
            watched = Watched(bus, configuration, act.told_from, screen)
            pipeline, began = Pipeline(bus, configuration), time.perf_counter()
            looked = began
            with closing(pipeline), seldom_collected(), screen.live() as show:
                for _ in pipeline.run_until_end():
                    now = time.perf_counter()
                    if now - looked >= _LOOK_EVERY_S:
                        watched.look()
                        show(_pace(pipeline, now - began))
                        looked = now
            watched.look()
            watched.tell()
            screen.say(str(_pace(pipeline, time.perf_counter() - began)))
        watched.table()
        return watched

    def _announce(self, bus: Bus, act: Act, reference: DemoReference) -> None:
        """What ``driftbus reference build`` does."""
        save(
            Path(self._scratch) / f"{reference.name}.parquet",
            self.flights,
            self._score,
            epoch_ms(reference.first),
            epoch_ms(reference.last),
        )
        configuration = parsed(self.written(act, reference))
        store = ArtifactStore(configuration.artifacts)
        profile = reference_of(configuration, MODEL, VERSION, store=store)
        name = store.put(profile.encoded())
        since = FROM_START if reference.since is None else epoch_ms(reference.since)
        announce(bus, configuration, Announcement(model=MODEL, version=VERSION, reference=name, since=since, rows=profile.rows))


def _publish(bus: Bus, outputs: Iterable[Output]) -> None:
    rest = iter(outputs)
    while some := list(islice(rest, 10_000)):
        bus.publish(some)


def _pace(pipeline: Pipeline, seconds: float) -> Pace:
    return Pace(pipeline.totals["rows"], pipeline.totals["panes"], pipeline.totals["buckets"], seconds)


def _write(path: Path, events: Iterable[DriftEvent | RootCauseEvent]) -> None:
    with written_whole(path) as place:
        place.write_text("".join(event.model_dump_json() + "\n" for event in events), encoding="utf-8")


def _sum_up(found: Mapping[str, Sequence[DriftEvent]], screen: Screen) -> None:
    """Whether the injected fault was found, and what the better reference is worth."""
    opened = [episode for episode in episodes(found[ACTS[0].title]) if THE_FAULT.explains(episode)]
    screen.say()
    if opened:
        screen.say(f"the INJECTED fault was found {lasted(opened[0].opened - INJECTED.start)} after its beginning")
    else:
        screen.say("the INJECTED fault was NOT found")
    for title, events in found.items():
        lasting = [e for e in episodes(events) if e.last.reason != "replaced" and (e.resolved is None or e.resolved > _REBUILT)]
        drifted = sum(
            (max(timedelta(), (span.end or YEAR[1]) - max(span.start, _REBUILT)) for e in lasting for span in e.spans.values()), timedelta()
        )
        screen.say(f"{title}: from July on {len(lasting)} episodes, {drifted.days:,} days of drift over all signals")
