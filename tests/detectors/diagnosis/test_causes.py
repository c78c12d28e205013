"""Each cause by itself, and what looks like it and is none: what the procedure was found out by."""

import numpy as np
import pytest

from driftbus.detectors.diagnosis.finding import Finding

from .made import Change, Columns, case, confirmed, drawn, found, model, replaced, scaled

Draw = np.random.Generator


def _grown(name: str, to: float, since: int = 2, windows: int = 8) -> Change:
    def change(columns: Columns, number: int, draw: Draw) -> None:
        if number >= since:
            columns[name] = np.asarray(columns[name], dtype=np.float64) * (1 + (to - 1) * min(1.0, (number - since + 1) / windows))

    return change


def _absent(name: str, share: float, since: int = 4, until: int = 99) -> Change:
    def change(columns: Columns, number: int, draw: Draw) -> None:
        if since <= number < until:
            replaced(columns, draw.random(len(columns[name])) < share, name, np.full(len(columns[name]), np.nan))

    return change


def _tilted(columns: Columns, number: int, draw: Draw) -> None:
    """The population moves: income, and what hangs together with it."""
    if number >= 4:
        others, _ = drawn(len(columns["age"]), draw, mean=0.8)
        columns.update(others)


def _novel(share: float, since: int = 4, far: float = 1.0) -> Change:
    """Requests that are far from the training data in two features at once."""

    def change(columns: Columns, number: int, draw: Draw) -> None:
        if number >= since:
            rows = draw.random(len(columns["age"])) < share
            replaced(columns, rows, "debt", 8 + far * draw.gamma(4, 1, len(rows)))
            replaced(columns, rows, "age", 20 + far * draw.normal(0, 1, len(rows)))
            replaced(columns, rows, "income", 4 + far * draw.gamma(2, 1, len(rows)))

    return change


def _exchanged(names: list[str], share: float = 1.0, since: int = 4) -> Change:
    def change(columns: Columns, number: int, draw: Draw) -> None:
        if number >= since:
            rows = draw.random(len(columns["age"])) < share
            old = {name: np.asarray(columns[name], dtype=np.float64).copy() for name in names}
            for name, other in zip(names, [*names[1:], names[0]], strict=True):
                replaced(columns, rows, name, old[other])

    return change


def _only(findings: dict[str, Finding], *causes: str) -> None:
    assert set(findings) == set(causes), {cause: (one.subtype, one.features, one.confidence) for cause, one in findings.items()}


def test_where_all_is_well_nothing_is_said() -> None:
    assert not found(case()).findings


def test_a_null_feature_and_nothing_of_what_comes_of_it() -> None:
    findings = confirmed(case(serving=_absent("debt", 0.5)))
    _only(findings, "feature_unavailability")
    assert findings["feature_unavailability"].features == ("debt",)
    assert findings["feature_unavailability"].onset == 4


def test_a_blip_of_one_window_is_over() -> None:
    assert not [one for one in found(case(serving=_absent("debt", 0.9, since=6, until=7))).findings if one.live]


def test_one_value_in_place_of_many() -> None:
    def change(columns: Columns, number: int, draw: Draw) -> None:
        if number >= 4:
            replaced(columns, draw.random(len(columns["age"])) < 0.3, "debt", np.zeros(len(columns["age"])))

    findings = confirmed(case(serving=change))
    _only(findings, "feature_unavailability")
    assert findings["feature_unavailability"].subtype == "default_value"


def test_computed_otherwise_in_serving() -> None:
    findings = confirmed(case(serving=scaled("debt", 3.0)))
    _only(findings, "training_serving_skew")
    assert findings["training_serving_skew"].features == ("debt",)


@pytest.mark.parametrize(("by", "constant"), [(0.001, "1 / 1000"), (100.0, "x 100"), (1.609344, "miles")])
def test_in_another_unit_at_its_source(by: float, constant: str) -> None:
    findings = confirmed(case(source=scaled("income", by)))
    assert "feature_recalibration" in findings
    fit = findings["feature_recalibration"].map
    assert fit is not None
    assert fit.form == "scale"
    assert fit.a == pytest.approx(by, rel=0.03)
    assert fit.constant is not None
    assert constant in fit.constant


