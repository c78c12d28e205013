"""The aligner against the executable form of its rules, on any order of panes and progress."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftbus.consumers.streams.align import Aligned, Aligner, pending_offsets
from driftbus.consumers.streams.buckets import Every
from driftbus.schemas.messages.pane import Pane
from driftbus.schemas.messages.progress import InputPartition, InputTopic, Progress

from ..oracle import streams as oracle

TOPIC = InputTopic(topic="t", topic_id="id", partitions=3)


def pane(partition: int, first: int, bucket: int, topic_id: str = "id") -> Pane:
    return Pane(
        stream="s", topic="t", topic_id=topic_id, partition=partition, first=first, last=first, bucket=bucket, about=bucket,
        model="m", version="1", rows=1,
    )  # fmt: skip


def progress(partition: int, through: int | None, *, ended: bool = False, by_clock: bool = False, topic_id: str = "id") -> Progress:
    return Progress(
        stream="s",
        source=InputPartition(topic="t", topic_id=topic_id, partition=partition),
        through=through,
        ended=ended,
        by_clock=by_clock,
        topics=(TOPIC.model_copy(update={"topic_id": topic_id}),),
    )


_panes = st.tuples(st.just("pane"), st.integers(0, 2), st.integers(1, 12).map(lambda n: n * 10), st.just(False))
_progress = st.tuples(
    st.just("progress"), st.integers(0, 2), st.one_of(st.none(), st.integers(0, 130)), st.sampled_from((False,) * 6 + (True,))
)
_waits = st.sampled_from((0, 0, 1, 5, 20, 400, 9000))


def both(
    records: list[tuple[tuple[str, int, int | None, bool], int]], snapshot_at: int | None = None
) -> tuple[list[tuple[int, bool, list[int]]], list[tuple[int, bool, list[int]]]]:
    """What the oracle and the product evaluate; the product possibly restored from a snapshot on the way."""
    patience = 1000
    expected = oracle.Aligner(oracle.Every(10), patience=patience)
    aligner = Aligner(Every(10), patience)
    sent: dict[int, Pane] = {}
    ours, theirs, now = list[Aligned](), list[tuple[int, bool, list[oracle.Pane]]](), 0
    for offset, ((kind, partition, number, ended), wait) in enumerate(records):
        now += wait
        if kind == "pane":
            assert number is not None
            sent[offset] = pane(partition, offset, number)
            theirs += expected.feed(offset, now, oracle.Pane(f"{partition}", offset, offset, number, "m", 1, 1, 0))
            ours += aligner.feed(offset, now, sent[offset])
        else:
            theirs += expected.feed(offset, now, oracle.Progress(f"{partition}", number, ended, ("0", "1", "2")))
            ours += aligner.feed(offset, now, progress(partition, number, ended=ended))
        if offset == snapshot_at:
            numbers = aligner.numbers()
            aligner = Aligner.restored(aligner.buckets, patience, numbers, {o: sent[o] for o in pending_offsets([numbers])})
    return [(bucket, whole, [p.first for p in panes]) for bucket, whole, panes in theirs], [
        (one.end, one.complete, [p.pane.first for p in one.panes]) for one in ours
    ]


@settings(max_examples=600)
@given(
    records=st.lists(st.tuples(st.one_of(_panes, _progress, _progress), _waits), max_size=60),
    snapshot_at=st.one_of(st.none(), st.integers(0, 60)),
)
def test_buckets_are_evaluated_as_the_rules_say(
    records: list[tuple[tuple[str, int, int | None, bool], int]], snapshot_at: int | None
) -> None:
    theirs, ours = both(records, snapshot_at)
    assert ours == theirs


def test_a_pane_seen_twice_counts_once() -> None:
    aligner = Aligner(Every(10))
    aligner.feed(0, 0, pane(0, 5, 10))
    aligner.feed(1, 0, pane(0, 5, 10))
    for number in range(3):
        ready = aligner.feed(2 + number, 0, progress(number, 10))
    assert [len(one.panes) for one in ready] == [1]


def test_a_topic_made_again_is_another_one() -> None:
    aligner = Aligner(Every(10))
    for number in range(3):
        aligner.feed(number, 0, progress(number, 100))
    aligner.feed(3, 0, progress(0, 10, topic_id="new"))
    assert all(key[1] == "new" for key in aligner.partitions)
    aligner.feed(4, 0, pane(0, 0, 110, topic_id="new"))
    for number in range(3):
        ready = aligner.feed(5 + number, 0, progress(number, 110, topic_id="new"))
    assert [one.end for one in ready] == [110]


def test_a_bucket_says_that_the_clock_decided_it() -> None:
    aligner = Aligner(Every(10))
    aligner.feed(0, 0, pane(0, 0, 10))
    aligner.feed(1, 0, pane(0, 5, 20))
    for number in range(2):
        aligner.feed(2 + number, 0, progress(number, 25))
    aligner.feed(4, 0, progress(2, 10))
    ready = aligner.feed(5, 0, progress(2, 20, by_clock=True))
    assert [(one.end, one.clock_decided) for one in ready] == [(20, True)]


def test_data_behind_the_clock_does_not_hide_what_the_clock_closed() -> None:
    aligner = Aligner(Every(10))
    aligner.feed(0, 0, pane(0, 0, 20))
    aligner.feed(1, 0, pane(0, 1, 30))
    for offset, said in enumerate((progress(2, 10), progress(2, 20, by_clock=True), progress(2, 40), progress(1, 40))):
        aligner.feed(2 + offset, 0, said)
    aligner = Aligner.restored(aligner.buckets, None, aligner.numbers(), {0: pane(0, 0, 20), 1: pane(0, 1, 30)})
    ready = aligner.feed(6, 0, progress(0, 40))
    assert [(one.end, one.clock_decided) for one in ready if one.panes] == [(20, True), (30, False)]
    assert not any(partition.by_clock for partition in aligner.partitions.values())


@pytest.mark.parametrize("kept", [(), (0,), (1,), (2,), (0, 2), (0, 1, 2)])
def test_a_bucket_of_which_a_pane_is_gone_is_not_complete(kept: tuple[int, ...]) -> None:
    panes = {0: pane(0, 0, 10), 1: pane(1, 0, 10), 2: pane(0, 5, 20)}
    aligner = Aligner(Every(10))
    for offset, one in panes.items():
        aligner.feed(offset, 0, one)
    aligner = Aligner.restored(aligner.buckets, None, aligner.numbers(), {offset: panes[offset] for offset in kept})
    ready = [one for number in range(3) for one in aligner.feed(3 + number, 0, progress(number, 20)) if one.panes]
    assert [(one.end, [pending.offset for pending in one.panes], one.complete) for one in ready] == [
        (end, [offset for offset in of if offset in kept], set(of) <= set(kept))
        for end, of in ((10, (0, 1)), (20, (2,)))
        if set(of) & set(kept)
    ]


def test_nothing_is_evaluated_before_the_partitions_are_known() -> None:
    aligner = Aligner(Every(10))
    aligner.feed(0, 0, pane(0, 0, 10))
    assert aligner.evaluated < 0
    assert [[one.end for one in aligner.feed(1 + n, 0, progress(n, 50))] for n in range(3)] == [[], [], [10, 50]]
    assert not any(aligner.feed(4 + n, 0, progress(n, 55)) for n in range(3))


@given(order=st.permutations((0, 1, 2)), heard=st.lists(st.sampled_from((0, 1, 2)), max_size=3))
def test_what_a_later_run_brings_is_late_or_not_whoever_ended_first(order: list[int], heard: list[int]) -> None:
    aligner = Aligner(Every(10))
    aligner.feed(0, 0, pane(0, 0, 30))
    for number in (*heard, *order):
        aligner.feed(1, 0, progress(number, 20 * (number + 2), ended=number not in heard))
    for number in order:
        aligner.feed(2, 0, progress(number, 20 * (number + 2), ended=True))
    assert (aligner.evaluated, aligner.passed) == (40, 80)
    for offset, bucket in enumerate((40, 50), 3):
        aligner.feed(offset, 0, pane(0, offset, bucket))
    ready = [one for number in order for one in aligner.feed(9, 0, progress(number, 90))]
    assert [(one.end, one.complete, len(one.panes)) for one in ready] == [(50, False, 2), (90, True, 0)]


def test_empty_buckets_that_are_passed_over_are_told_once_and_how_far_does_not_depend_on_who_ends_first() -> None:
    for order in ((0, 1, 2), (2, 1, 0)):
        aligner, told = Aligner(Every(10)), list[Aligned]()
        aligner.feed(0, 0, pane(0, 0, 10))
        for offset, number in enumerate(order):
            told += aligner.feed(1 + offset, 0, progress(number, 20 * (number + 1), ended=True))
        assert (told[0].end, len(told[0].panes)) == (10, 1)
        assert told[-1].end == 60
        assert not told[-1].panes
