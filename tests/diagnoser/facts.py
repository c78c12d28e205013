"""Evidence of one model by itself, as its writers put it on the summaries: no bus, no profiler, a few numbers a grain."""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from driftbus.consumers.diagnoser.exhibit import Fact
from driftbus.consumers.diagnoser.fold import Fold
from driftbus.consumers.streams.lanes import Lane
from driftbus.detectors.counting.layout import Layout
from driftbus.detectors.counting.layout import layout as counting_layout
from driftbus.detectors.diagnosis.reading import Reading, Whose
from driftbus.detectors.outcomes.layout import layout as outcome_layout
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.episode import EPISODE, EpisodeNote
from driftbus.schemas.messages.evidence import Evidence
from driftbus.schemas.messages.pane import ARRIVALS, PREDICTIONS, REVISIONS, Pane
from driftbus.schemas.messages.progress import InputPartition, InputTopic, Progress
from driftbus.schemas.messages.root_cause import RootCauseEvent
from driftbus.schemas.stored.outcomes import OutcomeBasis
from driftbus.schemas.stored.reference import Reference

from ..streaming import configuration, reference

GRAIN = 60_000
BEGINNING = 1_700_000_040_000
ROWS = 600
LABELS = "outcomes"
SETTINGS: dict[str, Any] = {
    "application": "test",
    "topics": {"prefix": "p", "partitions": 1},
    "stream": {"pane": "1m"},
    "labels": {LABELS: {"topics": ["known"], "wait": "1h", "early": "1m", "about": "1m"}},
    "models": {"m0": {"labels": LABELS}},
}
PLAN = outcome_layout(OutcomeBasis(task="binary"))


