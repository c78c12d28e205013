"""A recording holds what was said of models whole, and a replay of it makes the same evidence of it."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.recording import write_recording
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.reference.model_events import tell
from driftbus.consumers.replay.offline import load
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.evidence import Evidence

from ..streaming import BEGINNING, prepare, reference, rows, send
from .clerks import MODELS, deployed, evidence, finish, settings, written


@pytest.mark.parametrize(("clock", "settings_known"), [("live", True), ("live", False), ("record", True), ("record", False)])
def test_a_recording_holds_the_events_and_replay_copies_them_into_the_same_buckets(
    tmp_path: Path, clock: str, settings_known: bool
) -> None:
    chosen = settings(tmp_path, clock)
    bus = EmbeddedBus(":memory:", chosen.application, "one")
    prepare(bus, chosen, [reference("m0")])
    send(bus, rows(60, ["m0"], 3))
    for number in range(4):
        tell(bus, chosen, deployed(str(number), time=BEGINNING + number * 20_000))
    written(bus, {"model": "m0", "version": "by hand", "kind": "deployed", "job": "j1"})
    finish(bus, chosen)
    file = tmp_path / "recording.jsonl"
    write_recording(bus, ["scored", chosen.topics.models], file)
    if not settings_known:  # to whoever recorded it, on a Kafka with ACLs
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        file.write_text("".join(json.dumps(line | ({"settings": {}} if "partitions" in line else {})) + "\n" for line in lines))
    offline, _ = load(chosen, file, None, "-", _made(tmp_path / "replayed"))
    again = EmbeddedBus(offline.embedded, offline.application, "one")
    with closing(again), closing(Pipeline(again, offline)) as pipeline:
        for _ in pipeline.run_until_end():
            pass
        assert list(_facts(again, offline)) == list(_facts(bus, chosen))


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _facts(bus: EmbeddedBus, chosen: Configuration) -> Iterator[Evidence]:
    for _, one in evidence(bus, chosen):
        yield one.model_copy(update={"topic": MODELS.topic})
