"""Rows unlike the training data on the bus: a broken field is told by its name and source, a broken source by its own, and what is new is
nobody's fault; nothing shows of batches, and deaths."""

import json
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, cast

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Bus, Output
from driftbus.consumers.command.main import main
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.pipeline.topology import ROLES
from driftbus.consumers.reference.artifacts import ArtifactStore
from driftbus.consumers.reference.building.columns import UnusableReference
from driftbus.consumers.reference.building.probe import probed
from driftbus.consumers.reference.familiar import Familiar
from driftbus.consumers.reference.familiar_rows import RowSubject
from driftbus.consumers.replay.event_line import event_line
from driftbus.consumers.streams.records import end_records
from driftbus.detectors.counting.layout import layout
from driftbus.detectors.neighbours.bins import InBins
from driftbus.detectors.neighbours.masked import length
from driftbus.schemas.messages.drift import DriftEvent, ToldOutliers
from driftbus.schemas.messages.pane import MOST_MASKED, OOD, Pane

from ..battery.interrupting import POINTS, Died, Interrupting, turns
from ..streaming import BEGINNING, everything
from .test_joiner import run
from .test_ood_stage import World, tallied
from .unlike_world import PARTITIONS, TOPIC, built, prepare, settings

Columns = dict[str, Any]  # of numbers, or of texts
FEATURES = {
    "wind": {"source": "station", "owner": "weather team"},
    "warmth": {"source": "station", "owner": "weather team"},
    "amount": {"source": "till", "owner": "payments"},
    "shop": {"source": "till", "owner": "payments"},
}
QUIET, CHANGED = 500, 900
NEW: Columns = {"wind": 0.2, "warmth": 40.0, "amount": 160.0, "age": 2.0, "shop": "s0"}


def table(rows: int, seed: int) -> Columns:
    """Six fields that hang together."""
    draw = np.random.default_rng(seed)
    z = draw.normal(size=(rows, 4)) * 0.6 + draw.normal(size=(rows, 1)) * 0.8
    return {
        "wind": np.exp(z[:, 0]).round(6),
        "warmth": (z[:, 1] * 10 + 15).round(6),
        "amount": (z[:, 2] * 30 + 100).round(6),
        "age": np.clip(np.round(z[:, 3] * 2 + 5), 1, 9),
        "shop": np.array([f"s{int(np.clip(x + 2, 0, 3))}" for x in z[:, 2]], dtype=object),
        "place": np.array([f"p{int(20 * x * x)}" for x in draw.random(rows)], dtype=object),
    }


def lines(columns: Columns) -> list[dict[str, Any]]:  # JSON
    plain = [column.tolist() for column in columns.values()]
    return [dict(zip(columns, row, strict=True)) for row in zip(*plain, strict=True)]


def messages(change: Columns | None, quiet: int = QUIET, changed: int = CHANGED) -> list[bytes]:
    """Rows as ever, then others of which a fifth has these values, or what becomes of theirs."""
    found = table(quiet + changed, 2)
    chosen = quiet + np.flatnonzero(np.random.default_rng(3).random(changed) < 0.2)
    for name, value in (change or {}).items():
        found[name][chosen] = value(found[name][chosen]) if callable(value) else value
    return [msgspec.json.encode({"model": "m0", "version": "1", "features": row}) for row in lines(found)]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("rows")
    rows = (row | {"at": BEGINNING - (4_000 - number) * 1000} for number, row in enumerate(lines(table(4_000, 1))))
    (folder / "train.jsonl").write_bytes(b"\n".join(map(msgspec.json.encode, rows)))
    model = {"reference": {"file": str(folder / "train.jsonl"), "time": "at"}, "features": FEATURES}
    chosen = settings(folder, {}, model=model)
    return chosen, built(chosen)


def folded(world: World, change: Columns | None, deaths: int = 0) -> tuple[list[Pane], list[DriftEvent]]:
    """Panes and events of this kind."""
    chosen, profile = world
    draw = np.random.default_rng(0)
    with closing(EmbeddedBus(":memory:", "test", "log")) as bus:
        prepare(bus, chosen, profile)
        values = messages(change)
        bus.publish([Output(TOPIC, n % PARTITIONS, None, value, (), BEGINNING + n * 1000) for n, value in enumerate(values)])
        bus.publish(end_records("test", TOPIC, PARTITIONS, BEGINNING + (len(values) + 3_600) * 1000))
        for _ in range(deaths):
            dying = Interrupting(bus.as_instance("one"), role=str(draw.choice(ROLES)), dies_at=str(draw.choice(POINTS)), hits=1)
            with suppress(Died):
                for _ in turns(Pipeline(cast(Bus, dying), chosen), 8):
                    pass
        run(bus.as_instance("one"), chosen, *ROLES)
        summaries = (one for part in everything(bus, chosen.topics.summaries).values() for one in part)
        panes = [Pane.decoded(one.value) for one in summaries if dict(one.headers)["ce_type"] == Pane.TYPE.encode()]
        events = [DriftEvent.model_validate(one.content) for part in everything(bus, chosen.topics.drift).values() for one in part]
    return [pane for pane in panes if pane.of == OOD], [event for event in events if event.kind == "ood"]


