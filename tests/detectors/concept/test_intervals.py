"""What is known of the predictions of intervals: which tell the truth, since when they turn out otherwise, and when that is over."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftbus.detectors.concept import Arrivals
from driftbus.detectors.concept.intervals import Interval, Ripeness, Seen, judged, newest, onset
from driftbus.detectors.concept.space import ERRORS
from driftbus.detectors.concept.telling import told
from driftbus.detectors.episodes.episode import Episode
from driftbus.detectors.episodes.step import State, start, step
from driftbus.detectors.outcomes.basis import summed
from driftbus.detectors.outcomes.delays import DELAY_BINS
from driftbus.detectors.outcomes.layout import layout
from driftbus.schemas.cloud_events import iso
from driftbus.schemas.messages.drift import DriftedSignal, Effect, Histogram, Statistics
from driftbus.schemas.stored.outcomes import OutcomeBasis

from ..outcomes.rows import EVERY, many
from .worlds import SECONDS, arrivals, baseline_of, suite_of

PLAN = layout(OutcomeBasis(task="binary"))
HOUR, TEN = 3_600_000, 10 * SECONDS * 1000
COIN = suite_of(baseline_of([5_000], [500]))


def interval(number: int, predicted: int, labelled: int, wrong: int) -> Interval:
    """Of the hour of that number; one cell."""
    known = Arrivals(number * HOUR, (number + 1) * HOUR, np.array([labelled]), np.array([wrong]))
    return Interval(np.zeros(PLAN.size, dtype=np.int64), known, predicted, labelled, whole=True)


def test_an_interval_is_matured_when_it_is_old_enough_and_nine_tenths_of_what_is_expected_are_labelled() -> None:
    quiet = [interval(number, 100, 80, 8) for number in range(5)]
    ripeness = Ripeness(2 * HOUR).measured([*quiet, interval(5, 100, 10, 0)], 7 * HOUR)
    assert ripeness == Ripeness(2 * HOUR, 500, 400)
    assert ripeness.matured(interval(9, 100, 72, 0), 12 * HOUR)
    assert not ripeness.matured(interval(9, 100, 71, 0), 12 * HOUR)
    assert not ripeness.matured(interval(9, 100, 80, 0), 12 * HOUR - 1)
    assert not Ripeness(0).matured(interval(0, 1, 1, 0), HOUR)  # nothing is measured yet
    assert Ripeness(2 * HOUR).measured(quiet, 2 * HOUR) == Ripeness(2 * HOUR)


def opened(rate: float = 0.2) -> tuple[State, Episode, int]:
    """A state with an episode, and when it was told: errors are commoner from the 100th step on."""
    draw = np.random.default_rng(1)
    state = start(COIN, 0)
    for number in range(200):
        own = arrivals(number, [50], [int(draw.binomial(50, 0.1 if number < 100 else rate))])
        state, events = step(COIN, state, own.bucket())
        if events:
            return state, state.episodes[0], own.end
    raise AssertionError


def of_rate(number: int, rate: float) -> Interval:
    """Of ten steps, all labelled by now."""
    known = Arrivals(
        number * TEN, (number + 1) * TEN, np.array([500]), np.array([round(500 * rate)]), delays=np.zeros(DELAY_BINS, np.int64)
    )
    return Interval(np.zeros(1, dtype=np.int64), known, 500, 500, whole=True)


def test_the_onset_is_where_intervals_are_likeliest_split() -> None:
    _, episode, end = opened()
    known = [of_rate(number, 0.1) for number in range(10)] + [of_rate(number, 0.2) for number in range(10, 18)]
    seen = Seen(COIN)
    assert onset(seen, episode, known, 10 * TEN, TEN) == 10 * TEN
    # An earlier time that was as bad is another's: what was made so long ago was known before.
    assert onset(seen, episode, [of_rate(number, 0.4) for number in range(3)] + known[3:], 2 * TEN, TEN) == 10 * TEN
    assert onset(seen, episode, [], 10 * TEN, TEN) == episode.onset // TEN * TEN
    assert onset(seen, episode, known[:9], 10 * TEN, TEN) == episode.onset // TEN * TEN
    assert end > episode.onset


def test_it_is_over_when_matured_intervals_say_so_whatever_the_first_labels_say() -> None:
    state, episode, end = opened()
    for followed in episode.open:
        followed.since = end
    draw, events, number = np.random.default_rng(2), [], end // 50_000
    hours = [interval(n, 2_000, 2_000, 400) for n in range(2)]
    for more in range(400):  # first labels are as ever
        own = arrivals(number + more, [50], [int(draw.binomial(50, 0.1))])
        known = [replace(one, known=replace(one.known, start=one.known.start + end, end=one.known.end + end)) for one in hours]
        state, told_ = step(COIN, state, own.bucket(), judged(Seen(COIN), known, end))
        events += told_
        if more == 200:
            assert not [event for event in events if event.status == "resolved"]
            hours += [interval(n, 2_000, 2_000, 200) for n in range(2, 5)]
    (resolved,) = [event for event in events if event.status == "resolved"]
    assert resolved.reason == "recovered"
    assert not state.episodes


def test_nothing_is_judged_before_an_interval_is_matured() -> None:
    state, _, end = opened()
    for more in range(300):
        state, events = step(COIN, state, arrivals(end // 50_000 + more, [50], [5]).bucket(), judged(Seen(COIN), [], 0))
        assert not events
    assert state.episodes


def test_the_newest_that_have_so_many_labels() -> None:
    hours = [interval(number, 100, 80, 8) for number in range(5)]
    assert newest(hours, 160) == hours[3:]
    assert newest(hours, 161) == hours[2:]
    assert newest(hours, 0) == hours[4:]
    assert newest(hours, 10_000) == hours
    assert not newest([], 5)


SIGNAL = DriftedSignal(
    name=ERRORS,
    role="row",
    of="errors",
    share=1.0,
    change="more 'errors'",
    log_evidence=9.0,
    effect=Effect(),
    now=Statistics(rows=400, mean=0.2),
    reference=Histogram(),
    current=Histogram(),
    rows=400,
)


def test_without_intervals_it_is_told_by_the_labels_that_came() -> None:
    shown = told(PLAN, [], None, COIN.baseline, 5 * HOUR, [SIGNAL])
    assert (shown.metric, shown.was, shown.now, shown.labelled, shown.about) == ("accuracy", 0.9, 0.8, 400, None)
    assert shown.low is not None and shown.high is not None  # noqa: PT018
    assert shown.low < 0.8 < shown.high
    assert (shown.onset, shown.estimated, shown.assumption_broken) == (iso(5 * HOUR), None, False)


def test_the_interval_is_wider_where_labels_hang_together() -> None:
    vector = np.zeros(PLAN.size, dtype=np.int64)
    for name, amount in (("labelled", 400), ("errors", 80), ("predicted", 500), ("expired", 20)):
        vector[PLAN.sections[name].start] = amount
    one = Interval.of(PLAN, vector, 0, HOUR)
    widths = []
    for tau in (1.0, 4.0):
        shown = told(PLAN, [one], None, baseline_of([5_000], [500], tau), 0, [SIGNAL])
        assert (shown.now, shown.labelled, shown.predicted, shown.expired) == (0.8, 400, 500, 20)
        assert shown.about == (iso(0), iso(HOUR))
        assert shown.high is not None and shown.low is not None  # noqa: PT018
        widths.append(shown.high - shown.low)
    assert widths[1] == pytest.approx(2 * widths[0], rel=0.05)


@settings(max_examples=60, deadline=None)
@given(st.data(), st.sampled_from(sorted(EVERY)), st.booleans())
def test_whatever_is_known_what_is_told_is_finite_and_short_sums_say_the_same(data: st.DataObject, task: str, known: bool) -> None:
    plan = layout(EVERY[task])
    vectors = [summed(plan, data.draw(many(EVERY[task]))) for _ in range(2)]
    short = plan.sections["cell expired"].span.stop
    cells = plan.cells
    baseline = baseline_of([100] * cells, [10] * cells)
    if task == "number":
        losses, edges = (10,) * (len(EVERY[task].losses) + 1), EVERY[task].losses
        baseline = baseline.model_copy(update={"losses": losses, "edges": edges, "absolute": 5, "unit": 0.5})
    whole, cut = (
        told(
            plan, [Interval.of(plan, one[:end], n, n + 1) for n, one in enumerate(vectors)], vectors[0] if known else None, baseline, 0, []
        )
        for end in (plan.size, short)
    )
    assert whole == cut
    numbers = (whole.now, whole.was, whole.low, whole.high, whole.estimated)
    assert all(number is None or np.isfinite(number) for number in numbers)
    if whole.now is not None and whole.low is not None and whole.high is not None:
        assert whole.low <= whole.now * (1 + 1e-5) + 1e-9
        assert whole.now <= whole.high * (1 + 1e-5) + 1e-9
