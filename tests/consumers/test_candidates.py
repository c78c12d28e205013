"""What makes a row a candidate for review: its predicted class, whatever its type."""

from typing import Any

import numpy as np
import pytest

from driftbus.consumers.decode.interface import MARKS, Columns
from driftbus.consumers.profiler.candidates import Keeping, Looked, Reviewed
from driftbus.consumers.reference.holding import Monitored
from driftbus.consumers.streams.buckets import Every
from driftbus.consumers.streams.slots import Slots
from driftbus.detectors.counting import Counting
from driftbus.detectors.counting.bins import profile_of
from driftbus.schemas.configuration import Review
from driftbus.schemas.messages.progress import InputPartition
from driftbus.schemas.stored.reference import AvailabilityProfile, CategoricalProfile, ProfiledField, Reference

PRESENT = AvailabilityProfile(counts=(9, 0, 0, 0))


def weights(prediction: Any, columns: Columns, classes: dict[str, float]) -> list[float]:  # a profile
    """Of rows without a score, against what such a row weighs."""
    kind = "categorical" if isinstance(prediction, CategoricalProfile) else "numeric"
    field = ProfiledField(name="prediction", role="prediction", type=kind, values=prediction, availability=PRESENT)
    reference = Reference(model="m", version="1", rows=9, first=0, last=9, ordered=True, fields=(field,))
    rows = len(columns.numeric)
    looked = Looked(
        columns=columns,
        inside=np.arange(rows),
        offsets=np.arange(rows),
        ids=lambda some: [None] * len(some),
        payloads=[None] * rows,
        levels=None,
        monitored=Monitored(reference.fields, (), Counting(reference)),
        features=lambda _: {},
    )
    slots = Slots(Review.model_validate({"classes": classes}), Every(600_000))
    keeping = Keeping(Reviewed(slots, None, 1.0, b""), InputPartition(topic="t", topic_id="t", partition=0))
    keeping.look(looked)
    return [one.weight / 0.5 for one in keeping.kept]


def test_a_class_that_is_a_number_has_its_weight() -> None:
    columns = Columns(numeric=np.array([[1.0], [0.0], [np.nan], [0.5]]), categorical=())
    assert weights(profile_of(np.arange(9.0)), columns, {"1": 3.0, "0.5": 2.0, "None": 9.0}) == [3.0, 1.0, 1.0, 2.0]


@pytest.mark.parametrize("mark", MARKS)
def test_a_class_that_is_a_text_has_its_weight_and_none_has_none(mark: int) -> None:
    profile = CategoricalProfile(categories=("1", "true"), counts=(5, 4, 0), tau=(1.0, 1.0, 1.0))
    columns = Columns(numeric=np.zeros((3, 0)), categorical=[["1", "true", mark]])
    assert weights(profile, columns, {"1": 3.0, "true": 2.0, "None": 9.0, str(mark): 9.0}) == [3.0, 2.0, 1.0]
