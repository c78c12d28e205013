"""The launcher: what is open is known before anything is begun, and each state is told once."""

import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Bus, BusError, Output, Position, TopicPartition, Work
from driftbus.consumers.launcher.owned import Beside
from driftbus.consumers.launcher.spool import Spool
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.retrain import RetrainRequest

from ..bus.worlds import Followed
from ..streaming import everything
from ..waiting import until
from .receivers import receiving
from .worlds import NAME, adopt, facts, launching, prepared, request, say, settings_of, status, turned_until

APPLICATION = "app"
SCRIPT = "import os; open({ran!r}, 'a').write(os.environ['DRIFTBUS_JOB'] + '\\n'); {then}"


@pytest.fixture
def bus() -> Iterator[EmbeddedBus]:
    with closing(EmbeddedBus(":memory:", APPLICATION, "one")) as one:
        yield one


class Place:
    """Settings with a command, and what it did."""

    def __init__(self, folder: Path, then: str = "") -> None:
        self.folder, self.ran = folder, folder / "ran"
        self.settings = self.with_spool("spool", then)

    def with_spool(self, spool: str, then: str = "") -> Configuration:
        run = [sys.executable, "-I", "-S", "-c", SCRIPT.format(ran=str(self.ran), then=then)]
        return settings_of(self.folder, {"command": {"run": run, "spool": str(self.folder / spool)}}, application=APPLICATION)

    @property
    def jobs(self) -> list[str]:
        return self.ran.read_text().split() if self.ran.exists() else []


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def several(settings: Configuration, models: str = "abcd") -> list[RetrainRequest]:
    return [request(settings, number, model) for number, model in enumerate(models)]


def committed(bus: Bus, settings: Configuration) -> dict[int, int]:
    places = [TopicPartition(settings.topics.retrain, number) for number in range(2)]
    return {source.partition: one.offset for source, one in bus.committed(f"{settings.application}-launcher-{NAME}", places).items()}


def test_each_runs_once_and_each_state_is_told_once(bus: EmbeddedBus, place: Place) -> None:
    settings, asked = place.settings, several(place.settings)
    prepared(bus, settings)
    say(bus, settings, *asked)
    one = launching(bus, settings)
    turned_until(one, bus, settings, [(each.job, "succeeded") for each in asked])
    one.close()
    assert sorted(place.jobs) == sorted(each.job for each in asked)
    told = [(fact.job, fact.state) for fact in facts(bus, settings)]
    assert len(told) == len(set(told))
    assert {fact.by for fact in facts(bus, settings)} == {NAME}


def test_what_is_open_stays_in_front_of_what_is_committed_and_ends_with_its_final_status(bus: EmbeddedBus, place: Place) -> None:
    settings = place.settings
    prepared(bus, settings)
    first, second = request(settings, 1), request(settings, 2)
    say(bus, settings, first, second)
    one = launching(bus, settings)
    turned_until(one, bus, settings, [(first.job, "succeeded"), (second.job, "succeeded")])
    assert 0 in committed(bus, settings).values()
    say(bus, settings, status(first, "started"), status(first, "succeeded"))
    until(lambda: (one.turn(0), 1 in committed(bus, settings).values())[1])
    say(bus, settings, status(second, "succeeded"))
    until(lambda: (one.turn(0), 5 in committed(bus, settings).values())[1])
    one.close()
    again = launching(bus, settings)
    again.finish()
    until(lambda: (again.turn(0), again.done)[1])
    again.close()
    assert len(place.jobs) == 2


def test_what_ended_before_it_came_is_never_begun(bus: EmbeddedBus, place: Place) -> None:
    """It reads the topic to its end before its first action."""
    settings, ended = place.settings, request(place.settings, 1)
    prepared(bus, settings)
    say(bus, settings, ended, *(request(settings, number, "m", "another") for number in range(2, 700)), status(ended, "cancelled"))
    one = launching(bus, settings)
    one.finish()
    until(lambda: (one.turn(0), one.done)[1])
    one.close()
    assert place.jobs == [] == facts(bus, settings)


def test_what_another_has_read_and_not_begun_is_waited_for_at_the_end(place: Place) -> None:
    """Who has it may be dead, and the job is ours in a moment."""
    settings, file = place.settings, str(place.folder / "bus.db")
    with closing(EmbeddedBus(file, APPLICATION, "one")) as bus, closing(EmbeddedBus(file, APPLICATION, "two")) as others:
        prepared(bus, settings)
        asked = several(settings)
        say(bus, settings, *asked)
        other, one = others.session(f"launcher-{NAME}", [settings.topics.retrain], Followed()), launching(bus, settings)
        until(lambda: (one.turn(0), other.consume(10, 0), len(other.assignment()) == 1 == len(one.standing().heard))[2])
        (theirs,) = other.assignment()
        other.commit([Work(theirs, [], Position(0, Beside(bus.watermarks(theirs)[1], "").metadata))])
        one.finish()
        ours = one.standing().open
        until(lambda: (one.turn(0), sum(fact.state == "succeeded" for fact in facts(bus, settings)) == ours)[1])
        until(lambda: not one.turn(0))
        assert 0 < ours < len(asked)
        assert not one.done
        other.close()
        until(lambda: (one.turn(0), len(place.jobs) == len(asked))[1])
        until(lambda: (one.turn(0), one.done)[1])


