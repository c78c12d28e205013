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
