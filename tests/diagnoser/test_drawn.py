"""Windows drawn from a reference: the same whoever draws them, as many rows as there are, spread as the reference's."""

import numpy as np

from driftbus.detectors.diagnosis.drawn import ROWS, WINDOWS, drawn

from .facts import KNOWN, reading_of


def test_they_are_the_same_and_add_up() -> None:
    _, reading = reading_of("m0", KNOWN.name)
    windows = drawn(KNOWN, reading.fields, compared=True, pairs=("amount",))
    for name, profile in ((field.name, field.profile) for field in reading.fields):
        values = [one.values[name] for one in windows]
        assert all(one.present + one.null + one.invalid + one.missing == ROWS for one in values)
        assert all(int(one.bins.sum()) == one.present for one in values)
        whole, expected = sum(one.bins for one in values), np.asarray(profile.counts)
        apart = 0.5 * np.abs(whole / np.sum(whole) - expected / expected.sum()).sum()
        assert apart < 0.05, name


def test_they_differ_from_each_other() -> None:
    _, reading = reading_of("m0", KNOWN.name)
    windows = drawn(KNOWN, reading.fields, compared=False)
    assert len({one.values["amount"].bins.tobytes() for one in windows}) == WINDOWS
    again = drawn(KNOWN, reading.fields, compared=False)
    assert all((one.values["amount"].bins == other.values["amount"].bins).all() for one, other in zip(windows, again, strict=True))


def test_of_rows_that_are_compared_as_many_are_outside_the_core_as_by_its_definition() -> None:
    _, reading = reading_of("m0", KNOWN.name)
    for window in drawn(KNOWN, reading.fields, compared=True):
        values = window.values["amount"]
        assert values.scored is not None
        assert values.outside is not None
        assert values.outliers is not None
        assert int(values.scored.sum()) == values.present
        assert int(values.outside.sum()) == int(0.2 * values.present)
        assert int(values.outliers.sum()) == int(0.01 * values.present)
        assert (values.outliers <= values.outside).all()