def test_bins_alone_do_not_tell_where_values_went() -> None:
    changed = case(source=scaled("income", 0.001))
    for window in [*changed.baseline, *changed.monitored]:
        for values in window.values.values():
            values.magnitudes = None
    assert "feature_recalibration" not in confirmed(changed)


def test_values_of_few_that_training_never_saw() -> None:
    findings = confirmed(case(source=scaled("rooms", 1.15)))
    _only(findings, "feature_recalibration")


@pytest.mark.parametrize(("name", "to"), [("income", 1.58), ("income", 2.54), ("rooms", 1.8)])
def test_slow_growth_is_the_world_also_near_a_constant(name: str, to: float) -> None:
    findings = confirmed(case(world=_grown(name, to)))
    assert "feature_recalibration" not in findings
    assert name in findings["data_drift"].features


@pytest.mark.parametrize("slow", [1.01, 1.03])
def test_a_factor_that_is_reached_in_steps_is_the_world_whatever_it_was_at_first(slow: float) -> None:
    """Of few values any factor shifts all at once, so an average over all windows since is of none of them."""
    factors = [slow] * 4 + [1.2, 1.25] + [1.4] * 4

    def grown(columns: Columns, number: int, draw: Draw) -> None:
        if number >= 2:
            columns["rooms"] = np.asarray(columns["rooms"], dtype=np.float64) * factors[number - 2]

    findings = confirmed(case(world=grown))
    assert "feature_recalibration" not in findings
    assert "rooms" in findings["data_drift"].features


def test_labels_that_were_renamed_and_codes_that_were_permuted() -> None:
    def renamed(columns: Columns, number: int, draw: Draw) -> None:
        if number >= 4:
            columns["town"] = np.array([f"town/{one}" if isinstance(one, str) else None for one in columns["town"]], dtype=object)

    def permuted(columns: Columns, number: int, draw: Draw) -> None:
        if number >= 4:
            turned = {"low": "high", "middle": "low", "high": "middle"}
            columns["class"] = np.array([turned.get(one) for one in columns["class"]], dtype=object)

    for change, form in ((renamed, "labels"), (permuted, "codes")):
        findings = confirmed(case(source=change))
        _only(findings, "feature_recalibration")
        assert findings["feature_recalibration"].map is not None
        assert findings["feature_recalibration"].map.form == form


def test_a_roll_out_is_a_mixture() -> None:
    findings = confirmed(case(source=scaled("debt", 100.0, share=0.3)))
    _only(findings, "feature_recalibration")
    assert findings["feature_recalibration"].map is not None
    assert findings["feature_recalibration"].map.share == pytest.approx(0.3, abs=0.05)


def test_the_population_moved() -> None:
    findings = confirmed(case(world=_tilted))
    _only(findings, "data_drift")
    assert {"income", "age"} <= set(findings["data_drift"].features)


@pytest.mark.parametrize("far", [1.0, 0.3])
def test_requests_unlike_the_training_data_also_if_half_of_them_are_no_outliers(far: float) -> None:
    _only(confirmed(case(world=_novel(0.25, far=far))), "prediction_label_bias")


@pytest.mark.parametrize("standing", [True, False])
def test_rows_that_lack_what_training_always_had_are_no_new_requests(*, standing: bool) -> None:
    def some(columns: Columns, number: int, draw: Draw) -> None:
        for name in ("income", "debt"):
            replaced(columns, draw.random(len(columns["age"])) < 0.022, name, np.full(len(columns["age"]), np.nan))

    nulls = case(serving=some)
    nulls.standing = standing
    assert not [one for one in found(nulls).findings if one.cause == "prediction_label_bias"]


def test_new_requests_after_a_skew_and_under_an_outage_are_both() -> None:
    _only(
        confirmed(case(world=_novel(0.3, since=8), serving=scaled("income", 60.0, since=2))),
        "training_serving_skew",
        "prediction_label_bias",
    )
    _only(
        confirmed(case(world=_novel(0.3, since=8), serving=_absent("income", 0.4, since=2))),
        "feature_unavailability",
        "prediction_label_bias",
    )


