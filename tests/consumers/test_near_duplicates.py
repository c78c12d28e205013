"""Near-duplicates among cases: by the vectors of the model's index, so whoever reads in whatever batches groups the same."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import msgspec
import numpy as np

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Output
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.reference.reviews import read
from driftbus.consumers.reviewer.groups import leaders_of
from driftbus.consumers.streams.records import end_records
from driftbus.detectors.neighbours.vectors import whole
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.candidates import MOST_NUMBERS, Candidate, Candidates
from driftbus.schemas.messages.review import ReviewRequest

from ..streaming import BEGINNING, everything
from .unlike_world import PARTITIONS, TOPIC, built, prepare, settings, written

LONG = "please tell me at once why the card that i ordered for my daughter in the branch in the old town has not come yet, number"
OTHERS = ("how do i close the account today", "where do i rent a car near the airport", "what if i repay my loan early from abroad")


def candidate(vector: Sequence[float], offset: int = 0, **shown: str) -> Candidate:
    return Candidate(offset=offset, weight=1.0, shown=shown, vector=whole(np.array([vector])).astype("<i2").tobytes())


def test_the_first_of_those_that_are_alike_leads() -> None:
    a, near, far = [1.0, 0.0, 0.0], [1.0, 0.2, 0.0], [0.0, 1.0, 0.0]
    cases = [candidate(vector, text=f"text {place}") for place, vector in enumerate((a, far, near))]
    same_words = candidate(far, text=" TEXT  0 ")
    without = Candidate(offset=9, weight=1.0, shown={"text": "no vector"})
    ours = [("r", one) for one in (*cases, same_words, without)]
    assert leaders_of(ours) == [0, 1, 0, 0, 4]
    assert leaders_of([*ours[:2], ("other", cases[2])]) == [0, 1, 2]
    assert leaders_of([("r", candidate([0.0, 0.0, 0.0], text=name)) for name in "ab"]) == [0, 1]
    assert leaders_of([]) == []


def rows() -> list[Output]:
    """Five minutes in which every second question differs from the others in its last word alone."""
    sent = []
    for number in range(300):
        question = f"{LONG} {number}" if number % 2 else OTHERS[number // 2 % 3]
        features = {"question": question, "vector": [float(number % 5), 1.0, *[0.0] * 10]}
        value = {"model": "m0", "version": "1", "id": f"r{number}", "features": features, "prediction": "card"}
        sent.append(Output(TOPIC, number % PARTITIONS, None, msgspec.json.encode(value), (), BEGINNING + number * 1_000))
    return sent


def run(chosen: Configuration) -> tuple[list[ReviewRequest], list[Candidate]]:
    with closing(EmbeddedBus(":memory:", "test", "log")) as bus:
        prepare(bus, chosen, built(chosen))
        bus.publish(rows())
        bus.publish(end_records("test", TOPIC, PARTITIONS, BEGINNING + 600_000))
        with closing(Pipeline(bus, chosen, ("profiler", "detector", "reviewer"))) as pipeline:
            for _ in pipeline.run_until_end():
                pass
        of = [event for events in everything(bus, chosen.topics.reviews).values() for event in events]
        said = [read("test", event.key, event.value, event.headers) for event in of]
        summaries = [event for events in everything(bus, chosen.topics.summaries).values() for event in events]
        kept = [Candidates.decoded(e.value) for e in summaries if dict(e.headers)["ce_type"] == b"io.driftbus.candidates"]
    return [one for one in said if isinstance(one, ReviewRequest)], [one for each in kept for one in each.kept]


def test_questions_that_are_nearly_the_same_are_one_group_and_stay_in_the_sample(tmp_path: Path) -> None:
    written(tmp_path, 2_000)
    ood = {"of": ["question"], "embedder": "sketch"}
    review = {"budget": "1200 per hour", "slot": "1m", "show": ["question"]}
    requests, kept = run(settings(tmp_path, ood, model={"review": review}))
    long = [one for one in requests if str(one.shown["question"]).startswith(LONG)]
    assert len(long) > 10
    assert len({one.case for one in long}) == len(long)
    assert {one.slot: len({other.group for other in long if other.slot == one.slot}) for one in long} == {one.slot: 1 for one in long}
    others = [one for one in requests if one not in long]
    assert {one.group for one in others}.isdisjoint({one.group for one in long})
    assert all(2 <= len(one.vector) <= 2 * MOST_NUMBERS for one in kept)
    hidden, kept = run(settings(tmp_path, ood, model={"review": review | {"show": []}}))
    assert hidden
    assert {one.vector for one in kept} == {b""}, "what a text is about is hidden where the text is"
