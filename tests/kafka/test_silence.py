"""The short form of `silence`: the coordinator of the group and all brokers, longer than a session."""

from pathlib import Path

import pytest

from ..needs import tools_for_brokers
from .silence import Silence, differences, run

pytestmark = pytest.mark.kafka


def test_silent_brokers_end_no_process_and_change_no_result(tmp_path: Path) -> None:
    tools_for_brokers()
    ran = run(tmp_path, [Silence("coordinator", 8), Silence("all", 8)])
    assert not differences(ran)
    assert ran.left.panes
    assert ran.left.events
