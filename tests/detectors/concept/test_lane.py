"""The lane as a fold: what it says when, that a restart changes nothing, and that nothing that may come breaks it."""

from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftbus.detectors.concept import LANE, REVIEWS, Arrivals, Gathering, OutcomeSuite
from driftbus.detectors.concept.space import ERRORS, RELATION
from driftbus.detectors.concept.suite import FORMAT
from driftbus.detectors.episodes.at_work import UnusableDetector
from driftbus.detectors.episodes.step import State, adapted, close, fits, start, step
from driftbus.schemas.identity import derived_id
from driftbus.schemas.stored.baseline import OutcomeBaseline

from ...benchmarks.concept import CELLS, ONE, WORSE, alone, harder, means, reference, runs_of
from .worlds import (
    OF_CELLS,
    arrivals,
    baseline_of,
    baseline_of_numbers,
    baselines,
    coin,
    counts,
    folded,
    losses_of_cells,
    numbers,
    suite_of,
)

COIN = suite_of(baseline_of([5_000], [500]))
RIVER = ("adwin", "page_hinkley", "ddm", "eddm", "hddm_a", "hddm_w")


def test_nothing_is_said_while_nothing_changes() -> None:
    assert not folded(COIN, coin([0.1] * 1_000))[1]


def test_more_errors_are_told_with_their_onset_and_size_and_are_over_when_they_are() -> None:
    rates = [0.1] * 100 + [0.2] * 100 + [0.1] * 200
    state, events = folded(COIN, coin(rates))
    assert [event.status for event in events if event.status != "updated"] == ["opened", "resolved"]
    opened = events[0]
    assert opened.kind == "performance"
    assert opened.severity in ("moderate", "major")
    errors = next(one for one in opened.signals if one.name == ERRORS)
    assert errors.change == "more 'errors'"
    assert errors.was is not None and errors.was.mean == 0.1  # noqa: PT018
    assert errors.now is not None and errors.now.mean is not None and errors.now.mean > 0.14  # noqa: PT018
    assert errors.reference.counts == (4_500, 500)
    assert "T01:2" in opened.onset  # 100 steps of 50 s are 1:23:20
    assert not state.episodes


def test_fewer_errors_are_told_as_minor_unless_nobody_asked() -> None:
    steps = coin([0.1] * 20 + [0.04] * 200)
    _, events = folded(COIN, steps)
    assert {event.severity for event in events if {one.name for one in event.signals} == {ERRORS}} <= {"minor"}
    assert events[0].signals[0].change.startswith("fewer")
    up = suite_of(COIN.baseline, direction="up")
    assert all(one.name == RELATION for event in folded(up, steps)[1] for one in event.signals)


def test_its_episodes_are_not_those_of_another_lane() -> None:
    assert COIN.identity.lane == LANE
    _, events = folded(COIN, coin([0.4] * 10))
    others = suite_of(COIN.baseline)
    others.identity = type(COIN.identity)(**{**vars(COIN.identity), "lane": ""})
    assert events[0].episode != folded(others, coin([0.4] * 10))[1][0].episode


def test_what_labels_say_and_what_people_do_share_the_weight_of_errors() -> None:
    def weights(tests: OutcomeSuite) -> dict[str, float]:
        weighed = tests.bets.signal_weight.round(12).tolist()
        return {signal.name: weight for signal, weight in zip(tests.bets.signals, weighed, strict=True)}

    beside, people = suite_of(COIN.baseline, reviewed=True), suite_of(COIN.baseline, by="reviews")
    assert weights(COIN) == {ERRORS: 0.1, RELATION: 0.05}
    assert weights(beside) == {ERRORS: 0.05, RELATION: 0.05}
    assert weights(people) == {ERRORS: 0.05}
    assert (beside.identity.lane, people.identity.lane) == (LANE, REVIEWS)
    assert len({one.fingerprint for one in (COIN, beside, people)}) == 3


def test_a_state_of_before_there_were_reviews_fits_where_there_are_none() -> None:
    plain = suite_of(COIN.baseline, by="labels", reviewed=False)
    assert (
        plain.fingerprint
        == COIN.fingerprint
        == derived_id(
            "outcomes",
            FORMAT,
            COIN.baseline.name,
            COIN.outcome_settings.model_dump_json(exclude={"false_alarms", "by", "reviewed"}),
            COIN.named.decisive,
            len(COIN.bets.owner),
        )
    )


def of_losses(draw: np.random.Generator, sizes: Iterable[float]) -> list[Arrivals]:
    """Two cells, the losses of the second three times as large: a step of 50 for each factor that both are multiplied by."""
    return [numbers(number, [draw.exponential(size, 30), draw.exponential(3 * size, 20)]) for number, size in enumerate(sizes)]


