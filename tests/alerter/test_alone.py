"""A drift that no told incident explains is told by itself: also where one did, and is over; in whatever order the topics are read."""

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from driftbus.consumers.alerter.subjects import Subjects, news
from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.root_cause import RootCauseEvent

from ..waiting import until
from .alertmanagers import Alertmanager
from .worlds import NAME, Said, alerting, episode, finished, incident, over, prepared, say, settings_of, told

APPLICATION = "app"
HOUR = 3_600_000
DRIFT, INCIDENT = "DriftbusDrift", "DriftbusIncident"
ENDS = ("withdrawn", "resolved", "superseded")


def settled(bus: EmbeddedBus, server: Alertmanager, folder: Path, **alert: Any) -> Configuration:
    found = settings_of(folder, {"alertmanager": {"url": server.address}, **alert}, application=APPLICATION)
    prepared(bus, found)
    return found


def ended(one: RootCauseEvent, status: str) -> RootCauseEvent:
    reason = "recovered" if status == "resolved" else None
    return one.model_copy(update={"status": status, "revision": one.revision + 1, "reason": reason})


@pytest.mark.parametrize("status", ENDS)
@pytest.mark.parametrize("before", [True, False], ids=["told before", "never told"])
def test_what_outlives_its_incident_is_told_again(
    bus: EmbeddedBus, server: Alertmanager, tmp_path: Path, status: str, *, before: bool
) -> None:
    settings, one = settled(bus, server, tmp_path), incident("i", of=("e", "over"))
    say(bus, settings, episode("e", severity="major"), episode("over"), *([] if before else [one]))
    finished(bus, settings)
    if before:
        say(bus, settings, one)
        finished(bus, settings)
    assert server.names() == [(INCIDENT, "major")]
    say(bus, settings, over(episode("over")))
    finished(bus, settings)
    say(bus, settings, ended(one, status))
    finished(bus, settings)
    assert server.names() == [(DRIFT, "major")], "the one that is open, and it alone"
    written = len(told(bus, settings))
    finished(bus, settings)
    assert len(told(bus, settings)) == written, "it is told once"
    say(bus, settings, incident("next", of=("e",)))
    finished(bus, settings)
    assert server.names() == [(INCIDENT, "major")], "and the next incident stands for it"
    say(bus, settings, ended(incident("next", of=("e",)), status), over(episode("e")))
    finished(bus, settings)
    assert server.names() == []


def test_one_process_tells_it_too(bus: EmbeddedBus, server: Alertmanager, tmp_path: Path) -> None:
    settings = settled(bus, server, tmp_path)
    one, first, second = alerting(bus, settings), incident("i", of=("e",)), incident("j", of=("e",))
    steps: list[tuple[Said, list[tuple[str, str]]]] = [
        (episode("e", severity="major"), [(DRIFT, "major")]),
        (first, [(INCIDENT, "major")]),
        (second, [(INCIDENT, "major")] * 2),
        (ended(first, "withdrawn"), [(INCIDENT, "major")]),
        (ended(second, "superseded"), [(DRIFT, "major")]),
        (over(episode("e")), []),
    ]
    for said, names in steps:
        say(bus, settings, said)
        until(lambda: (one.turn(0), server.names() == names)[1])  # noqa: B023  # called at once
    one.close()


@pytest.mark.parametrize("harm", ["benign", "unknown"])
def test_an_incident_that_is_not_told_explains_nothing(bus: EmbeddedBus, server: Alertmanager, tmp_path: Path, harm: str) -> None:
    settings = settled(bus, server, tmp_path, severity="major")
    drift = episode("e", severity="major")
    say(bus, settings, drift)
    finished(bus, settings)
    assert server.names() == [(DRIFT, "major")]
    say(bus, settings, incident("i", of=("e",), harm=harm))
    finished(bus, settings)
    assert server.names() == [(DRIFT if harm == "benign" else INCIDENT, "major")], "who is told of an incident is told of it in its place"
    say(bus, settings, incident("i", of=("e",), harm="harmful"))
    finished(bus, settings)
    assert server.names() == [(INCIDENT, "major")], "now it is grave enough"


def _told(settings: Configuration, facts: Sequence[tuple[Said, int]], wait_after: int) -> list[tuple[str, str, str | None]]:
    subjects = Subjects(settings, NAME, begun=0)
    for said, written in facts:
        subjects.feed(said, written)
    subjects.drop(wait_after, restored=True)
    return sorted((one.of, one.id, news(one, None)) for one in subjects.due(wait_after) if news(one, None) is not None)


@pytest.mark.parametrize("severity", ["minor", "major"])
@pytest.mark.parametrize("status", ENDS)
@pytest.mark.parametrize("outlives", [True, False])
@pytest.mark.parametrize("harm", ["benign", "unknown", "harmful"])
def test_the_order_in_which_topics_are_read_is_no_matter(tmp_path: Path, severity: str, status: str, harm: str, *, outlives: bool) -> None:
    """Each of the two topics in its own order; the other beside it, anyhow."""
    settings = settings_of(tmp_path, {"alertmanager": {"url": "http://127.0.0.1:9"}, "severity": severity, "wait": "1m"})
    drift, one = episode("e", severity="major"), incident("i", of=("e",), harm=harm)
    drifts: list[tuple[Said, int]] = [(drift, HOUR), (over(drift), (6 if outlives else 3) * HOUR)]
    causes: list[tuple[Said, int]] = [(one, 2 * HOUR), (ended(one, status), 4 * HOUR)]
    for until_now in (drifts[:1], drifts):
        found = []
        for places in itertools.combinations(range(len(until_now) + 2), 2):
            rest, beside = iter(until_now), iter(causes)
            facts = [next(beside) if place in places else next(rest) for place in range(len(until_now) + 2)]
            found.append(_told(settings, facts, 7 * HOUR))
        assert len(found) > 2
        assert all(one == found[0] for one in found), found
        grave = severity == "minor" or harm != "benign"
        alone = outlives or until_now is not drifts or not grave
        assert (("episode", drift.episode, "missed" if until_now is drifts else "opened") in found[0]) == alone


def test_an_incident_that_follows_another_has_time_to_explain_it(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, {"alertmanager": {"url": "http://127.0.0.1:9"}, "wait": "5m"})
    one = incident("i", of=("e",))
    facts: list[tuple[Said, int]] = [(episode("e"), 0), (one, 1), (ended(one, "superseded"), HOUR)]
    assert ("episode", episode("e").episode, "opened") not in _told(settings, facts, HOUR + 299_999)
    assert ("episode", episode("e").episode, "opened") in _told(settings, facts, HOUR + 300_000)
