"""The baseline of outcomes: which labels it is made of, how much they hang together, and that a restart changes nothing."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftbus.consumers.reference.outcomes import LOSSES
from driftbus.detectors.concept import Arrivals, Gathering
from driftbus.detectors.concept.gathering import WANTED
from driftbus.detectors.concept.steps import StepSums
from driftbus.detectors.outcomes.delays import DELAY_BINS, bins_of
from driftbus.detectors.outcomes.grid import ENDS, GRID, MIDDLES, bins_on_grid
from driftbus.detectors.profiling.dependence import Dependence
from driftbus.schemas.stored.baseline import OutcomeBaseline

from .worlds import OF_CELLS, arrivals, coin, numbers


def _gathered(steps: list[Arrivals], *, through_bytes: bool = False, since: int | None = None) -> Gathering:
    edges = LOSSES if len(steps[0].losses) else None
    gathering = Gathering("loans", "3", len(steps[0].rows), edges, since=since)
    for one in steps:
        gathering.add(one)
        gathering = Gathering.decoded(gathering.encoded()) if through_bytes else gathering
    return gathering


def test_it_is_of_the_first_labels_and_ends_with_the_step_that_has_enough() -> None:
    steps = coin([0.1] * 150)
    gathering = _gathered(steps)
    baseline = gathering.baseline()
    assert gathering.complete
    assert baseline.labelled == WANTED
    assert baseline.wrong == sum(int(one.errors[0]) for one in steps[:100])
    assert (baseline.first, baseline.last) == (0, steps[99].end)
    assert baseline.rate == pytest.approx(1.0)
    assert baseline.dependence == 1
    assert baseline.delay is None
    assert OutcomeBaseline.decoded(baseline.encoded()) == baseline


def test_labels_are_counted_once_the_version_is_twice_as_old_as_nearly_all_delays() -> None:
    draw, steps = np.random.default_rng(3), list[Arrivals]()
    made = np.arange(40_000)
    wrong = draw.random(len(made)) < 0.1
    arrived = made + np.rint(draw.exponential(np.where(wrong, 500, 2_000))).astype(np.int64)  # errors are known first
    for number in range(600):
        own = (arrived >= 50 * number) & (arrived < 50 * number + 50)
        delays = np.bincount(bins_of((arrived[own] - made[own]) * 1000), minlength=DELAY_BINS)
        steps.append(Arrivals(50_000 * number, 50_000 * (number + 1), np.array([own.sum()]), np.array([wrong[own].sum()]), delays=delays))
    baseline = _gathered(steps).baseline()
    assert baseline.first >= 2_000_000 * np.log(100)
    assert baseline.delay is not None
    assert 0.8 < baseline.delay / (2_000_000 * np.log(90)) < 1.25  # a tenth are errors, which come sooner
    assert baseline.wrong / baseline.labelled == pytest.approx(0.1, abs=0.012)
    at_once = _gathered(steps, since=0).baseline()
    assert at_once.wrong / at_once.labelled > 0.115
    assert _gathered(steps, since=10_000_000).baseline().first == 10_000_000


@pytest.mark.parametrize("labels", [1, 7, 50, 200])
def test_dependence_is_found_whatever_the_steps(labels: int) -> None:
    draw, count = np.random.default_rng(labels), 5_200 // labels
    slow = 0.1 + 0.08 * np.sign(np.sin(np.arange(count) * labels / 130))  # 400 labels of a bad time, 400 of a good one
    assert _gathered(coin(slow.tolist(), labels, seed=1)).baseline().dependence > 8
    seeds = draw.integers(0, 10**6, 3 if labels < 50 else 20).tolist()
    taus = [_gathered(coin([0.1] * count, labels, seed=seed)).baseline().dependence for seed in seeds]
    assert np.median(taus) == 1
    assert max(taus) < 2.5


def test_the_dependence_of_steps_is_the_ratio_of_its_formula() -> None:
    draw, sums = np.random.default_rng(2), StepSums()
    rows = draw.integers(0, 90, 64)
    wrong = draw.binomial(rows, draw.choice([0.05, 0.3], 64))
    for n, e in zip(rows.tolist(), wrong.tolist(), strict=True):
        sums.add(n, e)
    p = wrong.sum() / rows.sum()
    n, e = rows.reshape(-1, 4).sum(axis=1), wrong.reshape(-1, 4).sum(axis=1)
    by_steps = ((wrong - rows * p) ** 2).sum() / (rows.sum() * p * (1 - p)) * 64 / 63
    by_four = ((e - n * p) ** 2).sum() / (n.sum() * p * (1 - p)) * 16 / 15
    assert sums.tau(p * (1 - p)) == pytest.approx(max(by_steps, by_four))


def test_of_labels_one_by_one_it_is_the_dependence_of_the_series() -> None:
    draw = np.random.default_rng(4)
    series = (draw.random(5_000) < np.repeat(draw.choice([0.02, 0.25], 100), 50)).astype(np.int64)
    dependence = Dependence(np.array([[0.0], [1.0]]))
    dependence.add(series)
    baseline = _gathered([arrivals(number, [1], [error]) for number, error in enumerate(series.tolist())]).baseline()
    assert baseline.dependence >= round(float(dependence.tau()[0]), 3) > 4


def test_of_numbers_losses_are_counted_and_their_dependence_is_that_of_losses() -> None:
    draw = np.random.default_rng(5)
    size = np.repeat(draw.choice([1.0, 3.0], 110), 1)
    steps = [numbers(k, [draw.exponential(one, 30), draw.exponential(3 * one, 20)]) for k, one in enumerate(size.tolist())]
    baseline = _gathered(steps).baseline()
    assert sum(baseline.losses) == baseline.labelled == WANTED
    assert baseline.absolute == sum(one.absolute for one in steps[:100])
    assert all(0.09 < wrong / rows < 0.22 for wrong, rows in zip(baseline.errors, baseline.rows, strict=True))
    assert baseline.large[1] > baseline.large[0]  # what is large is so for its cell
    assert baseline.dependence > 5  # the labels of a step are alike


def test_the_grid_tells_integers_apart_by_an_eighth() -> None:
    values = np.array([0, 1, 2, 7, 1_000, 2**20, 10**15, 2**62, 2**63 - 1], dtype=np.int64)
    bins = bins_on_grid(values)
    assert (np.diff(bins) > 0)[:-1].all()
    assert bins.max() < GRID
    assert MIDDLES[bins][1:] == pytest.approx(values[1:].astype(float), rel=0.07)
    assert (ENDS[bins][:-1] >= values[:-1]).all()
    assert (np.diff(MIDDLES[1:]) > 0).all()


@settings(max_examples=60, deadline=None)
@given(data=st.data(), numeric=st.booleans())
def test_a_restart_behind_every_step_changes_nothing(data: st.DataObject, numeric: bool) -> None:
    steps, cells = list[Arrivals](), 3
    for number in range(data.draw(st.integers(1, 12))):
        if numeric:
            one = numbers(number, [data.draw(st.sampled_from(OF_CELLS)) for _ in range(cells)])
        else:
            rows = data.draw(st.lists(st.sampled_from((0, 1, 40, 900, 10**12)), min_size=cells, max_size=cells))
            one = arrivals(number, rows, [data.draw(st.sampled_from((0, n, n // 7))) for n in rows])
        delays = np.zeros(DELAY_BINS, dtype=np.int64)
        delays[[data.draw(st.sampled_from((0, 60, 90, DELAY_BINS - 1)))]] = one.rows.sum()
        steps.append(replace(one, delays=delays))
    whole, restored = _gathered(steps), _gathered(steps, through_bytes=True)
    assert whole.baseline() == restored.baseline()
    assert whole.encoded() == restored.encoded()
    assert whole.baseline().dependence >= 1


def test_it_does_not_grow_with_labels() -> None:
    sizes = []
    for number in (100, 1_000):
        gathering = Gathering("loans", "3", 32, wanted=10**9)
        for one in coin([0.1] * number, 500):
            gathering.add(Arrivals(one.start, one.end, np.pad(one.rows, (0, 31)), np.pad(one.errors, (0, 31))))
        sizes.append(len(gathering.encoded()))
    assert max(sizes) < 20_000
