"""Alertmanager is told what is open, again and again; what is over; and nothing twice that belongs together."""

import json
from pathlib import Path
from typing import Any

import pytest

from driftbus.consumers.alerter import alertmanager as module
from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Output
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.root_cause import Scope

from ..waiting import until
from .alertmanagers import Alertmanager
from .worlds import alerting, episode, finished, incident, over, prepared, records, say, settings_of, status, told

APPLICATION = "app"


@pytest.fixture
def settings(bus: EmbeddedBus, server: Alertmanager, tmp_path: Path) -> Configuration:
    found = settings_of(tmp_path, {"alertmanager": {"url": server.address}}, application=APPLICATION)
    prepared(bus, found)
    return found


def test_what_is_open_is_told_and_what_is_over_ends(bus: EmbeddedBus, server: Alertmanager, settings: Configuration) -> None:
    say(bus, settings, episode("e"), incident("i", harm="harmful"), status(settings, 1, "failed"), status(settings, 2, "awaiting_approval"))
    finished(bus, settings)
    names = [("DriftbusDrift", "minor"), ("DriftbusIncident", "major"), ("DriftbusJobAwaitsApproval", "moderate")]
    assert server.names() == [*names, ("DriftbusJobFailed", "moderate")]
    (shown,) = [one["annotations"] for one in server.active() if one["labels"]["alertname"] == "DriftbusIncident"]
    assert shown["summary"] == "`m`: data drift of `amount`, confirmed; retraining is forbidden"
    say(bus, settings, over(episode("e")), over(incident("i")), status(settings, 3, "succeeded"), status(settings, 2, "requested"))
    finished(bus, settings)
    assert server.names() == []
    assert len(server.alerts) == 4, "labels never change"
    assert len(told(bus, settings)) == 8
    finished(bus, settings)
    assert len(told(bus, settings)) == 8, "nothing is said again of what is over"


def test_an_incident_stands_for_the_episodes_that_it_explains(bus: EmbeddedBus, server: Alertmanager, settings: Configuration) -> None:
    say(bus, settings, episode("told before"))
    finished(bus, settings)
    say(bus, settings, episode("later", severity="major"), incident("i", of=("told before", "later")))
    finished(bus, settings)
    assert server.names() == [("DriftbusIncident", "major")], "what it costs is not known: it is as grave as what drifts"
    say(bus, settings, over(episode("told before")), over(episode("later")), over(incident("i", of=("told before", "later"))))
    finished(bus, settings)
    assert server.names() == []
    assert {one["labels"]["alertname"] for one in server.alerts.values()} == {"DriftbusDrift", "DriftbusIncident"}
    assert len(server.alerts) == 2


def test_what_gets_worse_ends_as_it_was_and_opens_under_its_severity(
    bus: EmbeddedBus, server: Alertmanager, settings: Configuration
) -> None:
    one = alerting(bus, settings)
    for harm, severity in (("benign", "minor"), ("unknown", "moderate"), ("harmful", "major"), ("benign", "major")):
        say(bus, settings, incident("i", harm=harm))
        expected = [("DriftbusIncident", severity)]
        until(lambda: (one.turn(0), server.names() == expected)[1])  # noqa: B023  # called at once
    one.close()
    assert len(server.alerts) == 3


