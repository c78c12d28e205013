"""Whatever a case lacks, a diagnosis ends, says what was missing, and confirms nothing that is not there."""

import copy
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from driftbus.detectors.counting.bins import profile_of
from driftbus.detectors.counting.magnitudes import Magnitudes
from driftbus.detectors.diagnosis.engine import DECIDES, diagnose, screen
from driftbus.detectors.diagnosis.evidence import Agreeing, Case, Evaluated, FieldOf, Outcomes, Values, Window
from driftbus.detectors.diagnosis.finding import Diagnosis
from driftbus.detectors.diagnosis.groups import Layout
from driftbus.detectors.diagnosis.thresholds import DEFAULTS, Thresholds
from driftbus.schemas.stored.reference import CategoricalProfile

from ...incidents.counted import lacking
from .made import Columns, case, replaced

KINDS = ("agreement", "arrivals", "masks", "ood", "golden", "model", "ages")
HOUR = 3_600_000


def broken(columns: Columns, number: int, draw: np.random.Generator) -> None:
    """Enough to be told."""
    if number >= 4:
        replaced(columns, draw.random(len(columns["age"])) < 0.5, "debt", np.full(len(columns["age"]), np.nan))
        columns["income"] = np.asarray(columns["income"], dtype=np.float64) * 100


FIELDS = (
    FieldOf("number", "feature", profile_of(np.random.default_rng(1).normal(size=500)), 5, "one"),
    FieldOf("constant", "feature", profile_of(np.ones(500)), 9, "one"),
    FieldOf("category", "feature", CategoricalProfile(categories=("a", "b"), counts=(300, 200, 0)), 0, None),
    FieldOf("score", "score", profile_of(np.random.default_rng(2).random(500)), 5),
)

counts = st.integers(0, 2_000)


@st.composite
def values(draw: st.DrawFn, field: FieldOf) -> Values:
    """Of one window; huge, empty, or anything between."""
    bins = len(field.profile.counts)
    own = np.array(draw(st.lists(st.sampled_from([0, 0, 1, 50, 10**9]), min_size=bins, max_size=bins)), dtype=np.int64)
    cells = np.array(sorted(draw(st.sets(st.integers(-(2**16), 2**16), max_size=3))), dtype=np.int64)
    return Values(
        present=int(own.sum()),
        null=draw(counts),
        invalid=draw(counts),
        missing=draw(counts),
        bins=own if draw(st.booleans()) else np.zeros(bins + 1, dtype=np.int64),
        magnitudes=Magnitudes(cells, np.ones(len(cells), dtype=np.int64)) if draw(st.booleans()) else None,
        repeated=draw(st.dictionaries(st.floats(-1e300, 1e300), counts, max_size=2)),
        unseen=draw(st.dictionaries(st.text(max_size=3), st.integers(1, 50), max_size=2)),
        age=draw(st.none() | st.tuples(counts, counts)),
        scored=own if draw(st.booleans()) else None,
        outside=own if draw(st.booleans()) else None,
        outliers=draw(st.none() | st.just(own)),
    )


@st.composite
def windows(draw: st.DrawFn, number: int) -> Window:
    """Of which anything may lack."""
    pairs, rows = st.builds(Agreeing, counts, counts, counts), draw(counts)
    return Window(
        start=number * HOUR,
        end=(number + 1) * HOUR,
        rows=rows,
        values={field.name: draw(values(field)) for field in FIELDS if draw(st.booleans())},
        scored=draw(counts),
        outliers=draw(counts),
        masked=draw(st.integers(0, 64)),
        cured={"number": draw(st.integers(0, 64))},
        agreeing=draw(st.none() | st.dictionaries(st.sampled_from(["number", "category"]), pairs)),
        outcomes=draw(st.none() | st.builds(Outcomes, counts, counts, counts, st.floats(0, 1e12))),
    )


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Few windows or none, of any form."""
    base, now = draw(st.integers(0, 6)), draw(st.integers(0, 6))
    made = [draw(windows(number)) for number in range(base + now)]
    evaluated = draw(
        st.lists(st.builds(Evaluated, st.integers(0, 12 * HOUR), st.just("g"), st.just("1"), st.floats(0, 1e9), counts), max_size=4)
    )
    return Case(
        FIELDS, (), binary=draw(st.booleans()), baseline=made[:base], monitored=made[base:], evaluated=evaluated, usual={"number": 0.5}
    )


def told(diagnosis: Diagnosis) -> dict[str, Any]:
    """As it would be published."""
    return {"findings": [one.__dict__ for one in diagnosis.findings], "rest": diagnosis[1:]}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(cases())
def test_any_case_ends_with_finite_numbers(made: Case) -> None:
    again = copy.deepcopy(made)
    found = diagnose(made)
    assert str(told(found)) == str(told(diagnose(again)))
    screen(again)
    for one in found.findings:
        assert 0 <= one.confidence <= 1
        assert all(math.isfinite(piece.value) for piece in one.evidence if isinstance(piece.value, float)), one.evidence


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_kind_of_evidence_nothing_false_is_confirmed(kind: str) -> None:
    made = case(serving=broken, without=(kind,))
    found = diagnose(made)
    confirmed = {one.cause for one in found.findings if one.confirmable and one.live}
    assert confirmed <= {"feature_unavailability", "training_serving_skew"}
    assert "feature_unavailability" in confirmed
    assert kind not in DECIDES or kind in found.missing
    lacking(made, kind)
    assert not [one for one in diagnose(case(without=(kind,))).findings if one.confirmable]


def test_nothing_at_all() -> None:
    empty = Case((), (), binary=True, baseline=[], monitored=[])
    assert not diagnose(empty).findings
    assert not screen(empty)


def test_a_screen_passes_what_a_diagnosis_tells_and_stops_where_all_is_well() -> None:
    assert not screen(case())
    assert screen(case(serving=broken))


def test_a_layout_may_be_kept_and_windows_remember_what_was_made_of_them() -> None:
    made = case(serving=broken)
    first = str(told(diagnose(made)))
    assert made.baseline[0].counted is not None
    assert str(told(diagnose(made, layout=Layout(made.fields)))) == first


def test_thresholds_are_overridden_by_name() -> None:
    assert Thresholds.of({"null": 0.6}).null == 0.6
    for wrong in ({"nul": 0.1}, {"null": 0.0}, {"null": math.nan}):
        with pytest.raises(ValueError, match=r"nul"):
            Thresholds.of(wrong)
    quiet = diagnose(case(serving=broken), DEFAULTS._replace(null=0.9))
    assert "debt" not in {name for one in quiet.findings if one.cause == "feature_unavailability" for name in one.features}
