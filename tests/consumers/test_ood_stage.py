"""The profiler's stage that compares rows with the training data: whatever the batches, with what cannot be compared, refused in time."""

import json
from contextlib import closing
from pathlib import Path

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.command.main import main
from driftbus.consumers.decode.json import JSONDecoder
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.profiler.tally import Tally
from driftbus.consumers.profiler.unlike import Stage
from driftbus.consumers.reference.artifacts import ArtifactStore
from driftbus.consumers.reference.familiar import FOLDER, UnusableFamiliarity
from driftbus.consumers.reference.holding import HeldReferences
from driftbus.consumers.streams.cut import CutState, Rules, cut, finish
from driftbus.consumers.streams.records import Records
from driftbus.detectors.familiarity import CELLS, WIDTH
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.ood import OodSample
from driftbus.schemas.messages.pane import MOST_FLAGGED, OOD, Pane
from driftbus.schemas.messages.progress import InputPartition
from driftbus.schemas.stored.reference import Reference

from ..replaying import replayed
from ..streaming import BEGINNING
from .unlike_world import asked, built, prepare, send, settings, written

PLACE = InputPartition(topic="asked", topic_id="1", partition=0)
World = tuple[Configuration, Reference]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("stage")
    written(folder, 2_000)
    chosen = settings(folder, {"of": ["question", "vector"], "embedder": "sketch", "samples": True})
    return chosen, built(chosen)


def tallied(world: World, values: list[bytes], batch: int) -> tuple[list[Pane], list[OodSample]]:
    """Panes of this kind, and samples, of one run that is read in batches."""
    chosen, profile = world
    rules = Rules.of(chosen.streams["predictions"])
    with closing(EmbeddedBus(":memory:", "test", "log")) as bus:
        prepare(bus, chosen, profile)
        references = HeldReferences(bus, chosen, ArtifactStore(chosen.artifacts))
    stage = Stage.of(chosen, "predictions", PLACE)
    tally = Tally("predictions", PLACE, JSONDecoder(chosen.streams["predictions"].mapping), references, rules.buckets, stage=stage)
    state, runs = CutState(), []
    for start in range(0, len(values), batch):
        some = values[start : start + batch]
        offsets = np.arange(start, start + len(some))
        records = Records(offsets, BEGINNING + offsets * 10, np.zeros(len(some), dtype=bool), some, lambda: (), lambda: ())
        state, items, _ = cut(rules, state, records.offsets, records.timestamps, records.ends, final=True)
        runs += tally.add(records, items)
    _, last = finish(state, len(values))
    empty = np.zeros(0, dtype=np.int64)
    runs += tally.add(Records(empty, empty, empty.astype(bool), (), lambda: (), lambda: ()), [last])
    panes = [pane for run in runs for pane in run.panes if pane.of == OOD]
    return panes, [sample for run in runs for sample in run.samples]


def message(**changed: object) -> bytes:
    row = next(asked(np.random.default_rng(3), 1))
    features = {"question": row["question"], "vector": row["vector"], **changed}
    return msgspec.json.encode({"model": "m0", "version": "1", "features": features, "prediction": row["prediction"]})


def many(rows: int, new: float) -> list[bytes]:
    return [
        msgspec.json.encode(
            {"model": "m0", "version": "1", "features": {k: row[k] for k in ("question", "vector")}, "prediction": row["prediction"]}
        )
        for row in asked(np.random.default_rng(4), rows, new)
    ]


def test_no_batch_shows_in_panes_or_samples(world: World) -> None:
    values = many(500, 0.3)
    whole = tallied(world, values, 5_000)
    assert len(whole[0][0].flagged) == MOST_FLAGGED
    assert whole[1]
    for batch in (1, 7, 64):
        panes, samples = tallied(world, values, batch)
        assert [pane.encoded() for pane in panes] == [pane.encoded() for pane in whole[0]]
        assert samples == whole[1]


def test_no_batch_shows_in_the_samples_of_many_small_panes(world: World) -> None:
    chosen, profile = world
    stream = chosen.streams["predictions"]
    tiny = stream.model_validate(stream.model_dump() | {"pane": "1s", "max_rows": 15})  # rows come 10 ms apart
    small = chosen.model_copy(update={"streams": {"predictions": tiny}}), profile
    values = many(400, 0.3)
    whole = tallied(small, values, 5_000)
    assert len(whole[0]) >= 20
    for batch in (1, 64):
        panes, samples = tallied(small, values, batch)
        assert [pane.encoded() for pane in panes] == [pane.encoded() for pane in whole[0]]
        assert samples == whole[1]


def test_a_sample_says_what_is_nearest_and_how_many_are_alike(world: World) -> None:
    panes, samples = tallied(world, many(500, 0.3), 100)
    flagged = {one.offset for pane in panes for one in pane.flagged}
    for sample in samples:
        assert sample.offset in flagged
        assert 0 <= sample.p <= 0.05
        assert len(sample.nearest) == 5
        assert [near.similarity for near in sample.nearest] == sorted((near.similarity for near in sample.nearest), reverse=True)
        assert 1 <= sample.alike <= sample.flagged <= MOST_FLAGGED
        assert sample.predicted in ("card", "loan", "account")
    assert {sample.of for sample in samples} == {"question", "vector"}
    assert OodSample.model_validate_json(samples[0].encoded()) == samples[0]


