"""From a suspicion to its end: what confirms, what withdraws, and what goes on under the same name."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftbus.detectors.diagnosis.finding import Finding
from driftbus.detectors.diagnosis.incidents import MOST_OPEN, REMEMBERED_FOR, Home, Incident, Incidents, Onset, Placed, Run
from driftbus.schemas.messages.root_cause import Cause

HOME, NEXT = Home("1", "r1"), Home("1", "r2")
LOST = Finding("feature_unavailability", "missing", ("amount",), 0, "abrupt", live=True, confidence=0.9, confirmable=True)
NOVEL = Finding("prediction_label_bias", "novelty", (), 0, "abrupt", live=True, confidence=0.9, confirmable=True)


def placed(finding: Finding, onset: int = 5) -> Placed:
    return Placed(finding, Onset(onset, 10 * onset, 10 * onset + 10))


def run(number: int, *, home: Home = HOME, fresh: bool = True, stands: bool = True, kept_from: int = 0) -> Run:
    return Run(home, 10 * number, number, fresh, stands, kept_from)


def followed(*found: list[Placed], first: int = 6) -> tuple[Incidents, list[Incident]]:
    """What one run after the other found, and all incidents of it."""
    incidents = Incidents("app", "m")
    known: dict[str, Incident] = {}
    for number, of_run in enumerate(found, start=first):
        known |= {one.id: one for one in incidents.follow(run(number), of_run)}
    return incidents, list(known.values())


def test_two_runs_in_a_row_confirm() -> None:
    _, [first] = followed([placed(LOST)])
    assert first.status == "suspected"
    _, [second] = followed([placed(LOST)], [placed(LOST)])
    assert second.status == "confirmed"
    assert second.id == first.id


def test_the_same_windows_looked_at_twice_confirm_nothing() -> None:
    """Of two runs in a row by the pane all rows but a few are the same."""
    incidents = Incidents("app", "m")
    incidents.follow(run(6), [placed(LOST)])
    for number in range(7, 12):
        [one] = incidents.follow(run(number, fresh=False), [placed(LOST)])
        assert one.status == "suspected"


def test_what_awaits_evidence_is_never_confirmed() -> None:
    waiting = replace(LOST, awaits="agreement", confirmable=False)
    _, [one] = followed(*[[placed(waiting)]] * 5)
    assert one.status == "suspected"


def test_a_fault_of_the_pipeline_that_grew_certain_without_a_baseline_was_found_before() -> None:
    waiting = replace(LOST, awaits="baseline", confirmable=False)
    _, [one] = followed([placed(waiting)], [placed(waiting)])
    assert one.status == "suspected"
    _, [one] = followed([placed(waiting)], [placed(LOST)])
    assert one.status == "confirmed"
    of_season = replace(LOST, cause="data_drift")
    _, [one] = followed([placed(replace(of_season, awaits="baseline", confirmable=False))], [placed(of_season)])
    assert one.status == "suspected"


def test_a_suspicion_that_is_not_found_again_is_withdrawn() -> None:
    incidents, [one] = followed([placed(LOST)], [])
    assert one.status == "withdrawn"
    assert not incidents.open


CHANGES: list[tuple[Finding, Finding]] = [
    (replace(LOST, cause="data_drift", shape="gradual"), replace(LOST, cause="feature_recalibration")),  # it grew, and stays
    (replace(LOST, cause="training_serving_skew"), replace(LOST, cause="feature_recalibration", confirmable=False)),  # with a deployment
    (NOVEL, replace(LOST, cause="data_drift")),  # and the rest of the rows stood still
]


@pytest.mark.parametrize(("told", "later"), CHANGES)
def test_what_was_confirmed_by_its_beginning_stands_when_that_is_looked_at_no_more(told: Finding, later: Finding) -> None:
    incidents, _ = followed([placed(told)], [placed(told)])
    for number in range(30, 34):
        touched = incidents.follow(run(number, kept_from=20), [placed(later, 20)])
        assert [(one.finding.cause, one.status) for one in touched] == [(told.cause, "confirmed")]
    for number in range(34, 36):
        touched = incidents.follow(run(number, kept_from=20), [])
    assert [one.status for one in touched] == ["resolved"]


@pytest.mark.parametrize(("told", "later"), CHANGES)
@pytest.mark.parametrize(("onset", "kept_from"), [(26, 20), (5, 4)])
def test_what_begins_within_sight_is_an_incident_of_its_own(told: Finding, later: Finding, onset: int, kept_from: int) -> None:
    incidents, _ = followed([placed(told)], [placed(told)])
    touched = incidents.follow(run(30, kept_from=kept_from), [placed(later, onset)])
    assert {(one.finding.cause, one.status) for one in touched} == {(told.cause, "confirmed"), (later.cause, "suspected")}


def test_what_is_not_live_is_not_found() -> None:
    _, [one] = followed([placed(LOST)], [placed(replace(LOST, live=False))])
    assert one.status == "withdrawn"


def test_two_windows_without_it_resolve() -> None:
    _, [one] = followed([placed(LOST)], [placed(LOST)], [])
    assert one.status == "confirmed"
    _, [one] = followed([placed(LOST)], [placed(LOST)], [], [])
    assert (one.status, one.reason) == ("resolved", "recovered")


def test_another_cause_of_the_same_scope_supersedes() -> None:
    skew = replace(LOST, cause="training_serving_skew", subtype="affine")
    _, found = followed([placed(LOST)], [placed(LOST)], [placed(skew)], [placed(skew)])
    former, now = found
    assert (former.status, former.superseded_by) == ("superseded", now.id)
    _, found = followed([placed(LOST), placed(skew)], [placed(LOST), placed(skew)], [placed(skew)], [placed(skew)])
    assert {one.status for one in found} == {"superseded", "confirmed"}


def test_a_cause_that_was_long_there_takes_nothing_over() -> None:
    other = replace(LOST, cause="data_drift", subtype="covariate")
    one, both = [placed(other)], [placed(other), placed(LOST)]
    _, found = followed(one, one, one, both, both, one, one)
    [lost] = [incident for incident in found if incident.finding.cause == LOST.cause]
    assert lost.status == "resolved"


def test_scope_and_onset_may_move_and_the_name_stays() -> None:
    more = replace(LOST, features=("age", "amount"), subtype="constant")
    incidents, [one] = followed([placed(LOST)], [placed(more, 7)], [placed(more, 8)])
    assert len(incidents.open) == 1
    assert one.onset.number == 8


def test_far_apart_are_two_but_for_what_grows() -> None:
    incidents, _ = followed([placed(LOST, 2)], [placed(LOST, 2), placed(LOST, 8)])
    assert len(incidents.open) == 2
    slow = replace(LOST, shape="gradual")
    incidents, _ = followed([placed(slow, 2)], [placed(slow, 8)])
    assert len(incidents.open) == 1


def test_beyond_what_is_kept_any_onset_is_the_same() -> None:
    incidents = Incidents("app", "m")
    incidents.follow(run(6), [placed(LOST, 2)])
    incidents.follow(run(7), [placed(LOST, 2)])
    [one] = incidents.follow(run(40, kept_from=16), [placed(LOST, 16)])
    assert one.onset.number == 2
    assert one.status == "confirmed"


def test_a_fault_of_the_pipeline_outlives_its_reference() -> None:
    incidents, found = followed(*[[placed(LOST), placed(NOVEL)]] * 2)
    assert [one.finding.cause for one in incidents.adopt(HOME, NEXT, 80, "replaced")] == ["prediction_label_bias"]
    assert {(one.finding.cause, one.status, one.reason) for one in found} == {
        ("feature_unavailability", "confirmed", None),
        ("prediction_label_bias", "resolved", "replaced"),
    }
    for number in range(1, 6):
        incidents.follow(run(number, home=NEXT, stands=False), [])
    assert [one.status for one in incidents.open] == ["confirmed"], "nothing is known yet"
    incidents.follow(run(6, home=NEXT), [])
    [one] = incidents.follow(run(7, home=NEXT), [])
    assert (one.status, one.reason) == ("resolved", "recovered")


def test_of_another_version_the_same_fault_is_the_same_incident() -> None:
    incidents, [one] = followed([placed(LOST)], [placed(LOST)])
    other = Home("2", "r2")
    incidents.follow(run(2, home=other), [placed(LOST, 0)])
    assert [(incident.id, incident.versions) for incident in incidents.open] == [(one.id, ["1", "2"])]
    incidents.retire(HOME, 100)
    assert incidents.open[0].status == "confirmed", "of the other one it still is"
    [ended] = incidents.retire(other, 110)
    assert (ended.status, ended.reason) == ("resolved", "retired")


def test_what_is_over_is_forgotten_and_there_are_never_too_many() -> None:
    incidents, _ = followed([placed(LOST)], [])
    assert incidents.ended
    incidents.forget(REMEMBERED_FOR + 100)
    assert not incidents.ended
    many = [placed(replace(LOST, features=(f"f{number}",))) for number in range(2 * MOST_OPEN)]
    incidents.follow(run(8), many)
    assert len(incidents.open) == MOST_OPEN


CAUSES: list[Cause] = ["data_drift", "feature_unavailability", "training_serving_skew", "prediction_label_bias", "undetermined"]


@st.composite
def findings(draw: st.DrawFn) -> Placed:
    cause = draw(st.sampled_from(CAUSES))
    features = tuple(sorted(draw(st.sets(st.sampled_from("abc"), max_size=2))))
    one = replace(LOST, cause=cause, features=features, live=draw(st.booleans()), confirmable=draw(st.booleans()))
    return placed(one, draw(st.integers(0, 20)))


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.lists(findings(), max_size=3)), max_size=20))
def test_whatever_is_found_statuses_only_go_forward(runs: list[tuple[bool, bool, list[Placed]]]) -> None:
    incidents = Incidents("app", "m")
    before: dict[str, str] = {}
    for number, (fresh, stands, found) in enumerate(runs):
        for one in incidents.follow(run(number, fresh=fresh, stands=stands), found):
            was = before.get(one.id, "suspected")
            assert was in ("suspected", "confirmed")
            assert (was, one.status) not in {("confirmed", "suspected"), ("suspected", "resolved"), ("suspected", "superseded")}
            before[one.id] = one.status
        assert all(one.open for one in incidents.open)
        assert len({one.id for one in incidents.open}) == len(incidents.open)
