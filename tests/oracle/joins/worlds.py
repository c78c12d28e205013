"""Random worlds: logs of predictions and of labels, and how they are to be joined.

Predictions come once, twice, in chains, of two models and of two versions of one id; labels before them, with them, long behind them,
twice, corrected, with older revisions, taken back and set again, of one model or of all, of nothing. Between them lie records that cannot
be read, that wait for nothing, that a wrong clock wrote; offsets have gaps, and there are quiet times.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from ..streams import Config, Every, Record

SECOND = 1_000
#: A whole number of every interval below after the epoch.
BEGINNING = 1_700_006_400_000
PANE, GRACE = 10 * SECOND, 3 * SECOND
RULES = Config(Every(PANE), GRACE, max_jump=600 * SECOND, max_rows=8, linger=4 * SECOND, lead=PANE, max_ahead=60 * SECOND)
PREDICTIONS = "predictions"
#: Of each model with labels, its versions; and those that wait for nothing.
VERSIONS = {"k": ("1",), "m": ("1", "2"), "n": ("1",)}
OTHERS = "idle", "unknown"
#: Predicted probabilities: none of them on the edge of a bin.
SCORES = tuple((2 * place + 1) / 32 for place in range(16))


class Join(NamedTuple):
    """A stream of labels and how long it is waited for, in ms."""

    name: str
    models: tuple[str, ...]
    wait: int
    early: int
    about: int
    rate: float
    maturity: int | None  #: arrivals are told when it is over; None: as outcomes become known


class Predicted(NamedTuple):
    id: str
    model: str
    version: str
    score: float


class Known(NamedTuple):
    id: str
    value: bool | None  # None takes it back
    model: str = ""  # empty: of every model
    revision: int = 0


#: None: what lies there cannot be read, or waits for nothing.
Content = Predicted | Known | None


class Place(NamedTuple):
    """Against which reference a version is watched in a bucket."""

    reference: int  #: which of those announced
    since: int


@dataclass(frozen=True)
class World:
    joins: tuple[Join, ...]
    partitions: int  #: of the joins topic
    logs: dict[str, list[Record]]  #: by stream and partition
    contents: dict[tuple[str, int], Content]  #: by that, and the offset
    changed: int  #: from this boundary on another reference holds
    pause: int = 0  #: the first run ends at this time; 0: there is one run only
    sources: dict[str, int] = field(default_factory=dict)  #: of each stream, how many partitions it has

    def place(self, bucket: int) -> Place:
        """What is announced holds for buckets that end behind its boundary."""
        return Place(1, self.changed) if self.changed < bucket else Place(0, 0)

    def join_of(self, model: str) -> Join | None:
        return next((join for join in self.joins if model in join.models), None)

    def parts(self) -> list[dict[str, list[Record]]]:
        """What is there at the end of each run."""
        return [self.before(self.pause), self.logs] if self.pause else [self.logs]

    def before(self, time: int, delay: Mapping[str, int] = MappingProxyType({})) -> dict[str, list[Record]]:
        """What has come until then: none before one that lies in front of it; some partitions have a delay."""
        found: dict[str, list[Record]] = {}
        for source, log in self.logs.items():
            end = time - delay.get(source, 0)
            found[source] = log[: next((place for place, one in enumerate(log) if one.timestamp >= end), len(log))]
        return found


def joins(draw: random.Random) -> tuple[Join, ...]:
    """One, or two that share the topic."""

    def one(name: str, *models: str) -> Join:
        wait, early, about = draw.choice((20, 20, 20, 50, 120)), draw.choice((0, 10, 30)), draw.choice((10, 30, 50, 240, 720))
        maturity = draw.choice((None, None, None, 10, wait))
        spans = wait * SECOND, early * SECOND, about * SECOND
        return Join(name, models, *spans, draw.choice((1.0, 1.0, 0.6)), None if maturity is None else maturity * SECOND)

    return (one("known", "k", "m", "n"),) if draw.random() < 0.75 else (one("known", "k", "m"), one("others", "n"))


class Event(NamedTuple):
    time: int
    stream: str
    content: Content


def world(draw: random.Random, *, live: bool = False) -> World:
    """Logs of every kind."""
    chosen = joins(draw)
    sources = {stream: draw.randrange(1, 4) for stream in (PREDICTIONS, *(join.name for join in chosen))}
    events = sorted(_events(draw, chosen), key=lambda event: event.time)
    placed = [(event, draw.randrange(sources[event.stream]), draw.randrange(3) * SECOND) for event in events]
    logs, contents = _written(draw, placed, sources, clocks=not live)
    last = max(one.timestamp for log in logs.values() for one in log)
    pause = BEGINNING + draw.randrange(max(last - BEGINNING, 1)) if draw.random() < 0.2 and not live else 0
    if draw.random() < 0.5 and not live:
        _end(draw, logs, last + PANE + GRACE + draw.choice((0, 30, 300)) * SECOND)
    changed = BEGINNING + draw.randrange(30) * PANE
    return World(chosen, draw.randrange(1, 4), logs, contents, changed, pause, sources)


def spread(draw: random.Random) -> tuple[World, World]:
    """One log in one partition of each topic, and in several: no record late, none of one id in one bucket with another of its stream."""
    chosen = joins(draw)
    flat: list[Event] = []
    taken: set[tuple[str, str, int]] = set()
    for number, event in enumerate(sorted(_events(draw, chosen), key=lambda event: event.time)):
        if event.content is not None:
            time = BEGINNING + 2 * (event.time - BEGINNING) + number  # no two at one time
            key = event.stream, event.content.id, time // PANE
            if key not in taken:
                taken.add(key)
                flat.append(event._replace(time=time))
    changed, made = BEGINNING + draw.randrange(60) * PANE, []
    for partitions in (1, 3):
        sources = dict.fromkeys((PREDICTIONS, *(join.name for join in chosen)), partitions)
        placed = [(event, draw.randrange(partitions), 0) for event in flat]
        logs, contents = _written(draw, placed, sources, clocks=False, poison=0.0)
        _end(draw, logs, max(event.time for event in flat) + PANE + GRACE)
        made.append(World(chosen, draw.randrange(1, 4), logs, contents, changed, 0, sources))
    return made[0], made[1]


def _events(draw: random.Random, chosen: tuple[Join, ...]) -> Iterator[Event]:
    time = BEGINNING
    for number in range(draw.randrange(4, 24)):
        time += draw.choice((0, 1, 2, 3, 5, 8, 12, 25, 40) + (60, 200) * (draw.random() < 0.1)) * SECOND
        yield from _of_one(draw, chosen, f"i{number}", time)
    for number in range(draw.randrange(3)):
        model = draw.choice(("", "m", "unknown"))
        yield Event(BEGINNING + draw.randrange(200) * SECOND, chosen[0].name, Known(f"foreign{number}", True, model))


def _of_one(draw: random.Random, chosen: tuple[Join, ...], id: str, time: int) -> Iterator[Event]:
    """An id's predictions and labels."""
    truth = draw.random() < 0.5
    models = draw.choice(((("m", "1"),),) * 4 + ((("n", "1"),), (("m", "1"), ("m", "2")), (("m", "1"), ("k", "1"), ("n", "1"))))
    waits = [join.wait // SECOND for join in chosen]
    for number, (model, version) in enumerate(models):
        at = time + number * draw.choice((0, 1, 15)) * SECOND
        yield Event(at, PREDICTIONS, Predicted(id, model, version, draw.choice(SCORES)))
        for _ in range(draw.choice((0,) * 6 + (1, 2, 5))):  # again, with another score
            wait = draw.choice(waits)
            at += draw.choice((0, 1, 9, 19, wait - 5, wait, wait + 5, 90)) * SECOND
            yield Event(at, PREDICTIONS, Predicted(id, model, version, draw.choice(SCORES)))
    for join in chosen:
        if draw.random() < 0.1 or not any(model in join.models for model, _ in models):
            continue
        at = (
            time + draw.choice((0, 1, 2, 5, 9, 20, 40, 60, 100, 130, join.wait // SECOND, -1, -5, -12, -25, -join.early // SECOND)) * SECOND
        )
        for number in range(draw.choice((1, 1, 2, 2, 2, 3, 4))):
            value = draw.choice((truth, not truth, not truth, None)) if number else truth
            model = draw.choice(("",) * 5 + ("m", "k", "n", "idle", "unknown"))
            yield Event(at, join.name, Known(id, value, model, draw.choice((0, 0, 0, 0, 1, number, -1))))
            at += draw.choice((0, 1, 4, 11, 12, 30, 70)) * SECOND


Logs = tuple[dict[str, list[Record]], dict[tuple[str, int], Content]]


def _written(
    draw: random.Random, placed: list[tuple[Event, int, int]], sources: dict[str, int], *, clocks: bool, poison: float = 0.08
) -> Logs:
    """Records, each in its partition, at its time less some jitter; some of them poison, some of a wrong clock."""
    logs: dict[str, list[Record]] = {f"{stream}/{number}": [] for stream, count in sources.items() for number in range(count)}
    contents: dict[tuple[str, int], Content] = {}
    for event, number, jitter in placed:
        source = f"{event.stream}/{number}"
        offset = (logs[source][-1].offset if logs[source] else -1) + draw.choice((1, 1, 1, 3))
        wrong = 3_600 * SECOND * draw.choice((1, -1)) if clocks and draw.random() < 0.01 else 0
        content = None if draw.random() < poison else event.content
        logs[source].append(Record(offset, event.time - jitter + wrong, "poison" if content is None else "row"))
        contents[source, offset] = content
    return logs, contents


def _end(draw: random.Random, logs: dict[str, list[Record]], time: int) -> None:
    """Nothing follows: said as often as it takes to be believed."""
    for log in logs.values():
        for _ in range(RULES.confirm + 1):
            log.append(Record((log[-1].offset if log else -1) + draw.choice((1, 2)), time, "end"))
