"""Whoever dies, all is told. ``python -m tests.kafka.alerts --kills 60 --incidents 120`` is the long run."""

from pathlib import Path

import pytest

from .alerts import play

pytestmark = pytest.mark.kafka


def test_killed_at_random_moments_it_tells_all_that_opened_and_that_it_is_over(kafka: str, tmp_path: Path) -> None:
    found = play(kafka, tmp_path, "alertmanager", kills=3, incidents=8, seed=3)
    assert found.whole, found
