"""The joiner on the bus: what its panes add up to is what a batch computation finds in the topics, whatever happened to the labels."""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Any, cast

import msgspec
import numpy as np
import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Bus, Output
from driftbus.consumers.console.performance import performance_of
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.pipeline.topology import ROLES
from driftbus.consumers.streams.records import end_records
from driftbus.detectors.outcomes.layout import Layout, layout
from driftbus.schemas.configuration import Configuration, OutcomesOf
from driftbus.schemas.messages.pane import ARRIVALS, REVISIONS, Pane
from driftbus.schemas.messages.performance import Performance
from driftbus.schemas.stored.outcomes import OutcomeBasis
from driftbus.schemas.stored.segmentation import Segmentation

from ..battery.interrupting import POINTS, Died, Interrupting, turns
from ..streaming import BEGINNING, everything, prepare, reference
from .test_blocks import LABELS, MAPPED, PREDICTIONS, predicted, settings

MINUTE = 60_000
#: Predictions are made for so long; labels come for a while longer.
SPAN = 60 * MINUTE
WAIT = {"wait": "30m", "early": "1m", "about": "10m", **MAPPED}


def log(seed: int, rows: int = 1_000) -> tuple[list[Output], dict[tuple[int, str], Counter[str]]]:
    """Predictions with labels that come late, twice, corrected, taken back, too late, or never; and what the batch computation finds."""
    draw = np.random.default_rng(seed)
    sent: list[tuple[int, Output]] = []
    expected: dict[tuple[int, str], Counter[str]] = {}
    for i in range(rows):
        time, model, score = BEGINNING + int(draw.integers(SPAN)), f"m{int(draw.integers(2))}", float(draw.random())
        sent.append((time, Output(PREDICTIONS, int(draw.integers(4)), None, predicted(draw, model, f"p{i}", score=score), (), time)))
        about = ((time // MINUTE + 1) * MINUTE - 1) // (10 * MINUTE) * 10 * MINUTE + 10 * MINUTE
        counts = expected.setdefault((about, model), Counter())
        counts["predicted"] += 1
        value: bool | None = None
        for known, label, revision in told(draw, time):
            sent.append((known, labelled(draw, f"p{i}", label, revision, known)))
            if known <= time + 29 * MINUTE:
                value = label
        if value is None:
            counts["expired"] += 1
        else:
            counts["labelled"] += 1
            counts[f"{int(value)}{int(score >= 0.5)}"] += 1
    sent.sort(key=lambda one: one[0])
    return [output for _, output in sent], expected


def told(draw: np.random.Generator, time: int) -> Iterator[tuple[int, bool | None, int]]:
    """When labels of a prediction come, what they say, and their revisions; none within a minute of when it is too late."""
    if draw.random() < 0.1:
        return
    delay = int(draw.integers(20 * MINUTE)) if draw.random() < 0.9 else 32 * MINUTE
    first = bool(draw.random() < 0.5)
    yield time + delay, first, 1
    if delay > 20 * MINUTE:
        return
    if draw.random() < 0.2:  # twice
        yield time + delay + int(draw.integers(4 * MINUTE)), first, 1
    if draw.random() < 0.1:  # corrected, and then an old one again
        yield time + delay + 5 * MINUTE, not first, 2
        if draw.random() < 0.5:
            return
    elif draw.random() < 0.1:  # taken back
        yield time + delay + 6 * MINUTE, None, 3
        if draw.random() < 0.5:  # and set again
            yield time + delay + 8 * MINUTE, first, 4


def labelled(draw: np.random.Generator, id_: str, label: bool | None, revision: int, time: int) -> Output:
    return Output(LABELS, int(draw.integers(3)), None, msgspec.json.encode({"id": id_, "label": label, "rev": revision}), (), time)


def publish(bus: Bus, chosen: Configuration, sent: list[Output], segmentation: Segmentation | None = None) -> None:
    """A whole log, with its end."""
    divided = reference("m0").model_copy(update={"segmentation": segmentation})
    prepare(bus, chosen, [divided, *(reference(model) for model in ("m1", "m2"))])
    bus.create(LABELS, 3, settings={"retention.ms": "-1"})
    bus.publish(sent)
    end = BEGINNING + SPAN + 70 * MINUTE
    for topic, partitions in ((PREDICTIONS, 4), (LABELS, 3)):
        bus.publish(end_records("test", topic, partitions, end))


def run(bus: Bus, chosen: Configuration, *roles: str) -> None:
    pipeline = Pipeline(bus, chosen, roles)
    for _ in pipeline.run_until_end():
        pass
    pipeline.close()


def panes(bus: Bus, chosen: Configuration) -> list[Pane]:
    """What the joiner published, in the order of the summaries' partitions."""
    found = []
    for events in everything(bus, chosen.topics.summaries).values():
        for event in events:
            if dict(event.headers)["ce_type"] == b"io.driftbus.pane":
                pane = Pane.decoded(event.value)
                found += [pane] if pane.stream == "outcomes" else []
    return found


def summed(found: list[Pane]) -> dict[tuple[int, str], Counter[str]]:
    """What revisions add up to."""
    plan = layout(OutcomeBasis(task="binary"))
    totals: dict[tuple[int, str], np.ndarray[Any, np.dtype[np.int64]]] = {}
    for pane in found:
        if pane.of == REVISIONS and pane.reference:
            key = pane.about, pane.model
            totals[key] = totals.get(key, np.zeros(plan.size, dtype=np.int64)) + pane.counts[: plan.size]  # groups of features stand behind
    return {key: named(plan, vector) for key, vector in totals.items()}


def named(plan: Layout, vector: np.ndarray[Any, np.dtype[np.int64]]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for name in ("predicted", "expired", "labelled"):
        counts[name] = plan.number(vector, name)
    confusion = plan.take(vector, "confusion")
    for true in range(2):
        for value in range(2):
            counts[f"{true}{value}"] = int(confusion[true, value])
    return counts


@pytest.mark.parametrize("seed", range(2))
def test_the_panes_add_up_to_the_batch_computation(seed: int) -> None:
    sent, expected = log(seed)
    chosen = settings(WAIT, stream={"pane": "1m"})
    with closing(EmbeddedBus(":memory:", "test", "one")) as bus:
        publish(bus, chosen, sent)
        run(bus, chosen, "profiler", "joiner")
        found = panes(bus, chosen)
    totals = summed(found)
    assert {key: +counts for key, counts in totals.items()} == {key: +counts for key, counts in expected.items()}


def when_due(sent: list[Output], maturity: int) -> dict[str, Counter[str]]:
    """Of each model, what was known of its predictions when so much time was over: a batch computation over the two topics."""
    made: dict[str, tuple[int, str, bool]] = {}
    known: dict[str, bool | None] = {}
    for output in sent:
        value, bucket = msgspec.json.decode(output.value or b""), (output.timestamp or 0) // MINUTE
        if output.topic == PREDICTIONS:
            made[value["id"]] = bucket, value["model"], value["score"] >= 0.5
        elif bucket <= made[value["id"]][0] + maturity // MINUTE:
            known[value["id"]] = value["label"]
    counts: dict[str, Counter[str]] = {}
    for id_, (_, model, predicted_) in made.items():
        of, label = counts.setdefault(model, Counter()), known.get(id_)
        of.update(due=1, labelled=label is not None, errors=label is not None and label != predicted_)
    return counts


def test_with_a_maturity_each_prediction_arrives_once_with_what_is_known_then() -> None:
    sent, expected = log(6, 400)
    plan = layout(OutcomeBasis(task="binary"))
    chosen = settings({**WAIT, "order": "matured", "maturity": "10m"}, stream={"pane": "1m"})
    with closing(EmbeddedBus(":memory:", "test", "one")) as bus:
        publish(bus, chosen, sent)
        run(bus, chosen, *ROLES)
        found, told = panes(bus, chosen), told_of(bus, chosen)
    arrived: dict[str, Counter[str]] = {}
    for pane in found:
        if pane.of == ARRIVALS:
            arrived.setdefault(pane.model, Counter()).update(
                {name: plan.number(pane.counts, name) for name in ("due", "labelled", "errors")}
            )
    assert arrived == when_due(sent, 10 * MINUTE)
    assert {key: +counts for key, counts in summed(found).items()} == {key: +counts for key, counts in expected.items()}
    assert sum(one.due for one in told.values()) == len([output for output in sent if output.topic == PREDICTIONS])
    assert sum(one.labelled_when_due for one in told.values()) == sum(counts["labelled"] for counts in arrived.values())


def told_of(bus: Bus, chosen: Configuration) -> dict[tuple[int, str], Performance]:
    """The last record of every interval."""
    return {(one.about, one.model): one for one in performance_of(bus, chosen)}


def test_what_is_told_of_each_interval_is_what_the_batch_computation_finds() -> None:
    sent, expected = log(5)
    chosen = settings(WAIT, stream={"pane": "1m"})
    with closing(EmbeddedBus(":memory:", "test", "one")) as bus:
        publish(bus, chosen, sent)
        run(bus, chosen, *ROLES)
        found = told_of(bus, chosen)
    assert found.keys() == expected.keys()
    for key, counts in expected.items():
        one, right = found[key], counts["00"] + counts["11"]
        assert (one.predicted, one.labelled, one.expired, one.final) == (counts["predicted"], counts["labelled"], counts["expired"], True)
        assert one.realised["accuracy"] == pytest.approx(right / counts["labelled"], rel=1e-5)
        assert one.low is not None
        assert one.high is not None
        assert one.low < right / counts["labelled"] < one.high


@pytest.mark.parametrize("seed", [0])
def test_whoever_comes_after_a_death_publishes_the_same(seed: int) -> None:
    """Of each role, at any point, often: the marks are written with every commit, and what waits is folded again, with all that travels
    with it.
    """
    draw = np.random.default_rng(seed)
    sent, _ = log(10 + seed, 300)
    plain = settings({**WAIT, "order": "matured", "maturity": "10m"}, stream={"pane": "1m"}, snapshot_every="1ms")
    beside = OutcomesOf(features=3, metrics=("tests.consumers.costs:MEAN_COST",))
    chosen = plain.model_copy(
        update={"models": {name: own.model_copy(update={"outcomes": beside}) for name, own in plain.models.items() if own.labels}}
    )
    outcomes = []
    for interrupted in (False, True):
        with closing(EmbeddedBus(":memory:", "test", "log")) as bus:
            publish(bus, chosen, sent, Segmentation(by="colour", names=("red", "(other)")))
            for _ in range(9 if interrupted else 0):
                role, point = str(draw.choice(ROLES)), str(draw.choice(POINTS))
                dying = Interrupting(bus.as_instance("one"), role=role, dies_at=point, hits=int(draw.integers(3)))
                with suppress(Died):
                    for _ in turns(Pipeline(cast(Bus, dying), chosen), int(draw.integers(1, 30))):
                        pass
            run(bus.as_instance("one"), chosen, *ROLES)
            outcomes.append(
                (sorted(map(known, panes(bus, chosen))), [one.model_copy(update={"reference": ""}) for one in performance_of(bus, chosen)])
            )
    assert outcomes[0] == outcomes[1]


def known(pane: Pane) -> bytes:
    """Whatever the topic's id is."""
    return pane.model_copy(update={"topic_id": ""}).encoded()


def test_labels_of_models_that_nobody_knows_meet_nothing() -> None:
    """However many names there are: more than codes, and each in the labels of a prediction that there is."""
    draw = np.random.default_rng(4)
    sent = [Output(PREDICTIONS, 0, None, predicted(draw, "m0", f"p{i % 10}", score=0.9), (), BEGINNING + i) for i in range(10)]
    for i in range(70_000):
        value = msgspec.json.encode({"id": f"p{i % 10}", "label": False, "model": f"nobody {i}"})
        sent.append(Output(LABELS, i % 3, None, value, (), BEGINNING + 1_000 + i // 100))
    chosen = settings(WAIT, stream={"pane": "1m"}, topics={"partitions": 1})
    with closing(EmbeddedBus(":memory:", "test", "one")) as bus:
        publish(bus, chosen, sent)
        run(bus, chosen, *ROLES)
        (one,) = told_of(bus, chosen).values()
    assert (one.predicted, one.labelled, one.expired) == (10, 0, 10)


def test_labels_that_are_a_topic_of_predictions_too() -> None:
    """One topic for both: `where` tells them apart."""
    draw = np.random.default_rng(3)
    chosen = settings({**WAIT, "topics": [PREDICTIONS], "where": "kind == label"}, stream={"pane": "1m", "where": "kind != label"})
    sent = []
    for i in range(200):
        value = msgspec.json.encode({"id": f"p{i}", "label": True, "kind": "label"})
        sent += [
            Output(PREDICTIONS, i % 4, None, predicted(draw, "m0", f"p{i}", score=0.9), (), BEGINNING + i * 1000),
            Output(PREDICTIONS, i % 4, None, value, (), BEGINNING + i * 1000 + 500),
        ]
    with closing(EmbeddedBus(":memory:", "test", "one")) as bus:
        prepare(bus, chosen, [reference("m0")])
        bus.publish([*sent, *end_records("test", PREDICTIONS, 4, BEGINNING + SPAN)])
        run(bus, chosen, *ROLES)
        (one,) = told_of(bus, chosen).values()
    assert (one.predicted, one.labelled, one.realised["accuracy"]) == (200, 200, 1.0)


def test_who_reads_to_the_end_now_and_then_loses_nothing() -> None:
    """What is told of an interval at an end stands in front of what comes behind that end: nobody takes it for something seen before."""
    rows = 300
    sent, _ = log(7, rows)
    chosen = settings({**WAIT, "about": "2h"}, stream={"pane": "1m"})
    with closing(EmbeddedBus(":memory:", "test", "one")) as bus:
        prepare(bus, chosen, [reference(model) for model in ("m0", "m1")])
        bus.create(LABELS, 3, settings={"retention.ms": "-1"})
        for start in range(0, len(sent), len(sent) // 5):
            bus.publish(sent[start : start + len(sent) // 5])
            run(bus, chosen, *ROLES)
        found = told_of(bus, chosen)
    assert sum(one.predicted for one in found.values()) == rows
