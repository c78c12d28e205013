"""Contests through the bus: what two versions answered under one id and whose label became known, compared as a batch computation would."""

from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Any, NamedTuple, cast

import msgspec
import numpy as np
import pytest
from pydantic import ValidationError

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Bus, Output
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.pipeline.topology import ROLES
from driftbus.consumers.streams.records import end_records
from driftbus.detectors.outcomes.values import scores_of
from driftbus.detectors.outcomes.versus import Answers, gains, sums
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.contest import Contest
from driftbus.schemas.outcome import number_code

from ..battery.interrupting import POINTS, Died, Interrupting, turns
from ..streaming import BEGINNING, configuration, everything, prepare, reference
from .test_blocks import LABELS, PREDICTIONS
from .test_joiner import MINUTE, SPAN, WAIT, run

#: Of a shadow of 210 minutes a day is ten.
DAY = 10 * MINUTE
VERSIONS = "1", "2"


class Asked(NamedTuple):
    """What both answered, and what became of it."""

    at: int
    scores: tuple[float, float]
    label: bool


def settings(**labels: Any) -> Configuration:  # keys of any type
    models: dict[str, Any] = {"m0": {"labels": "outcomes", "promotion": {"shadow": "210m"}}, "m1": {"labels": "outcomes"}}
    return configuration(
        labels={"outcomes": {"topics": [LABELS], **WAIT, **labels}},
        models=models,
        stream={"pane": "1m"},
        topics={"partitions": 2},
        snapshot_every="1ms",
    )


def prediction(at: int, model: str, version: str, id_: str, score: float, partition: int) -> Output:
    features = {"amount": 1.0, "age": 30, "colour": "red"}
    value = {"model": model, "version": version, "id": id_, "features": features, "score": score}
    return Output(PREDICTIONS, partition, None, msgspec.json.encode(value), (), at)


def log(seed: int, rows: int = 400) -> tuple[list[Output], list[Asked]]:
    """Most asked of both: within half a minute, or of the second long behind the label; some twice; a third has no label."""
    draw = np.random.default_rng(seed)
    sent: list[Output] = []
    met: list[Asked] = []
    for i in range(rows):
        at, scores, label = BEGINNING + int(draw.integers(SPAN)), (float(draw.random()), float(draw.random())), bool(draw.random() < 0.5)
        model, both, late, known = f"m{int(draw.random() < 0.2)}", draw.random() < 0.8, draw.random() < 0.1, draw.random() < 0.67
        beside = at + (25 * MINUTE if late else int(draw.integers(30_000)))
        for _ in range(1 + int(draw.random() < 0.1)):
            sent.append(prediction(at, model, "1", f"p{i}", scores[0], int(draw.integers(4))))
            if both:
                sent.append(prediction(beside, model, "2", f"p{i}", scores[1], int(draw.integers(4))))
        if known:
            due = at + 2 * MINUTE + int(draw.integers(18 * MINUTE))
            for _ in range(1 + int(draw.random() < 0.1)):
                value = msgspec.json.encode({"id": f"p{i}", "label": label, "rev": 1})
                sent.append(Output(LABELS, int(draw.integers(3)), None, value, (), due))
        if known and both and not late and model == "m0":
            met.append(Asked(at, scores, label))
    return sorted(sent, key=lambda one: one.timestamp or 0), met


def publish(bus: Bus, chosen: Configuration, sent: list[Output]) -> None:
    prepare(bus, chosen, [reference(model, version) for model in ("m0", "m1") for version in VERSIONS])
    bus.create(LABELS, 3, settings={"retention.ms": "-1"})
    bus.publish(sent)
    end = BEGINNING + SPAN + 70 * MINUTE
    for topic, partitions in ((PREDICTIONS, 4), (LABELS, 3)):
        bus.publish(end_records("test", topic, partitions, end))


def contests(bus: Bus, chosen: Configuration) -> list[Contest]:
    events = [event for found in everything(bus, chosen.topics.performance).values() for event in found]
    return [Contest.decoded(event.value) for event in events if dict(event.headers)["ce_type"] == Contest.TYPE.encode()]


def summed(found: list[Contest]) -> dict[int, list[int]]:
    """By day."""
    total: dict[int, list[int]] = {}
    for one in found:
        assert (one.model, one.version, one.other, one.day) == ("m0", "1", "2", DAY)
        for day in one.days:
            own = [day.rows, day.better, day.squares, day.gained, *day.wins, *day.losses]
            total[day.start] = [one + other for one, other in zip(total.get(day.start, [0] * len(own)), own, strict=True)]
    return total


