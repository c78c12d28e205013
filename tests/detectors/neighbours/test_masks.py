"""Masks: a broken field is named, a broken source is, and what is new is blamed on none."""

from collections.abc import Callable

import numpy as np
import pytest

from driftbus.detectors.neighbours.causes import Causes, causes
from driftbus.detectors.neighbours.coordinates import Coordinates
from driftbus.detectors.neighbours.cures import Blame, blamed, excess
from driftbus.detectors.neighbours.distances import NEAREST, by_field
from driftbus.detectors.neighbours.levels import FAR, OUTLIER
from driftbus.detectors.neighbours.masks import Mask, Masking

from .tables import NAMES, SOURCES, Rows, index, table


def told(change: Callable[[Rows], None], level: float = OUTLIER) -> Causes:
    """What is said where one row in ten is changed."""
    own, fresh = index()[0], table(4_000, seed=1)
    rows = np.arange(0, 4_000, 10)
    changed = fresh.at(rows)
    change(changed)
    fresh.numeric[rows] = changed.numeric
    for column, values in zip(fresh.texts, changed.texts, strict=True):
        column[::10] = values
    outliers = np.flatnonzero(own.cells(*fresh) >= (3 if level == OUTLIER else 4))
    return causes(own, *fresh.at(outliers[:: max(1, len(outliers) // 64)]), rate=len(outliers) / 4_000, level=level)


def number(field: int, value: Callable[[float], float]) -> Callable[[Rows], None]:
    def change(rows: Rows) -> None:
        rows.numeric[:, field] = [value(each) for each in rows.numeric[:, field].tolist()]

    return change


def category(rows: Rows) -> None:
    rows.texts[0][:] = ["never seen"] * len(rows.texts[0])


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("a", number(0, lambda x: x + 100)),
        ("b", number(1, lambda _: np.nan)),
        ("c", number(2, lambda _: -1.0)),
        ("c", number(2, lambda x: x + 0.5)),
        ("d", number(3, lambda x: x * 1_000)),
        ("kind", category),
    ],
)
def test_a_broken_field_is_named(name: str, change: Callable[[Rows], None]) -> None:
    for level in (OUTLIER, FAR):
        found = told(change, level)
        assert found.blame == Blame("field", (name,))
        assert found.fields[name] >= 0.85


def test_two_broken_fields_of_a_source_are_their_source() -> None:
    def change(rows: Rows) -> None:
        rows.numeric[:, 2], rows.numeric[:, 3] = -4.0, 1e9

    found = told(change)
    assert found.blame == Blame("source", ("station",))
    assert set(found.sources) == {"station", "till"}
    assert found.sources["station"] >= 0.85


def test_two_broken_fields_of_two_sources_are_both_or_none() -> None:
    def change(rows: Rows) -> None:
        rows.numeric[:, 0], rows.numeric[:, 3] = 1e9, 1e9

    assert told(change).blame in {Blame("both", ("a", "d")), Blame("both", ("d", "a")), Blame("novelty")}


def test_what_is_new_is_no_field_s_fault() -> None:
    def change(rows: Rows) -> None:
        rows.numeric[:] = [[2.0, 0.1, 1.0, 1_100.0]]
        rows.texts[0][:] = ["k0"] * len(rows.texts[0])

    assert told(change).blame == Blame("novelty")


def test_of_few_outliers_nothing_is_said() -> None:
    assert told(lambda _: None).blame == Blame("unknown")
    assert causes(index()[0], np.zeros((0, 4)), [[], []], rate=0.0).blame == Blame("unknown")


def test_masks_of_sources_are_those_of_two_fields_and_more() -> None:
    masks = index()[0].masks
    assert [mask.name for mask in masks] == [*NAMES, "station", "till"]
    assert masks[-1].fields == tuple(place for place, name in enumerate(NAMES) if SOURCES.get(name) == "till")


def test_what_familiar_outliers_are_cured_of_is_taken_off() -> None:
    assert excess(0.5, 0.5, rate=0.05) == pytest.approx(0.5)
    assert excess(0.9, 0.4, rate=0.02) == pytest.approx(1.4)
    assert excess(0.9, 0.4, rate=0.01) == excess(0.9, 0.4, rate=0.0) == 0.0


@pytest.mark.parametrize(
    ("shares", "said"),
    [
        ((0.9, 0.1, 0.0), Blame("field", ("a",))),
        ((0.9, 0.7, 0.0), Blame("novelty")),
        ((0.9, 0.85, 0.0), Blame("either", ("a", "b"))),
        ((0.9, 0.85, 0.82), Blame("novelty")),
        ((0.7, 0.1, 0.1), Blame("both", ("a", "c"))),
        ((0.7, 0.2, 0.1), Blame("novelty")),
    ],
)
def test_the_rule(shares: tuple[float, float, float], said: Blame) -> None:
    assert blamed(dict(zip("abc", shares, strict=True)), rate=0.05, pair=("a", "c")) == said
    assert blamed(dict(zip("abc", shares, strict=True)), rate=0.039, pair=("a", "c")) == Blame("unknown")


@pytest.mark.parametrize("known", [1, NEAREST - 1, 15, 16, 97, 1_999, 2_000])
def test_rows_without_fields_are_compared_as_one_by_one(known: int) -> None:
    reference, asked = table(known, seed=2), table(30, seed=3)
    asked.numeric[:10, 1] *= 1e6
    coordinates = Coordinates.of(*reference)
    of_reference, coded = coordinates.coded(*reference), coordinates.coded(*asked)
    masks = [Mask("a", "field", (1,)), Mask("b", "source", (0, 2, 5))]
    distances = by_field(coordinates, coded, of_reference).astype(np.int64)
    without = np.stack([np.delete(distances, mask.fields, axis=1).sum(axis=1) for mask in masks], axis=1)
    scores, nearest = Masking(coordinates, of_reference).left(coded, masks)
    np.testing.assert_array_equal(scores, -np.sort(without, axis=2)[:, :, :NEAREST].sum(axis=2))
    np.testing.assert_array_equal(nearest, without.argmin(axis=2))
    own = np.random.default_rng(0).permuted(np.tile(np.arange(6), (30, 3, 1)), axis=2)[:, :, :2]
    apart = distances.sum(axis=1)[:, None] - np.take_along_axis(distances[:, None], own[..., None], axis=2).sum(axis=2)
    scores, nearest = Masking(coordinates, of_reference).apart(coded, own)
    np.testing.assert_array_equal(scores, -np.sort(apart, axis=2)[:, :, :NEAREST].sum(axis=2))
    np.testing.assert_array_equal(nearest, apart.argmin(axis=2))


def test_what_32_bits_do_not_hold_is_computed_in_64() -> None:
    """Of 2,000 fields, all as far beyond their range as can be told."""
    known = np.random.default_rng(0).normal(size=(40, 2_000))
    coordinates = Coordinates.of(known, [])
    coded = coordinates.coded(np.full((3, 2_000), 1e300), [])
    (score, *_), _ = Masking(coordinates, coordinates.coded(known, [])).left(coded, [Mask("a", "field", (0,))])
    assert -score[0] > NEAREST * 2**31
    assert -score[0] <= NEAREST * coordinates.farthest
