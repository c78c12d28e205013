"""Whether `driftbus check` sees that one outcome takes longer to be known than the other, and when it can't."""

from contextlib import closing
from typing import Any

import msgspec
import numpy as np
import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Output
from driftbus.consumers.command.checks.delays import compared, delays_of
from driftbus.consumers.command.checks.finding import Finding
from driftbus.consumers.command.checks.first_labels import FirstLabels, first_labels
from driftbus.consumers.streams.records import end_records
from driftbus.schemas.configuration import Labels
from driftbus.schemas.outcome import number_code

from ..consumers.test_blocks import LABELS, PREDICTIONS, predicted, settings
from ..streaming import BEGINNING

HOUR = 3_600_000
DAY = 24 * HOUR


def known(seed: int, rows: int = 2_000, *, slower: float = 1.0, spread: float = 0.5, horizon: int = 4 * DAY) -> FirstLabels:
    """A fifth of the labels is 1, and takes so many times as long; in the median the others take an hour."""
    draw = np.random.default_rng(seed)
    values = (draw.random(rows) < 0.2).astype(np.int64)
    delays = (HOUR * draw.lognormal(0, spread, rows) * np.where(values == 1, slower, 1.0)).astype(np.int64)
    there = delays <= horizon
    return FirstLabels(np.sort(draw.integers(0, DAY, rows))[there], delays[there], values[there], horizon)


def found(own: dict[str, Any], labels: FirstLabels) -> Finding:
    (finding,) = compared("labels.outcomes", Labels(topics=("t",), **own), labels)
    return finding


def test_a_slower_outcome_is_told_with_a_maturity() -> None:
    level, text = found({"wait": "2d"}, known(1, slower=2.0))
    assert level == "note"
    assert "labels of 1 take 118m in the median, of 0 59.8m" in text
    assert "labels.outcomes.order: matured, labels.outcomes.maturity: " in text


def test_the_proposed_maturity_is_enough() -> None:
    labels = known(1, slower=2.0)
    _, text = found({"wait": "2d"}, labels)
    proposed = text.split("maturity: ")[1].split(",")[0]
    level, text = found({"wait": "2d", "order": "matured", "maturity": proposed}, labels)
    assert level == "ok"
    assert "99." in text
    assert found({"wait": "2d", "order": "matured", "maturity": "1h"}, labels).level == "note"


@pytest.mark.parametrize("rows", [500, 2_000, 20_000])
def test_equal_delays_are_told_to_be_alike(rows: int) -> None:
    assert [seed for seed in range(40) if found({"wait": "2d"}, known(seed, rows)).level != "ok"] == []


def test_what_is_only_just_slower_is_no_reason() -> None:
    assert found({"wait": "2d"}, known(1, 20_000, slower=1.05)).level == "ok"


def test_one_outage_is_no_reason() -> None:
    """In the second half of the day all labels of 1 are held up; in the first they are not."""
    labels = known(3)
    late = (labels.made > DAY / 2) & (labels.values == 1)
    assert found({"wait": "2d"}, labels._replace(delays=labels.delays + late * 3 * HOUR)).level == "ok"


def test_labels_that_are_still_coming_tell_nothing() -> None:
    level, text = found({"wait": "30d"}, known(1, slower=3.0, spread=1.5, horizon=3 * HOUR))
    assert level == "note"
    assert "can be told of a longer past" in text


def test_few_labels_of_one_outcome_tell_nothing() -> None:
    level, text = found({"wait": "2d"}, known(1, 200, slower=5.0))
    assert level == "note"
    assert "too few to tell" in text


def test_labels_behind_wait_are_told() -> None:
    (first, second) = compared("labels.outcomes", Labels(topics=("t",), wait=2 * HOUR), known(1))
    assert first.text.endswith("of the labels come within wait, 2h; later ones do not count")
    assert second.level == "ok"


@pytest.mark.parametrize("outcome", ["category", "number"])
def test_other_outcomes_have_two_sides(outcome: str) -> None:
    labels = known(1, slower=2.0)
    if outcome == "number":
        labels = labels._replace(values=np.array([number_code(float(value)) for value in labels.values]))
    level, text = found({"wait": "2d", "outcome": outcome}, labels)
    assert level == "note"
    assert ("the commonest class" if outcome == "category" else "larger numbers") in text


@pytest.mark.parametrize("delays", [[], [0] * 200, [DAY * 400] * 200])
def test_odd_delays(delays: list[int]) -> None:
    column = np.array(delays, dtype=np.int64)
    labels = FirstLabels(np.arange(len(column)), column, np.arange(len(column)) % 2, 2 * DAY * 400)
    assert all(finding.level in ("ok", "note") for finding in compared("labels.outcomes", Labels(topics=("t",)), labels))


def log(seed: int, slower: float, rows: int = 6_000) -> list[Output]:
    """A day of predictions, more and more of them; their labels come some twenty minutes later, the last ones not yet."""
    draw, sent = np.random.default_rng(seed), []
    times = BEGINNING + (DAY * np.sqrt(draw.random(rows))).astype(np.int64)
    for i, time in enumerate(times.tolist()):
        label = bool(draw.random() < 0.3)
        delay = int(HOUR / 3 * draw.lognormal(0, 0.5) * (slower if label else 1))
        sent.append((time, Output(PREDICTIONS, i % 4, None, predicted(draw, "m0", f"p{i}", score=0.5), (), time)))
        for again, value in ((0, label), (HOUR, not label)):  # and a correction
            if time + delay + again < BEGINNING + DAY:
                content = msgspec.json.encode({"id": f"p{i}", "label": value})
                sent.append((time + delay + again, Output(LABELS, i % 3, None, content, (), time + delay + again)))
    return [output for _, output in sorted(sent, key=lambda one: one[0])]


@pytest.mark.parametrize("slower", [1.0, 2.0])
def test_the_topics_tell_it(slower: float) -> None:
    """Though young predictions have fast labels only, and there are more and more of them."""
    chosen = settings({"wait": "4h"}, stream={"pane": "1m"})
    with closing(EmbeddedBus(":memory:", "test", "one")) as bus:
        for topic, partitions in ((PREDICTIONS, 4), (LABELS, 3)):
            bus.create(topic, partitions, settings={"retention.ms": "-1"})
        assert list(delays_of(bus, chosen, "outcomes", 200)) == []
        bus.publish(log(1, slower))
        for topic, partitions in ((PREDICTIONS, 4), (LABELS, 3)):
            bus.publish(end_records("test", topic, partitions, BEGINNING + 2 * DAY))
        (finding,) = delays_of(bus, chosen, "outcomes", 200)
        labels = first_labels(bus, chosen, "outcomes", 20_000)
        few = first_labels(bus, chosen, "outcomes", 500)
    assert finding.level == ("ok" if slower == 1 else "note"), finding.text
    assert labels is not None
    assert labels.horizon == 8 * HOUR
    assert np.median(labels.delays[labels.values == 0]) == pytest.approx(HOUR / 3, rel=0.1)
    assert few is not None
    assert few.horizon < 8 * HOUR
