"""What Apprise is given to say: once each, within bounds, whoever dies; and never its address."""

import json
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from driftbus.consumers.alerter import apprise as module
from driftbus.consumers.alerter import pacing
from driftbus.consumers.alerter.apprise import Message, NobodyThere, ToApprise, message
from driftbus.consumers.alerter.pacing import Pacing
from driftbus.consumers.alerter.subjects import Subject, Subjects
from driftbus.consumers.alerter.telling import Due
from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.configuration.alerts import Apprise
from driftbus.schemas.messages.alert import Alerted
from driftbus.schemas.messages.root_cause import Scope

from ..launcher.receivers import Receiver, receiving
from ..waiting import until
from .worlds import NAME, Said, alerting, episode, finished, incident, over, prepared, say, settings_of, status, told

APPLICATION = "app"
SECRET = "a-token-of-ours"


@pytest.fixture
def receiver(request: pytest.FixtureRequest) -> Iterator[Receiver]:
    with receiving(*getattr(request, "param", ["200"])) as one:
        yield one


@pytest.fixture
def settings(bus: EmbeddedBus, receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Configuration:
    """Apprise posts JSON to the receiver."""
    monkeypatch.setenv("TEAM_URL", f"json://user:{SECRET}@{receiver.address.removeprefix('http://')}/hook")
    found = settings_of(tmp_path, {"apprise": {"url_from": "TEAM_URL"}}, application=APPLICATION)
    prepared(bus, found)
    return found


def said(receiver: Receiver) -> list[tuple[str, str]]:
    """Type and title of each message."""
    bodies = [json.loads(body) for manner, _, _, body in receiver.calls if manner == "200"]
    return [(body["type"], body["title"]) for body in bodies]


def said_of(bus: EmbeddedBus, receiver: Receiver, settings: Configuration, *steps: list[Said]) -> list[tuple[str, str]]:
    """What is said of one step after the other, by one alerter."""
    one = alerting(bus, settings)
    one.finish()
    for step in steps:
        known = len(receiver.calls)
        say(bus, settings, *step)
        until(lambda known=known: (one.turn(0), len(receiver.calls) > known and one.done)[1], 120)  # type: ignore[misc]  # of a default
    one.close()
    return said(receiver)


def test_a_message_at_opening_at_a_rise_and_at_the_end(bus: EmbeddedBus, receiver: Receiver, settings: Configuration) -> None:
    of = "`m`: data drift of `amount`"
    steps: list[list[Said]] = [
        [incident("i", of=("e",), harm="benign"), episode("e")],
        [incident("i", harm="benign"), incident("i", of=("e",), harm="harmful"), incident("i", harm="benign")],
        [over(incident("i")), over(episode("e"))],
    ]
    assert said_of(bus, receiver, settings, *steps) == [
        ("info", f"minor: {of}, confirmed; retraining is forbidden"),
        ("failure", f"Worse now, major: {of}, confirmed; retraining is forbidden"),
        ("success", f"Over: {of}, resolved"),
    ]
    assert told(bus, settings) == [("incident", "minor", "open"), ("incident", "major", "open"), ("incident", "major", "ended")]


def test_jobs_that_failed_or_wait_are_told_until_they_do_no_more(bus: EmbeddedBus, receiver: Receiver, settings: Configuration) -> None:
    steps: list[list[Said]] = [
        [status(settings, 1, "failed"), status(settings, 2, "lost"), status(settings, 3, "requested")],
        [status(settings, 3, "succeeded")],
        [status(settings, 9, "awaiting_approval")],
        [status(settings, 9, "requested")],
    ]
    assert [title for _, title in said_of(bus, receiver, settings, *steps)] == [
        "moderate: `m`: the job of policy `p` is lost",
        "Over: `m`: the job of policy `p` succeeded",
        "moderate: `m`: a job of policy `p` awaits approval",
        "Over: `m`: a job of policy `p` awaits approval no more: requested",
    ]


def test_what_came_and_went_while_nobody_told_is_told_and_what_was_before_is_not(
    bus: EmbeddedBus, receiver: Receiver, settings: Configuration
) -> None:
    say(bus, settings, incident("long ago"), over(incident("long ago")), incident("open"))
    finished(bus, settings)
    say(bus, settings, incident("short"), over(incident("short")))
    finished(bus, settings)
    finished(bus, settings)
    assert [title.partition(":")[0] for _, title in said(receiver)] == ["moderate", "Came and went"]


@pytest.mark.parametrize("receiver", [["500", "200"]], indirect=True, ids=["refuses now and then"])
def test_what_could_not_be_said_is_said_later(
    bus: EmbeddedBus, receiver: Receiver, settings: Configuration, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pacing, "LONGEST_PAUSE_S", 0.05)
    say(bus, settings, *(incident(f"i{number}") for number in range(2)))
    one = alerting(bus, settings)
    until(lambda: (one.turn(0), len(told(bus, settings)) == 2)[1], 120)
    one.close()
    assert len(said(receiver)) == 2
    assert SECRET not in caplog.text
    refused = any(manner == "500" for manner, *_ in receiver.calls)
    assert (f"alerts.{NAME}: nobody is told: Apprise could not deliver" in caplog.text) is refused


@pytest.mark.parametrize("receiver", [["hangs"]], indirect=True)
def test_a_server_that_hangs_is_left_when_the_time_is_over(
    bus: EmbeddedBus, receiver: Receiver, settings: Configuration, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    chosen = settings_of(tmp_path, {"apprise": {"url_from": "TEAM_URL", "timeout": "3s"}}, application=APPLICATION)
    say(bus, chosen, incident("i"))
    finished(bus, chosen)
    assert told(bus, chosen) == []
    assert "no answer in time" in caplog.text or "could not deliver" in caplog.text  # Apprise has a limit of its own


@pytest.mark.parametrize("hostile", ["\u202e`\x1b[2J\n\n# @everyone <!channel>", "</p><script>x</script>", "x" * 4_000, "\x00"])
def test_whatever_a_name_holds_it_is_said_in_a_line(hostile: str, tmp_path: Path) -> None:
    subjects = Subjects(settings_of(tmp_path, {"apprise": {"url_from": "X"}}), NAME, 0)
    subjects.feed(incident("i", scope=Scope(features=(hostile,) * 5), text=hostile), 1)
    subjects.feed(episode("e", reason=hostile), 1)
    for one in subjects.due(2):
        found = message([Due(one, None)])
        assert found.title.isprintable()
        assert len(found.title) <= module.LONGEST_HEADING
        assert len(found.body) <= module.LONGEST_TEXT


def test_no_address_no_start(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NobodyThere, match=r"alerts\.team\.apprise\.url_from: TEAM_URL is not set"):
        ToApprise(Apprise(url_from="TEAM_URL"), 10, NAME, {})
    for wrong in (f"nonsense://{SECRET}", f"json://{SECRET} json://localhost"):
        with pytest.raises(NobodyThere, match="what TEAM_URL holds is no") as refused:
            ToApprise(Apprise(url_from="TEAM_URL"), 10, NAME, {"TEAM_URL": wrong})
        assert SECRET not in str(refused.value)


class Day:
    """A day of one model's changes, by a clock that a test turns; what is to be said is kept."""

    def __init__(self, settings: Configuration, per_hour: int, *, taken: bool = True) -> None:
        self.now_s = 0.0
        self.sent: list[tuple[float, Message]] = []
        self.subjects = Subjects(settings, NAME, 0)
        self.taken = taken
        self.said = Pacing(per_hour, NAME, lambda: self.now_s, self._say, lambda: False)

    def _say(self, part: Sequence[Due]) -> bool:
        self.sent.append((self.now_s, message(part)))
        return self.taken

    def round(self) -> list[Alerted]:
        """Tell what there is to tell, and write it down."""
        now, all_ = int(self.now_s * 1000), list[Alerted]()
        while True:
            self.subjects.drop(now)
            found = self.said.tell([Due(one, self.subjects.told.get(one.about)) for one in self.subjects.due(now)], now)
            for one in found.said:
                self.subjects.tell(one)
            all_ += found.said
            if found.again_s:
                return all_


@pytest.mark.parametrize("per_hour", [1, 3, 10])
def test_a_day_of_flapping_is_so_many_messages_an_hour_and_nothing_is_left_out(tmp_path: Path, per_hour: int) -> None:
    day = Day(settings_of(tmp_path, {"apprise": {"url_from": "X"}}), per_hour)
    abouts: set[str] = set()
    for minute in range(24 * 60):
        day.now_s = minute * 60.0
        one = episode(f"e{minute}")
        day.subjects.feed(one, int(day.now_s * 1000))
        abouts.add(f"episode/{one.episode}")
        said = day.round()
        day.subjects.feed(over(one), int(day.now_s * 1000) + 30_000)
        abouts -= {one.about for one in [*said, *day.round()]}
    day.now_s += 3_600
    abouts -= {one.about for one in [*day.round(), *day.round()]}
    assert abouts == set()
    times = [at for at, _ in day.sent]
    assert len(times) <= 26 * per_hour
    assert all(later - first >= 3_600 for first, later in pairwise(times[::per_hour])), "in no hour are there more"
    assert all(len(found.body) <= module.LONGEST_TEXT + module.MOST_LISTED * module.LONGEST_HEADING for _, found in day.sent)
    assert day.subjects.known == {} == day.subjects.told, "what is over is forgotten"


def test_many_at_once_are_said_in_one_and_the_gravest_by_themselves(tmp_path: Path) -> None:
    day = Day(settings_of(tmp_path, {"apprise": {"url_from": "X"}}), 3)
    for number in range(30):
        day.subjects.feed(incident(f"i{number}", harm="harmful" if number in (7, 8) else "benign"), number)
    assert len(day.round()) == 30
    types = [found.type for _, found in day.sent]
    assert types == ["failure", "failure", "info"]
    assert day.sent[-1][1].title == "'m': 28 changes"
    assert "and 8 more" in day.sent[-1][1].body


def test_one_model_that_flaps_leaves_the_others_theirs(tmp_path: Path) -> None:
    day = Day(settings_of(tmp_path, {"apprise": {"url_from": "X"}}), 2)
    for number in range(9):
        day.now_s = float(number)
        day.subjects.feed(incident(f"i{number}", "a"), number)
        day.round()
    day.subjects.feed(incident("other", "b"), 10)
    assert [one.model for one in day.round()] == ["b"]


def test_what_nobody_could_be_told_of_for_a_day_is_given_up(tmp_path: Path) -> None:
    day = Day(settings_of(tmp_path, {"apprise": {"url_from": "X"}}), 1, taken=False)
    day.subjects.feed(incident("i"), 0)
    assert day.round() == []
    day.subjects.feed(over(incident("i")), 1)
    day.now_s = 86_400 - 1
    assert day.round() == []
    day.now_s = 86_400 + 1
    assert [one.state for one in day.round()] == ["undelivered"]
    assert day.round() == []
    assert day.subjects.known == {}


def test_a_subject_says_what_it_is() -> None:
    one: Any = Subject("job", "x", "m", "1", "minor", 0, "h", "t", 0)
    assert one.told(NAME, "open", 5).about == one.about == "job/x"
