"""Vectors: axes that numpy agrees with, and numbers that are the same whatever stands beside a row."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from driftbus.detectors.counting import Counting
from driftbus.detectors.counting.absent import INVALID, MISSING, NULL
from driftbus.detectors.counting.bins import profile_of
from driftbus.detectors.counting.principal import AXES, Axes, principal
from driftbus.schemas.stored.reference import AvailabilityProfile, EmbeddingProfile, ProfiledField, Reference

Floats = NDArray[np.float64]


def sample(size: int, rows: int = 2_000, seed: int = 0) -> Floats:
    """Vectors of falling variance along random axes, around a centre that is not 0."""
    draw = np.random.default_rng(seed)
    turn = np.linalg.qr(draw.normal(size=(size, size)))[0]
    return np.asarray(draw.normal(size=(rows, size)) * 0.7 ** np.arange(size) @ turn + draw.normal(size=size))


def reference(vectors: Floats) -> Reference:
    axes = principal(vectors)
    *components, distance = [profile_of(column) for column in axes.derived(vectors).T]
    profile = EmbeddingProfile(
        size=vectors.shape[1],
        centroid=tuple(axes.centroid.tolist()),
        unit=axes.unit,
        axes=tuple(tuple(axis) for axis in axes.axes.tolist()),
        components=tuple(components),
        distance=distance,
    )
    there = AvailabilityProfile(counts=(len(vectors), 0, 0, 0))
    field = ProfiledField(name="v", type="embedding", values=profile, availability=there)
    return Reference(model="m", version="1", rows=len(vectors), fields=(field,))


@pytest.mark.parametrize("size", [2, 5, 40, 150])
def test_axes_are_those_of_numpy(size: int) -> None:
    vectors = sample(size)
    found = principal(vectors)
    assert len(found.axes) == min(AXES, size)
    np.testing.assert_allclose(found.axes @ found.axes.T, np.eye(len(found.axes)), atol=1e-5)
    _, _, exact = np.linalg.svd(vectors - vectors.mean(axis=0), full_matrices=False)
    np.testing.assert_allclose(np.abs((found.axes * exact[: len(found.axes)]).sum(axis=1)), 1, atol=1e-3)
    assert (found.axes[np.arange(len(found.axes)), np.abs(found.axes).argmax(axis=1)] > 0).all()


@pytest.mark.parametrize("size", [2, 40, 400])
def test_components_and_distances_are_those_of_numpy(size: int) -> None:
    vectors = sample(size)
    axes = principal(vectors)
    derived, moved = axes.derived(vectors), vectors - axes.centroid
    np.testing.assert_allclose(derived[:, :-1], moved @ axes.axes.T, atol=0.01 * axes.unit)
    np.testing.assert_allclose(derived[:, -1], np.linalg.norm(moved, axis=1), rtol=0.01)


@pytest.mark.parametrize(
    "vectors",
    [
        np.zeros((10, 4)),
        np.ones((10, 2)) * 7,
        np.outer(np.arange(10.0), np.ones(6)),
        np.full((3, 3), 1e308) * np.array([[1], [-1], [1]]),
        np.eye(2),
        sample(3, 1),
    ],
)
def test_degenerate_vectors_have_axes_too(vectors: Floats) -> None:
    found = principal(vectors)
    np.testing.assert_allclose(found.axes @ found.axes.T, np.eye(len(found.axes)), atol=1e-5)
    assert np.isfinite(found.derived(vectors)).all()


def test_the_largest_sums_are_exact() -> None:
    """At the bounds of all that is clipped, in any order: else the last digits would be those of the machine."""
    draw = np.random.default_rng(0)
    vectors = np.where(draw.random((20, 4_096)) < 0.5, 1e9, -1e9) * draw.random((20, 4_096)).round(1)
    axes = Axes(np.zeros(4_096), principal(vectors).axes, 1.0)
    order = draw.permutation(4_096)
    turned = Axes(np.zeros(4_096), axes.axes[:, order], 1.0)
    assert turned.derived(vectors[:, order]).tobytes() == axes.derived(vectors).tobytes()


@settings(max_examples=200)  # the first numbers of a process take their time
@given(st.integers(1, 400), st.integers(0, 2**32))
def test_a_row_is_the_same_in_any_company(rows: int, seed: int) -> None:
    vectors = sample(20, rows, seed)
    axes = Axes(np.ones(20), np.linalg.qr(sample(20, 20))[0][:8].round(4), 0.5)
    whole = axes.derived(vectors)
    cut = seed % (rows + 1)
    parts = np.concatenate([axes.derived(vectors[:cut]), axes.derived(np.asfortranarray(vectors[cut:]))])
    assert parts.tobytes() == whole.tobytes()


def test_a_power_of_two_changes_no_count() -> None:
    vectors, current = sample(16), sample(16, seed=1)
    small, large = Counting(reference(vectors)), Counting(reference(vectors * 1024))
    none = np.zeros((len(current), 0))
    for one, other in zip(small.count(none, [], [current])[1:], large.count(none, [], [current * 1024])[1:], strict=True):
        assert one.tolist() == other.tolist()
    ours, theirs = small.count(none, [], [current])[0], large.count(none, [], [current * 1024])[0]
    for signal in small.layout.signals:
        assert ours[signal.span].tolist() == theirs[signal.span].tolist()


def test_the_reference_is_counted_as_itself() -> None:
    vectors = sample(12)
    counting = Counting(reference(vectors))
    counts, _ = counting.count(np.zeros((len(vectors), 0)), [], [vectors])
    assert [signal.of for signal in counting.layout.signals] == [*(f"component {i}" for i in range(1, 9)), "distance", "availability"]
    for signal in counting.layout.signals:
        assert counts[signal.span].tolist() == signal.reference_counts.tolist(), signal.of


def test_what_is_not_there_counts_in_the_availability_alone() -> None:
    vectors = sample(6, 700)
    counting = Counting(reference(vectors))
    marked = vectors.copy()
    for row, mark in ((3, NULL), (50, INVALID), (51, INVALID), (600, MISSING)):
        marked.view(np.uint64)[row, 0] = mark
    rest = np.delete(vectors, [3, 50, 51, 600], axis=0)
    nothing = np.zeros((0, 0))
    counts, sums = counting.count(nothing, [], [marked])
    expected, expected_sums = counting.count(nothing, [], [rest])
    available = counting.layout.find("v", "availability")
    assert available is not None
    assert counts[available.span].tolist() == [696, 1, 2, 1]
    counts[available.span] = expected[available.span]
    assert counts.tolist() == expected.tolist()
    assert sums.tolist() == expected_sums.tolist()


def test_of_too_few_the_availability_alone_is_counted() -> None:
    field = reference(sample(4)).fields[0].model_copy(update={"values": None})
    counting = Counting(Reference(model="m", version="1", rows=9, fields=(field,)))
    firsts = np.array([[1.0], [0.0]])
    firsts.view(np.uint64)[1] = NULL
    counts, sums = counting.count(np.zeros((2, 0)), [], [firsts])
    assert (counts.tolist(), sums.tolist()) == ([1, 1, 0, 0], [])
