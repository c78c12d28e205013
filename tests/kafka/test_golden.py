"""Evaluators that are killed: every request has exactly one evaluation. ``python -m tests.kafka.golden --kills 50`` is the long run."""

from pathlib import Path

import pytest

from .golden import play

pytestmark = pytest.mark.kafka


def test_killed_at_random_moments_each_request_has_one_evaluation(kafka: str, tmp_path: Path) -> None:
    found = play(kafka, tmp_path, kills=4, seed=3)
    assert found.exact, found
    assert not {"better", "worse"} & found.verdicts.keys()