def last(events: list[DriftEvent]) -> ToldOutliers:
    """What was told at last of the only episode."""
    assert [event.status for event in events].count("opened") == 1
    told = [event.outliers for event in events if event.outliers is not None]
    return told[-1]


def test_the_reference_knows_its_masks(world: World) -> None:
    (profile,) = world[1].familiarity
    assert [(mask.of, mask.name) for mask in profile.masks] == [
        *(("field", name) for name in table(1, 1)),
        *(("source", name) for name in ("station", "till")),
    ]
    assert 0 < profile.outliers < 0.02 * profile.calibration
    for mask in profile.masks:
        assert 0 <= mask.cured <= profile.outliers
        assert 12 < mask.distinct[0] <= 16 < mask.distinct[1] <= 32 < mask.distinct[2] <= 64


@pytest.mark.parametrize(
    ("name", "change", "source", "owner"),
    [("shop", "never seen", "till", "payments"), ("age", lambda x: x + 0.5, None, None)],
)
def test_a_broken_field_is_told_with_its_source(
    world: World, name: str, change: str | Callable[[Any], Any], source: str | None, owner: str | None
) -> None:
    _, events = folded(world, {name: change})
    told = last(events)
    assert (told.fault, told.names) == ("field", (name,))
    assert (told.sources, told.owners) == ((source,) if source else (), (owner,) if owner else ())
    assert next(iter(told.fields)) == name
    assert told.fields[name] >= 0.85
    assert told.share[0] < 0.015 < 0.1 < told.share[1]
    whose = f"{name} (source {source}, owner {owner})" if source else name
    assert any(f"a fault of {whose}: cures" in event_line(event) for event in events)


def test_a_broken_source_is_told_once_there_are_enough_outliers(world: World) -> None:
    _, events = folded(world, {"warmth": -10.0, "wind": 30.0})
    told = last(events)
    assert (told.fault, told.names, told.owners) == ("source", ("station",), ("weather team",))
    assert told.by_source["station"] >= 0.85
    assert max(told.fields.values()) < 0.8


def test_two_fields_of_two_sources_that_break_together_are_told_together(world: World) -> None:
    _, events = folded(world, {"warmth": 400.0, "shop": "never seen"})
    told = last(events)
    assert (told.fault, told.names, told.sources) == ("both", ("warmth", "shop"), ("station", "till"))
    assert told.owners == ("weather team", "payments")
    assert told.by_pair is not None
    assert told.by_pair >= 0.85 > 0.3 > max(told.fields.values())
    both = "a fault of warmth and shop (source station, till, owner weather team, payments) together:"
    assert any(both in event_line(event) for event in events)


def test_what_is_new_is_nobodys_fault_whoever_dies(world: World) -> None:
    panes, events = folded(world, NEW)
    assert last(events).fault == "novelty"
    assert "new rows, no field's fault" in event_line(events[-1 if events[-1].status != "resolved" else -2])
    again = folded(world, NEW, deaths=5)
    assert again[1] == events
    assert sorted(pane.encoded() for pane in again[0]) == sorted(pane.encoded() for pane in panes)


def test_no_batch_shows_in_what_is_counted_of_outliers(world: World) -> None:
    values = messages({"shop": "never seen"}, 50, 450)
    (whole,), samples = tallied(world, values, 5_000)
    masks = world[1].familiarity[0].masks
    assert whole.masked[0] == MOST_MASKED
    assert len(whole.masked) == length(len(masks), 15)
    assert whole.masked[1 + [mask.name for mask in masks].index("shop")] > 0.8 * MOST_MASKED
    bins = InBins(layout(world[1]))
    inside = whole.inside.reshape(3, bins.size)
    at = bins.span("shop")
    assert inside[0, at].sum() == 500
    assert inside[2, at][-1] > 0.9 * inside[0, at][-1] > 0
    assert (inside[0] >= inside[1]).all()
    assert (inside[1] >= inside[2]).all()
    for batch in (7, 97):
        (pane,), again = tallied(world, values, batch)
        assert pane.encoded() == whole.encoded()
        assert again == samples
    for sample in samples:
        assert len(sample.nearest) == 5
        similar = [near.similarity for near in sample.nearest]
        assert similar == sorted(similar, reverse=True)
        assert max(similar) < 1
        assert all(0 <= near.row < 4_000 for near in sample.nearest)
    assert samples


