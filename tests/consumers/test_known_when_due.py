"""With `order: matured` an arrival is of all that came since its prediction: what of that is not well known shows in it."""

from collections import Counter
from collections.abc import Iterator
from itertools import count
from typing import Any

import numpy as np
import pytest

from driftbus.consumers.joiner.blocks import MOST_BYTES, Blocks
from driftbus.consumers.joiner.fold import Fold, Join
from driftbus.consumers.joiner.reads import of_stream
from driftbus.detectors.agreement.ledger import Basis
from driftbus.detectors.outcomes.counting import Own
from driftbus.detectors.outcomes.layout import layout
from driftbus.schemas.messages.block import Block, Whose
from driftbus.schemas.messages.pane import ARRIVALS, REVISIONS, Pane
from driftbus.schemas.messages.progress import InputPartition, InputTopic, Progress
from driftbus.schemas.stored.outcomes import OutcomeBasis

from ..streaming import BEGINNING
from .test_blocks import LABELS, PREDICTIONS, settings

MINUTE = 60_000
START = BEGINNING // MINUTE * MINUTE
VERSIONS = 400
SIDES = {"predictions": "predictions", "labels": "outcomes"}
TOPICS = {"predictions": of_stream("predictions", PREDICTIONS), "labels": of_stream("outcomes", LABELS)}


class Counted:
    def __call__(self, model: str, reference: str, labels: str) -> OutcomeBasis:
        return OutcomeBasis(task="binary")

    def interval(self, model: str, reference: str, labels: str) -> int:
        return 60 * MINUTE

    def own(self, model: str, basis: OutcomeBasis) -> Own | None:
        return None

    def compared(self, model: str, reference: str) -> Basis:
        raise LookupError(model)  # no feature log


class World:
    """A joiner whose inputs have a partition each."""

    def __init__(self, wait: str = "1h", maturity: str = "30m") -> None:
        chosen = settings({"wait": wait, "order": "matured", "maturity": maturity, "early": "1m"}, stream={"pane": "1m", "clock": "live"})
        self._fold = Fold(chosen, Counted(), lambda _: Blocks(lambda *_: iter(()), MOST_BYTES))
        self._fold.situated(InputPartition(topic="joins", topic_id="j", partition=0), append_time=True)
        self._offsets, self._bucket = count(), START

    def _feed(self, record: Block | Progress) -> list[Pane]:
        return [said.fact for said in self._fold.feed(next(self._offsets), START, record) if isinstance(said.fact, Pane)]

    @property
    def join(self) -> Join:
        """All that it remembers."""
        return self._fold._joins["outcomes"]

    def come(self, side: str, bucket: int, ids: range, version: str = "1") -> None:
        numbers = np.arange(len(ids))
        whose = Whose("m0", version, f"of {version}", 0) if side == "predictions" else Whose("")
        beside: dict[str, Any] = {"scores" if side == "predictions" else "revisions": numbers * 0}
        first = bucket - START
        where = {"join": "outcomes", "stream": SIDES[side], "side": side, "topic": TOPICS[side], "topic_id": side, "partition": 0}
        times = {"first": first, "last": first + len(ids), "bucket": bucket, "start": bucket - MINUTE}
        halves = np.stack((np.array(ids), np.array(ids)), axis=1).astype("<u8").tobytes()
        columns = {"of": numbers * 0, "waters": numbers * 0, "offsets": numbers, "values": numbers * 0}
        self._feed(Block(**where, **times, whose=(whose,), ids=halves, **columns, **beside))

    def through(self, buckets: int, **of_labels: bool) -> Iterator[Pane]:
        """All is complete some buckets further, one by one; ``of_labels``: how well theirs are known."""
        for _ in range(buckets):
            self._bucket += MINUTE
            for side, stream in SIDES.items():
                topic = InputTopic(topic=TOPICS[side], topic_id=side, partitions=1)
                source = InputPartition(topic=TOPICS[side], topic_id=side, partition=0)
                known = of_labels if side == "labels" else {}
                yield from self._feed(Progress(stream=stream, source=source, through=self._bucket, topics=(topic,), **known))


@pytest.mark.parametrize("known", [{}, {"by_clock": True}, {"complete": False}])
def test_what_is_due_is_known_as_well_as_all_that_came_since(known: dict[str, bool]) -> None:
    world, found = World(), list[Pane]()
    for bucket in (START + MINUTE, START + 50 * MINUTE):
        world.come("predictions", bucket, range(bucket, bucket + 10))
        world.come("labels", bucket + MINUTE, range(bucket, bucket + 10))
    found += world.through(10)
    found += world.through(1, **known)
    found += world.through(110)
    early, late = (pane for pane in found if pane.of == ARRIVALS)
    assert (early.bucket, late.bucket) == (START + 32 * MINUTE, START + 81 * MINUTE)
    wanted = known.get("complete", True), known.get("by_clock", False)
    assert (early.complete, early.clock_decided) == wanted
    assert (late.complete, late.clock_decided) == (True, False)
    assert all((pane.complete, pane.clock_decided) == (True, False) for pane in found if pane.of == REVISIONS and pane.bucket > late.bucket)


def test_versions_that_are_gone_are_forgotten() -> None:
    """A new one every minute: what they come to is told, and of as many as wait is remembered what they are called."""
    world, found, sizes = World("10m", "5m"), list[Pane](), list[tuple[int, int, int]]()
    for version in range(VERSIONS):
        bucket = START + (version + 1) * MINUTE
        world.come("predictions", bucket, range(version * 10, version * 10 + 10), str(version))
        world.come("labels", bucket, range(version * 10, version * 10 + 5))
        found += world.through(1)
        sizes.append((len(world.join.names), len(world.join.kind.ledger), sum(len(run.seen) for run in world.join.aligner.runs.values())))
    found += world.through(200)
    most = [max(size) for size in zip(*sizes[: VERSIONS // 4], strict=True)]
    assert most == [max(size) for size in zip(*sizes, strict=True)]
    assert most[1] < VERSIONS // 4
    assert len(world.join.names) == len(world.join.kind.ledger) == 0
    plan = layout(OutcomeBasis(task="binary"))
    totals = Counter[tuple[str, str]]()
    for pane in found:
        for name in ("predicted", "labelled", "expired") if pane.of == REVISIONS and pane.reference == f"of {pane.version}" else ():
            totals[pane.version, name] += plan.number(pane.counts, name)
    numbers = (("predicted", 10), ("labelled", 5), ("expired", 5))
    assert totals == {(str(version), name): number for version in range(VERSIONS) for name, number in numbers}