def test_losses_that_grow_are_told_by_how_much() -> None:
    draw = np.random.default_rng(6)
    tests = suite_of(baseline_of_numbers([draw.exponential(1.0, 3_600), draw.exponential(3.0, 2_400)]))
    steps = of_losses(draw, [1.0] * 60 + [1.4] * 60)
    assert not folded(tests, steps[:60])[1]
    _, events = folded(tests, steps)
    assert events[0].status == "opened"
    assert {one.name for one in events[-1].signals} == {ERRORS, RELATION}
    errors = next(one for one in events[-1].signals if one.name == ERRORS)
    assert errors.was is not None and errors.now is not None  # noqa: PT018
    assert errors.was.mean == pytest.approx(1.8, rel=0.05)
    assert errors.now.mean == pytest.approx(1.4 * 1.8, rel=0.15)
    assert events[-1].severity == "major"
    less = of_losses(draw, [0.6] * 100)
    assert {one.name for event in folded(tests, less)[1] for one in event.signals} == {ERRORS, RELATION}
    assert all(one.name == RELATION for event in folded(suite_of(tests.baseline, direction="up"), less)[1] for one in event.signals)


def test_larger_predictions_leave_the_relation_of_losses_alone() -> None:
    """Of which losses are larger: three times as many of these."""
    draw = np.random.default_rng(7)
    tests = suite_of(baseline_of_numbers([draw.exponential(1.0, 4_000), draw.exponential(3.0, 1_000)]))
    steps = [numbers(number, [draw.exponential(1.0, 20), draw.exponential(3.0, 30)]) for number in range(400)]
    _, events = folded(tests, steps)
    assert {one.name for event in events for one in event.signals} == {ERRORS}


def test_losses_that_stay_are_not_told() -> None:
    for seed in range(4):
        draw = np.random.default_rng(seed)
        tests = suite_of(baseline_of_numbers([draw.standard_t(3, 3_600) ** 2, 3 * np.abs(draw.normal(size=2_400))]))
        assert not folded(tests, [numbers(k, [draw.standard_t(3, 30) ** 2, 3 * np.abs(draw.normal(size=20))]) for k in range(600)])[1]


def test_inputs_that_move_leave_the_relation_alone() -> None:
    found = runs_of(harder(CELLS), changed=20_000, runs=4)
    assert found["before the change"] == 0
    assert found[ERRORS]["told in"] == 4
    assert found[RELATION]["told in"] == 0


def test_errors_that_come_in_stretches_keep_to_the_budget() -> None:
    opened = {"measured": 0, "taken for independent": 0}
    for seed in range(6):
        draw = np.random.default_rng(seed)
        steps = coin(np.repeat(draw.choice([0.05, 0.15], 220), 2).tolist(), seed=seed)
        gathering = Gathering("loans", "3", 1)
        for one in steps[:100]:
            gathering.add(one)
        baseline = gathering.baseline()
        assert baseline.dependence > 1.5
        for told, tau in (("measured", baseline.tau), ("taken for independent", 1000)):
            tests = suite_of(baseline.model_copy(update={"tau": tau}), budget_seconds=20_000)
            opened[told] += sum(event.status == "opened" for event in folded(tests, steps[100:])[1])
    assert opened["measured"] <= 2 < 10 < opened["taken for independent"]


def test_delays_are_those_of_the_benchmark() -> None:
    found = alone(ERRORS, ONE, WORSE, 200, references=6, runs=6)
    assert found["warm"]["mean"] < 500
    assert found["arl"] >= 10_000


def test_the_benchmark_folds_as_the_product_does() -> None:
    draw = np.random.default_rng(9)
    tests = reference(draw, CELLS, budget_seconds=1e12)
    rows = np.stack([draw.multinomial(80, CELLS[0]) for _ in range(40)])
    errors = draw.binomial(rows, CELLS[1])
    state = start(tests, 0)
    by_signal = [means(tests, name, rows, errors) for name in (ERRORS, RELATION)]
    for place, (n, wrong) in enumerate(zip(rows, errors, strict=True)):
        bucket = arrivals(place, n.tolist(), wrong.tolist()).bucket()
        state, _ = step(tests, state, bucket)
        for signal, path in enumerate(by_signal):
            own = tests.bets.of(signal)
            mean = float((tests.bets.weight[own] * state.mixture.r[own]).sum())
            assert mean == pytest.approx(path[place] * 50 / 80, rel=1e-9)  # a step of 80 labels is 50 s long here


