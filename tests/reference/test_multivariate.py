"""What a reference says of its fields together, and that the live path counts the same."""

import numpy as np
import pytest

from driftbus.consumers.reference.building.build import build_reference
from driftbus.detectors.counting import Counting
from driftbus.detectors.counting.layout import layout
from driftbus.detectors.counting.products import PAIR_SCALE
from driftbus.schemas.configuration import Model
from driftbus.schemas.stored.reference import Reference

from .test_build import Lists

ROWS = 3_000
RNG = np.random.default_rng(3)
X = RNG.normal(size=(ROWS, 5))
X[:, 1] += X[:, 0]
X[RNG.random(ROWS) < 0.02, 2] = np.nan
X[RNG.random(ROWS) < 0.5, 3] = np.nan
COLUMNS: dict[str, list[object]] = {
    **{f"f{i}": [None if np.isnan(value) else value for value in column] for i, column in enumerate(X.T.tolist())},
    "colour": [("red", "green")[i % 2] for i in range(ROWS)],
}


def built(pairs: object, rows: int = 1_000) -> Reference:
    return build_reference(Lists(COLUMNS, rows=rows), "m", "1", Model.model_validate({"pairs": pairs}))


def test_all_pairs_of_numbers_are_profiled() -> None:
    reference = built({"sample": 7})
    assert [(pair.first, pair.second) for pair in reference.pairs] == [(f"f{i}", f"f{j}") for i in range(5) for j in range(i + 1, 5)]
    assert reference.sample == 7
    assert 0.6 < reference.pairs[0].correlation < 0.75
    both = ~np.isnan(X[:, 2]) & ~np.isnan(X[:, 3])
    assert next(pair.rows for pair in reference.pairs if (pair.first, pair.second) == ("f2", "f3")) == int(both.sum())


def test_the_joint_distance_leaves_out_what_is_seldom_there() -> None:
    joint = built({}).joint
    assert joint is not None
    assert joint.fields == ("f0", "f1", "f2", "f4")
    assert 0.7 * ROWS < sum(joint.distance.counts) < 0.78 * ROWS  # the other rows said where the axes lie


def test_the_live_path_counts_what_the_reference_counted() -> None:
    reference = built({"sample": 1})
    counts, sums = Counting(reference).count(X, [COLUMNS["colour"]])
    vector = np.concatenate((counts, sums))
    for pair, signal in zip(reference.pairs, [s for s in layout(reference).signals if s.of == "pair"], strict=True):
        assert int(vector[signal.rows].sum()) == pair.rows
        assert vector[signal.start] / PAIR_SCALE / pair.rows == pytest.approx(pair.correlation, abs=1e-12)


def test_no_chunk_shows_in_a_reference() -> None:
    one, other = built({}, rows=10_000), built({}, rows=333)
    # Means of bins may differ in a digit, and nothing here is made of them.
    assert one.pairs == other.pairs
    assert one.joint is not None
    assert other.joint is not None
    assert one.joint.axes == other.joint.axes
    assert one.joint.distance.counts == other.joint.distance.counts


def test_of_too_many_fields_the_first_are_paired_and_the_others_named() -> None:
    reference = built({"most": 3})
    assert {name for pair in reference.pairs for name in (pair.first, pair.second)} == {"f0", "f1", "f2"}
    assert "pairs of 3 numeric fields are watched, without f3, f4; raise pairs.most, or ignore others" in reference.warnings


@pytest.mark.parametrize("off", ["off", False])
def test_pairs_can_be_off(off: object) -> None:
    reference = built(off)
    assert (reference.pairs, reference.joint) == ((), None)
