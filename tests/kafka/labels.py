"""Kills everybody at random moments while predictions wait for their labels, on a real Kafka, and compares with one undisturbed process.

``python -m tests.kafka.labels --kills 60 [--seed 1] [--joiner-stopped] [--brokers-away]`` starts a broker of its own, and says what it
found: outcome panes, performance records and events byte for byte, `driftbus replay` of a recording too, and one evaluation of every golden
request.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import yaml

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Bus, Output, TopicDescription, TopicPartition
from driftbus.consumers.bus.kafka import KafkaBus
from driftbus.consumers.bus.recording import load_recording, write_recording
from driftbus.consumers.console.performance import performance_of
from driftbus.consumers.pipeline.own_topics import create_topics
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.reference.golden_records import ask, read
from driftbus.consumers.streams.records import end_records
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.golden import GoldenEvaluation, GoldenRequest
from driftbus.schemas.messages.pane import ARRIVALS, REVISIONS, Pane
from driftbus.schemas.messages.progress import Progress

from ..consumers.test_joiner import told
from ..golden.servers import serving
from ..golden.worlds import asking, rows_of, stored
from ..streaming import BEGINNING, everything, message, prepare, reference
from .chaos.brokers import Brokers
from .chaos.crew import Crew

#: Who is there, and is killed; the profiler reads labels too.
CREW = ("profiler-a", "profiler-b", "joiner-a", "joiner-b", "detector-a", "detector-b", "evaluator-a", "clerk-a")
APPLICATION = "labels"
#: Of record time; three predictions of m0 in two seconds, of m1 one in three. Late in it labels of m0 are turned now and then.
SECONDS, SECOND = 7_200, 1_000
CHANGE_S = 5_600
WORSE = 0.4
PREDICTIONS, LABELS, IDLE, GOLDEN = "scored", "known", "idle", "g"
MODELS = ("m0", "m1")
PARTITIONS = {PREDICTIONS: 4, LABELS: 3}
#: The last row, and a time when every interval is final.
LAST, END = BEGINNING + SECONDS * SECOND, BEGINNING + (SECONDS + 5_400) * SECOND
#: A process lives so long, in seconds, until another is killed.
SHORTEST_S, LONGEST_S = 0.3, 2.5
_BACK_S = (0.0, 0.3, 1.0, 7.0)
_PATIENCE_S = 240


#: A model, and whether of its outcomes: each lane's events have an order, between lanes there is none.
Lane = tuple[str, bool]


class Left(NamedTuple):
    """What was published of outcomes."""

    panes: list[bytes]
    performance: dict[int, list[bytes]]
    events: dict[Lane, list[bytes]]


def traffic(seed: int) -> list[Output]:
    """Predictions and their labels, late, twice, corrected, taken back, or never, in the order of their times."""
    draw, sent = np.random.default_rng(seed), list[Output]()
    for second, (model, part) in product(range(SECONDS), (("m0", 0), ("m0", 2), ("m1", 3))):
        if second % max(part, 1) == 0:
            time_, score, id_ = BEGINNING + second * SECOND + part, float(draw.beta(0.5, 0.5)), f"{model} {second}/{part}"
            value = msgspec.json.encode(msgspec.json.decode(message(draw, model)) | {"id": id_, "score": score})
            sent.append(Output(PREDICTIONS, int(draw.integers(4)), None, value, (), time_))
            turned = model == "m0" and second >= CHANGE_S and draw.random() < WORSE
            right = bool(draw.random() < score) != turned
            for known, label, revision in told(draw, time_):
                about = None if label is None else right if label else not right
                own = msgspec.json.encode({"id": id_, "label": right if revision == 1 else about, "rev": revision})
                sent.append(Output(LABELS, int(draw.integers(3)), None, own, (), known))
    return sorted(sent, key=lambda one: one.timestamp or 0)


def settings(address: str, folder: Path, golden: str) -> dict[str, Any]:  # a configuration as its user writes it
    """A stream with nothing in it has a live clock, so that golden sets are asked; what is compared has none."""
    own = {"topics": [LABELS], "wait": "30m", "early": "1m", "about": "10m", "mapping": {"revision": "rev"}}
    call = {"http": {"url": f"{golden}/late/{{version}}", "version": "version", "at_once": 2}}
    return {
        "application": APPLICATION,
        "kafka": {"bootstrap.servers": address},
        "artifacts": str(folder / "artifacts"),
        "snapshot_every": "6s",
        "topics": {"partitions": 3},
        "streams": {
            "predictions": {"topics": [PREDICTIONS], "pane": "30s", "clock": "record"},
            "idle": {"topics": [IDLE], "pane": "10s", "clock": "live"},
        },
        "labels": {"outcomes": own},
        "models": {
            **{model: {"stream": "predictions", "labels": "outcomes", "false_alarms": "1 per 1h"} for model in MODELS},
            GOLDEN: {"stream": "idle", "golden": {"call": call, "deadline": "400ms", "within": "60s"}},
        },
    }


class Play:
    """A run on brokers of its own."""

    def __init__(self, folder: Path, seed: int, brokers: Brokers, golden: str) -> None:
        self._folder, self._draw, self._brokers = folder, random.Random(seed), brokers
        self._written = settings(brokers.address, folder, golden)
        self.configuration = Configuration.model_validate(self._written)
        (folder / "driftbus.yaml").write_text(yaml.safe_dump(self._written))
        self._sent = traffic(seed)
        self.requests: list[GoldenRequest] = []

    def run(self, bus: KafkaBus, kills: int, *, joiner_stopped: bool, brokers_away: bool) -> list[str]:
        """Feed, and kill; who ended by itself. ``joiner_stopped``: until all others have read all there is."""
        prepare(bus, self.configuration, [reference(model) for model in MODELS])
        bus.create(LABELS, PARTITIONS[LABELS], settings={"retention.ms": "-1"})
        golden = stored(self.configuration, rows_of(48), GOLDEN)
        away = {kills // 3: False, 2 * kills // 3: True} if brokers_away else {}
        with closing(Crew(self._folder, self._written)) as crew:
            names = [name for name in CREW if not (joiner_stopped and name.startswith("joiner"))]
            for name in names:
                crew.start(name)
            for kill in range(kills):
                self._feed(bus, kill, kills)
                if kill % 6 == 0:
                    self.requests.append(asking(self.configuration, golden, str(kill), model=GOLDEN))
                    ask(bus, self.configuration, self.requests[-1:])
                self._let(crew, self._draw.uniform(SHORTEST_S, LONGEST_S))
                crew.kill(self._draw.choice(names), time.monotonic() + self._draw.choice(_BACK_S))
                if kill in away:
                    print(self._brokers.away("1", "", time.monotonic() + 8.0, paused=away[kill]), flush=True)
                    self._let(crew, 0.0)  # until it is back: nobody else brings it
            ends = [one for topic in (PREDICTIONS, LABELS) for one in end_records(APPLICATION, topic, PARTITIONS[topic], END)]
            bus.publish(ends)
            self._until(crew, lambda: self._all_read(bus))
            for name in {*CREW} - {*names}:
                crew.start(name)
            self._until(crew, lambda: self._at_rest(bus))
            return [f"{death.name} ended with {death.code}: {death.words[-300:]}" for death in crew.deaths] + crew.dismiss()

    def _feed(self, bus: KafkaBus, part: int, parts: int) -> None:
        share = slice(len(self._sent) * part // parts, len(self._sent) * (part + 1) // parts)
        bus.publish(self._sent[share])

    def _let(self, crew: Crew, seconds: float) -> None:
        """Let them work; whoever is to be back is."""
        until = time.monotonic() + seconds
        while time.monotonic() < until or not self._brokers.whole:
            for line in (*crew.look(may_start=self._brokers.whole), *self._brokers.look()):
                if "BY ITSELF" in line:
                    print(line, flush=True)
            time.sleep(0.02)  # the pace of the kills is what a run is about

    def _until(self, crew: Crew, reached: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _PATIENCE_S
        while not (crew.whole and reached()) and time.monotonic() < deadline:
            self._let(crew, 0.5)

    def _all_read(self, bus: KafkaBus) -> bool:
        """Whether predictions and labels have been read to their end: so it is said to the joiner."""
        place, said = TopicPartition(self.configuration.topics.joins, 0), dict[tuple[str, int], int]()
        for batch in bus.read(place, *bus.watermarks(place)):
            for value, headers in zip(batch.values, batch.headers(), strict=True):
                if dict(headers)["ce_type"] == Progress.TYPE.encode():
                    progress = Progress.decoded(value or b"")
                    said[progress.source.topic, progress.source.partition] = progress.through or 0
        return all(said.get((topic, number), 0) > LAST for topic, count in PARTITIONS.items() for number in range(count))

    def _at_rest(self, bus: KafkaBus) -> bool:
        """Nothing more comes: every interval is final, and all requests are answered."""
        records = performance_of(bus, self.configuration)
        intervals = {(one.model, one.about) for one in records if one.final}
        answered = set(evaluated(bus, self.configuration))
        wanted = len(MODELS) * -(-SECONDS // 600)
        return len(intervals) >= wanted and {one.request for one in self.requests} <= answered


def evaluated(bus: Bus, configuration: Configuration) -> list[str]:
    """The requests of all evaluations."""
    found = [event for events in everything(bus, configuration.topics.golden).values() for event in events]
    read_ = [read(APPLICATION, event.key, event.value, event.headers) for event in found if event.value]
    return [one.request for one in read_ if isinstance(one, GoldenEvaluation)]


def left(bus: Bus, configuration: Configuration) -> Left:
    """What was published."""
    summaries = [event for events in everything(bus, configuration.topics.summaries).values() for event in events]
    panes = [event.value for event in summaries if dict(event.headers)["ce_type"] == Pane.TYPE.encode()]
    panes = [value for value in panes if Pane.decoded(value).of in (ARRIVALS, REVISIONS)]
    told_: dict[Lane, list[bytes]] = {}
    for events in everything(bus, configuration.topics.drift).values():
        for event in events:
            told_.setdefault(((event.key or b"").decode(), event.content.get("kind") == "performance"), []).append(event.value)
    performance = everything(bus, configuration.topics.performance)
    return Left(sorted(panes), {number: [one.value for one in events] for number, events in performance.items()}, told_)


def clean(bus: KafkaBus, configuration: Configuration, folder: Path) -> Left:
    """The same input through one process in memory, whose joins topic has the same id: outcome panes name it."""
    recording = folder / "input.jsonl"
    write_recording(bus, [PREDICTIONS, LABELS, IDLE, configuration.topics.models], recording)
    joins = bus.describe([configuration.topics.joins])[configuration.topics.joins]
    embedded = configuration.model_copy(update={"bus": "embedded", "embedded": ":memory:", "kafka": {}})
    with closing(EmbeddedBus(":memory:", embedded.application, "clean")) as memory:
        load_recording(memory, recording)
        memory.restore(joins, [])
        performance = TopicDescription(embedded.topics.performance, joins.id, joins.partitions, {})  # not compacted: all records are there
        memory.restore(performance, [])
        create_topics(memory, embedded)
        with closing(Pipeline(memory, embedded, ["profiler", "joiner", "detector"])) as pipeline:
            for _ in pipeline.run_until_end():
                pass
        return left(memory, embedded)


def replayed(folder: Path) -> list[list[Any]]:
    """Events and performance that `driftbus replay` tells of what `driftbus record` wrote."""
    for words in (["record", "week.jsonl"], ["replay", "week.jsonl", "--events", "events.jsonl", "--performance", "performance.jsonl"]):
        command = [sys.executable, "-c", "from driftbus.consumers.command.main import main; main()", *words, "--config", "driftbus.yaml"]
        paths = os.pathsep.join([str(Path.cwd() / ".package"), *filter(None, [os.environ.get("PYTHONPATH")])])
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": paths})
    files = (folder / name for name in ("events.jsonl", "performance.jsonl"))
    return [[msgspec.json.decode(line) for line in file.read_text().splitlines()] for file in files]


def differences(bus: KafkaBus, configuration: Configuration, folder: Path, requests: list[GoldenRequest]) -> Iterator[str]:
    """In words; none where all is equal."""
    found, expected = left(bus, configuration), clean(bus, configuration, folder)
    if found.panes != expected.panes:
        yield f"outcome panes: {len(found.panes)} for {len(expected.panes)}, {len({*found.panes} ^ {*expected.panes})} others"
    if found.performance != expected.performance:
        counts = [sum(map(len, one.performance.values())) for one in (found, expected)]
        yield f"performance records: {counts[0]} for {counts[1]}"
    for key in sorted(found.events.keys() | expected.events.keys()):
        if found.events.get(key) != expected.events.get(key):
            counts = [len(some.get(key, [])) for some in (found.events, expected.events)]
            yield f"events of {key[0]}, {'outcomes' if key[1] else 'all else'}: {counts[0]} for {counts[1]}"
    events, performance = replayed(folder)
    decoded = [
        msgspec.json.decode(one, type=dict[str, Any]) for (model, _), some in found.events.items() if model in MODELS for one in some
    ]
    # A replay has no live clock, and says so in the hash of its configuration.
    ours, theirs = (sorted(msgspec.json.encode(one | {"configuration": ""}) for one in some) for some in (decoded, events))
    if ours != theirs:
        pairs = [(msgspec.json.decode(one), msgspec.json.decode(other)) for one, other in zip(ours, theirs, strict=False) if one != other]
        unlike = sorted({key for one, other in pairs for key in one.keys() | other.keys() if one.get(key) != other.get(key)})
        yield f"events of the replay: {len(ours)} for {len(theirs)}, unlike in {', '.join(unlike)}: {pairs[:1]}"
    if [msgspec.json.decode(one.model_dump_json()) for one in performance_of(bus, configuration)] != performance:
        yield f"performance of the replay: {len(performance)} records"
    answered = sorted(evaluated(bus, configuration))
    if answered != sorted(one.request for one in requests):
        yield f"golden evaluations: {len(answered)} of {len(requests)} requests"
    kinds = [one.get("kind") for one in decoded]
    print(
        f"{len(found.panes):,} outcome panes, {sum(map(len, found.performance.values())):,} performance records, "
        f"{len(kinds)} events of models ({kinds.count('performance')} of performance), {len(answered)} golden evaluations",
        flush=True,
    )


def main() -> None:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--joiner-stopped", action="store_true", help="until all the others are at the end")
    parser.add_argument("--brokers-away", action="store_true", help="the broker is killed, and later paused, for 8 s each")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, serving() as server, closing(Brokers(Path(name) / "brokers", 1, 0, 25)) as brokers:
        folder, began = Path(name), time.monotonic()
        play = Play(folder, given.seed, brokers, server.address)
        with closing(KafkaBus(play.configuration.kafka, play.configuration.application, "maker")) as bus:
            wrong = play.run(bus, given.kills, joiner_stopped=given.joiner_stopped, brokers_away=given.brokers_away)
            wrong += differences(bus, play.configuration, folder, play.requests)
    print(f"{given.kills} kills, seed {given.seed}, {time.monotonic() - began:.0f} s", *wrong, "WRONG" if wrong else "EQUAL", sep="\n")
    raise SystemExit(bool(wrong))


if __name__ == "__main__":
    main()