@pytest.mark.parametrize(
    "question", [None, "", "   ", 5, ["a"], {"a": 1}, "\ud800".encode("utf-16", "surrogatepass").decode("utf-16", "replace")]
)
def test_what_cannot_be_compared_is_counted_as_such(world: World, question: object) -> None:
    (pane,), _ = tallied(world, [message(question=question)], 10)
    counts = pane.counts[:WIDTH]
    assert counts[: CELLS + 1].sum() == 1
    assert counts[CELLS] == 1 or isinstance(question, str)


@pytest.mark.parametrize("vector", [None, [], [1.0], [0.0] * 12, ["a"] * 12, [1e308] * 12, "text"])
def test_vectors_that_are_none_are_counted_as_such(world: World, vector: object) -> None:
    (pane,), _ = tallied(world, [message(vector=vector)], 10)
    assert pane.counts[WIDTH : WIDTH + CELLS + 1].sum() == 1


def test_without_leave_no_text_stands_anywhere(world: World) -> None:
    chosen, profile = world
    ood = chosen.models["m0"].ood
    assert ood is not None
    model = chosen.models["m0"].model_copy(update={"ood": ood.model_copy(update={"samples": False})})
    panes, samples = tallied((chosen.model_copy(update={"models": {"m0": model}}), profile), many(300, 0.3), 100)
    assert any(pane.flagged for pane in panes)
    assert all(one.text is None for pane in panes for one in pane.flagged)
    assert samples
    assert all(sample.text is None for sample in samples)
    assert not any(b"flight" in pane.encoded() for pane in panes)


def test_an_index_of_another_embedder_is_refused(world: World) -> None:
    chosen, profile = world
    store = ArtifactStore(chosen.artifacts).beside(FOLDER)
    plain = msgspec.msgpack.decode(store.get(profile.familiarity[0].index))
    plain["embedder"]["name"] = "sketch/2048"
    other = profile.familiarity[0].model_copy(update={"index": store.put(msgspec.msgpack.encode(plain))})
    changed = profile.model_copy(update={"familiarity": (other, profile.familiarity[1])})
    with closing(EmbeddedBus(":memory:", "test", "log")) as bus:
        prepare(bus, chosen, changed)
        send(bus, [(50, 0.0)])
        with (
            closing(Pipeline(bus, chosen)) as pipeline,
            pytest.raises(UnusableFamiliarity, match=r"sketch/2048.*build it again"),
        ):
            for _ in pipeline.run_until_end():
                pass


def test_replay_tells_of_new_topics_in_a_table(tmp_path: Path) -> None:
    draw = np.random.default_rng(5)
    rows, live = list(asked(draw, 2_500)), [*asked(draw, 1_000), *asked(draw, 1_000, 0.4)]
    columns, behind = ({key: [row[key] for row in part] for key in ("question", "prediction")} for part in (rows, live))
    told = replayed(
        tmp_path,
        columns,
        behind,
        false_alarms="1 per 7d",
        features={"question": {"type": "text"}},
        ood={"embedder": "sketch", "samples": True},
    )
    (opened,) = [event for event in told.events if event.kind == "ood" and event.status == "opened"]
    assert opened.queries is not None
    assert "flagged .05 ->" in told.output
    assert "about:" in told.output


def test_a_reference_says_what_of_the_probe_is_flagged(tmp_path: Path) -> None:
    written(tmp_path, 1_500)
    (tmp_path / "probe.txt").write_text("book a flight to rome today\nfind a hotel near the airport\n\nrent a car next week\n")
    model = {
        "reference": {"file": str(tmp_path / "train.jsonl"), "time": "at", "prediction": "prediction"},
        "ood": {"of": "question", "embedder": "sketch", "probe": str(tmp_path / "probe.txt")},
    }
    configuration = {
        "application": "test",
        "bus": "embedded",
        "embedded": str(tmp_path / "bus.sqlite"),
        "artifacts": str(tmp_path / "artifacts"),
        "streams": {"asked": {"topics": ["asked"], "pane": "1m"}},
        "models": {"m0": model},
    }
    file = tmp_path / "driftbus.yaml"
    file.write_text(json.dumps(configuration))
    result = CliRunner().invoke(main, ["reference", "build", "m0", "--version", "1", "--dry-run", "--config", str(file)])
    assert result.exit_code == 0, result.output
    assert "question is compared with" in result.output
    assert "sketch/1024" in result.output
    assert "of the probe" in result.output
    assert "too small" in result.output
    model["ood"]["of"] = "amount"
    file.write_text(json.dumps(configuration))
    result = CliRunner().invoke(main, ["reference", "build", "m0", "--version", "1", "--dry-run", "--config", str(file)])
    assert "models.m0.ood.of: amount: no text or embedding of the reference" in result.output


def test_rows_of_a_table_are_compared_where_there_is_no_text(tmp_path: Path) -> None:
    draw = np.random.default_rng(6)

    def table(rows: int, new: float) -> dict[str, list[object]]:
        apart = draw.random(rows) < new
        first = draw.normal(0, 1, rows)
        second = np.where(apart, -first, first) + draw.normal(0, 0.2, rows)  # within all ranges, but no such row was ever seen
        return {"first": first.tolist(), "second": second.tolist(), "shop": draw.choice(["a", "b", "c"], rows).tolist()}

    live = {name: [*before, *behind] for (name, before), behind in zip(table(1_000, 0.0).items(), table(1_000, 0.3).values(), strict=True)}
    told = replayed(tmp_path, table(3_000, 0.0), live, false_alarms="1 per 7d", ood={})
    opened = [event for event in told.events if event.kind == "ood" and event.status == "opened"]
    assert len(opened) == 1
    assert opened[0].signals[0].name == "(unlike the training data)"
    assert opened[0].queries is None
