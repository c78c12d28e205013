"""One side of a join is far ahead of the other: what waits is fetched from the topic again, and nothing else is otherwise."""

from collections.abc import Iterator, Sequence, Set
from contextlib import closing, suppress
from typing import cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Bus, Output
from driftbus.consumers.joiner.blocks import Blocks
from driftbus.consumers.joiner.counted import CountedBy
from driftbus.consumers.joiner.fold import Fold
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.pipeline.topology import ROLES
from driftbus.consumers.streams.records import end_records
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.block import Block, Whose
from driftbus.schemas.messages.progress import InputPartition

from ..battery.interrupting import POINTS, Died, Interrupting, turns
from ..streaming import BEGINNING, everything, prepare, reference
from .test_blocks import LABELS, PREDICTIONS, settings
from .test_joiner import MINUTE, SPAN, WAIT, log, run

#: Of the joins topic's partitions.
PARTITIONS = 2
#: Bytes of blocks that may be held: those of a step or two.
FEW = 20_000


def block(offset: int, bucket: int, rows: int) -> Block:
    numbers = np.arange(rows)
    return Block(
        join="outcomes",
        stream="outcomes",
        side="labels",
        topic="known",
        topic_id="id",
        partition=0,
        first=offset,
        last=offset,
        bucket=bucket,
        start=bucket - 1,
        whose=(Whose(""),),
        ids=bytes(16 * rows),
        of=numbers * 0,
        waters=numbers * 0,
        offsets=numbers * 0,
        values=numbers,
        revisions=numbers * 0,
    )


@given(
    st.lists(st.tuples(st.integers(1, 20), st.integers(1, 300)), min_size=1, max_size=60),
    st.integers(0, 80_000),
    st.sets(st.integers(0, 59)),
    st.integers(1, 3_000),
)
def test_those_that_are_due_come_in_their_order_however_few_are_held(
    waiting: list[tuple[int, int]], most: int, gone: set[int], apart: int
) -> None:
    """Of buckets and rows; some are gone from the topic before they are due, and some are not at hand from the beginning."""
    topic = {number * apart: block(number * apart, *one) for number, one in enumerate(waiting)}
    reads = list[range]()

    def fetch(start: int, end: int, wanted: Set[int]) -> Iterator[tuple[int, Block]]:
        reads.append(range(start, end))
        return ((offset, topic[offset]) for offset in sorted(wanted & topic.keys()) if start <= offset < end)

    blocks = Blocks(fetch, most)
    for offset, one in topic.items():
        if offset % 3:
            blocks.put(offset, one)
            assert blocks.bytes <= most
        else:
            blocks.await_(offset, one.bucket)
    whole = dict(topic)
    held = {offset for offset in whole if offset in blocks}
    for number in gone & {number for number in range(len(waiting)) if number * apart not in held}:
        del topic[number * apart]
    for bucket in sorted({one.bucket for one in whole.values()}):
        due = [offset for offset, one in whole.items() if one.bucket == bucket]
        assert blocks.take(due) == [whole[offset] for offset in due if offset in topic]
        assert blocks.bytes <= most
    assert blocks.bytes == 0
    assert len(reads) <= 2 * len(waiting)


def test_of_a_block_that_comes_again_no_rows_stay() -> None:
    blocks = Blocks(lambda *_: iter(()), 1 << 20)
    fold = Fold(settings(WAIT), cast(CountedBy, None), lambda _: blocks)
    fold.situated(InputPartition(topic="joins", topic_id="j", partition=0), append_time=True)
    fold.feed(0, 0, block(5, 60_000, 10))
    once = blocks.bytes
    for offset, again in enumerate((5, 4, 5), 1):
        fold.feed(offset, 0, block(again, 60_000, 10))
    assert blocks.bytes == once > 0
    fold.feed(9, 0, block(6, 60_000, 10))
    assert blocks.bytes == 2 * once


def published(chosen: Configuration, sent: Sequence[Output], ahead: str | None, deaths: int = 0) -> tuple[dict[int, list[bytes]], ...]:
    """What is said of outcomes; ``ahead``: the topic that is read, and waits to its end, before there is anything on the other."""
    draw = np.random.default_rng(deaths)
    with closing(EmbeddedBus(":memory:", "test", "log")) as bus:
        prepare(bus, chosen, [reference(model) for model in ("m0", "m1", "m2")])
        bus.create(LABELS, 3, settings={"retention.ms": "-1"})
        if ahead is not None:
            bus.publish([one for one in sent if one.topic == ahead])
            with closing(Pipeline(bus.as_instance("one"), chosen)) as early:
                for _ in turns(early, 8):
                    pass
        bus.publish([one for one in sent if one.topic != ahead])
        for topic, partitions in ((PREDICTIONS, 4), (LABELS, 3)):
            bus.publish(end_records("test", topic, partitions, BEGINNING + SPAN + 70 * MINUTE))
        for _ in range(deaths):
            dying = Interrupting(bus.as_instance("one"), role="joiner", dies_at=str(draw.choice(POINTS)), hits=int(draw.integers(3)))
            with suppress(Died):
                for _ in turns(Pipeline(cast(Bus, dying), chosen), int(draw.integers(1, 30))):
                    pass
        run(bus.as_instance("one"), chosen, *ROLES)
        found = [everything(bus, topic) for topic in (chosen.topics.performance, chosen.topics.drift)]
    return tuple({number: [one.value for one in events] for number, events in one.items()} for one in found)


def test_what_is_far_ahead_waits_on_the_topic(monkeypatch: pytest.MonkeyPatch) -> None:
    sent, _ = log(20, 100)
    chosen = settings(WAIT, stream={"pane": "2m"}, topics={"partitions": PARTITIONS}, snapshot_every="1ms")
    expected = published(chosen, sent, None)
    monkeypatch.setattr("driftbus.consumers.joiner.joiner.MOST_BYTES", FEW)
    assert published(chosen, sent, PREDICTIONS) == expected
    assert published(chosen, sent, LABELS, deaths=4) == expected
