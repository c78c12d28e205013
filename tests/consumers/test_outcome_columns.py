"""What travels with a row from the profiler to what is told of it: its segment, its features' groups, and a user's own metrics.

Whatever happens to the labels, the sums are those of a batch computation over the topics.
"""

from collections.abc import Iterator
from contextlib import closing
from functools import cache
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pytest
from pydantic import ValidationError

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Bus, Output
from driftbus.consumers.console.performance import performance_of
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.pipeline.topology import ROLES
from driftbus.consumers.process.plugins import UnusablePlugin
from driftbus.consumers.streams.records import end_records
from driftbus.detectors.counting.absent import MISSING
from driftbus.detectors.counting.segments import Coded
from driftbus.detectors.outcomes.grouping import Grouping
from driftbus.detectors.outcomes.layout import layout, products
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.configuration.segments import OTHER
from driftbus.schemas.messages.pane import ARRIVALS, REVISIONS, Pane
from driftbus.schemas.messages.performance import Performance
from driftbus.schemas.stored.outcomes import OutcomeBasis
from driftbus.schemas.stored.reference import ProfiledField, Reference
from driftbus.schemas.stored.segmentation import Segmentation

from ..streaming import BEGINNING, configuration, everything, prepare, reference
from .test_blocks import LABELS, PREDICTIONS
from .test_joiner import MINUTE, SPAN, WAIT, labelled, panes, run, told

ONE = 2**20
#: By model: how its rows are divided, and what is summed of them.
SEGMENTATIONS = {
    "m0": Segmentation(by="colour", names=("red", "green", OTHER)),
    "m1": Segmentation(rules={"old": "age >= 40", "blue": "colour == blue"}, names=("old", "blue", OTHER)),
}
OUTCOMES: dict[str, dict[str, Any]] = {
    "m0": {"features": ["colour", "age", "amount"], "metrics": ["tests.consumers.costs:MEAN_COST"]},
    "m1": {"features": 2, "metrics": ["tests.consumers.costs:SURE", "tests.consumers.costs:MEAN_COST"]},
    "m2": {},
}


def settings(outcomes: dict[str, dict[str, Any]] = OUTCOMES, **changes: Any) -> Configuration:  # keys of any type
    models = {name: {"labels": "outcomes", "outcomes": own} for name, own in outcomes.items()}
    return configuration(
        labels={"outcomes": {"topics": [LABELS], **WAIT}}, models=models, stream={"pane": "1m"}, topics={"partitions": 2}, **changes
    )


def references() -> list[Reference]:
    return [reference(name).model_copy(update={"segmentation": SEGMENTATIONS.get(name)}) for name in OUTCOMES]


class Row(NamedTuple):
    """A prediction as it was sent, and the label that is in force in the end."""

    about: int
    model: str
    segment: str | None
    features: dict[str, Any]
    score: float
    value: bool | None


def segment(model: str, features: dict[str, Any]) -> str | None:
    colour = features.get("colour")
    if model == "m0":
        return colour if colour in ("red", "green") else OTHER
    if model == "m1":
        return "old" if (features.get("age") or 0) >= 40 else "blue" if colour == "blue" else OTHER
    return None


