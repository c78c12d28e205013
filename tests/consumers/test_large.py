"""Panes in parts, and very many features that drift together: through the whole pipeline."""

from pathlib import Path

import msgspec
import numpy as np

from driftbus.consumers.bus.bounded import MOST_WHOLE
from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Output, TopicPartition
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.detectors.counting.bins import profile_of
from driftbus.schemas.bounds import RECORDS
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.drift import DriftEvent
from driftbus.schemas.messages.pane import LARGEST_PART, Pane
from driftbus.schemas.stored.reference import AvailabilityProfile, ProfiledField, Reference

from ..streaming import Event, Sent, configuration, everything, prepare, reference, rows, send


def run(bus: EmbeddedBus, settings: Configuration, *roles: str) -> None:
    pipeline = Pipeline(bus, settings, roles or ("profiler", "detector"))
    for _ in pipeline.run_until_end():
        pass
    pipeline.close()


def test_panes_in_parts_give_the_same_events(tmp_path: Path) -> None:
    settings, told = configuration(artifacts=str(tmp_path), topics={"partitions": 1}), list[list[Event]]()
    for largest in (LARGEST_PART, 620, 560):
        bus = EmbeddedBus(":memory:", "test", "a")
        prepare(bus, settings, [reference("m0")])
        send(bus, rows(500, ("m0",), shifted=("m0", 200, 400)))
        run(bus, settings, "profiler")
        place = TopicPartition(settings.topics.summaries, 0)
        other, records = EmbeddedBus(":memory:", "test", "a"), list[Output]()
        prepare(other, settings, [reference("m0")])
        for batch in bus.read(place, *bus.watermarks(place)):
            for key, value, headers in zip(batch.keys(), batch.values, batch.headers(), strict=True):
                assert value is not None
                is_pane = dict(headers)["ce_type"] == b"io.driftbus.pane"
                parts = [part for _, part in Pane.decoded(value).split(largest)] if is_pane else [value]
                records += (Output(place.topic, 0, key, part, headers) for part in parts)
        other.publish(records)
        run(other, settings, "detector")
        told.append(everything(other, settings.topics.drift)[0])
        assert (len(records) > bus.watermarks(place)[1]) == (largest < LARGEST_PART)
    assert len(told[0]) >= 2
    assert told[0] == told[1] == told[2]


def test_a_unit_bug_in_a_thousand_features_is_told(tmp_path: Path) -> None:
    number, size_ = 1_000, 600
    present = AvailabilityProfile(counts=(size_, 0, 0, 0))
    profile = profile_of(np.random.default_rng(0).normal(size=size_))
    fields = tuple(ProfiledField(name=f"feature_{i:04}", type="numeric", values=profile, availability=present) for i in range(number + 100))
    one = Reference(model="m0", version="1", rows=size_, first=0, last=size_ * 1000, ordered=True, fields=fields)
    settings = configuration(artifacts=str(tmp_path), topics={"partitions": 1}, models={"m0": {"false_alarms": "1 per 1h"}})
    bus, draw, sent = EmbeddedBus(":memory:", "test", "a"), np.random.default_rng(1), list[Sent]()
    prepare(bus, settings, [one], partitions=1)
    for row in range(80):
        values = draw.normal(size=len(fields)) + np.where(np.arange(len(fields)) < number, 4.0 if row >= 40 else 0.0, 0.0)
        features = {field.name: round(value, 3) for field, value in zip(fields, values.tolist(), strict=True)}
        sent.append(Sent(0, row * 500, msgspec.json.encode({"model": "m0", "version": "1", "features": features})))
    send(bus, sent)
    run(bus, settings)
    for topic, kind in (
        (settings.topics.summaries, "pane"),
        (settings.topics.snapshots, "snapshot"),
        (settings.topics.drift, "drift-event"),
    ):
        assert max(len(record.value) for record in everything(bus, topic)[0]) <= RECORDS[kind]
    events = [DriftEvent.model_validate_json(record.value) for record in everything(bus, settings.topics.drift)[0]]
    assert len({told.episode for told in events}) == 1
    assert len(events[-1].signals) == MOST_WHOLE
    named = [signal.name for signal in events[-1].signals] + [signal.name for signal in events[-1].further]
    assert len(named) + events[-1].more_signals == number
    assert all(int(name[-4:]) < number for name in named)
