"""What becomes of new versions is told: what happened for an hour, and that one is held until something else becomes of it."""

from contextlib import closing
from pathlib import Path

import pytest

from driftbus.consumers.alerter.alertmanager import NAMES
from driftbus.consumers.alerter.subjects import TOLD_FOR, Subjects, news
from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.promotion import Step

from .alertmanagers import Alertmanager
from .worlds import NAME, finished, prepared, say, settings_of, step, told

APPLICATION = "app"
VERSION = NAMES["step"]
WRITTEN = 1_700_000_000_000


@pytest.fixture
def settings(server: Alertmanager, tmp_path: Path) -> Configuration:
    return settings_of(tmp_path, {"alertmanager": {"url": server.address}}, application=APPLICATION)


def test_they_are_told_over_the_bus(server: Alertmanager, settings: Configuration) -> None:
    with closing(EmbeddedBus(":memory:", APPLICATION, "one")) as bus:
        prepared(bus, settings)
        say(bus, settings, step("2", "shadow"), step("2", "promote"), step("3", "refuse"), step("4", "held"), step("5", "roll_back"))
        finished(bus, settings)
        assert server.names() == [(VERSION, "minor"), (VERSION, "minor"), (VERSION, "moderate"), (VERSION, "moderate")]
        summaries = {one["annotations"]["version"]: one["annotations"]["summary"] for one in server.active()}
        assert summaries["4"] == "`m`: version `4` is held: its data are in doubt"
        say(bus, settings, step("4", "refuse"))
        finished(bus, settings)
        now_minor = [(VERSION, "minor")] * 3
        assert server.names() == [*now_minor, (VERSION, "moderate")], "of version 4 it is told that it is refused"
        assert [one for one in told(bus, settings) if one[2] == "ended"] == [("step", "moderate", "ended")]
        finished(bus, settings)
        assert len(told(bus, settings)) == 6, "nothing is said twice"


@pytest.mark.parametrize("name", ["promote", "refuse", "roll_back"])
def test_what_happened_is_over_an_hour_later(settings: Configuration, name: Step) -> None:
    subjects = Subjects(settings, NAME, begun=WRITTEN)
    subjects.feed(step("2", name), WRITTEN)
    subjects.drop(WRITTEN + TOLD_FOR - 1)
    (one,) = subjects.due(WRITTEN + TOLD_FOR - 1)
    assert news(one, None) == "opened"
    subjects.tell(one.told(NAME, "open", WRITTEN))
    subjects.drop(WRITTEN + TOLD_FOR)
    (over,) = subjects.due(WRITTEN + TOLD_FOR)
    assert news(over, subjects.told[over.about]) == "ended"


def test_what_was_over_before_it_was_first_run_is_not_told(settings: Configuration) -> None:
    subjects = Subjects(settings, NAME, begun=WRITTEN + TOLD_FOR + 1)
    subjects.feed(step("2", "promote"), WRITTEN)
    subjects.drop(WRITTEN + TOLD_FOR + 1, restored=True)
    assert not list(subjects.due(WRITTEN + TOLD_FOR + 1))


@pytest.mark.parametrize(("version", "name"), [("2", "retire"), ("2", "roll_back"), ("3", "promote")])
def test_a_version_is_held_until_something_else_becomes_of_it_or_another_serves(settings: Configuration, version: str, name: Step) -> None:
    subjects = Subjects(settings, NAME, begun=WRITTEN)
    subjects.feed(step("2", "held"), WRITTEN)
    subjects.feed(step("3", "evaluate"), WRITTEN)
    subjects.drop(WRITTEN + 100 * TOLD_FOR)
    (held,) = subjects.due(WRITTEN + 100 * TOLD_FOR)
    assert (held.ended, held.severity) == (None, "moderate")
    subjects.feed(step(version, name), WRITTEN + 1)
    assert subjects.known[held.about].ended == WRITTEN + 1