def test_a_drift_of_the_same_feature_beside_its_skew() -> None:
    def later(columns: Columns, number: int, draw: Draw) -> None:
        if number >= 7:
            _tilted(columns, number, draw)

    findings = confirmed(case(world=later, serving=scaled("income", 3.0, since=2)))
    assert set(findings) == {"training_serving_skew", "data_drift"}
    assert "income" in findings["data_drift"].features


@pytest.mark.parametrize(
    ("names", "share", "without"), [(["income", "age"], 1.0, ()), (["income", "age"], 0.5, ()), (["income", "age", "rooms"], 1.0, ())]
)
def test_exchanged_columns_are_one_incident_with_the_pairs(names: list[str], share: float, without: tuple[str, ...]) -> None:
    findings = confirmed(case(serving=_exchanged(names, share), without=without))
    _only(findings, "training_serving_skew")
    assert findings["training_serving_skew"].exchanged == dict(zip(names, [*names[1:], names[0]], strict=True))


@pytest.mark.parametrize("windows", [5, 6, 8])
def test_exchanged_columns_are_nothing_else_in_the_first_windows_either(windows: int) -> None:
    first = case(serving=_exchanged(["income", "age"]))
    first.monitored = first.monitored[:windows]
    assert [one.exchanged for one in found(first).findings] == [{"income": "age", "age": "income"}]


def test_exchanged_columns_without_a_feature_log() -> None:
    findings = confirmed(case(serving=_exchanged(["income", "age"]), deployed=(4,), without=("agreement",)))
    assert findings["training_serving_skew"].exchanged == {"income": "age", "age": "income"}


def test_outcomes_follow_from_features_otherwise() -> None:
    def turned(columns: Columns, y: np.ndarray, number: int, draw: Draw) -> np.ndarray:
        rows = (draw.random(len(y)) < 0.6) & (number >= 4)
        return np.where(rows, draw.random(len(y)) < 1 - model(columns), y).astype(np.float64)

    findings = confirmed(case(outcomes=turned))
    _only(findings, "feature_drift")
    assert "income" in findings["feature_drift"].features


@pytest.mark.parametrize("deployed", [(), (4,)])
def test_residuals_moved_and_outcomes_did_not_the_model(deployed: tuple[int, ...]) -> None:
    def answers(columns: Columns, number: int) -> np.ndarray:
        return 1 - model(columns) if number >= 4 else model(columns)

    _only(confirmed(case(answers=answers, golden=(), deployed=deployed)), "model_broken")


@pytest.mark.parametrize(("loss", "broken"), [(0.106, True), (0.104, False)])
def test_five_percent_on_the_same_golden_set(loss: float, *, broken: bool) -> None:
    quiet = case(golden=[(-8, 0.1), (-4, 0.1), (2, 0.1), (6, loss)])
    assert ("model_broken" in confirmed(quiet)) == broken


def test_another_version_of_the_golden_set_says_nothing_of_the_model() -> None:
    quiet = case(golden=[(-8, 0.1), (-4, 0.1), (2, 0.1), (6, 0.3)])
    quiet.evaluated[-1] = quiet.evaluated[-1]._replace(golden="g2")
    assert not confirmed(quiet)


def test_before_a_baseline_stands_only_what_no_season_does_is_confirmed() -> None:
    moved, gone, few = case(world=_tilted), case(serving=_absent("debt", 0.5)), case(serving=_absent("debt", 0.05))
    moved.standing = gone.standing = few.standing = False
    for one in (moved, few):  # serving may always have had some nulls that training had not
        assert found(one).findings
        assert not confirmed(one)
        assert all(finding.awaits == "baseline" for finding in found(one).findings)
    _only(confirmed(gone), "feature_unavailability")


def test_what_awaits_the_feature_log_stays_suspected_unless_the_same_code_makes_both_sides() -> None:
    moved = case(world=_tilted, without=("agreement",))
    assert {one.awaits for one in found(moved).findings} == {"agreement"}
    moved.fields = tuple(type(one)(**{**one.__dict__, "same_code": True}) for one in moved.fields)
    _only(confirmed(moved), "data_drift")
