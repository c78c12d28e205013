"""Outcomes while a new reference of a version takes over: labels of what was predicted before it still come, for as long as labels take."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
import pytest

from driftbus.consumers.detector.outcomes import Outcomes
from driftbus.detectors.outcomes.layout import Layout, layout
from driftbus.detectors.outcomes.own import OwnMetric
from driftbus.schemas.cloud_events import iso
from driftbus.schemas.messages.drift import DriftEvent
from driftbus.schemas.messages.pane import ARRIVALS, REVISIONS, Pane
from driftbus.schemas.messages.progress import InputPartition, InputTopic, Progress
from driftbus.schemas.stored.outcomes import OutcomeBasis

from ..streaming import BEGINNING
from .test_blocks import settings

MINUTE, HOUR = 60_000, 3_600_000
START = BEGINNING // MINUTE * MINUTE
#: Labels a step; steps of the baseline, and those behind it.
LABELS, USUAL, BEHIND = 100, 200, 60
CLASSES: dict[str, tuple[str, ...]] = {"old": ("a", "b"), "new": ("a", "b", "c", "d")}
SINCE = {"old": START, "new": START + USUAL * MINUTE}


class Counted:
    """How outcomes are counted: a category, of the classes that each reference has."""

    def __call__(self, model: str, reference: str, labels: str) -> OutcomeBasis:
        return OutcomeBasis(task="category", classes=CLASSES[reference])

    def metrics(self, model: str) -> Sequence[OwnMetric]:
        return ()


class World:
    """The outcomes of one join, and panes of the joiner as they would be."""

    def __init__(self, labels: dict[str, Any] | None = None) -> None:
        self.chosen = settings({"wait": "6h", "outcome": "category", **(labels or {})}, stream={"pane": "1m"})
        self.outcomes, self.now, self._offset = Outcomes(self.chosen, "outcomes", Counted()), START, 0
        self._draw = np.random.default_rng(0)

    def feed(self, record: Pane | Progress) -> list[Any]:  # of all that is told
        self._offset += 1
        return [told for _, told in self.outcomes.feed(self._offset, self.now, record)]

    def passed(self, through: int) -> list[Any]:
        source = InputPartition(topic="joins", topic_id="t", partition=0)
        topics = (InputTopic(topic="joins", topic_id="t", partitions=1),)
        return self.feed(Progress(stream="outcomes", source=source, through=through, topics=topics, of=ARRIVALS))

    def pane(self, of: str, reference: str, about: int, **numbers: int) -> None:
        plan = layout(Counted()("m0", reference, "outcomes"))
        of_step = {"bucket": self.now, "first": self.now, "last": self.now, "about": about, "since": SINCE[reference]}
        where = {"stream": "outcomes", "topic": "joins", "topic_id": "t", "partition": 0, "model": "m0", "version": "1"}
        self.feed(Pane(**where, **of_step, reference=reference, rows=0, counts=_vector(plan, of, numbers), of=of))

    def step(self, *references: str, errors: float, told: bool = True) -> list[Any]:
        """A minute in which labels of predictions against these references come."""
        self.now += MINUTE
        for reference in references:
            wrong = int(self._draw.binomial(LABELS, errors))
            known = {"labelled": LABELS, "errors": wrong, "cell labelled": LABELS, "cell right": LABELS - wrong, "delays": LABELS}
            about = (self.now - 1) // HOUR * HOUR + HOUR
            self.pane(ARRIVALS, reference, self.now, **known)
            if told:
                self.pane(REVISIONS, reference, about, **known, predicted=LABELS, **{"cell rows": LABELS})
        return self.passed(self.now)

    def again(self) -> None:
        """A successor, from what was written down."""
        concept, tables = self.outcomes.concept.plain(), self.outcomes.plain()
        aligner, self.outcomes = self.outcomes.aligner, Outcomes(self.chosen, "outcomes", Counted())
        self.outcomes.aligner = aligner
        self.outcomes.restore(msgspec.msgpack.decode(msgspec.msgpack.encode(tables), strict=False))
        self.outcomes.concept.restore(msgspec.msgpack.decode(msgspec.msgpack.encode(concept)))


def _vector(plan: Layout, of: str, numbers: Mapping[str, int]) -> np.ndarray[Any, np.dtype[np.int64]]:
    vector = np.zeros(plan.arrivals if of == ARRIVALS else plan.size, dtype=np.int64)
    for name, number in numbers.items():
        vector[plan.sections[name].start] = number
    return vector


@pytest.fixture
def world() -> World:
    """With a baseline against the old reference."""
    found = World()
    for _ in range(USUAL):
        assert not events(found.step("old", errors=0.1))
    return found


def events(told: Sequence[Any]) -> list[DriftEvent]:
    return [one for one in told if isinstance(one, DriftEvent)]


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("mixed", [True, False], ids=["in one step", "in turn"])
def test_labels_of_the_reference_before_hold_up_no_baseline(world: World, *, mixed: bool, restarted: bool) -> None:
    """Of the new one's labels a baseline is made, and errors that become commoner are told."""
    found = list[DriftEvent]()
    for number in range(2 * USUAL + BEHIND):
        if restarted and number % 10 == 5:
            world.again()
        references = ("old", "new") if mixed else (("old",), ("new",))[number % 2]
        found += events(world.step(*references, errors=0.1 if number < 2 * USUAL else 0.4))
    assert [event.status for event in found][:1] == ["opened"]
    assert found[0].bucket[0] >= iso(world.now - BEHIND * MINUTE)


def test_an_event_tells_what_is_known_in_the_cells_that_it_is_of(world: World) -> None:
    """Predictions are made against the new reference, of which no label has come."""
    found = list[DriftEvent]()
    for _ in range(BEHIND):
        world.pane(REVISIONS, "new", (world.now // HOUR + 1) * HOUR, predicted=LABELS)
        found += events(world.step("old", errors=0.4))
    told = found[0].performance
    assert told is not None
    assert told.labelled == told.predicted > 0
    assert told.delay is not None
    assert told.delay < HOUR


def test_what_was_summed_of_other_labels_is_known_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """The configuration says that labels are something else: nothing that was summed fits, and what comes is summed."""
    world = World()
    world.step("old", errors=0.1)
    monkeypatch.setitem(CLASSES, "old", ("a", "b", "c"))
    world.again()
    [told] = world.step("old", errors=0.1)
    assert (told.predicted, told.labelled) == (LABELS, LABELS)
