"""Labels and predictions of which nobody should send such: each costs itself, and what else is told is as ever."""

from collections.abc import Sequence
from contextlib import closing
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Output
from driftbus.consumers.console.performance import performance_of
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.pipeline.topology import ROLES
from driftbus.consumers.streams.records import end_records
from driftbus.schemas.messages.performance import Performance
from driftbus.schemas.stored.segmentation import Segmentation

from ..streaming import BEGINNING, everything, more_partitions, prepare, reference
from .test_blocks import LABELS, PREDICTIONS, predicted, settings
from .test_joiner import MINUTE, SPAN, WAIT, run

#: Ordinary predictions beside those of each case, every one with a label; all right but the first.
ORDINARY = 20


def prediction(id_: str, minute: int = 0, score: float = 0.9, **features: object) -> Output:
    draw, time = np.random.default_rng(0), BEGINNING + minute * MINUTE
    value = msgspec.json.decode(predicted(draw, "m0", id_, score=score))
    value["features"] |= features
    return Output(PREDICTIONS, minute % 4, None, msgspec.json.encode(value), (), time)


def label(id_: str, value: object = True, minute: int = 3, partition: int = 0) -> Output:
    return Output(LABELS, partition, None, msgspec.json.encode({"id": id_, "label": value}), (), BEGINNING + minute * MINUTE)


def ordinary() -> list[Output]:
    ids = [f"p{i}" for i in range(ORDINARY)]
    return [one for i, id_ in enumerate(ids) for one in (prediction(id_, colour="red"), label(id_, i > 0))]


class Told(NamedTuple):
    """What is told of the one interval, by segment; and how many records were none."""

    performance: dict[str | None, Performance]
    letters: int


def told(sent: list[Output], then: Sequence[Output] = (), partitions: int = 3, **labels: Any) -> Told:  # keys of any type
    """``then``: what is sent to the topic of the labels once it has more partitions."""
    chosen = settings({**WAIT, **labels}, stream={"pane": "1m"}, topics={"partitions": 2})
    with closing(EmbeddedBus(":memory:", "test", "one")) as bus:
        divided = reference("m0").model_copy(update={"segmentation": Segmentation(by="colour", names=("red", "green", "(other)"))})
        prepare(bus, chosen, [divided])
        bus.create(LABELS, partitions, settings={"retention.ms": "-1"})
        bus.publish(sorted(sent, key=lambda one: one.timestamp or 0))
        if then:
            pipeline = Pipeline(bus, chosen, ROLES)
            for _ in range(5):
                pipeline.turn()
            pipeline.close()
            partitions += 2
            more_partitions(bus, LABELS, partitions)
            bus.publish(then)
        for topic, number in ((PREDICTIONS, 4), (LABELS, partitions)):
            bus.publish(end_records("test", topic, number, BEGINNING + SPAN + 70 * MINUTE))
        run(bus, chosen, *ROLES)
        letters = [event for events in everything(bus, chosen.topics.dead_letter).values() for event in events]
        return Told({one.segment: one for one in performance_of(bus, chosen)}, len(letters))


def hostile(size: int, labels: int) -> list[Output]:
    """Ids, labels and a segment of so many characters, and so many labels of one id, of which the last holds."""
    long = "\U0001f600" * (size // 4)
    return [
        *(prediction(long + end, colour="green") for end in "ab"),
        *(label(long + end, value) for end, value in (("a", True), ("b", False), ("c", True))),
        prediction("segment", colour=long),
        label("segment"),
        *(prediction("wrong", colour="green"), label("wrong", "x" * size), label("wrong", {"x": "y" * size})),
        prediction("often", colour="green"),
        *(label("often", i % 2 == 0, partition=i % 3) for i in range(labels)),
        label("often", value=False, minute=4),
    ]


def test_what_nobody_should_send_costs_only_itself() -> None:
    found = told([*ordinary(), *hostile(1_000_000, 3_000)])
    whole, red, green, other = (found.performance[segment] for segment in (None, "red", "green", "(other)"))
    assert (red.predicted, red.labelled) == (ORDINARY, ORDINARY)
    assert red.realised["accuracy"] == pytest.approx(1 - 1 / ORDINARY)
    assert (green.predicted, green.labelled, green.expired) == (4, 3, 1)
    assert green.realised["accuracy"] == pytest.approx(1 / 3, rel=1e-5)
    assert (other.predicted, other.labelled, other.realised["accuracy"]) == (1, 1, 1.0)
    assert (whole.predicted, whole.labelled) == (ORDINARY + 5, ORDINARY + 4)
    assert found.letters == 2


def test_a_positive_that_no_label_is_makes_all_of_them_negative() -> None:
    whole = told([*ordinary(), label("p0", "legit", minute=4)], positive="never").performance[None]
    assert (whole.labelled, whole.realised["accuracy"], whole.realised["recall"]) == (ORDINARY, 0.0, None)


def test_labels_in_partitions_that_came_later_meet_like_others() -> None:
    late = [label(f"p{i}", value=False, minute=5, partition=3 + i % 2) for i in range(ORDINARY // 2)]
    whole = told(ordinary(), then=late).performance[None]
    assert (whole.labelled, whole.realised["accuracy"]) == (ORDINARY, 0.5)
