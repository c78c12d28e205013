"""What wanders from window to window, as weather does, comes in time to where it has never been: that is no other representation."""

import numpy as np

from driftbus.detectors.diagnosis.thresholds import DEFAULTS

from ...incidents.counted import lacking
from .made import ROWS, Change, Columns, case, confirmed, found, replaced, scaled, world_of


def _weather(warmer: float, since: int = 4, *, wanders: bool = True) -> Change:
    """Every other window is warmer; from one on all are, by so much."""

    def change(columns: Columns, number: int, draw: np.random.Generator) -> None:
        level = 2.2 * (number % 2) if wanders else 0.0
        degrees = np.asarray(columns["debt"], dtype=np.float64) + level + (warmer if number >= since else 0.0)
        replaced(columns, np.ones(len(degrees), dtype=np.bool_), "debt", degrees)

    return change


def test_a_season_is_no_map_of_what_the_weather_was() -> None:
    """A bell is an image of any other bell; of what hangs together with it nothing is known."""
    season = world_of(_weather(14.0))
    lacking(season, "arrivals")
    assert {one.cause for one in found(season).findings if "debt" in one.features} == {"data_drift"}


def test_of_what_does_not_wander_the_same_is_told_as_a_map() -> None:
    moved = world_of(_weather(14.0, wanders=False))
    lacking(moved, "arrivals")
    assert confirmed(moved)["feature_recalibration"].features == ("debt",)


def test_another_unit_is_told_whatever_the_weather_does() -> None:
    findings = confirmed(world_of(_weather(0.0), source=scaled("debt", 0.01)))
    assert set(findings) == {"feature_recalibration"}
    assert findings["feature_recalibration"].features == ("debt",)


def test_no_summer_is_a_conversion_of_a_winter_of_which_no_window_is_left() -> None:
    def degrees(columns: Columns, number: int, draw: np.random.Generator) -> None:
        warmer = 6 * np.sin(number) + (48 if number >= 0 else 0)
        replaced(columns, np.ones(ROWS, dtype=np.bool_), "debt", 25 + 3 * (np.asarray(columns["debt"], dtype=np.float64) - 3) + warmer)

    summer = world_of(degrees)
    assert not [one for one in found(summer).findings if one.cause == "feature_recalibration"]


def _crowd(columns: Columns, number: int, draw: np.random.Generator) -> None:
    """Requests unlike the training data: a fifth of every other window; later so many of all, and half as many again."""
    rows = draw.random(ROWS) < (0.3 if number >= 4 else 0.2 * (number % 2))
    for name, (least, most) in {"income": (0.01, 0.03), "age": (85, 90), "debt": (9, 12)}.items():
        replaced(columns, rows, name, draw.uniform(least, most, ROWS))


def test_where_new_requests_come_and_go_more_of_them_are_not_confirmed_as_a_drift() -> None:
    """Their share swings too far for its rise to be sure, and what they have in common shifts: it awaits more of the comparison."""
    crowded = found(world_of(_crowd)).findings
    assert [(one.cause, one.awaits) for one in crowded] == [("data_drift", "ood")]


def test_a_drift_beside_requests_that_come_and_go_is_confirmed() -> None:
    def both(columns: Columns, number: int, draw: np.random.Generator) -> None:
        if number >= 4:
            columns["town"] = np.where(draw.random(ROWS) < 0.5, "B", columns["town"])
        _crowd(columns, number % 2, draw)

    assert confirmed(world_of(both))["data_drift"].features == ("town",)


def test_a_shift_that_hardly_passes_its_threshold_is_not_sure() -> None:
    """In a season of few cycles, the largest of the baseline's stretches is not the largest that there will be."""

    def more(columns: Columns, number: int, draw: np.random.Generator) -> None:
        if number >= 8:
            columns["town"] = np.where(draw.random(ROWS) < 0.14, "B", columns["town"])

    slight = case(world=more)
    (told,) = found(slight).findings
    (sure,) = found(slight, DEFAULTS._replace(shift_certain=1.0)).findings
    assert (told.cause, told.features, told.confirmable) == ("data_drift", ("town",), False)
    assert sure.confirmable
