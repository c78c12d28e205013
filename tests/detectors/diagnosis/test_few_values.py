"""Features of few values: what grows is no release, and one number that became another one is no default."""

import numpy as np
import pytest

from driftbus.detectors.diagnosis.maps import recognised

from .made import BASE, ROWS, Columns, case, confirmed, found, replaced, window, window_of, world_of


@pytest.mark.parametrize("rate", [0.4, 0.6])
@pytest.mark.parametrize("until", [5, 8])
@pytest.mark.parametrize("chances", [{1: 4, 2: 4, 3: 3, 4: 3, 5: 2, 6: 2, 7: 1, 8: 1}, {1: 6, 2: 6, 4: 4, 6: 2, 8: 2}])
def test_growth_of_whole_numbers_is_no_release(rate: float, until: int, chances: dict[int, int]) -> None:
    """Whatever they are multiplied by, the values are new; those of a release stay as they are, and those of growth pass."""

    def growing(columns: Columns, number: int, draw: np.random.Generator) -> None:
        values = draw.choice(np.array([*chances], dtype=np.float64), ROWS, p=draw.dirichlet([*chances.values()]))
        replaced(columns, np.ones(ROWS, dtype=np.bool_), "rooms", values * (1 + rate * min(max(number, 0), until) / until))

    said = found(world_of(growing))
    assert [(one.cause, one.features) for one in said.findings] == [("data_drift", ("rooms",))]


@pytest.mark.parametrize("by", [2.0, 3.0, 0.5])
@pytest.mark.parametrize("twos", [0.0, 0.01])
def test_one_number_that_became_another_one_is_no_default(by: float, twos: float) -> None:
    """Of a feature that is mostly 0, else 1, the pairs that differ have one online value, and one offline value; a default has all."""

    def few(columns: Columns, number: int, draw: np.random.Generator) -> None:
        values = draw.choice([0.0, 1.0, 2.0], ROWS, p=[0.6, 0.4 - twos, twos])
        replaced(columns, np.ones(ROWS, dtype=np.bool_), "debt", values)

    def serving(columns: Columns, number: int, draw: np.random.Generator) -> None:
        if number >= 4:
            columns["debt"] = np.asarray(columns["debt"], dtype=np.float64) * by

    made = case(world=few, serving=serving)
    made.baseline = [window_of(window(number, world=few)) for number in range(-BASE, 0)]
    assert [(cause, one.features) for cause, one in confirmed(made).items()] == [("training_serving_skew", ("debt",))]


@pytest.mark.parametrize(
    ("factor", "told"), [(0.0105, "1 / 100 (percent, cents)"), (9.6, "x 10"), (1030.0, "x 1000 (unit prefix)"), (2.6, None)]
)
def test_a_large_factor_is_known_within_what_sampling_leaves_of_it(factor: float, told: str | None) -> None:
    assert recognised(factor, 0.01) is None
    assert recognised(factor, 0.01, off=0.2) == told
