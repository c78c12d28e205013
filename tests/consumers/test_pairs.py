"""Pairs through the whole product: a table in, events out."""

import numpy as np

from ..benchmarks.pairs import PROTOTYPE, replayed


def test_a_new_correlation_is_found_about_as_soon_as_by_the_prototype_and_its_pair_named() -> None:
    found = replayed(0.3, 3, 1, 1_500)
    assert all(named for _, named in found)
    assert np.median([rows for rows, _ in found]) <= 1.3 * PROTOTYPE[0.3]
