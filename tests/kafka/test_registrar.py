"""Whoever dies, each step of a version has its effect once. ``python -m tests.kafka.registrar --kills 60`` is the long run."""

from pathlib import Path

import pytest

from .registrar import play

pytestmark = pytest.mark.kafka


def test_killed_at_random_moments_each_effect_is_there_once(kafka: str, tmp_path: Path) -> None:
    found = play(kafka, tmp_path, kills=4, seed=3)
    assert found.exact, found