def test_it_is_told_to_cancel(bus: EmbeddedBus, tmp_path: Path) -> None:
    place = Place(tmp_path, "import time; time.sleep(60)")
    settings, asked = place.settings, request(place.settings, 1)
    prepared(bus, settings)
    say(bus, settings, asked)
    one = launching(bus, settings)
    turned_until(one, bus, settings, [(asked.job, "started")])
    say(bus, settings, status(asked, "started"), status(asked, "cancelling"))
    turned_until(one, bus, settings, [(asked.job, "cancelled")])
    one.close()


def test_its_spool_is_committed_before_its_first_start(bus: EmbeddedBus, place: Place) -> None:
    settings = place.settings
    prepared(bus, settings)
    one = launching(bus, settings)
    one.turn(0)
    places = [TopicPartition(settings.topics.retrain, number) for number in range(2)]
    found = bus.committed(f"{settings.application}-launcher-{NAME}", places)
    assert {position.metadata for position in found.values()} == {f"0 {Spool(place.folder / 'spool' / NAME).id}"}
    one.close()


def test_another_spool_is_refused_until_a_person_adopts(bus: EmbeddedBus, place: Place) -> None:
    settings, asked = place.settings, several(place.settings)
    prepared(bus, settings)
    say(bus, settings, *asked)
    one = launching(bus, settings)
    turned_until(one, bus, settings, [(each.job, "succeeded") for each in asked])
    one.close()
    other = place.with_spool("other")
    spool = Spool(place.folder / "other" / NAME).id
    for named in (None, "f" * 32):
        if named:
            adopt(bus, settings, NAME, named)
        refused = launching(bus, other)
        with pytest.raises(BusError, match=f"driftbus jobs adopt {NAME} --spool {spool} --by"):
            refused.turn(0)
        refused.close()
    adopt(bus, settings, NAME, spool)
    new = launching(bus, other)
    later = request(settings, 99)
    turned_until(new, bus, settings, [(each.job, "lost") for each in asked])
    say(bus, settings, later)
    turned_until(new, bus, settings, [(later.job, "succeeded")])
    new.close()
    assert len(place.jobs) == len(asked) + 1, "nothing ran again"
    back = launching(bus, settings)
    with pytest.raises(BusError, match="adopt"):
        back.turn(0)
    back.close()


def test_what_nobody_answers_is_a_dead_letter(bus: EmbeddedBus, tmp_path: Path) -> None:
    with receiving("500") as receiver:
        settings = settings_of(tmp_path, {"webhook": {"url": receiver.address, "deadline": "300ms"}}, application=APPLICATION)
        prepared(bus, settings)
        asked = request(settings, 1)
        say(bus, settings, asked)
        one = launching(bus, settings)
        turned_until(one, bus, settings, [(asked.job, "failed")])
        one.close()
        (fact,) = facts(bus, settings)
        assert fact.detail == "undelivered within 300ms: it may have arrived"
        letters = [event for events in everything(bus, settings.topics.dead_letter).values() for event in events]
        assert [b"undelivered" in b"".join(value for _, value in event.headers) for event in letters] == [True]
        assert one.totals()["jobs_undelivered"] == 1


def test_strangers_hold_nobody_up(bus: EmbeddedBus, place: Place) -> None:
    settings, asked = place.settings, request(place.settings, 1)
    prepared(bus, settings)
    bus.publish([Output(settings.topics.retrain, number, b"k", b"{") for number in range(2)])
    say(bus, settings, asked)
    for _ in range(2):
        one = launching(bus, settings)
        turned_until(one, bus, settings, [(asked.job, "succeeded")])
        one.close()
    letters = [event for events in everything(bus, settings.topics.dead_letter).values() for event in events]
    assert len(letters) == 2, "told once, by the first"


def test_what_has_ended_and_is_asked_for_again_is_not_begun_again(bus: EmbeddedBus, tmp_path: Path) -> None:
    """A job runs once, however often it is read; a webhook's receiver need not keep ids for ever."""
    with receiving() as receiver:
        settings = settings_of(tmp_path, {"webhook": {"url": receiver.address}}, application=APPLICATION)
        prepared(bus, settings)
        asked, later = request(settings, 1), request(settings, 2)
        say(bus, settings, asked, status(asked, "started"), status(asked, "succeeded"), asked, later, asked)
        for _ in range(2):
            one = launching(bus, settings)
            turned_until(one, bus, settings, [(later.job, "succeeded")])
            say(bus, settings, asked)
            one.finish()
            while not one.done:
                one.turn(0.01)
            one.close()
        assert {headers["webhook-id"] for _, _, headers, _ in receiver.calls} == {later.job}


def test_a_job_finds_what_its_launcher_was_configured_with(bus: Bus, place: Place) -> None:
    """In a folder of its own the name of a file says nothing, and no place of the configuration leads anywhere."""
    told = place.folder / "told"
    write = f"import os; open({str(told)!r}, 'w').write(' '.join(os.environ[name] for name in ('DRIFTBUS_CONFIG', 'DRIFTBUS_FOLDER')))"
    command = {"command": {"run": [sys.executable, "-I", "-S", "-c", write], "spool": str(place.folder / "spool")}}
    settings = settings_of(place.folder, command, application=APPLICATION).read_from("/etc/driftbus.yaml")
    prepared(bus, settings)
    (asked,) = several(settings, "a")
    say(bus, settings, asked)
    one = launching(bus, settings)
    turned_until(one, bus, settings, [(asked.job, "succeeded")])
    one.close()
    assert told.read_text() == f"/etc/driftbus.yaml {Path.cwd()}"
