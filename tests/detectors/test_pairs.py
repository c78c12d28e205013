"""Pairs: what is counted of them, what is bet on them, and what a stream of buckets makes of it."""

import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from driftbus.detectors.betting import Concession
from driftbus.detectors.betting.pairs import PAIR_TILTS, pair
from driftbus.detectors.counting import Counting
from driftbus.detectors.counting.bins import profile_of
from driftbus.detectors.counting.layout import layout
from driftbus.detectors.counting.products import PAIR_SCALE
from driftbus.detectors.counting.ranks import RANK_SCALE, Ranks
from driftbus.detectors.episodes.step import State, Suite, start, step
from driftbus.detectors.profiling.pairs import PairProfiling
from driftbus.schemas.configuration import Model
from driftbus.schemas.messages.drift import DriftEvent
from driftbus.schemas.stored.reference import Reference

from ..benchmarks.pairs import SETTINGS, Draw, Floats, bucket, compiled, independent, linked, reference_of

RNG = np.random.default_rng(6)
ROWS = 4_000
#: The first two hang together; the third and fourth are discrete and skewed.
BASE = RNG.normal(size=(ROWS, 5))
BASE[:, 1] += BASE[:, 0]
BASE[:, 2] = np.round(BASE[:, 2])
BASE[:, 3] = np.exp(BASE[:, 3])
REFERENCE = reference_of(BASE, sample=3)
COUNTING = Counting(REFERENCE)
PROFILES = [profile_of(column) for column in BASE.T]


