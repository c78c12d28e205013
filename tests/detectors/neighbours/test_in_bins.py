"""Scored rows in the reference's bins: sums, as counting has them."""

import numpy as np

from driftbus.detectors.counting import Counting
from driftbus.detectors.counting.bins import profile_of
from driftbus.detectors.neighbours.bins import KINDS, InBins
from driftbus.schemas.stored.reference import AvailabilityProfile, CategoricalProfile, ProfiledField, Reference

from .tables import NAMES, table

ROWS = table(600)
THERE = AvailabilityProfile(counts=(600, 0, 0, 0))


def field(place: int) -> ProfiledField:
    if place < 4:
        return ProfiledField(name=NAMES[place], type="numeric", values=profile_of(ROWS.numeric[:, place]), availability=THERE)
    texts = [value for value in ROWS.texts[place - 4] if isinstance(value, str)]
    names = sorted(set(texts))[:3]
    counts = (*map(texts.count, names), sum(value not in names for value in texts))
    return ProfiledField(
        name=NAMES[place], type="categorical", values=CategoricalProfile(categories=tuple(names), counts=counts), availability=THERE
    )


COUNTING = Counting(Reference(model="m", version="1", rows=600, fields=tuple(field(place) for place in range(6))))


def test_counts_are_those_of_counting_and_add_up() -> None:
    bins = InBins(COUNTING.layout)
    codes = bins.codes(*ROWS)
    cells = np.random.default_rng(0).integers(0, 5, 600).astype(np.uint8)
    found = bins.counts(codes, cells)
    assert found.shape == (len(KINDS), bins.size)
    np.testing.assert_array_equal(bins.counts(codes[:250], cells[:250]) + bins.counts(codes[250:], cells[250:]), found)
    outside = ROWS.at(np.flatnonzero(cells >= 1))
    outliers = ROWS.at(np.flatnonzero(cells >= 3))
    for kind, rows in enumerate((ROWS, outside, outliers)):
        counts, _ = COUNTING.count(*rows)
        for signal in bins.signals:
            np.testing.assert_array_equal(found[kind][bins.span(signal.name)], counts[signal.span])


def test_no_row_is_no_count() -> None:
    bins = InBins(COUNTING.layout)
    nothing = table(0)
    assert not bins.counts(bins.codes(*nothing), np.zeros(0, dtype=np.uint8)).any()