@pytest.mark.parametrize("value", [None, [], {"a": 1}, "x" * 300, 1e308, True])
def test_what_is_no_number_and_no_text_is_counted_all_the_same(world: World, value: object) -> None:
    row = dict.fromkeys(table(1, 4), value)
    (pane,), _ = tallied(world, [msgspec.json.encode({"model": "m0", "version": "1", "features": row})], 10)
    bins = InBins(layout(world[1]))
    assert pane.inside.reshape(3, -1).sum(axis=1)[0] <= len(bins.signals)
    assert Pane.decoded(pane.encoded()).encoded() == pane.encoded()


def test_a_large_pane_of_outliers_travels_in_parts(world: World) -> None:
    (whole,), _ = tallied(world, messages({"shop": "never seen"}, 0, 200), 500)
    parts = [part for part, _ in whole.split(1_500)]
    assert len(parts) > 1
    inside = np.zeros_like(whole.inside)
    for part in parts:
        inside[part.inside_at : part.inside_at + len(part.inside)] += part.inside
    assert (inside == whole.inside).all()
    assert (sum(part.masked.sum() for part in parts), parts[0].flagged) == (whole.masked.sum(), whole.flagged)


def probe(folder: Path) -> str:
    """Forty rows, three of four of them broken."""
    rows = [row | ({"shop": "never seen", "warmth": 99.5} if number % 4 else {}) for number, row in enumerate(lines(table(40, 5)))]
    (folder / "probe.csv").write_text("\n".join([",".join(rows[0]), *(",".join(map(str, row.values())) for row in rows)]))
    (folder / "probe.jsonl").write_bytes(b"\n".join(map(msgspec.json.encode, rows)))
    return str(folder / "probe.csv")


def test_a_probe_of_rows_is_a_table_of_the_features(world: World, tmp_path: Path) -> None:
    chosen, profile = world
    (subject,) = Familiar(ArtifactStore(chosen.artifacts)).subjects(profile)
    assert isinstance(subject, RowSubject)
    probe(tmp_path)
    flagged = {probed(subject, str(tmp_path / name)) for name in ("probe.csv", "probe.jsonl")}
    assert len(flagged) == 1
    assert 30 <= flagged.pop()[0] <= 34
    (tmp_path / "probe.txt").write_text("a line of text")
    with pytest.raises(UnusableReference, match="has lines of text, and rows are compared"):
        probed(subject, str(tmp_path / "probe.txt"))
    (tmp_path / "probe.csv").write_text("other,columns\n1,2\n")
    with pytest.raises(UnusableReference, match="none of the reference's features; its columns: other, columns"):
        probed(subject, str(tmp_path / "probe.csv"))
    (tmp_path / "probe.csv").write_text("wind,shop\n,\n")
    with pytest.raises(UnusableReference, match="nothing that row could be compared with"):
        probed(subject, str(tmp_path / "probe.csv"))


def test_a_reference_says_how_many_rows_of_the_probe_are_flagged(tmp_path: Path) -> None:
    rows = (row | {"at": BEGINNING + number * 1000} for number, row in enumerate(lines(table(1_500, 1))))
    (tmp_path / "train.jsonl").write_bytes(b"\n".join(map(msgspec.json.encode, rows)))
    configuration = {
        "application": "test",
        "bus": "embedded",
        "embedded": str(tmp_path / "bus.sqlite"),
        "artifacts": str(tmp_path / "artifacts"),
        "streams": {"rows": {"topics": ["rows"], "pane": "1m"}},
        "models": {"m0": {"reference": {"file": str(tmp_path / "train.jsonl"), "time": "at"}, "ood": {"probe": probe(tmp_path)}}},
    }
    file = tmp_path / "driftbus.yaml"
    file.write_text(json.dumps(configuration))
    result = CliRunner().invoke(main, ["reference", "build", "m0", "--version", "1", "--dry-run", "--config", str(file)])
    assert result.exit_code == 0, result.output
    assert 75 <= int(result.output.partition("of the probe ")[2].partition("%")[0]) <= 85
