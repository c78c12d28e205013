"""What becomes of an incident when a person confirms or rejects it, and what is told of what was done at its onset."""

from dataclasses import replace

import pytest

from driftbus.consumers.diagnoser.fold import Fold
from driftbus.consumers.reference.calibrations import Named
from driftbus.detectors.diagnosis.finding import Finding
from driftbus.detectors.diagnosis.gate import SURE, Standing, decide
from driftbus.detectors.diagnosis.incidents import Home, Incident, Incidents, Onset, Placed, Run, Word
from driftbus.schemas.messages.coincidence import Coincidence
from driftbus.schemas.messages.root_cause import RootCauseEvent
from driftbus.schemas.stored.calibration import Calibration, CauseCalibration

from ..diagnoser.facts import end, fold, interleaved, reading_of, said, settings
from .facts import LOST, broken, told, word

HOME = Home("1", "r1")
NULLS = Finding("feature_unavailability", "missing", ("amount",), 0, "abrupt", live=True, confidence=0.9)
SAYS_NO, SAYS_YES = Word(False, "reject", None, "ann", None, 1), Word(True, "confirm", None, None, None, 1)
RELEASE = Coincidence.of({"type": "release", "ref": "web 7", "time": end(LOST - 1) + 5})


def placed(finding: Finding, onset: int = 5) -> Placed:
    return Placed(finding, Onset(onset, 10 * onset, 10 * onset + 10))


def run(number: int, kept_from: int = 0) -> Run:
    return Run(HOME, 10 * number, number, fresh=True, stands=True, kept_from=kept_from)


def suspected() -> tuple[Incidents, Incident]:
    incidents = Incidents("app", "m")
    [one] = incidents.follow(run(6), [placed(NULLS)])
    assert one.status == "suspected"
    return incidents, one


@pytest.fixture(scope="module")
def untouched() -> list[RootCauseEvent]:
    """What is told where nobody says anything."""
    return said(fold(), interleaved(told(broken()), 1))


def test_confirmed_by_a_person_counts_as_confirmed_though_it_awaits_evidence() -> None:
    incidents, one = suspected()
    one.word = SAYS_YES
    assert [found.status for found in incidents.follow(run(7), [placed(NULLS)])] == ["confirmed"]
    for number in (8, 9):
        incidents.follow(run(number), [])
    assert (one.status, one.reason) == ("resolved", "recovered")


def test_rejected_by_a_person_it_is_withdrawn_and_its_scope_is_not_named_again_for_that_onset() -> None:
    incidents, one = suspected()
    one.word = SAYS_NO
    assert incidents.follow(run(7), [placed(NULLS)]) == [one]
    assert (one.status, one.reason, incidents.open) == ("withdrawn", "rejected", [])
    assert not incidents.follow(run(8), [placed(NULLS, 7)])
    assert not incidents.follow(run(40, kept_from=20), [placed(NULLS, 21)]), "where the view begins, for it began before"
    assert incidents.follow(run(41, kept_from=20), [placed(NULLS, 30)]), "another onset"
    assert incidents.follow(run(42, kept_from=20), [placed(replace(NULLS, features=("colour",)), 30)]), "another scope"


def test_a_later_word_takes_a_rejection_back() -> None:
    incidents, one = suspected()
    one.word = SAYS_NO
    incidents.follow(run(7), [placed(NULLS)])
    one.word = SAYS_YES
    assert [found.status for found in incidents.follow(run(8), [placed(NULLS)])] == ["suspected"]


def test_a_persons_word_lifts_the_condition_of_confidence_and_no_other() -> None:
    unsure = Standing("i", "data_drift", "confirmed", SURE - 0.1, "harmful", 5_000)
    assert decide([unsure], baseline=True).decision == "hold"
    assert decide([unsure._replace(by_person=True)], baseline=True).decision == "allow"
    assert decide([unsure._replace(by_person=True, labelled=10)], baseline=True).decision == "hold"
    assert decide([unsure._replace(by_person=True, cause="training_serving_skew")], baseline=True).decision == "forbid"


