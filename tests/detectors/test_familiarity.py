"""Queries unlike the training data, counted and tested: bets that hold for every law below their bound, weights, effects, what is kept."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftbus.consumers.detector.settings import configuration_hash
from driftbus.detectors.betting.bet import Concession
from driftbus.detectors.betting.familiarity import flags
from driftbus.detectors.episodes.step import Bucket, Segment, State, fits, start, step
from driftbus.detectors.familiarity import CELLS, WIDTH, Asked, AskedRow, FamiliaritySettings, FamiliaritySuite, counted
from driftbus.schemas.configuration import Model
from driftbus.schemas.stored.familiarity import LEVELS, FamiliarityOf, FamiliarityProfile
from driftbus.schemas.stored.reference import CategoricalProfile, Reference

from ..streaming import configuration, reference

CELLS_OF = (15, 135, 2_850)
NONE = np.zeros(0, dtype=np.int64)


def known(*, segments: bool = False, **ood: object) -> FamiliaritySuite:
    parts = (
        FamiliarityOf(name="north", rows=5_000, cells=(20, 130, 1_350)),
        FamiliarityOf(name="south", rows=5_000, cells=(0, 20, 1_480)),
        FamiliarityOf(name="tiny", rows=300, cells=(1, 5, 60)),
    )
    profile = FamiliarityProfile(
        of="question", kind="text", index="sha256:0", rows=10_000, cells=CELLS_OF, segments=parts if segments else ()
    )
    of = Reference(model="m", version="1", rows=10_000, first=0, last=10_000_000, fields=(), familiarity=(profile,))
    chosen = FamiliaritySettings.of(of, Model.model_validate({"false_alarms": "1 per 100000 rows", "ood": ood}))
    return FamiliaritySuite(of, chosen, application="a", stream="s", configuration_hash="c", reference_hash="r")


@given(st.integers(500, 100_000), st.floats(0.5, 4), st.floats(1, 50), st.booleans(), st.tuples(*[st.integers(0, 2_000)] * 3))
def test_no_bet_gains_while_the_share_is_below_its_bound(rows: int, margin: float, tau: float, segment: bool, cells: Any) -> None:
    profile = CategoricalProfile(categories=("a", "b"), counts=cells, tau=(tau, tau, 1.0))
    shares = np.cumsum(cells[:2]) / max(sum(cells), 1) if segment else np.array(LEVELS)
    if segment:
        rows = max(sum(cells), 1)
    for bet in flags(profile, Concession(rows, margin, 0.0), segment=segment):
        place = len(bet.bins) - 1
        most = shares[place] + margin * np.sqrt(tau * shares[place] * (1 - shares[place]) / rows) + 1 / (rows + 1)
        for share in (0.0, shares[place] / 2, most):
            mean = share * np.exp(tau * (bet.slope + bet.intercept)) + (1 - share) * np.exp(tau * bet.intercept)
            assert mean <= 1 + 1e-9


def test_the_lane_has_a_fifth_of_the_weight_with_segments_or_without() -> None:
    for segments in (False, True):
        tests = known(segments=segments)
        grows = float((tests.bets.joint_weight * tests.bets.share).sum())
        assert grows <= 0.2 + 1e-12
        assert float(tests.bets.joint_weight.sum()) == pytest.approx(0.2 if not segments else 0.15 + 2 * 0.05)
    assert known(segments=True).space.segments == ("north", "south"), "tiny has too few held-out rows"


def test_no_rows_and_nothing_to_compare_are_no_evidence() -> None:
    tests = known()
    state = start(tests, 0)
    for end, counts in ((1_000, np.zeros(WIDTH, dtype=np.int64)), (2_000, np.array([0, 0, 0, 50, 0, 0, 0]))):
        state, events = step(tests, state, Bucket(end - 1_000, end, 50, 0, counts, NONE, True, False))
        assert not events
    assert not state.mixture.r.any()
    change = tests.measures[0].on(np.zeros(WIDTH, dtype=np.int64))
    assert (change.ratio, change.rows) == (0.0, 0)


def test_more_flags_are_told_and_a_state_goes_on_as_it_was() -> None:
    tests, events = known(), []
    state = start(tests, 0)
    for number in range(1, 60):
        counts = np.array([1, 5, 94, 0, 0, 0, 0] if number < 30 else [10, 20, 70, 0, 0, 0, 0])
        bucket = Bucket(number * 1_000 - 1_000, number * 1_000, 100, 0, counts, NONE, True, False)
        state, told = step(tests, State.decoded(state.encoded()), bucket)
        events += told
    opened = events[0]
    assert (opened.status, opened.kind, opened.severity) == ("opened", "ood", "major")
    assert opened.signals[0].name == "question (unlike the training data)"
    assert opened.signals[0].effect.flagged is not None
    assert fits(tests, state)
    assert not fits(known(important=0.1), state)


def test_one_segment_is_told_by_itself() -> None:
    tests, events = known(segments=True), []
    state = start(tests, 0)
    for number in range(1, 80):
        calm, now = np.array([2, 15, 183, 0, 0, 0, 0]), np.array([0, 1 if number < 40 else 12, 99 if number < 40 else 88, 0, 0, 0, 0])
        counts = np.concatenate((calm + now, calm, now))
        vector = tests.space.vector(calm + now, NONE, [("north", calm, NONE), ("south", now, NONE)], None)
        assert vector[:WIDTH].tolist() == counts[:WIDTH].tolist()

        segments = (Segment("north", calm, NONE), Segment("south", now, NONE))
        bucket = Bucket(number * 1_000 - 1_000, number * 1_000, 300, 0, calm + now, NONE, True, False, segments=segments)
        state, told = step(tests, state, bucket)
        events += told
    assert {signal.segment for event in events for signal in event.signals} <= {"south", None}
    assert any("south" in (signal.segment, *signal.only_in) for event in events for signal in event.signals)


@given(st.lists(st.tuples(st.sampled_from([0, 1, 2, 3, 255]), st.sampled_from([0, 1, 2, 255])), max_size=50))
def test_counts_of_parts_add_up(rows: list[tuple[int, int]]) -> None:
    scored = np.array(rows, dtype=np.uint8).reshape(-1, 2)
    whole = counted(scored[:, 0], scored[:, 1])
    parts = counted(scored[::2, 0], scored[::2, 1]) + counted(scored[1::2, 0], scored[1::2, 1])
    assert whole.tolist() == parts.tolist()
    assert whole[: CELLS + 1].sum() == (scored[:, 0] != 255).sum()


@given(st.permutations(range(20)), st.integers(1, 5))
def test_what_is_kept_of_a_bucket_depends_on_no_order(order: list[int], buckets: int) -> None:
    rows = [AskedRow(number * 7 % 20, 0, number, 0, f"text {number}") for number in range(20)]
    ordered, mixed = Asked(), Asked()
    for bucket in range(buckets):
        ordered.add(bucket, bucket + 1, rows)
        mixed.add(bucket, bucket + 1, [rows[place] for place in order])
    assert ordered.encoded() == mixed.encoded() == Asked.decoded(mixed.encoded()).encoded()
    assert len(ordered.since(0, 0, 400)) == 20 * buckets
    assert ordered.since(0, 1, 400) == []


def test_counts_are_those_since_a_time_as_far_as_runs_tell() -> None:
    asked = Asked()
    for bucket in range(8):
        asked.add(bucket, bucket + 1, [], [1, bucket])
    assert asked.counted_since(7) == (1, 7)
    assert asked.counted_since(0) == (8, 28)
    assert asked.counted_since(100) == (1, 7)
    assert Asked.decoded(asked.encoded()).encoded() == asked.encoded()
    assert Asked.decoded([[1, 0, 1, []]]).counted_since(0) == ()


def test_without_it_a_reference_a_configuration_and_an_event_are_what_they_were() -> None:
    assert b"familiarity" not in reference("m0").encoded()
    assert configuration_hash(configuration()) == configuration_hash(configuration(model={"ood": None}))
