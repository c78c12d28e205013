"""The window of an onset holds values from before it and from behind it: of a mixture no map holds."""

from dataclasses import replace

import numpy as np
import pytest

from .made import Change, Columns, case, found, scaled


def _within(change: Change, window: int, share: float) -> Change:
    """The same, of which only a part of the rows of its first window has seen."""

    def changed(columns: Columns, number: int, draw: np.random.Generator) -> None:
        before = {name: column.copy() for name, column in columns.items()}
        change(columns, number, draw)
        if number == window:
            rows = np.arange(len(columns["age"])) < (1 - share) * len(columns["age"])
            for name, column in before.items():
                columns[name] = np.where(rows, column, columns[name])

    return changed


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_no_map_is_told_of_a_window_that_holds_old_and_new_values(share: float) -> None:
    """From the first windows behind the onset on: the right one, or none."""
    whole = case(source=_within(scaled("income", 0.01), 4, share))
    told = []
    for windows in range(6, len(whole.monitored) + 1):
        part = replace(whole, monitored=whole.monitored[:windows])
        told += [one.map for one in found(part).findings if one.cause == "feature_recalibration"]
    assert len(told) == 7, "at once"
    for fit in told:
        assert fit is not None
        assert (fit.form, fit.share) == ("scale", 1.0)
        assert fit.a == pytest.approx(0.01, rel=0.02)