@pytest.mark.parametrize("named", [(), RIVER])
def test_a_restart_behind_every_step_changes_nothing(named: tuple[str, ...]) -> None:
    tests = suite_of(baseline_of([3_000, 500, 10], [200, 100, 1]), detectors=[(name, {}) for name in named])
    draw = np.random.default_rng(8)
    steps = [
        arrivals(k, [30, 8, 2], draw.binomial([30, 8, 2], [0.07, 0.2, 0.1] if k < 60 or k > 120 else [0.2, 0.4, 0.9]).tolist())
        for k in range(200)
    ]
    (whole, events), (restored, again) = folded(tests, steps), folded(tests, steps, through_bytes=True)
    assert events == again
    assert any(event.status == "resolved" for event in events) or not named
    assert whole.encoded() == restored.encoded()
    assert fits(tests, restored)


def test_detectors_by_name_read_errors_one_by_one_and_share_the_budget() -> None:
    tests = suite_of(COIN.baseline, detectors=[(name, {}) for name in RIVER])
    assert tests.budget_seconds == 2 * COIN.budget_seconds
    assert [(one.name, one.signal.name) for one in tests.named.placed] == [(name, ERRORS) for name in RIVER]
    _, events = folded(tests, coin([0.1] * 60 + [0.45] * 40))
    told = {alarm.detector for event in events for one in event.signals if one.name == ERRORS for alarm in one.alarms}
    assert {"esr", "adwin", "page_hinkley", "ddm", "hddm_a", "hddm_w"} <= told
    ks = suite_of(baseline_of_numbers([np.random.default_rng(1).exponential(1.0, 600)]), detectors=[("ks", {})], elsewhere=3)
    assert ks.named.placed[0].watcher.rate == pytest.approx(1 / (2 * 100_000 * 4))


def test_errors_are_what_is_read_as_one_even_where_most_answers_are_wrong() -> None:
    tests = suite_of(baseline_of([5_000], [4_000]), detectors=[("ddm", {})])
    _, events = folded(tests, coin([0.8] * 40 + [0.3] * 40))
    assert not any(alarm.detector == "ddm" for event in events for one in event.signals for alarm in one.alarms)


def test_what_has_no_two_values_is_refused_to_those_that_need_them() -> None:
    with pytest.raises(UnusableDetector, match="has not two values"):
        suite_of(baseline_of_numbers([np.random.default_rng(1).exponential(1.0, 600)]), detectors=[("ddm", {})])


def test_other_settings_take_over_what_goes_on() -> None:
    state, events = folded(COIN, coin([0.1] * 100 + [0.2] * 20))
    assert state.episodes
    wider = suite_of(COIN.baseline, budget_seconds=500_000)
    assert not fits(wider, state)
    kept = state.mixture.r.copy()
    former = wider.under(state.settings)
    assert former is not None and former.fingerprint == COIN.fingerprint  # noqa: PT018
    state, told = adapted(wider, state, former)
    assert not told
    assert (state.mixture.r == kept).all()
    assert state.episodes[0].id == events[0].episode
    assert fits(wider, state)
    assert wider.under('{"budget_seconds": 5, "detectors": [["gone", {}]]}') is None


def test_what_is_open_ends_with_the_version() -> None:
    state, _ = folded(COIN, coin([0.4] * 20))
    (event,) = close(COIN, state, (0, 1000), "retired")
    assert (event.status, event.reason) == ("resolved", "retired")


@settings(max_examples=60, deadline=None)
@given(baseline=baselines(), data=st.data())
def test_nothing_that_may_come_breaks_it(baseline: OutcomeBaseline, data: st.DataObject) -> None:
    steps = [arrivals(number, *data.draw(counts(len(baseline.rows)))) for number in range(data.draw(st.integers(1, 6)))]
    _repeats(suite_of(baseline), steps)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), tau=st.sampled_from((1.0, 3.5, 400.0)))
def test_nor_does_any_loss(data: st.DataObject, tau: float) -> None:
    known = data.draw(losses_of_cells)
    some = st.lists(st.sampled_from(OF_CELLS), min_size=len(known), max_size=len(known))
    _repeats(
        suite_of(baseline_of_numbers(known, tau)), [numbers(number, data.draw(some)) for number in range(data.draw(st.integers(1, 6)))]
    )


def _repeats(tests: OutcomeSuite, steps: list[Arrivals]) -> None:
    (state, events), (_, again) = folded(tests, steps), folded(tests, steps, through_bytes=True)
    assert events == again
    assert np.isfinite(state.mixture.r).all()
    for event in events:
        assert event.encoded()
    assert State.decoded(state.encoded()).encoded() == state.encoded()


def test_without_a_single_label_nothing_is_tested() -> None:
    tests = suite_of(baseline_of([0, 0], [0, 0]))
    assert not tests.bets.signals
    assert not folded(tests, [arrivals(k, [30, 20], [30, 20]) for k in range(20)])[1]
