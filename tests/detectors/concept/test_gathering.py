"""The baseline of outcomes: which labels it is made of, how much they hang together, and that a restart changes nothing."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal, stats

from driftbus.consumers.reference.outcomes import LOSSES
from driftbus.detectors.concept import Arrivals, Gathering
from driftbus.detectors.concept.gathering import LONGEST, WANTED
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


def test_it_is_of_the_first_labels_and_grows_until_it_tells_how_often_errors_come() -> None:
    steps = coin([0.1] * 250)
    assert not _gathered(steps[:99]).enough
    assert _gathered(steps[:100]).enough
    assert not _gathered(steps[:100]).complete
    grown = _gathered(steps)
    assert grown.complete
    assert grown.baseline().labelled == 2 * WANTED
    baseline = _gathered(steps[:100]).baseline()
    assert baseline.labelled == WANTED
    assert baseline.wrong == sum(int(one.errors[0]) for one in steps[:100])
    assert (baseline.first, baseline.last) == (0, steps[99].end)
    assert baseline.rate == pytest.approx(1.0)
    assert 1 <= baseline.dependence < 1.7
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
    assert at_once.wrong / at_once.labelled > 0.105  # and for a while more than later: that looks like errors that hang together
    assert _gathered(steps, since=10_000_000).baseline().first == 10_000_000


@pytest.mark.parametrize("labels", [1, 7, 50, 200])
def test_dependence_is_found_whatever_the_steps(labels: int) -> None:
    draw, count = np.random.default_rng(labels), min(LONGEST * WANTED // labels + 1, 6_000)
    slow = 0.1 + 0.08 * np.sign(np.sin(np.arange(count) * labels / 130))  # 400 labels of a bad time, 400 of a good one
    hanging = _gathered(coin(slow.tolist(), labels, seed=1)).baseline()
    assert hanging.dependence > 10
    assert hanging.labelled == min(LONGEST * WANTED, count * labels) or labels == 7
    seeds = draw.integers(0, 10**6, 1 if labels < 50 else 20).tolist()
    independent = [_gathered(coin([0.1] * (4 * WANTED // labels + 1), labels, seed=seed)).baseline() for seed in seeds]
    assert np.median([one.dependence for one in independent]) < 1.7
    assert max(one.dependence for one in independent) < 3
    assert np.mean([one.labelled <= 2 * WANTED + labels for one in independent]) > 0.8


def test_labels_that_hardly_ever_or_nearly_always_are_wrong_are_taken_until_some_are_not() -> None:
    for rate in (0.002, 0.998):
        gathering = _gathered(coin([rate] * 200, 200, seed=5))
        assert gathering.complete
        assert gathering.baseline().labelled > 2 * WANTED
        assert min(gathering.baseline().wrong, gathering.baseline().labelled - gathering.baseline().wrong) >= 30
    never = _gathered(coin([0.0] * 201, 200))
    assert never.baseline().labelled == LONGEST * WANTED
    assert never.baseline().dependence == 1


def test_the_dependence_of_steps_is_a_bound_that_few_ratios_exceed() -> None:
    draw, sums = np.random.default_rng(2), StepSums()
    rows = draw.integers(0, 90, 64)
    wrong = draw.binomial(rows, draw.choice([0.05, 0.3], 64))
    for n, e in zip(rows.tolist(), wrong.tolist(), strict=True):
        sums.add(n, e)
    p, bounds = wrong.sum() / rows.sum(), []
    for together in (1, 2, 4, 8):
        n, e = rows.reshape(-1, together).sum(axis=1), wrong.reshape(-1, together).sum(axis=1)
        free = len(n) - 1
        ratio = ((e - n * p) ** 2).sum() / (rows.sum() * p * (1 - p)) * len(n) / free
        bounds.append(ratio * free / stats.chi2.ppf(0.1, free))
    assert sums.tau(p * (1 - p)) == pytest.approx(max(bounds))


@pytest.mark.parametrize(("length", "sd", "references"), [(20, 0.04, 8), (400, 0.04, 8)])
def test_a_baseline_counts_errors_that_hang_together_as_no_more_than_they_are(length: int, sd: float, references: int) -> None:
    """Rates that move by so much, over so many labels."""
    low, keep = 0, np.exp(-1 / length)
    true = 1 + 2 * length * sd**2 / 0.09
    for seed in range(references):
        draw = np.random.default_rng([seed, length])
        moves = draw.normal(size=(LONGEST + 1) * WANTED) * (1 - keep**2) ** 0.5
        rates = np.clip(0.1 + sd * signal.lfilter([1.0], [1.0, -keep], moves), 0.001, 1).reshape(-1, 50).mean(axis=1)
        low += _gathered(coin(rates.tolist(), 50, seed)).baseline().dependence < 0.7 * true
    assert low <= references / 4


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
    assert sum(baseline.losses) == baseline.labelled >= WANTED
    assert baseline.absolute == sum(one.absolute for one in steps)
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
