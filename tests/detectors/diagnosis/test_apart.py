"""Rows like the new ones, left in the core, beside a core that moved."""

import numpy as np
import pytest

from driftbus.detectors.diagnosis.apart import of_new_rows
from driftbus.detectors.diagnosis.shifts import Shift
from driftbus.detectors.diagnosis.statistics import Step

_EVEN = np.ones(10)
_NEW = np.eye(10)[9]
_TILTED = np.exp(0.15 * np.arange(10))


def _shift(usual: np.ndarray[tuple[int], np.dtype[np.float64]], now: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Shift:
    moved = float(0.5 * np.abs(usual / usual.sum() - now / now.sum()).sum())
    return Shift(Step(20.0, 0.1, 0.0, 3), moved, 0.06, 1000 * now, 1000 * usual)


@pytest.mark.parametrize(("core", "told"), [(_EVEN + 2 * _NEW, True), (_TILTED, False), (_EVEN + 30 * _NEW, False)])
def test_a_core_that_only_got_some_of_the_new_rows_did_not_move(core: np.ndarray[tuple[int], np.dtype[np.float64]], told: bool) -> None:
    """A drift moves all of its groups; and where the new rows are most of the core, it is they that are asked."""
    assert of_new_rows(_shift(_EVEN, core), _shift(0.3 * _EVEN, 0.3 * _EVEN + 2 * _NEW)) == told


def test_nothing_new_outside_of_the_core_explains_nothing_in_it() -> None:
    assert not of_new_rows(_shift(_EVEN, _EVEN + 2 * _NEW), None)
    assert not of_new_rows(_shift(_EVEN, _EVEN + 2 * _NEW), _shift(_EVEN, _EVEN))