def test_a_rejection_ends_the_incident_with_the_reason_and_whoever_said_it(untouched: list[RootCauseEvent]) -> None:
    note = "planned\x1b[31m; $(rm -rf /) <script>" + "x" * 1_000
    no = word(untouched[0].incident, "reject", cause="data_drift", by="ann", note=note)
    events = said(fold(), interleaved(told(broken(), (32, no), grains=LOST + 40), 1))
    last = events[-1]
    assert (last.status, last.reason, last.run, last.retrain_gate.blocked_by) == ("withdrawn", "rejected", end(32), ())
    assert last.feedback is not None
    assert (last.feedback.answer, last.feedback.cause, last.feedback.by, last.feedback.time) == ("reject", "data_drift", "ann", end(32))
    assert last.feedback.note is not None
    assert len(last.feedback.note) == 500
    assert "\x1b" not in last.feedback.note
    assert events[:-1] == [one for one in untouched if one.run < end(32)]


def test_a_word_on_an_incident_that_is_not_there_changes_nothing(untouched: list[RootCauseEvent]) -> None:
    assert said(fold(), interleaved(told(broken(), (32, word("0" * 32, "reject"))), 1)) == untouched


def test_confirmed_as_another_cause_it_is_rejected_as_this_one(untouched: list[RootCauseEvent]) -> None:
    other = word(untouched[0].incident, "confirm", cause="training_serving_skew")
    last = said(fold(), interleaved(told(broken(), (32, other)), 1))[-1]
    assert (last.status, last.reason) == ("withdrawn", "rejected")


def test_what_was_released_is_told_with_its_lag_beside_what_begins_then() -> None:
    other = Coincidence.of({"type": "feature_version", "ref": "colours 2", "source": "paint", "time": end(LOST - 1) + 5})
    events = said(fold(), interleaved(told(broken(), (LOST, RELEASE), (LOST, other)), 1))
    assert [(one.type, one.ref, one.lag) for one in events[-1].onset.coincident] == [("release", "web 7", 0)]


def test_two_orders_and_a_restart_at_any_record_say_the_same(untouched: list[RootCauseEvent]) -> None:
    facts = (LOST, RELEASE), (30, word(untouched[0].incident, "confirm", by="ann")), (34, word(untouched[0].incident, "reject"))
    records = told(broken(), *facts)
    first = [one.encoded() for one in said(fold(), interleaved(records, 1))]
    assert len(first) > 3
    for seed in (2, 3, 4):
        log = list(interleaved(records, seed))
        assert [one.encoded() for one in said(fold(), log)] == first
        one, found = fold(), []
        for offset, record in enumerate(log):
            if offset % 23 == 0:
                state, parts = one.snapshot(offset)
                waiting = {place: log[place].fact for place in state.pending}
                one = Fold.restored(settings(), reading_of, state, parts, waiting)  # type: ignore[arg-type]  # none of them is progress
            found += [published.event.encoded() for published in one.feed(offset, offset, record.fact)]
        assert found == first


def test_what_is_calibrated_says_so_by_what_and_from_which_score(untouched: list[RootCauseEvent]) -> None:
    curve = CauseCalibration(scores=(0.5, 1.0), confidence=(0.2, 0.4), confirmed=10, rejected=30)
    named = Named("sha256:" + "1" * 64, Calibration(causes={"feature_unavailability": curve}))
    events = said(Fold(settings(), reading_of, lambda _: named), interleaved(told(broken()), 1))
    assert [one.status for one in events[:2]] == ["suspected", "confirmed"], "what may be confirmed is asked of the score"
    for one in events:
        assert (one.calibrated, one.calibration) == (True, named.name)
        assert one.score is not None
        assert one.confidence == pytest.approx(0.4 * (one.score - 0.5) + 0.2, abs=1e-6)
    assert not any(one.calibrated or one.calibration or one.score for one in untouched)
