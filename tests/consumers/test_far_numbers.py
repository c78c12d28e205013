"""Numbers that are far from their predictions: counted as they are where predictions hardly differ, and else told as clipped."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from driftbus.consumers.detector.outcomes import Outcomes
from driftbus.consumers.reference.outcomes import basis_of
from driftbus.detectors.counting.bins import profile_of
from driftbus.detectors.outcomes.basis import summed
from driftbus.detectors.outcomes.layout import layout
from driftbus.detectors.outcomes.metrics import realised
from driftbus.detectors.outcomes.own import OwnMetric
from driftbus.detectors.outcomes.values import values_of_numbers
from driftbus.schemas.configuration import Labels
from driftbus.schemas.messages.pane import REVISIONS, Pane
from driftbus.schemas.messages.performance import Performance
from driftbus.schemas.messages.progress import InputPartition, InputTopic, Progress
from driftbus.schemas.stored.outcomes import OutcomeBasis
from driftbus.schemas.stored.reference import AvailabilityProfile, ProfiledField, Reference

from ..detectors.outcomes.rows import told
from ..streaming import BEGINNING
from .test_blocks import LABELS, settings

ROWS = 2_000
HOUR = 3_600_000
#: What a model answers, by which scale its outcomes differ from it.
MODELS: dict[str, tuple[NDArray[np.float64], float]] = {
    "the same of all": (np.full(ROWS, 1_000.0), 300.0),
    "the same of all, and small": (np.full(ROWS, 1e-3), 1e-4),
    "the same of all, and large": (np.full(ROWS, -1e9), 1e8),
    "nearly the same": (1_000 + np.linspace(-1e-3, 1e-3, ROWS), 300.0),
    "nothing but zero": (np.zeros(ROWS), 50.0),
    "numbers that differ": (np.linspace(0, 10, ROWS), 3.0),
    "times": (1.7e9 + np.linspace(0, 1e5, ROWS), 1e3),
}


def basis(predictions: NDArray[np.float64]) -> OutcomeBasis:
    present = AvailabilityProfile(counts=(ROWS, 0, 0, 0))
    known = ProfiledField(name="prediction", role="prediction", type="numeric", values=profile_of(predictions), availability=present)
    reference = Reference(model="m0", version="1", rows=ROWS, first=0, last=ROWS * 1000, ordered=True, fields=(known,))
    return basis_of(Labels(topics=(LABELS,), outcome="number"), reference)


@pytest.mark.parametrize("name", MODELS)
def test_errors_are_measured_however_little_predictions_differ(name: str) -> None:
    predictions, off = MODELS[name]
    outcomes = predictions + np.random.default_rng(0).normal(0, off, ROWS)
    how = basis(predictions)
    found = realised(layout(how), summed(layout(how), told(how, values_of_numbers(predictions), values_of_numbers(outcomes))))
    assert found is not None
    assert found.clipped == 0
    assert found.metrics["mae"] == pytest.approx(np.abs(outcomes - predictions).mean(), rel=1e-2)
    assert found.metrics["rmse"] == pytest.approx(np.sqrt(((outcomes - predictions) ** 2).mean()), rel=1e-2)


class Counted:
    """By numbers that differ."""

    def __init__(self) -> None:
        self.basis = basis(MODELS["numbers that differ"][0])

    def __call__(self, model: str, reference: str, labels: str) -> OutcomeBasis:
        return self.basis

    def metrics(self, model: str) -> Sequence[OwnMetric]:
        return ()


def test_how_many_count_as_nearer_is_told() -> None:
    counted, about = Counted(), (BEGINNING // HOUR + 1) * HOUR
    outcomes = Outcomes(settings({"wait": "1h", "outcome": "number"}, stream={"pane": "1m"}), "outcomes", counted)
    predictions = np.zeros(10)
    known = np.array([*range(7), 1e9, -1e9, 1e300])
    plan = layout(counted.basis)
    where: dict[str, Any] = {"stream": "outcomes", "topic": "joins", "topic_id": "t", "partition": 0}
    of_step = {"bucket": about, "first": about, "last": about, "about": about, "since": BEGINNING, "reference": "r", "rows": 0}
    counts = summed(plan, told(counted.basis, values_of_numbers(predictions), values_of_numbers(known)))
    pane = Pane(**where, **of_step, model="m0", version="1", counts=counts, of=REVISIONS)
    source = InputPartition(topic="joins", topic_id="t", partition=0)
    topics = (InputTopic(topic="joins", topic_id="t", partitions=1),)
    passed = Progress(stream="outcomes", source=source, through=about, topics=topics, of=pane.of)
    [record] = [one for fact in (pane, passed) for _, one in outcomes.feed(0, 0, fact) if isinstance(one, Performance)]
    assert (record.labelled, record.clipped) == (10, 3)
    assert Performance.decoded(record.encoded()).clipped == 3
