"""The clerk copies golden evaluations to where their model's panes lie, beside model events: in the bucket in which they became known."""

from contextlib import closing
from pathlib import Path

import pytest

from driftbus.consumers.bus.addressing import partition_of
from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.recording import write_recording
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.reference.golden_records import place_of
from driftbus.consumers.replay.offline import load
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.evidence import Evidence
from driftbus.schemas.messages.golden import GoldenEvaluation

from ..consumers.clerks import evidence, finish, progress, told
from ..consumers.clerks import settings as clerked
from ..streaming import prepare, reference, rows, send
from .worlds import asked, asking, stored

MODELS = ("m0", "m1")


def settings(folder: Path, clock: str) -> Configuration:
    call = {"callable": {"function": "tests.golden.functions:of_version"}}
    return clerked(folder, clock, models={name: {"golden": {"call": call}} for name in MODELS})


def evaluated(bus: EmbeddedBus, chosen: Configuration) -> list[GoldenEvaluation]:
    """Two evaluations of each model."""
    found = []
    for model in MODELS:
        golden = stored(chosen, model=model)
        found += asked(bus, chosen, [asking(chosen, golden, named, model=model) for named in "ab"], model)
    return found


@pytest.mark.parametrize("clock", ["live", "record"])
def test_an_evaluation_is_evidence_where_its_models_panes_lie(tmp_path: Path, clock: str) -> None:
    chosen = settings(tmp_path, clock)
    with closing(EmbeddedBus(":memory:", chosen.application, "one")) as bus:
        prepare(bus, chosen, [])
        said = evaluated(bus, chosen)
        assert finish(bus, chosen)["facts"] == 4
        finish(bus, chosen)
        found = evidence(bus, chosen)
        appended = {
            (place_of(chosen, model).partition, offset): time
            for model in MODELS
            for batch in bus.read(place_of(chosen, model), 0, bus.watermarks(place_of(chosen, model))[1])
            for offset, time in zip(batch.offsets.tolist(), batch.timestamps.tolist(), strict=True)
        }
        assert all(progress(bus, chosen, "golden").values())
        assert told(bus, chosen) == ([], [])
    assert sorted(one.fact["request"] for _, one in found) == sorted(one.request for one in said), "once each"
    assert {(place, one.of) for place, one in found} == {(partition_of(model, 3), "golden") for model in MODELS}
    for _, one in found:
        became_known = appended[one.partition, one.offset] if clock == "live" else one.about
        assert (one.about, one.bucket) == (one.fact["asked"], became_known // 10_000 * 10_000 + 10_000)
        assert GoldenEvaluation.model_validate(one.fact) in said


def test_a_replay_copies_them_into_the_same_buckets(tmp_path: Path) -> None:
    chosen = settings(tmp_path, "live")
    with closing(EmbeddedBus(":memory:", chosen.application, "one")) as bus:
        prepare(bus, chosen, [reference("m0")])
        send(bus, rows(30, ["m0"], 1))
        evaluated(bus, chosen)
        finish(bus, chosen)
        live = [_plain(one) for _, one in evidence(bus, chosen)]
        write_recording(bus, ["scored", chosen.topics.models, chosen.topics.golden], tmp_path / "recording.jsonl")
    (tmp_path / "replayed").mkdir()
    offline, _ = load(chosen, tmp_path / "recording.jsonl", None, "-", tmp_path / "replayed")
    with closing(EmbeddedBus(offline.embedded, offline.application, "one")) as again:
        with closing(Pipeline(again, offline)) as pipeline:
            for _ in pipeline.run_until_end():
                pass
        assert [_plain(one) for _, one in evidence(again, offline)] == live


def _plain(one: Evidence) -> Evidence:
    return one.model_copy(update={"topic": ""})
