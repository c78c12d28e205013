"""What is gone altogether is no blip."""

import pytest

from .facts import Traffic, fold, said, writers


@pytest.mark.parametrize(("share", "status"), [(1.0, "confirmed"), (0.9, "suspected")])
def test_a_feature_that_is_gone_altogether_is_confirmed_at_once(share: float, status: str) -> None:
    """Of a window in which a part is missing it takes another to know that it was no blip."""
    traffic = Traffic(null=lambda number: share if number == 27 else 0.0)
    of_writers = writers(traffic, 27, delays=(0,))
    told = said(fold(), [record for name in of_writers for record in of_writers[name]])
    assert [(one.cause, one.status) for one in told] == [("feature_unavailability", status)]
