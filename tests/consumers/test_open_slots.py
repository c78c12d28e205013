"""Slots without rows, and slots whose length changes while one is open: said as they are known, and no row is left out."""

from pathlib import Path

import pytest

from driftbus.consumers.reviewer.facts import Fact
from driftbus.consumers.reviewer.recorded import Recorded
from driftbus.consumers.reviewer.sampling import Sampling
from driftbus.consumers.streams.lanes import Lane
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.candidates import Candidates
from driftbus.schemas.messages.episode import EPISODE
from driftbus.schemas.messages.pane import PREDICTIONS
from driftbus.schemas.messages.progress import InputPartition, InputTopic, Progress
from driftbus.schemas.messages.review import ReviewRequest, ReviewSlot

from ..streaming import configuration
from .test_drifting import fold

SOURCE, LANE = InputPartition(topic="scored", topic_id="t", partition=0), Lane("predictions", PREDICTIONS)


def settings(folder: Path, slot: str) -> Configuration:
    models = {"m0": {"review": {"budget": "600 per hour", "slot": slot}}}
    return configuration(artifacts=str(folder), stream={"clock": "live"}, models=models)


def rows(end: int, first: int) -> Candidates:
    whose = {"stream": "predictions", "topic": "scored", "topic_id": "t", "partition": 0, "model": "m0", "version": "1"}
    kept = [{"offset": first + place, "weight": 0.5} for place in range(5)]
    return Candidates.model_validate(
        {**whose, "first": first, "last": first + 4, "bucket": end, "rows": 5, "cases": 40, "uniform": 14, "kept": kept}
    )


def passed(through: int, **known: bool) -> list[Fact]:
    """Predictions are complete through then, and so is what the detector says of them."""
    topics = (InputTopic(topic="scored", topic_id="t", partitions=1),)
    return [
        Progress(stream="predictions", source=SOURCE, through=through, topics=topics, **known),
        Progress(stream="predictions", source=LANE.source, through=through, of=EPISODE),
    ]


def fed(sampling: Sampling, facts: list[Fact], first: int = 0) -> list[ReviewRequest | ReviewSlot]:
    said = [one for offset, fact in enumerate(facts, first) for one in sampling.feed(offset, 0, fact)]
    return [one for one in said if isinstance(one, ReviewRequest | ReviewSlot)]


def restored(chosen: Configuration, before: Sampling, at: int) -> Sampling:
    return Sampling.restored(chosen, Recorded(chosen, lambda _: frozenset()), *before.snapshot(at), {})


@pytest.mark.parametrize("again", [False, True])
def test_a_slot_without_rows_is_known_no_better_than_its_time(tmp_path: Path, again: bool) -> None:
    chosen = settings(tmp_path, "1m")
    sampling, facts = fold(chosen), [rows(10_000, 0), *passed(60_000), *passed(90_000), *passed(130_000, by_clock=True)]
    said = fed(sampling, facts)
    if again:
        sampling = restored(chosen, sampling, len(facts))
        assert sampling.resumed() == []
    said += fed(sampling, [*passed(180_000), *passed(190_000), *passed(240_000, complete=False), *passed(300_000)], len(facts))
    slots = [(one.slot, one.rows, one.complete, one.clock_decided) for one in said if isinstance(one, ReviewSlot)]
    assert slots == [
        (60_000, 5, True, False),
        (120_000, 0, True, True),
        (180_000, 0, True, True),  # its first ten seconds
        (240_000, 0, False, False),
        (300_000, 0, True, False),
    ]


def test_rows_of_an_open_slot_are_drawn_in_that_in_which_it_ends(tmp_path: Path) -> None:
    chosen, longer = settings(tmp_path, "1m"), settings(tmp_path, "150s")
    facts = [rows(10_000, 0), *passed(60_000), rows(70_000, 10), *passed(80_000)]
    sampling = fold(chosen)
    assert [one.slot for one in fed(sampling, facts) if isinstance(one, ReviewSlot)] == [60_000]
    changed = restored(longer, sampling, len(facts))
    assert changed.resumed() == []
    said = fed(restored(longer, changed, len(facts)), [rows(130_000, 20), *passed(300_000)], len(facts))
    slots = [(one.start, one.slot, one.rows) for one in said if isinstance(one, ReviewSlot)]
    assert slots == [(60_000, 150_000, 10), (150_000, 300_000, 0)]
    assert sorted(one.offset for one in said if isinstance(one, ReviewRequest)) == [*range(10, 15), *range(20, 25)]


def test_until_it_goes_on_a_fold_draws_by_the_slots_it_was_made_by(tmp_path: Path) -> None:
    chosen, longer = settings(tmp_path, "1m"), settings(tmp_path, "150s")
    facts, behind = [rows(10_000, 0), *passed(50_000)], passed(60_000)
    sampling = fold(chosen)
    assert fed(sampling, facts) == []
    silent = restored(longer, sampling, len(facts))
    assert fed(silent, behind, len(facts)) == fed(sampling, behind, len(facts))
