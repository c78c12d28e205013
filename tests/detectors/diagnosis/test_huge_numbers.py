"""Numbers whose sums are none: a diagnosis of them ends, and says what moved."""

import numpy as np
import pytest
from numpy.typing import NDArray

from driftbus.detectors.counting.bins import bins_of, profile_of
from driftbus.detectors.counting.magnitudes import Magnitudes, cells_of, mantissa
from driftbus.detectors.diagnosis.engine import diagnose, screen
from driftbus.detectors.diagnosis.evidence import Case, FieldOf, Values, Window

ROWS, BASELINE, WINDOWS, SINCE, MS = 400, 16, 12, 4, 1_000


@pytest.mark.parametrize("far", [(6e307, 6e307), (1e308, 1e308), (1e308, 1.0), (-1e308, 1e308), (1.7e308, 1e-300)])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of what overflows
def test_a_diagnosis_of_them_ends(far: tuple[float, float]) -> None:
    draw = np.random.default_rng(0)

    def values(place: int, *, new: bool) -> NDArray[np.float64]:
        drawn = draw.normal(0, 1, ROWS).clip(-3.5, 3.5) / 3.5 * (1.0, 0.5)[place]
        return np.asarray(far[place] * ((0.3 * drawn + 0.5) if new else drawn).clip(-1, 1), dtype=np.float64)

    profiles = [profile_of(np.concatenate([values(place, new=False) for _ in range(10)])) for place in range(2)]
    fields = [FieldOf(name, "feature", profile, mantissa(profile), name) for name, profile in zip("ab", profiles, strict=True)]

    def window(number: int, *, new: bool) -> Window:
        found = {}
        for place, one in enumerate(fields):
            own = values(place, new=new)
            counts = np.bincount(bins_of(profiles[place], own), minlength=len(profiles[place].counts)).astype(np.int64)
            cells, rows = np.unique(cells_of(own, one.mantissa), return_counts=True)
            found[one.name] = Values(ROWS, 0, 0, 0, counts, magnitudes=Magnitudes(cells, rows.astype(np.int64)))
        return Window(number * MS, (number + 1) * MS, ROWS, found)

    baseline = [window(number, new=False) for number in range(BASELINE)]
    monitored = [window(BASELINE + number, new=number >= SINCE) for number in range(WINDOWS)]
    case = Case(tuple(fields), (), True, baseline, monitored)
    assert screen(case)
    assert {name for one in diagnose(case).findings for name in one.features} == {"a", "b"}
