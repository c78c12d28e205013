"""An episode of very many signals on a real Kafka, with its default bound of a record."""

import time
from pathlib import Path

import msgspec
import numpy as np
import pytest

from driftbus.consumers.bus.kafka import KafkaBus
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.detectors.counting.bins import profile_of
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.stored.reference import AvailabilityProfile, ProfiledField, Reference

from ..streaming import Sent, everything, prepare, send

pytestmark = pytest.mark.kafka
SHIFTED, ROWS, PREFIX = 1_000, 500, "large"


def test_a_detector_tells_of_a_thousand_shifted_features_and_goes_on(kafka: str, tmp_path: Path) -> None:
    name = f"{PREFIX}{time.time_ns()}"
    profile = profile_of(np.random.default_rng(0).normal(size=ROWS))
    present = AvailabilityProfile(counts=(ROWS, 0, 0, 0))
    fields = tuple(ProfiledField(name=f"feature_{i:04}", type="numeric", values=profile, availability=present) for i in range(SHIFTED))
    one = Reference(model="m0", version="1", rows=ROWS, first=0, last=ROWS * 1000, ordered=True, fields=fields)
    settings = Configuration.model_validate(
        {
            "application": name,
            "bus": "kafka",
            "kafka": {"bootstrap.servers": kafka},
            "artifacts": str(tmp_path),
            "topics": {"prefix": name, "partitions": 1},
            "streams": {"predictions": {"topics": [f"{name}.in"], "pane": "10s", "clock": "record"}},
            "models": {"m0": {"false_alarms": "1 per 1h"}},
        }
    )
    draw, events = np.random.default_rng(1), list[int]()
    for first, last, shift in ((0, 80, 0.0), (80, 140, 4.0), (140, 160, 4.0)):
        bus = KafkaBus(settings.kafka, name, "one")
        if not first:
            prepare(bus, settings, [one], partitions=1)
        values = [
            dict(zip((field.name for field in fields), (draw.normal(size=SHIFTED) + shift).round(3).tolist(), strict=True))
            for _ in range(first, last)
        ]
        sent = [
            Sent(0, row * 400, msgspec.json.encode({"model": "m0", "version": "1", "features": own}))
            for row, own in zip(range(first, last), values, strict=True)
        ]
        send(bus, sent, f"{name}.in")
        pipeline = Pipeline(bus, settings)
        for _ in pipeline.run_until_end():
            pass
        pipeline.close()
        events.append(len(everything(bus, settings.topics.drift).get(0, [])))
        told = [event.content for event in everything(bus, settings.topics.drift).get(0, [])]
        bus.close()
    assert events[0] == 0 < events[1] <= events[2]
    assert len({event["episode"] for event in told}) == 1
    assert len(told[-1]["signals"]) + len(told[-1]["further"]) + told[-1]["more_signals"] == SHIFTED
