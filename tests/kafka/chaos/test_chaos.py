"""The short form of the chaos run: kills, pauses, a broker that is away, members that come and go, partitions that are added."""

from pathlib import Path

import pytest

from ...needs import tools_for_brokers
from .play import play
from .schedule import LONG, SHORT, Form, planned

FORMS = {"short": SHORT, "one broker": LONG[1], "three brokers": LONG[3]}
every_form = pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)


@pytest.mark.kafka
def test_everything_is_published_as_by_one_process_that_nothing_disturbs(tmp_path: Path) -> None:
    tools_for_brokers()
    result = play(SHORT, 1, tmp_path, print)
    assert result.good, str(result)


@every_form
@pytest.mark.parametrize("seed", range(5))
def test_a_schedule_is_the_seeds_and_does_what_its_form_says(form: Form, seed: int) -> None:
    faults = planned(form, seed)
    assert faults == planned(form, seed) != planned(form, seed + 1)
    assert [fault.at_s for fault in faults] == sorted(fault.at_s for fault in faults)
    assert sum(fault.what in {"kill", "pause"} for fault in faults) == form.kills + form.pauses
    joined = {fault.of: fault.at_s for fault in faults if fault.what == "join"}
    left = {fault.of: fault.at_s for fault in faults if fault.what == "leave"}
    assert joined.keys() == left.keys()
    assert all(joined[name] < left[name] for name in joined)
    assert 0 < faults[0].at_s < faults[-1].at_s <= form.seconds


@pytest.mark.parametrize("form", [SHORT, LONG[1]], ids=["short", "one broker"])
def test_nothing_else_is_done_while_the_only_broker_is_away(form: Form) -> None:
    faults = planned(form, 1)
    away = [(fault.at_s, fault.at_s + fault.for_s) for fault in faults if fault.what.startswith("broker")]
    doings = [fault for fault in faults if not fault.what.startswith(("broker", "partitions"))]
    assert not [fault for fault in doings for start, end in away if start <= fault.at_s < end]
