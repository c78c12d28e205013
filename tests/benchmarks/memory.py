"""What a process keeps: ``python -m tests.benchmarks.memory [ROWS] [VERSIONS] [QUERIES]``, 20 million, 1,000 and a million unless said.

Three runs of the real consumers in one process, on an embedded log that is trimmed as it is read: ordinary rows of one model; references
that come and go: each announced, served, and replaced, or retired with its version; and texts, a twentieth of them about new topics, that
are compared with the training data, and of which people are asked about some. Prints the memory after every tenth.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np

from driftbus.consumers.bus.interface import Output
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.reference.announce import announce
from driftbus.consumers.reference.artifacts import ArtifactStore
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.announcement import Announcement

from ..consumers.unlike_world import PARTITIONS, TOPIC, asked, built, written
from ..consumers.unlike_world import prepare as announced
from ..consumers.unlike_world import settings as unlike
from ..streaming import BEGINNING, configuration, message, prepare, reference
from .trimmed import TrimmedBus, resident

ROWS, VERSIONS, QUERIES = 20_000_000, 1_000, 1_000_000
PHASES = 10
#: Rows that are published at once, over and over at later times.
_BATCH = 20_000
#: Of a version's life: buckets in which it is served, and rows in each.
_BUCKETS, _ROWS_A_BUCKET, _BUCKET = 3, 40, 10_000


def phases(count: int, unit: str, step: Callable[[int], None]) -> list[int]:
    """Memory after every tenth of so many steps."""
    found, began = [], time.perf_counter()
    for number in range(count):
        step(number)
        if (number + 1) % max(count // PHASES, 1) == 0:
            found.append(resident())
            print(f"{number + 1:>12,} {unit}: {found[-1] / 1e6:8.1f} MB after {time.perf_counter() - began:,.0f} s", flush=True)
    return found


class _Turned:
    """A pipeline that has read all there is."""

    def __init__(self, settings: Configuration, bus: TrimmedBus) -> None:
        self.settings, self.bus = settings, bus
        self.pipeline = Pipeline(bus, settings)

    def on(self, outputs: list[Output]) -> None:
        """Publish, read it all, and forget it."""
        self.bus.publish(outputs)
        while self.pipeline.turn():
            pass
        topics = self.settings.topics
        self.bus.trim(*self.settings.streams["predictions"].topics, topics.summaries, topics.drift, topics.dead_letter)


def rows(count: int) -> list[int]:
    """Ordinary rows of one model: a thousand a second, in buckets of ten seconds."""
    draw = np.random.default_rng(0)
    values = [message(draw, "m0") for _ in range(_BATCH)]
    with tempfile.TemporaryDirectory() as folder:
        settings = configuration(artifacts=folder, models={"m0": {"false_alarms": "1 per 30d"}})
        bus = TrimmedBus()
        prepare(bus, settings, [reference("m0")])
        turned = _Turned(settings, bus)

        def step(number: int) -> None:
            start = BEGINNING + number * _BATCH
            turned.on([Output("scored", i % 4, None, value, (), start + i) for i, value in enumerate(values)])

        found = phases(max(count // _BATCH, 1), f"times {_BATCH:,} rows", step)
        turned.pipeline.close()
        bus.close()
    return found


def versions(count: int) -> list[int]:
    """One reference after the other: a version's first is replaced by its second, with which the version is retired."""
    draw = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        settings = configuration(artifacts=folder, models={"m0": {"false_alarms": "1 per 30d"}})
        bus, store = TrimmedBus(), ArtifactStore(folder)
        prepare(bus, settings, [], 1)
        turned = _Turned(settings, bus)

        def step(number: int) -> None:
            version, start = str(number // 2), BEGINNING + number * _BUCKETS * _BUCKET
            built = reference("m0", version, rows=2_000, seed=number)
            announce(bus, settings, Announcement(model="m0", version=version, reference=store.put(built.encoded()), since=start))
            if number % 2:
                end = start + (_BUCKETS - 1) * _BUCKET
                announce(bus, settings, Announcement(model="m0", version=version, reference=None, since=end))
            for making in turned.pipeline.consumers:
                getattr(making, "_references", _Nothing()).refresh()  # the record clock reads announcements at a start only
            served = [message(draw, "m0", version=version) for _ in range(_BUCKETS * _ROWS_A_BUCKET)]
            step_ms = _BUCKET // _ROWS_A_BUCKET
            turned.on([Output("scored", 0, None, value, (), start + i * step_ms) for i, value in enumerate(served)])

        found = phases(2 * count, "references", step)
        turned.pipeline.close()
        bus.close()
    return found


def queries(count: int) -> list[int]:
    """Questions that are compared: a hundred a second, panes of a minute, sixty cases an hour."""
    draw = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        written(folder, 20_000)
        ood, review = {"of": "question", "embedder": "sketch", "samples": True}, {"review": {"budget": "60 per hour"}}
        settings = unlike(folder, ood, model=review)
        bus = TrimmedBus()
        announced(bus, settings, built(settings))
        rows = (
            {"id": f"q{i}", "features": {"question": one["question"]}, "prediction": one["prediction"]}
            for i, one in enumerate(asked(draw, _BATCH, 0.05))
        )
        values = [msgspec.json.encode({"model": "m0", "version": "1", **row}) for row in rows]
        turned = _Turned(settings, bus)

        def step(number: int) -> None:
            start = BEGINNING + number * _BATCH * 10
            turned.on([Output(TOPIC, i % PARTITIONS, None, value, (), start + 10 * i) for i, value in enumerate(values)])
            bus.trim(TOPIC, settings.topics.ood, settings.topics.reviews, settings.topics.performance)

        found = phases(max(count // _BATCH, 1), f"times {_BATCH:,} queries", step)
        turned.pipeline.close()
        bus.close()
    return found


class _Nothing:
    def refresh(self) -> None:
        """A consumer without references."""


def main(arguments: list[str]) -> None:
    """All, and by how much they grew from the second tenth to the last. None of a thing: it is left out."""
    counts = [int(given) for given in arguments] + [ROWS, VERSIONS, QUERIES][len(arguments) :]
    for (what, run), count in zip({"rows": rows, "references": versions, "queries": queries}.items(), counts, strict=True):
        found = run(count) if count else []
        if len(found) > 2:
            print(f"{what}: {(found[-1] - found[1]) / 1e6:+.1f} MB from the second tenth to the last")


if __name__ == "__main__":
    main(sys.argv[1:])