def test_one_that_was_away_or_forgot_everything_is_told(
    bus: EmbeddedBus, server: Alertmanager, settings: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AGAIN_S", 0.2)
    server.away = True
    say(bus, settings, incident("i"), incident("ends"))
    one = alerting(bus, settings)
    one.finish()
    until(lambda: (one.turn(0), one.done)[1])
    assert told(bus, settings) == []
    server.away = False
    until(lambda: (one.turn(0), len(server.names()) == 2)[1])
    server.restart()
    until(lambda: (one.turn(0), len(server.names()) == 2)[1])
    server.away = True
    say(bus, settings, over(incident("ends")))
    until(lambda: (one.turn(0), one.standing().open == 1)[1])
    server.away = False
    until(lambda: (one.turn(0), len(server.names()) == 1 and len(told(bus, settings)) == 3)[1])
    one.close()


def test_it_is_told_again_every_minute_and_holds_longer_than_that(
    bus: EmbeddedBus, server: Alertmanager, settings: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert module.AGAIN_S * 1000 * 4 < module.OVER_MS
    monkeypatch.setattr(module, "AGAIN_S", 0.1)
    say(bus, settings, *(incident(f"i{number}") for number in range(module.MOST_ALERTS + 6)))
    one = alerting(bus, settings)
    until(lambda: (one.turn(0), len(server.posts) >= 6)[1])
    one.close()
    assert len(server.active()) == module.MOST_ALERTS + 6
    assert max(map(len, server.posts)) == module.MOST_ALERTS
    assert len(told(bus, settings)) == module.MOST_ALERTS + 6, "what is told again is not written again"


@pytest.mark.parametrize("hostile", ["\u202e`\x1b[2J\n\n# @everyone <!channel>", '"}], "labels": {"x": "', "x" * 400, "\x00"])
def test_whatever_a_name_holds_it_is_told_as_text(bus: EmbeddedBus, server: Alertmanager, settings: Configuration, hostile: str) -> None:
    say(bus, settings, incident("i", scope=Scope(features=(hostile,), owners=(hostile,))), episode("e", reason=hostile))
    finished(bus, settings)
    assert len(server.active()) == 2
    for one in server.active():
        assert set(one["labels"]) <= {"alertname", "application", "model", "severity", "incident", "episode"}
        assert one["annotations"]["summary"].isprintable()


def test_who_is_told_chooses(bus: EmbeddedBus, server: Alertmanager, settings: Configuration, tmp_path: Path) -> None:
    def chosen(**alert: Any) -> Configuration:
        kind = {"alertmanager": {"url": server.address, "headers": {"Authorization": "Bearer x"}}, **alert}
        return settings_of(tmp_path, kind, application=APPLICATION)

    say(bus, settings, incident("a", "a", harm="benign"), incident("b", "b", harm="harmful"), incident("s", "b", status="suspected"))
    finished(bus, chosen(severity="moderate"))
    assert server.names() == [("DriftbusIncident", "major")]
    finished(bus, chosen(models=["a"]))
    assert server.names() == [("DriftbusIncident", "minor")], "what is told to nobody any more is over"
    finished(bus, chosen(suspected=True))
    assert len(server.names()) == 2, "what was said to be over is not opened again"
    assert set(server.authorization) == {"Bearer x"}


def test_what_waits_for_a_cause_is_told_when_it_has_waited(bus: EmbeddedBus, server: Alertmanager, tmp_path: Path) -> None:
    settings = settings_of(tmp_path, {"alertmanager": {"url": server.address}, "wait": "1s"}, application=APPLICATION)
    prepared(bus, settings)
    one = alerting(bus, settings)
    one.turn(0)
    say(bus, settings, episode("short"), over(episode("short")), episode("long"), episode("explained"), incident("i", of=("explained",)))
    until(lambda: (one.turn(0), server.names() == [("DriftbusDrift", "minor"), ("DriftbusIncident", "moderate")])[1])
    one.close()
    assert len(server.alerts) == 2, "what was over before, or has a cause, is not told"


def test_strangers_and_what_cannot_be_read_hold_nobody_up(bus: EmbeddedBus, server: Alertmanager, settings: Configuration) -> None:
    topics = settings.topics
    for topic in (topics.drift, topics.root_causes, topics.retrain, topics.alerts):
        bus.publish([Output(topic, number, b"m", value) for number in range(2) for value in (b"{", b"", json.dumps({"a": 1}).encode())])
    say(bus, settings, episode("no time", onset="soon"), episode("no version", version=""))
    say(bus, settings, episode("e").model_copy(update={"episode": "x" * 600}), incident("long").model_copy(update={"incident": "y" * 600}))
    for timestamp in (-1, 2**62):
        bus.publish([one._replace(timestamp=timestamp) for one in records(settings, incident(f"at {timestamp}"))])
    others = settings.model_copy(update={"application": "others"})
    say(bus, others, incident("of others"), episode("of others"))
    say(bus, settings, incident("i"))
    finished(bus, settings)
    assert server.names() == [("DriftbusIncident", "moderate")] * 3, "those of wild clocks are told, too"
