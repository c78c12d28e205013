"""Regions decide how soon a query is known to be familiar, and nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from driftbus.detectors.neighbours.levels import BOUNDS
from driftbus.detectors.neighbours.nearest import NEIGHBOURS
from driftbus.detectors.neighbours.regions import Regions
from driftbus.detectors.neighbours.texts import NOTHING, TextIndex
from driftbus.detectors.neighbours.vectors import Vectors, embedded

from .worlds import SHOP, SKY, directions, sentences, tokens

ENOUGH = (int(np.iinfo(np.int64).min), -(5 * 4_100**2), 0, 10**7, 4 * 10**7, 6 * 10**7, 5 * 4_100**2)


def scores(queries: Vectors, reference: Vectors) -> NDArray[np.int64]:
    """One product after the other."""
    products = np.sort(queries.astype(np.int64) @ reference.astype(np.int64).T, axis=1)
    return np.asarray(products[:, -NEIGHBOURS:].sum(axis=1))


@settings(deadline=None, max_examples=40)
@given(
    rows=st.sampled_from([1, 3, 5, 6, 99, 101, 700]),
    distinct=st.sampled_from([1, 2, 1_000]),
    queries=st.sampled_from([0, 1, 7, 300]),
    size=st.sampled_from([1, 2, 24]),
    seed=st.integers(0, 5),
)
def test_a_score_is_exact_or_known_to_be_enough(rows: int, distinct: int, queries: int, size: int, seed: int) -> None:
    own = embedded(directions(rows, seed, size=size))[np.arange(rows) % distinct]
    asked = embedded(np.concatenate([directions(queries, seed + 9, size=size), -directions(queries, seed + 9, size=size, turned=True)]))
    enough = np.random.default_rng(seed).choice(ENOUGH, len(asked))
    found, exact = Regions(own).familiar(asked, enough), scores(asked, own)
    below = exact < enough
    assert np.array_equal(found[below], exact[below])
    assert np.all((found[~below] >= enough[~below]) & (found[~below] <= exact[~below]))


def test_every_row_is_in_one_region() -> None:
    own = embedded(directions(1_000, 1))
    regions = Regions(own)
    assert np.array_equal(np.sort(regions.order), np.arange(1_000))
    assert np.array_equal(regions.rows, own[regions.order].astype(np.float32))


@pytest.mark.parametrize("embedder", ["tokens", "sketch"])
def test_cells_are_those_of_the_p_values_and_of_rows_not_asked_for_whether_they_are_flagged(embedder: str) -> None:
    index, _ = TextIndex.built(sentences(SHOP, 3_000, 1), embedder=embedder, tokens=tokens())  # type: ignore[arg-type]  # one of the two
    queries = index.read([*sentences(SHOP, 400, 2), *sentences(SKY, 100, 3), "", "a long text. " * 200, *sentences(SHOP, 20, 1)])
    exact = index.exact(queries.vectors, None, queries.firsts)
    expected = np.where(np.isnan(exact.p), NOTHING, np.sum(exact.p[:, None] <= np.array(BOUNDS), axis=1))
    exactly = np.arange(len(expected)) % 3 == 0
    found = index.cells(queries.vectors, None, queries.firsts, exactly=exactly)
    assert np.array_equal(found, np.where(~exactly & (expected == 1), 0, expected))
    assert np.array_equal(index.cells(queries.vectors, None, queries.firsts, exactly=np.ones_like(exactly)), expected)
