"""What people read of a cause: every one has its remedy and its paragraph, and no paragraph tells a value or a number of 17 digits."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftbus.detectors import diagnosis
from driftbus.detectors.diagnosis.finding import Finding, Map
from driftbus.detectors.diagnosis.mitigation import Known, mitigate
from driftbus.detectors.diagnosis.text import WHAT, told
from driftbus.schemas.messages.root_cause import MOST_TEXT, Cause, RootCauseEvent

CAUSES: tuple[Cause, ...] = Cause.__args__  # type: ignore[attr-defined]  # of a Literal
ONSET = 1_363_305_600_000
EVENT: dict[str, Any] = {
    "application": "app",
    "incident": "0b6f" * 8,
    "revision": 2,
    "status": "confirmed",
    "model": "eta",
    "version": "7",
    "stream": "flights",
    "reference": "sha256:" + "9" * 64,
    "complete": True,
    "clock_decided": False,
    "configuration": "sha256:" + "1" * 64,
    "engine": "1",
    "cause": "feature_recalibration",
    "subtype": "map",
    "map": {"form": "scale", "a": 99.83, "constant": "x 100 (percent, cents)", "error": 0.008},
    "scope": {"features": ["load_factor"], "source": "inventory", "owners": ["team-inventory"]},
    "onset": {
        "window": [ONSET, ONSET + 3_600_000],
        "shape": "abrupt",
        "coincident": [{"type": "feature_version", "ref": "inventory 4.2", "lag": 0}],
    },
    "run": ONSET + 3 * 3_600_000,
    "confidence": 0.93,
    "windows": {"baseline": 24, "since_onset": 3, "rows": 4_120, "labelled": 1_310},
    "impact": {"harm": "harmful", "loss": [0.101, 0.304], "prediction_tv": 0.34},
    "evidence": [
        {"name": "map_error", "feature": "load_factor", "value": 0.008, "threshold": 0.06, "z": 212.4},
        {"name": "pairs_agree", "feature": "load_factor", "value": "yes"},
        {"name": "value", "feature": "load_factor", "value": "4711-0815"},
    ],
    "missing_evidence": [{"stream": "golden", "state": "not configured", "would_decide": "whether the model itself is at fault"}],
    "mitigation": {
        "action": "retrain_with_correct_feature_version",
        "fallback": "divide `load_factor` by 99.83",
        "do_not": ["train on a mix of old and new values"],
    },
    "retrain_gate": {"decision": "hold", "because": "3 of 4 windows since the values changed", "blocked_by": ["0b6f" * 8]},
    "text": "",
}


def event(**changes: Any) -> RootCauseEvent:  # fields of any type
    return RootCauseEvent.model_validate(EVENT | changes)


def finding(cause: Cause, **changes: Any) -> Finding:  # likewise
    return Finding(
        **{"cause": cause, "subtype": "", "features": ("a",), "onset": 0, "shape": "abrupt", "live": True, "confidence": 0.9} | changes
    )


def test_the_paragraph_of_the_design() -> None:
    assert told(event()) == (
        "Since 2013-03-15 00:00 UTC, of model `eta 7`: `load_factor` arrives as 99.83 times what it was: x 100 (percent, cents)"
        " (source `inventory`; owned by `team-inventory`). That is feature recalibration, with a confidence of 0.93."
        " Known by: map error of `load_factor` 0.008 (threshold 0.06); online and offline values agree."
        " Done then: feature version `inventory 4.2`. Loss went from 0.101 to 0.304."
        " Retrain with the right version of the feature, on recomputed history; until then: divide"
        " `load_factor` by 99.83. Do not train on a mix of old and new values. Retraining is on hold: 3 of 4 windows since the values"
        " changed. Not known: whether the model itself is at fault (golden: not configured)."
    )


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("suspected", "for nobody to act on"),
        ("withdrawn", "was not found again"),
        ("superseded", "says it better"),
        ("resolved", "is over"),
    ],
)
def test_statuses(status: str, said: str) -> None:
    assert said in told(event(status=status))


def test_what_a_person_said() -> None:
    word = {"answer": "confirm", "by": "anna", "time": ONSET}
    assert "A person confirms it." in told(event(feedback=word))
    assert "a person rejected it" in told(event(status="withdrawn", reason="rejected"))


def test_every_subtype_of_the_engine_has_its_words() -> None:
    room = Path(str(diagnosis.__file__)).parent
    sources = "".join(path.read_text() for path in room.glob("*.py") if path.name != "text.py")
    assert not [subtype for subtype in WHAT if f'"{subtype}"' not in sources]


@pytest.mark.parametrize("subtype", sorted(WHAT))
@pytest.mark.parametrize("cause", CAUSES)
def test_every_cause_and_subtype(cause: Cause, subtype: str) -> None:
    said = told(event(cause=cause, subtype=subtype, map=None))
    assert "{" not in said
    assert said.startswith("Since 2013-03-15 00:00 UTC, of model `eta 7`: ")


@pytest.mark.parametrize(
    ("one", "known", "action", "fallback"),
    [
        (finding("data_drift"), Known(5, harm="harmful"), "fine_tune", None),
        (finding("data_drift"), Known(5, harm="benign"), "none", None),
        (finding("data_drift", subtype="label_shift"), Known(5), "move_prior", None),
        (finding("feature_drift"), Known(5), "fine_tune", "more human review"),
        (
            finding("feature_recalibration", map=Map("scale", 100.0), features=("a", "b")),
            Known(5),
            "retrain_with_correct_feature_version",
            "divide `a` by 100, or the same for `b`, or pin the old version of the feature",
        ),
        (
            finding("feature_recalibration", map=Map("affine", 1.8, 32.0, share=0.4)),
            Known(5, released=[("release", "till 4")]),
            "retrain_with_correct_feature_version",
            "serve (x - 32) / 1.8 for x of `a`, in the rows that have new values, or go back behind `till 4`",
        ),
        (finding("feature_unavailability"), Known(5), "fix_feature", "a model without it, or its last good value"),
        (
            finding("training_serving_skew", exchanged={"a": "b", "b": "a"}),
            Known(5, released=[("model", "eta 7")]),
            "patch_pipeline",
            "put the columns back: `a` has the values of `b`, `b` those of `a`, or roll back the release",
        ),
        (finding("prediction_label_bias"), Known(5), "fine_tune", "send requests unlike the training data to people"),
        (finding("model_broken"), Known(5), "roll_back", "the previous version"),
        (finding("undetermined"), Known(5), "investigate", None),
    ],
)
def test_what_to_do(one: Finding, known: Known, action: str, fallback: str | None) -> None:
    said = mitigate(one, known)
    assert (said.action, said.fallback) == (action, fallback)
    assert said.notify == ("model owner",)


def test_what_may_be_trained_on() -> None:
    data = {cause: mitigate(finding(cause), Known(5, until=9)).training_data for cause in CAUSES}
    assert {cause for cause, one in data.items() if one.exclude == ((5, 9),)} == {
        "feature_recalibration",
        "feature_unavailability",
        "training_serving_skew",
    }
    assert {cause for cause, one in data.items() if one.use_from == 5} == {"data_drift", "feature_drift"}
    assert {cause for cause, one in data.items() if one.outliers} == {"prediction_label_bias"}
    assert {cause for cause, one in data.items() if one.recompute} == {"feature_recalibration"}


NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.just(0.1 + 0.2)
NAMES = st.text(min_size=1, max_size=300)


@given(NUMBERS, NUMBERS, NAMES, st.sampled_from(sorted(WHAT)), st.sampled_from(CAUSES))
def test_no_long_number_and_no_value_is_told(value: float, threshold: float, name: str, subtype: str, cause: Cause) -> None:
    pieces = [
        {"name": "rate", "feature": name, "value": value, "threshold": threshold},
        {"name": "value", "value": "secret-4711", "threshold": 1.0},
        {"name": "value", "value": 47114711.0},
    ]
    changed = {
        "scope": {"features": [name], "exchanged": {name: name}},
        "evidence": pieces,
        "impact": {"harm": "harmful", "loss": [value, threshold]},
        "map": {"form": "affine", "a": value, "b": threshold},
        "confidence": value,
    }
    said = told(event(cause=cause, subtype=subtype, mitigation={"action": "investigate"}, **changed))
    assert len(said) <= MOST_TEXT
    assert "secret" not in said
    assert "4711" not in said.replace(name, "")
    assert said.isprintable()
    outside = re.sub(r"`[^`]*`", "", said)
    assert not re.search(r"\d\.\d{13}", outside)