def gappy(rows: int, seed: int) -> Floats:
    """Rows of which some have no number here or there, and some lie outside or between all that was seen."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 5)) * 3
    x[rng.random(x.shape) < 0.1] = np.nan
    return x


def naive(x: Floats, offsets: Sequence[int]) -> dict[str, tuple[int, int]]:
    """By pair, the rows of these offsets that have both, and the sum of their products; number by number."""
    found = {}
    for (i, first), (j, second) in itertools.combinations(enumerate(PROFILES), 2):
        rows = products = 0
        for row in offsets:
            if not math.isnan(x[row, i]) and not math.isnan(x[row, j]):
                zs = [Ranks([p]).at(Ranks([p]).places(np.array([[x[row, k]]])))[0, 0] for p, k in ((first, i), (second, j))]
                rows += 1
                products += int(zs[0]) * int(zs[1])
        found[f"f{i} × f{j}"] = rows, products
    return found


def counted(vector: NDArray[np.int64]) -> dict[str, tuple[int, int]]:
    return {s.name: (int(vector[s.rows].sum()), int(vector[s.start])) for s in layout(REFERENCE).signals if s.of == "pair"}


def joined(parts: Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]]) -> NDArray[np.int64]:
    return np.concatenate([np.sum([counts for counts, _ in parts], axis=0), np.sum([sums for _, sums in parts], axis=0)])


def test_products_are_those_of_a_loop_over_one_row_in_three() -> None:
    x = gappy(120, 1)
    vector = joined([COUNTING.count(x, [], (), np.arange(120))])
    # An offset is drawn or not, whatever is counted with it: ask for each by itself.
    alone = [joined([COUNTING.count(np.zeros((1, 5)), [], (), np.array([offset]))]) for offset in range(120)]
    drawn = [offset for offset, own in enumerate(alone) if counted(own)["f0 × f1"][0]]
    assert 25 <= len(drawn) <= 55
    assert counted(vector) == naive(x, drawn)


@settings(max_examples=30)
@given(seed=st.integers(0, 99), cuts=st.sets(st.integers(1, 1_399), max_size=4))
def test_no_batch_shows_in_what_is_counted(seed: int, cuts: set[int]) -> None:
    x = gappy(1_400, seed)
    whole = joined([COUNTING.count(x, [], (), np.arange(1_400))])
    bounds = [0, *sorted(cuts), 1_400]
    parts = [COUNTING.count(x[a:b], [], (), np.arange(a, b)) for a, b in itertools.pairwise(bounds)]
    assert joined(parts).tolist() == whole.tolist()


def test_a_number_that_is_not_there_changes_no_other_pair() -> None:
    every = Counting(reference_of(BASE, sample=1))
    x = np.random.default_rng(2).normal(size=(50, 5))
    without = x.copy()
    without[7, 2] = np.nan
    before, after = (counted(joined([every.count(rows, [])])) for rows in (x, without))
    assert {name for name in before if before[name] != after[name]} == {"f0 × f2", "f1 × f2", "f2 × f3", "f2 × f4"}
    assert after["f2 × f4"][0] == 49


def test_profiles_are_those_of_numpy_in_whatever_chunks() -> None:
    ranks = Ranks(PROFILES)
    places = ranks.places(BASE)
    places[5, 0] = -1
    names = [f"f{i}" for i in range(5)]
    whole, parts = PairProfiling(names, PROFILES), PairProfiling(names, PROFILES)
    whole.add(places)
    for first in range(0, ROWS, 333):
        parts.add(places[first : first + 333])
    assert whole.profiles(10) == parts.profiles(10)
    z = ranks.at(places) / RANK_SCALE
    for profile, (i, j) in zip(whole.profiles(10), itertools.combinations(range(5), 2), strict=True):
        product = (z[:, i] * z[:, j])[~np.isnan(z[:, i])]
        assert profile.rows == len(product)
        assert profile.correlation == pytest.approx(product.mean(), abs=1e-12)
        assert profile.square == pytest.approx((product**2).mean())
        np.testing.assert_allclose(profile.log_means, [math.log(np.exp(tilt * product).mean()) for tilt in PAIR_TILTS], rtol=1e-9)
    assert 0.6 < whole.profiles(10)[0].correlation < 0.75  # Spearman's of a normal pair with .71


def test_what_cannot_tell_anything_is_no_pair() -> None:
    constant, few = np.ones(1_000), np.where(np.arange(1_000) < 499, RNG.normal(size=1_000), np.nan)
    names, profiles = ["constant", "few", "plain"], [profile_of(x) for x in (constant, few, RNG.normal(size=1_000))]
    pairs = PairProfiling(names, profiles)
    pairs.add(Ranks(profiles).places(np.stack([constant, few, RNG.normal(size=1_000)], axis=1)))
    assert pairs.profiles(1) == ()


def test_no_bet_on_a_pair_gains_on_the_reference() -> None:
    for profile in REFERENCE.pairs:
        first, second = int(profile.first[1]), int(profile.second[1])
        z = Ranks(PROFILES).at(Ranks(PROFILES).places(BASE))
        product = z[:, first] * z[:, second] / PAIR_SCALE
        for margin in (0.0, 3.5):
            for bet in pair(profile, Concession(profile.rows, margin, 0.0)):
                mean = float(np.exp(bet.slope * PAIR_SCALE * product + bet.intercept).mean())
                assert mean == pytest.approx(1) if margin == 0 else mean < 1


def test_rows_that_depend_on_each_other_temper_the_bets_less_in_a_sample() -> None:
    rng = np.random.default_rng(3)
    slow = np.cumsum(rng.normal(size=(20_000, 2)), axis=0)
    slow -= np.stack([np.convolve(x, np.ones(200) / 200, mode="same") for x in slow.T], axis=1)
    every, tenth = (reference_of(slow, sample=sample).pairs[0] for sample in (1, 10))
    assert every.sampled_tau == every.tau == tenth.tau > 10
    assert tenth.sampled_tau == pytest.approx(1 + (tenth.tau - 1) / 10)
    bets = [next(pair(profile, Concession(profile.rows, 0.0, 0.0))).slope for profile in (every, tenth)]
    assert bets[1] / bets[0] == pytest.approx(every.sampled_tau / tenth.sampled_tau)


# ---- a stream of buckets

NORMAL = reference_of(independent(np.random.default_rng(4), 10_000))
TESTS, NORMAL_COUNTING = compiled(NORMAL), Counting(NORMAL)


class Stream:
    """A fold that is fed drawn rows."""

    def __init__(self, tests: Suite = TESTS, counting: Counting = NORMAL_COUNTING, seed: int = 9) -> None:
        self.tests, self.counting, self.state = tests, counting, start(tests, 0)
        self.events: list[DriftEvent] = []
        self.buckets = 0
        self._rng = np.random.default_rng(seed)

    def feed(self, draw: Draw, buckets: int, until: Callable[[State], bool] = lambda state: False) -> int:
        """So many buckets, or until something holds; returns how many."""
        for number in range(buckets):
            self.state, new = step(self.tests, self.state, bucket(self.counting, self.buckets, draw(self._rng, 100)))
            self.buckets += 1
            self.events += new
            if until(self.state):
                return number + 1
        return buckets

    def tested(self, name: str, of: str) -> bool:
        """Whether this signal is in the mean."""
        place = next(i for i, signal in enumerate(self.tests.bets.signals) if (signal.name, signal.of) == (name, of))
        return bool(self.state.mixture.tested[place])


def test_a_new_correlation_is_found_and_its_pair_named() -> None:
    stream = Stream()
    stream.feed(independent, 100)
    assert not stream.events
    assert stream.feed(linked(0.3), 15, until=lambda state: bool(state.episodes)) <= 12
    (opened,) = stream.events
    (signal,) = opened.signals
    assert (opened.kind, signal.name, signal.of, signal.change) == ("pairs", "f0 × f1", "pair", "more correlated")
    assert signal.effect.correlation is not None
    assert signal.effect.correlation[0] == pytest.approx(0, abs=0.03)
    assert signal.effect.correlation[1] == pytest.approx(0.3, abs=0.12)
    stream.feed(independent, 200, until=lambda state: not state.episodes)
    assert [event.status for event in stream.events][-1] == "resolved"


def test_a_pair_is_as_hard_of_hearing_as_its_fields() -> None:
    """One field of which a shift by a whole sd is no news: nor is what that does to its products."""
    deaf = Model.model_validate({"false_alarms": str(SETTINGS.false_alarms), "features": {"f0": {"min_effect": 1}}})
    stream = Stream(compiled(NORMAL, deaf))
    stream.feed(linked(0.3), 60)
    assert not stream.events


def shifted(rng: np.random.Generator, rows: int) -> Floats:
    """The first feature is another, and the second one hangs on it."""
    x = linked(0.5)(rng, rows)
    x[:, 0] += 1.5
    return x


def test_a_pair_is_silent_beside_its_own_features_and_begins_anew_behind_them() -> None:
    stream = Stream()
    stream.feed(shifted, 100, until=lambda state: bool(state.episodes))
    assert not stream.tested("f0", "values")
    assert not stream.tested("f0 × f1", "pair")
    assert stream.tested("f1 × f2", "pair")
    stream.feed(shifted, 30)
    assert {signal.name for event in stream.events for signal in event.signals} == {"f0"}
    stream.feed(independent, 300, until=lambda state: not state.episodes)
    assert stream.tested("f0", "values")
    assert stream.tested("f0 × f1", "pair")
    place = next(i for i, signal in enumerate(TESTS.bets.signals) if signal.name == "f0 × f1")
    assert not stream.state.mixture.r[TESTS.bets.of(place)].any()


def test_a_state_with_pairs_continues_exactly() -> None:
    one, other = Stream(), Stream()
    for stream in (one, other):
        stream.feed(linked(0.3), 8)
    other.state = State.decoded(other.state.encoded())
    for stream in (one, other):
        stream.feed(linked(0.3), 8)
    assert one.state.encoded() == other.state.encoded()
    assert one.events == other.events != []


def test_pairs_of_few_rows_are_not_watched() -> None:
    few: Reference = reference_of(BASE[:450])
    assert few.pairs == ()
