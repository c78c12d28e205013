"""Whether a retrain may start: every cause, and the strictest of several."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftbus.detectors.diagnosis.gate import LEAST_LABELS, LEAST_OUTLIERS, LEAST_WINDOWS, UNKNOWN_FOR, Standing, decide
from driftbus.schemas.messages.root_cause import Cause

#: What nothing is wanting of.
GOOD = {"status": "confirmed", "confidence": 0.95, "harm": "harmful", "labelled": 5_000, "outliers": 500, "windows": 8}


def standing(cause: Cause, name: str = "i", **changes: object) -> Standing:
    return Standing(name, cause, **GOOD | changes)  # type: ignore[arg-type]  # fields of differing types


@pytest.mark.parametrize(
    ("one", "decision", "because"),
    [
        (standing("data_drift"), "allow", "5,000 labels"),
        (standing("feature_drift"), "allow", "5,000 labels"),
        (standing("data_drift", harm="benign"), "hold", "no harm"),
        (standing("data_drift", harm="unknown"), "hold", "harm is unknown"),
        (standing("data_drift", labelled=LEAST_LABELS - 1), "hold", "999 of 1,000 labels"),
        (standing("feature_drift", confidence=0.89), "hold", "0.89 is below 0.9"),
        (standing("data_drift", status="suspected"), "hold", "data drift is only suspected"),
        (standing("feature_recalibration"), "allow", "recomputed history"),
        (standing("feature_recalibration", windows=LEAST_WINDOWS - 1), "hold", "3 of 4 windows"),
        (standing("feature_recalibration", whole=False), "hold", "mixed"),
        (standing("feature_unavailability"), "forbid", "pipeline"),
        (standing("feature_unavailability", status="suspected", confidence=0.1), "forbid", "pipeline"),
        (standing("training_serving_skew"), "forbid", "pipeline"),
        (standing("prediction_label_bias"), "allow", "500 labelled rows unlike"),
        (standing("prediction_label_bias", outliers=LEAST_OUTLIERS - 1), "hold", "199 of 200"),
        (standing("model_broken"), "hold", "roll back first"),
        (standing("undetermined", age=UNKNOWN_FOR - 1), "forbid", "not known"),
        (standing("undetermined", age=UNKNOWN_FOR), "hold", "for 7 days"),
    ],
)
def test_each_cause(one: Standing, decision: str, because: str) -> None:
    gate = decide([one], baseline=True)
    assert gate.decision == decision
    assert because in gate.because
    assert gate.blocked_by == (() if decision == "allow" else ("i",))
    assert bool(gate.actions) == (decision == "allow")


def test_what_may_start_is_what_all_of_them_allow() -> None:
    assert decide([], baseline=True).actions == ("retrain", "fine_tune", "online_update")
    assert decide([standing("prediction_label_bias"), standing("data_drift", "j")], baseline=True).actions == ("fine_tune", "online_update")
    both = decide([standing("prediction_label_bias"), standing("feature_recalibration", "j")], baseline=True)
    assert (both.decision, both.blocked_by, both.actions) == ("hold", ("i", "j"), ())


def test_nothing_is_allowed_without_a_baseline() -> None:
    assert decide([standing("data_drift")], baseline=False).decision == "hold"


STANDINGS = st.builds(
    Standing,
    incident=st.text("ab", min_size=1, max_size=3),
    cause=st.sampled_from(sorted(Cause.__args__)),  # type: ignore[attr-defined]  # of a Literal
    status=st.sampled_from(["suspected", "confirmed"]),
    confidence=st.floats(0, 1),
    harm=st.sampled_from(["harmful", "benign", "unknown"]),
    labelled=st.integers(0, 2**40),
    outliers=st.integers(0, 2**40),
    windows=st.integers(0, 30),
    whole=st.booleans(),
    age=st.integers(0, 2**40),
)


@given(st.lists(STANDINGS, max_size=5), STANDINGS, st.booleans())
def test_a_further_incident_never_makes_it_milder(open_: list[Standing], more: Standing, baseline: bool) -> None:
    order = ("allow", "hold", "forbid")
    before, after = decide(open_, baseline=baseline), decide([*open_, more], baseline=baseline)
    assert order.index(after.decision) >= order.index(before.decision)
    assert set(after.actions) <= set(before.actions)