def expected(met: list[Asked]) -> dict[int, list[int]]:
    found: dict[int, Any] = {}
    for one in met:
        answers = [Answers(np.array([int(score >= 0.5)]), scores_of(np.array([score]))) for score in one.scores]
        start = ((one.at // MINUTE + 1) * MINUTE - 1) // DAY * DAY
        own = sums(gains("binary", answers[0], answers[1], np.array([int(one.label)])))
        found[start] = found.get(start, 0) + own
    return {start: own.tolist() for start, own in found.items()}


@pytest.mark.parametrize("order", [{}, {"order": "matured", "maturity": "22m"}], ids=["as they come", "matured"])
def test_both_are_compared_by_what_both_answered(order: dict[str, str]) -> None:
    sent, met = log(1)
    chosen = settings(**order)
    with closing(EmbeddedBus(":memory:", "test", "one")) as bus:
        publish(bus, chosen, sent)
        run(bus, chosen, "profiler", "joiner")
        found = contests(bus, chosen)
    assert summed(found) == expected(met)
    for partition in range(2):
        places = [one.place for one in found if one.partition == partition]
        assert places == sorted(set(places)), "each above the last, so that it counts once"


@pytest.mark.parametrize("seed", [0, 1])
def test_whoever_comes_after_a_death_says_the_same(seed: int) -> None:
    draw = np.random.default_rng(seed)
    sent, met = log(10 + seed, 250)
    chosen = settings()
    told = []
    for interrupted in (False, True):
        with closing(EmbeddedBus(":memory:", "test", "log")) as bus:
            publish(bus, chosen, sent)
            for _ in range(9 if interrupted else 0):
                role, point = str(draw.choice(["profiler", "joiner"])), str(draw.choice(POINTS))
                dying = Interrupting(bus.as_instance("one"), role=role, dies_at=point, hits=int(draw.integers(3)))
                with suppress(Died):
                    for _ in turns(Pipeline(cast(Bus, dying), chosen, ("profiler", "joiner")), int(draw.integers(1, 30))):
                        pass
            run(bus.as_instance("one"), chosen, "profiler", "joiner")
            told.append(sorted(one.encoded() for one in contests(bus, chosen)))
    assert told[0] == told[1]
    assert summed([Contest.decoded(one) for one in told[1]]) == expected(met)


def test_nobody_is_compared_where_nobody_asks() -> None:
    sent, _ = log(2, 60)
    chosen = settings()
    models = {name: own.model_copy(update={"promotion": None}) for name, own in chosen.models.items()}
    unasked = chosen.model_copy(update={"models": models})
    with closing(EmbeddedBus(":memory:", "test", "one")) as bus:
        publish(bus, unasked, sent)
        run(bus, unasked, *ROLES)
        assert contests(bus, unasked) == []


@pytest.mark.parametrize(
    ("promotion", "own", "told"),
    [
        ({"shadow": "6m"}, {"labels": "outcomes"}, r"models\.m0\.promotion\.shadow: 6m: 7 panes of streams.predictions are longer"),
        ({}, {}, "promotion.by: versions are compared by their labels, and there are none"),
        ({"within": "21d"}, {"labels": "outcomes"}, "within: 21d is over before shadow, 21d"),
        ({"evidence": 1}, {"labels": "outcomes"}, "models.m0.promotion.evidence"),
    ],
)
def test_what_could_decide_nothing_is_refused(promotion: dict[str, Any], own: dict[str, Any], told: str) -> None:
    models = {"m0": {**own, "promotion": promotion}, "m1": {"labels": "outcomes"}}
    with pytest.raises(ValidationError, match=told):
        configuration(labels={"outcomes": {"topics": [LABELS], **WAIT}}, models=models, stream={"pane": "1m"})


def numbers(*values: float) -> Any:
    return np.array([number_code(value) for value in values])


def of_numbers() -> Iterator[tuple[float, float, float]]:
    yield from [(1.0, 2.0, 1.0), (1.0, 2.0, 2.0), (1.0, 2.0, 1.25), (0.0, 0.0, 5.0), (-1e300, 1e300, 0.0), (1e-300, 2e-300, 2e-300)]


def test_a_number_is_better_by_no_more_than_the_two_are_apart() -> None:
    own, other, truth = (list(each) for each in zip(*of_numbers(), strict=True))
    none = np.full(len(own), -1, dtype=np.int32)
    found = gains("number", Answers(numbers(*own), none), Answers(numbers(*other), none), numbers(*truth))
    assert found.part.tolist() == pytest.approx([1.0, -1.0, 0.5, 0.0, 0.0, -1.0])
    assert np.isfinite(sums(found)).all()


@pytest.mark.parametrize("task", ["binary", "category"])
def test_without_probabilities_whoever_is_right_is_better(task: Any) -> None:
    none = np.full(3, -1, dtype=np.int32)
    found = gains(task, Answers(np.array([1, 1, 0]), none), Answers(np.array([0, 1, 1]), none), np.array([1, 0, 1]))
    assert found.part.tolist() == [1.0, 0.0, -1.0]
