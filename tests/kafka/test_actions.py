"""Whoever dies, each job is begun once. ``python -m tests.kafka.actions --kills 100 --jobs 200`` is the long run."""

from pathlib import Path

import pytest

from .actions import play

pytestmark = pytest.mark.kafka


def test_killed_at_random_moments_each_command_runs_once(kafka: str, tmp_path: Path) -> None:
    """Commands and their supervisors, too."""
    found = play(kafka, tmp_path, "command", kills=5, jobs=8, seed=3, children=True)
    assert found.exact, found
