"""Which segments drift when a slot begins: the same in any order in which what is written becomes known."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from driftbus.consumers.reviewer.drifting import Drifting
from driftbus.consumers.reviewer.recorded import Recorded
from driftbus.consumers.reviewer.sampling import Sampling
from driftbus.consumers.streams.lanes import Lane, lanes_of
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.candidates import Candidate, Candidates
from driftbus.schemas.messages.episode import EPISODE, EpisodeNote
from driftbus.schemas.messages.evidence import Evidence
from driftbus.schemas.messages.pane import OOD, PREDICTIONS
from driftbus.schemas.messages.progress import InputPartition, InputTopic, Progress
from driftbus.schemas.messages.review import ReviewSlot

from ..streaming import configuration

PANE, SLOT, PANES = 10_000, 60_000, 30
NOTES = {  # by lane and bucket: the episode, and its segments
    (PREDICTIONS, 70_000): ("a", ("US",)),
    (PREDICTIONS, 120_000): ("b", ("DE",)),
    (PREDICTIONS, 130_000): ("a", ()),
    (OOD, 60_000): ("c", ("FR",)),
    (OOD, 250_000): ("c", ()),
}
Record = Candidates | Evidence | Progress


def settings(folder: Path, *, clock: str = "record", **model: object) -> Configuration:
    models = {"m0": {"review": {"budget": "600 per hour", "slot": "1m"}, **model}}
    return configuration(artifacts=str(folder), stream={"clock": clock}, models=models)


def of_inputs(partition: int) -> Iterator[Record]:
    topics = (InputTopic(topic="scored", topic_id="t", partitions=2),)
    for number in range(PANES):
        end = (number + 1) * PANE
        kept = tuple(Candidate(offset=number * 10 + row, weight=0.5, segment=("US", "DE", "FR")[row % 3]) for row in range(10))
        whose = {"stream": "predictions", "topic": "scored", "topic_id": "t", "partition": partition, "model": "m0", "version": "1"}
        yield Candidates.model_validate(
            {**whose, "first": number * 10, "last": number * 10 + 9, "bucket": end, "rows": 10, "cases": 11, "uniform": 4, "kept": kept}
        )
        source = InputPartition(topic="scored", topic_id="t", partition=partition)
        yield Progress(stream="predictions", source=source, through=end, topics=topics)


def of_lane(lane: Lane) -> Iterator[Record]:
    for number in range(PANES):
        end = (number + 1) * PANE
        if (lane.of, end) in NOTES:
            episode, segments = NOTES[lane.of, end]
            note = EpisodeNote(
                episode=episode, sequence=0, status="updated", kind="input", severity="minor", reference="r", opened=end, onset=end,
                segments=segments, complete=True, clock_decided=False,
            )  # fmt: skip
            yield Evidence(
                of=EPISODE, stream="predictions", **lane.source.model_dump(), offset=end, bucket=end, about=end, model="m0", version="1",
                fact_id=f"{episode}{end}", fact=note.model_dump(),
            )  # fmt: skip
        yield Progress(stream="predictions", source=lane.source, through=end, of=EPISODE)


def fold(chosen: Configuration) -> Sampling:
    made = Sampling(chosen, Recorded(chosen, lambda _: frozenset()))
    made.situated(InputPartition(topic="driftbus.summaries", topic_id="s", partition=0), append_time=True)
    assert made.resumed() == []
    return made


def test_requests_are_the_same_in_any_order_of_who_writes(tmp_path: Path) -> None:
    chosen, found = settings(tmp_path, ood={}), []
    for seed in range(12):
        draw, sampling, said, log = random.Random(seed), fold(chosen), [], dict[int, Record]()
        writers = [of_inputs(0), of_inputs(1), *map(of_lane, lanes_of(chosen, "predictions"))]
        while writers:
            writer = draw.choice(writers[draw.randrange(len(writers)) :])
            record = next(writer, None)
            if record is None:
                writers.remove(writer)
                continue
            offset = len(log)
            log[offset] = record
            said += sampling.feed(offset, offset * 100, record)
            if draw.random() < 0.1:  # another process goes on
                state, parts = sampling.snapshot(offset + 1)
                facts = {at: one for at in state.pending if not isinstance(one := log[at], Progress)}
                sampling = Sampling.restored(chosen, Recorded(chosen, lambda _: frozenset()), state, parts, facts)
                assert sampling.resumed() == []
        found.append(said)
    assert all(said == found[0] for said in found)
    slots = {one.start: one.drifting for one in found[0] if isinstance(one, ReviewSlot)}
    known = {0: (), 60_000: ("FR",), 120_000: ("DE", "FR", "US"), 180_000: ("DE", "FR"), 240_000: ("DE", "FR")}
    assert slots == known


@pytest.mark.parametrize("clock", ["live", "record"])
def test_a_detector_that_is_not_there_is_waited_for_as_long_as_patience_is(tmp_path: Path, clock: str) -> None:
    chosen = settings(tmp_path, clock=clock)
    sampling, said = fold(chosen), []
    for offset, records in enumerate(zip(of_inputs(0), of_inputs(1), strict=True)):
        for record in records:
            said += sampling.feed(offset, offset * 10_000, record)
    slots = [one for one in said if isinstance(one, ReviewSlot)]
    assert bool(slots) == (clock == "live")  # with the clock of the records for ever
    assert all(not one.complete and one.drifting == () for one in slots)


def test_a_lane_that_is_configured_no_more_holds_nobody_up(tmp_path: Path) -> None:
    before, now = settings(tmp_path, ood={}), settings(tmp_path)
    sampling, log = fold(before), list[Record]()
    for records in zip(of_inputs(0), of_inputs(1), strict=True):
        log += records
    log += of_lane(Lane("predictions", PREDICTIONS))
    assert [one for offset, record in enumerate(log) for one in sampling.feed(offset, offset, record)] == []
    state, parts = sampling.snapshot(len(log))
    facts = {at: one for at in state.pending if not isinstance(one := log[at], Progress)}
    again = Sampling.restored(now, Recorded(now, lambda _: frozenset()), state, parts, facts)
    slots = [one for one in again.resumed() if isinstance(one, ReviewSlot)]
    assert [one.drifting for one in slots] == [(), (), ("DE", "US"), ("DE",), ("DE",)]


def test_what_is_noted_behind_a_start_is_not_known_there() -> None:
    drifting = Drifting()
    assert list(drifting.at(0)) == []
    note = EpisodeNote(
        episode="a", sequence=0, status="opened", kind="input", severity="minor", reference="r", opened=1, onset=1,
        segments=tuple(f"s{number:03}" for number in range(200)), complete=True, clock_decided=False,
    )  # fmt: skip
    drifting.note(10, note)
    assert list(Drifting.restored(drifting.plain()).at(9)) == []
    assert list(drifting.at(10)) == [f"s{number:03}" for number in range(200)]
