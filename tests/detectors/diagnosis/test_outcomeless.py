"""A feature that is missing where nothing came of a request, and one that is missing where outcomes are only not there yet."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from driftbus.detectors.diagnosis.engine import diagnose
from driftbus.detectors.diagnosis.evidence import Case
from driftbus.detectors.diagnosis.incidents import Home, Incidents, Onset, Placed, Run

from ...incidents.rows import Rows
from .made import ROWS, Change, Columns, case, confirmed, replaced, window, window_of

#: The window of the onset, and from which of its rows on the feature is missing.
ONSET, BROKEN = 4, 200


def _gone(share: float) -> Change:
    def change(columns: Columns, number: int, draw: np.random.Generator) -> None:
        rows = (draw.random(ROWS) < share) & ((number > ONSET) | ((number == ONSET) & (np.arange(ROWS) >= BROKEN)))
        replaced(columns, rows, "income", np.full(ROWS, np.nan))

    return change


def _known(serving: Change, known: Callable[[Columns, int], NDArray[np.bool_]], windows: int) -> Case:
    """So many windows, with outcomes of these rows alone."""
    whole = case(serving=serving)
    for number, one in enumerate(whole.monitored[:windows]):
        rows = window(number, serving=serving)
        own = known(rows.features, number)
        assert rows.outcomes is not None
        part = Rows(number, {name: column[own] for name, column in rows.features.items()}, rows.scores[own], {}, rows.outcomes[own])
        outcomes = window_of(part).outcomes
        assert outcomes is not None
        one.outcomes = replace(outcomes, predicted=ROWS) if own.any() else None
    return replace(whole, monitored=whole.monitored[:windows])


@pytest.mark.parametrize("share", [0.3, 0.6])
def test_what_has_neither_a_value_nor_an_outcome_did_not_take_place(share: float) -> None:
    here = _known(_gone(share), lambda columns, number: np.isfinite(np.asarray(columns["income"], dtype=np.float64)), 9)
    found = confirmed(here)
    assert "feature_unavailability" not in found
    assert (found["data_drift"].subtype, found["data_drift"].features) == ("missing_without_outcome", ("income",))


def _late(share: float, windows: int) -> Case:
    """Outcomes come later: of the rows behind the onset none is there yet."""
    return _known(_gone(share), lambda columns, number: (number < ONSET) | ((number == ONSET) & (np.arange(ROWS) < BROKEN)), windows)


@pytest.mark.parametrize("share", [0.3, 0.6, 1.0])
def test_outcomes_of_the_rows_before_an_onset_say_nothing_of_those_behind_it(share: float) -> None:
    """At first all that are known of the onset's window are of rows that have the value."""
    first = [one for one in diagnose(_late(share, ONSET + 1)).findings if one.features == ("income",)]
    assert [(one.subtype, one.awaits, one.confirmable) for one in first] == [("missing_without_outcome", "arrivals", False)]
    for windows in (ONSET + 2, ONSET + 3):
        found = confirmed(_late(share, windows))
        assert found["feature_unavailability"].features == ("income",)
        assert not any(one.subtype == "missing_without_outcome" for one in found.values())


@pytest.mark.parametrize("share", [0.3, 0.6])
def test_of_two_windows_the_second_confirms_that_nothing_came(share: float) -> None:
    """A blizzard is over in two days: the first awaits the second, which counts for both."""
    incidents, homes, seen = Incidents("app", "m"), Home("1", "r"), list[str]()
    for windows in (ONSET + 1, ONSET + 2):
        here = _known(_gone(share), lambda columns, number: np.isfinite(np.asarray(columns["income"], dtype=np.float64)), windows)
        [one] = (one for one in diagnose(here).findings if one.features == ("income",))
        placed = Placed(one, Onset(one.onset, one.onset, one.onset + 1))
        [incident] = incidents.follow(Run(homes, windows, windows, fresh=True, stands=True), [placed])
        seen.append(f"{incident.finding.cause} {incident.status}")
    assert seen == ["data_drift suspected", "data_drift confirmed"]