def log(seed: int, rows: int = 300) -> tuple[list[Output], list[Row]]:
    """Predictions of three models, with values of any kind or none, and labels as `told` has them."""
    draw = np.random.default_rng(seed)
    sent: list[tuple[int, Output]] = []
    found: list[Row] = []
    for i in range(rows):
        time, model, score = BEGINNING + int(draw.integers(SPAN)), f"m{i % 3}", float(draw.random())
        every: dict[str, Any] = {
            "amount": float(draw.normal() * (10 if draw.random() < 0.1 else 1)),
            "age": int(draw.integers(0, 90)),
            "colour": str(draw.choice(["red", "green", "blue", "x" * 100_000], p=[0.4, 0.4, 0.19, 0.01])),
        }
        features = {name: value for name, value in every.items() if draw.random() < 0.95}
        if draw.random() < 0.02:
            features["age"] = None
        value = msgspec.json.encode({"model": model, "version": "1", "id": f"p{i}", "features": features, "score": score})
        sent.append((time, Output(PREDICTIONS, int(draw.integers(4)), None, value, (), time)))
        in_force: bool | None = None
        for known, label, revision in told(draw, time):
            sent.append((known, labelled(draw, f"p{i}", label, revision, known)))
            if known <= time + 29 * MINUTE:
                in_force = label
        about = ((time // MINUTE + 1) * MINUTE - 1) // (10 * MINUTE) * 10 * MINUTE + 10 * MINUTE
        found.append(Row(about, model, segment(model, features), features, score, in_force))
    sent.sort(key=lambda one: one[0])
    return [output for _, output in sent], found


def publish(bus: Bus, chosen: Configuration, sent: list[Output]) -> None:
    prepare(bus, chosen, references())
    bus.create(LABELS, 3, settings={"retention.ms": "-1"})
    bus.publish(sent)
    ends(bus)


def ends(bus: Bus) -> None:
    """There is no more."""
    for topic, partitions in ((PREDICTIONS, 4), (LABELS, 3)):
        bus.publish(end_records("test", topic, partitions, BEGINNING + SPAN + 70 * MINUTE))


@cache
def fields(model: str) -> tuple[ProfiledField, ...]:
    return reference(model).fields


def grouping(chosen: Configuration, model: str) -> Grouping:
    return Grouping(fields(model), chosen.models[model].grouped)


def one_hot(own: Grouping, rows: list[Row]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """A column a group, shape [rows, groups]."""
    absent = np.array([MISSING], dtype=np.uint64).view(np.float64)[0]
    present = {name: [row.features.get(name) for row in rows] for name in ("amount", "age", "colour")}
    numeric = np.array([[absent if one is None else float(one) for one in present[name]] for name in ("amount", "age")]).T
    texts = Coded([np.arange(len(rows))], [[MISSING if one is None else one for one in present["colour"]]])
    codes = own.codes(np.column_stack((numeric, np.zeros(len(rows)))), texts)
    return np.hstack([(codes[:, [place]] == np.arange(one.groups)).astype(np.int64) for place, one in enumerate(own.features)])


def expected(chosen: Configuration, rows: list[Row]) -> dict[str, Any]:
    """The sums of some rows of one model."""
    known = [row for row in rows if row.value is not None]
    model = rows[0].model
    y = np.array([int(bool(row.value)) for row in known], dtype=np.int64)
    score = np.array([round(row.score * ONE) for row in known], dtype=np.int64)
    said = np.array([row.score >= 0.5 for row in known], dtype=np.bool_)
    cost = [int((10 * (said & (y == 0)) + (~said & (y == 1))).sum()), len(known), 0]
    low = np.array([round(row.score * ONE) / ONE < 0.1 for row in known], dtype=np.bool_)
    sure = [int((score >= 0.9 * ONE).sum()), int(low.sum())]
    own = {"m0": cost, "m1": [*sure, *cost], "m2": []}[model]
    sums: dict[str, Any] = {"predicted": len(rows), "labelled": len(known), "expired": len(rows) - len(known), "own": own}
    features = grouping(chosen, model)
    if features.features and known:
        h = one_hot(features, known)
        sums |= {"hh": (h.T @ h).tolist(), "hy": (h.T @ (y * ONE)).tolist(), "hr": (h.T @ (y * ONE - score)).tolist()}
    return sums


def summed(chosen: Configuration, found: list[Pane], of: str) -> dict[tuple[Any, ...], dict[str, Any]]:
    """What panes add up to, by interval (of arrivals none), model and segment."""
    totals: dict[tuple[Any, ...], np.ndarray[Any, np.dtype[np.int64]]] = {}
    own: dict[str, tuple[str, ...]] = {}
    names = {model: grouping(chosen, model).name for model in OUTCOMES}
    for pane in found:
        if pane.of == of and pane.reference:
            key = pane.about if of == REVISIONS else None, pane.model, pane.segment
            totals[key] = totals.get(key, 0) + pane.counts
            if of == REVISIONS:
                assert own.setdefault(pane.model, pane.own) == pane.own
                assert pane.grouping == names[pane.model]
    sums: dict[tuple[Any, ...], dict[str, Any]] = {}
    for key, vector in totals.items():
        plan = layout(OutcomeBasis(task="binary", features=grouping(chosen, key[1]).features, own=own.get(key[1], ())))
        if of == ARRIVALS:
            sums[key] = {"labelled": plan.number(vector, "labelled")}
            continue
        sums[key] = {name: plan.number(vector, name) for name in ("predicted", "labelled", "expired")}
        sums[key]["own"] = plan.take(vector, "own").tolist()
        if plan.groups and sums[key]["labelled"]:
            sums[key]["hh"] = products(plan, vector).tolist()
            sums[key] |= {name: plan.take(vector, name)[:, 0].tolist() for name in ("hy", "hr")}
    return sums


def parted(rows: list[Row]) -> Iterator[tuple[tuple[int, str, str | None], list[Row]]]:
    keys = dict.fromkeys((row.about, row.model, row.segment) for row in rows)
    return ((key, [row for row in rows if row[:3] == key]) for key in keys)


class Found(NamedTuple):
    """What a whole pipeline made of a log."""

    chosen: Configuration
    rows: list[Row]
    panes: list[Pane]
    performance: list[Performance]
    notices: list[dict[str, Any]]


@pytest.fixture(scope="module")
def found() -> Found:
    sent, rows = log(0)
    chosen = settings()
    with closing(EmbeddedBus(":memory:", "test", "one")) as bus:
        publish(bus, chosen, sent)
        run(bus, chosen, *ROLES)
        notices = [event.content for events in everything(bus, chosen.topics.drift).values() for event in events]
        return Found(chosen, rows, panes(bus, chosen), performance_of(bus, chosen), notices)


def test_segments_groups_and_metrics_are_those_of_the_batch_computation(found: Found) -> None:
    assert summed(found.chosen, found.panes, REVISIONS) == {key: expected(found.chosen, own) for key, own in parted(found.rows)}
    assert len({pane.id for pane in found.panes}) == len(found.panes)
    arrived = summed(found.chosen, found.panes, ARRIVALS)
    assert {key[1:] for key in arrived} == {row[1:3] for row in found.rows}


def test_what_is_told_of_segments_and_metrics_is_what_the_batch_computation_finds(found: Found) -> None:
    told_of = {(one.about, one.model, one.segment): one for one in found.performance}
    groups: dict[tuple[int, str, str | None], list[Row]] = {key: own for key, own in parted(found.rows) if key[2] is not None}
    for row in found.rows:
        groups.setdefault((row.about, row.model, None), []).append(row)
    assert told_of.keys() == groups.keys()
    for key, own in groups.items():
        one, sums = told_of[key], expected(found.chosen, own)
        assert (one.predicted, one.labelled, one.expired, one.final) == (sums["predicted"], sums["labelled"], sums["expired"], True)
        if key[1] == "m2" or not one.labelled:
            assert "mean_cost" not in one.realised or one.realised["mean_cost"] is None
            continue
        assert one.realised["mean_cost"] == pytest.approx(sums["own"][-3] / one.labelled, rel=1e-5)
        if key[1] == "m1":
            assert one.realised["sure"] == pytest.approx(sums["own"][0] / one.labelled, rel=1e-5)


def test_a_metric_that_fails_on_rows_is_told_once(found: Found) -> None:
    (notice,) = (notice for notice in found.notices if notice.get("about") == "metric")
    assert (notice["model"], notice["facts"]["metric"]) == ("m1", "sure")


UNUSABLE = {
    "tests.consumers.nowhere:COST": "cannot be loaded: ModuleNotFoundError",
    "tests.consumers.costs:GONE": "cannot be loaded: AttributeError",
    "tests.consumers.costs:NO_METRIC": "is a int, and no OwnMetric",
    "tests.consumers.costs:FAILS": "metric fails fails on ordinary rows: KeyError: 'nothing'",
}


@pytest.mark.parametrize("named", UNUSABLE)
def test_a_metric_that_cannot_be_used_is_refused_at_the_start(named: str) -> None:
    chosen = settings({"m0": {"metrics": [named]}})
    with closing(EmbeddedBus(":memory:", "test", "one")) as bus:
        prepare(bus, chosen, [])
        with pytest.raises(UnusablePlugin, match=rf"models\.m0\.outcomes\.metrics: {named}.*{UNUSABLE[named]}"):
            Pipeline(bus, chosen, ["joiner"])


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "too many features": ({"labels": "outcomes", "outcomes": {"features": 25}}, "models.m0.outcomes.features"),
    "yes": ({"labels": "outcomes", "outcomes": {"features": True}}, "models.m0.outcomes.features"),
    "a feature twice": ({"labels": "outcomes", "outcomes": {"features": ["a", "b", "a"]}}, "a: twice in the list; write each once"),
    "no name of Python's": ({"labels": "outcomes", "outcomes": {"metrics": ["costs.py"]}}, "'costs.py' is not a metric"),
    "no labels": ({"outcomes": {"features": 3}}, "nothing becomes known of predictions without labels"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_summed_is_refused_with_its_key(name: str) -> None:
    model, reason = REFUSED[name]
    with pytest.raises(ValidationError, match=reason):
        configuration(labels={"outcomes": {"topics": [LABELS]}}, models={"m0": model, "m1": {"labels": "outcomes"}})


def test_features_and_metrics_may_come_and_go_while_predictions_wait() -> None:
    """Rows that were grouped otherwise have no groups, and their outcomes are counted; columns are kept by their names."""
    sent, rows = log(9, 150)
    halves = [output for output in sent if output.topic == PREDICTIONS], [output for output in sent if output.topic == LABELS]
    before = settings({**OUTCOMES, "m0": {"metrics": OUTCOMES["m1"]["metrics"]}})
    after = settings()
    with closing(EmbeddedBus(":memory:", "test", "one")) as bus:
        prepare(bus, before, references())
        bus.create(LABELS, 3, settings={"retention.ms": "-1"})
        bus.publish(halves[0])
        bus.publish([output for output in halves[1] if (output.timestamp or 0) < BEGINNING + SPAN // 2])
        pipeline = Pipeline(bus, before, ROLES)
        for _ in range(20):
            pipeline.turn()
        pipeline.close()
        bus.publish([output for output in halves[1] if (output.timestamp or 0) >= BEGINNING + SPAN // 2])
        for topic, partitions in ((PREDICTIONS, 4), (LABELS, 3)):
            bus.publish(end_records("test", topic, partitions, BEGINNING + SPAN + 70 * MINUTE))
        run(bus, after, *ROLES)
        found: list[Performance] = [one for one in performance_of(bus, after) if one.segment is None]
    for one in found:
        own = [row for row in rows if row[:2] == (one.about, one.model)]
        sums = expected(after, own)
        assert (one.predicted, one.labelled, one.expired) == (sums["predicted"], sums["labelled"], sums["expired"])
    assert sum(one.predicted for one in found) == len(rows)