def known() -> Reference:
    """Ten rows a second: causes are looked for by the minute."""
    one = reference("m0")
    assert one.last is not None
    return one.model_copy(update={"last": one.last // 10})


KNOWN = known()
LAYOUT: Layout = counting_layout(KNOWN)


def settings(**changes: Any) -> Configuration:  # the keys of a configuration, of any type
    return configuration(**SETTINGS | changes)


def reading_of(model: str, name: str) -> tuple[Reference, Reading]:
    return KNOWN, Reading(KNOWN, PLAN, lambda _: Whose())


def fold(chosen: Configuration | None = None) -> Fold:
    return Fold(chosen or settings(), reading_of)


class Record(NamedTuple):
    """What stands on the summaries, and who wrote it."""

    writer: str
    fact: Fact | Progress
    through: int = 0  #: of progress: the number of the grain


def end(number: int) -> int:
    """Of a grain."""
    return BEGINNING + number * GRAIN


@dataclass
class Traffic:
    """Of each grain the rows, and what is the matter with them."""

    seed: int = 0
    null: Callable[[int], float] = lambda _: 0.0  #: share of rows without amount
    null_age: Callable[[int], float] = lambda _: 0.0
    right: Callable[[int], float] = lambda _: 0.8  #: share of predictions that are
    draw: np.random.Generator = field(init=False)

    def __post_init__(self) -> None:
        self.draw = np.random.default_rng(self.seed)

    def pane(self, number: int, rows: int = ROWS, *, bucket: int | None = None, version: str = "1", partition: int = 0) -> Pane:
        """Predictions of one grain."""
        counts = np.zeros(LAYOUT.size, dtype=np.int64)
        absent = {"amount": round(rows * self.null(number)), "age": round(rows * self.null_age(number))}
        for signal in LAYOUT.signals:
            if signal.of == "values":
                weights = np.asarray(signal.reference_counts, dtype=np.float64)
                counts[signal.span] = self.draw.multinomial(rows - absent.get(signal.name, 0), weights / weights.sum())
            elif signal.of == "availability":
                gone = absent.get(signal.name, 0)
                counts[signal.span] = rows - gone, gone, 0, 0
        return Pane(
            stream="predictions",
            topic="scored",
            topic_id="t",
            partition=partition,
            first=number * 10_000,
            last=number * 10_000 + rows - 1,
            bucket=end(number if bucket is None else bucket),
            about=end(number),
            model="m0",
            version=version,
            reference=KNOWN.name,
            since=0,
            rows=rows,
            counts=counts,
            sums=np.zeros(LAYOUT.wide, dtype=np.int64),
        )

    def revision(self, number: int, known_at: int, rows: int = 200) -> Pane:
        """What became of some predictions of a grain, known in a later one."""
        wrong = int(self.draw.binomial(rows, 1 - self.right(number)))
        vector = np.zeros(PLAN.size, dtype=np.int64)
        unit = 1 << 20
        for name, value in {
            "labelled": rows,
            "errors": wrong,
            "predicted": rows,
            "rows": rows,
            "r": wrong * unit,
            "y": rows // 2 * unit,
        }.items():
            vector[PLAN.sections[name].start] = value
        for name, value in {"rr": wrong, "yy": rows // 2}.items():
            vector[PLAN.sections[name].start] = value << 10  # the high limb: units of 2^30 of 2^-40
        place = end(known_at)
        return Pane(
            stream=LABELS,
            topic="p.joins",
            topic_id="j",
            partition=0,
            first=place,
            last=place,
            bucket=place,
            about=end(number),
            model="m0",
            version="1",
            reference=KNOWN.name,
            since=0,
            rows=0,
            counts=vector,
            of=REVISIONS,
        )


def progress(of: str, stream: str, topic: str, through: int | None, *, topic_id: str = "t", ended: bool = False) -> Progress:
    topics = () if of == EPISODE else (InputTopic(topic=topic, topic_id=topic_id, partitions=1),)
    source = InputPartition(topic=topic, topic_id="" if of == EPISODE else topic_id, partition=0)
    time = None if through is None else end(through)
    return Progress(stream=stream, source=source, through=time, topics=topics, of=of, ended=ended)


def note(number: int, bucket: int, *, status: str = "opened", episode: str = "e1") -> Evidence:
    """Of an episode of amount."""
    lane = Lane("predictions", PREDICTIONS)
    said = EpisodeNote.model_validate(
        {
            "episode": episode,
            "sequence": 0 if status == "opened" else 1,
            "status": status,
            "kind": "availability",
            "severity": "major",
            "reference": KNOWN.name,
            "opened": end(number),
            "onset": end(number - 1),
            "signals": [{"name": "amount", "role": "feature", "of": "availability", "open": status == "opened", "share": 1.0}],
            "complete": True,
            "clock_decided": False,
        }
    )
    return Evidence(
        of=EPISODE,
        stream="predictions",
        topic=lane.source.topic,
        topic_id="",
        partition=0,
        offset=end(bucket),
        bucket=end(bucket),
        about=end(bucket),
        model="m0",
        version="1",
        fact_id=f"{episode}/{status}",
        fact=said.model_dump(mode="json"),
    )


def writers(
    traffic: Traffic, grains: int, *, delays: Sequence[int] = (2,), seed: int = 0, noted: int | None = None
) -> dict[str, list[Record]]:
    """All that each writes, in its order; labels come so many grains late; in grain ``noted`` an episode opens."""
    choose = random.Random(seed)
    delay = [choose.choice(delays) for _ in range(grains)]
    found: dict[str, list[Record]] = {name: [] for name in ("profiler", "joiner", "clerk", "detector", "outcomes")}
    for number in range(1, grains + 1):
        found["profiler"].append(Record("profiler", traffic.pane(number)))
        found["profiler"].append(Record("profiler", progress(PREDICTIONS, "predictions", "scored", number), number))
        for about in range(1, number + 1):
            if about + delay[about - 1] == number:
                found["joiner"].append(Record("joiner", traffic.revision(about, number)))
        found["joiner"].append(Record("joiner", progress(ARRIVALS, LABELS, "p.joins", number, topic_id="j"), number))
        found["clerk"].append(Record("clerk", progress("model", "predictions", "p.models", number, topic_id="m"), number))
        found["clerk"].append(Record("clerk", progress("feedback", "predictions", "p.feedback", number, topic_id="f"), number))
        if number == noted:
            found["detector"].append(Record("detector", note(number, number)))
        lane = Lane("predictions", PREDICTIONS).source.topic
        found["detector"].append(Record("detector", progress(EPISODE, "predictions", lane, number), number))
        lane = Lane(LABELS, ARRIVALS).source.topic
        found["outcomes"].append(Record("outcomes", progress(EPISODE, LABELS, lane, number), number))
    return found


def interleaved(of_writers: Mapping[str, Sequence[Record]], seed: int) -> Iterator[Record]:
    """One order in which their records reach the partition: each keeps its own, and the detector is not ahead of what it reads."""
    choose = random.Random(seed)
    left = {name: list(records) for name, records in of_writers.items()}
    speed = {name: choose.choice((1, 1, 3, 9)) for name in left}
    reached = dict.fromkeys(left, 0)
    while ready := [name for name, records in left.items() if records and not _ahead(name, records[0], reached)]:
        name = choose.choices(ready, [speed[one] for one in ready])[0]
        record = left[name].pop(0)
        reached[name] = max(reached[name], record.through)
        yield record


def _ahead(name: str, record: Record, reached: Mapping[str, int]) -> bool:
    behind = {"detector": "profiler", "outcomes": "joiner"}.get(name)
    if behind is None:
        return False
    number = record.through or (record.fact.time - BEGINNING) // GRAIN
    return reached[behind] < number


def said(chosen: Fold, records: Iterator[Record] | Sequence[Record]) -> list[RootCauseEvent]:
    """What a fold says of them, in their order."""
    return [one.event for offset, record in enumerate(records) for one in chosen.feed(offset, offset, record.fact)]
