"""What happened in real data is found, and little else: through the product, bytes in, events out."""

from collections.abc import Callable
from pathlib import Path

import pytest

from driftbus.consumers.replay.picture import DrawnEpisode, moment

from .replaying import replayed, touches, untempered
from .worlds import World, cars, flights, glucose, weather, wind_only

#: Of `isig`, which is then the text "nil", while `glucose` goes on as always.
OUTAGE = (moment("2010-08-24T12:38Z"), moment("2010-08-28T13:51Z"))
BLIZZARD = (moment("2013-02-08T05:00Z"), moment("2013-02-10T05:00Z"))
GLITCH = moment("2013-02-12T08:00Z")


def is_open(episode: DrawnEpisode, name: str, of: str = "values") -> bool:
    """Whether this signal was in it throughout the outage."""
    span = episode.spans.get(name if of == "values" else f"{name} ({of})")
    return span is not None and span.start < OUTAGE[0] and (span.end is None or span.end > OUTAGE[1])


@pytest.fixture(scope="module")
def sensor(tmp_path_factory: pytest.TempPathFactory) -> list[DrawnEpisode]:
    folder = tmp_path_factory.mktemp("glucose")
    return replayed(glucose(folder), folder)


def test_the_outage_of_a_sensor_is_told(sensor: list[DrawnEpisode]) -> None:
    told = [episode for episode in sensor if OUTAGE[0] < episode.opened < OUTAGE[1] and touches(episode, "isig", "availability")]
    assert [episode.last.kind for episode in told] == ["availability"]
    assert told[0].resolved is not None


def test_another_episode_of_the_same_sensor_does_not_hide_it(tmp_path: Path) -> None:
    higher, out = replayed(glucose(tmp_path, false_alarms="1 per 14d"), tmp_path)
    assert is_open(higher, "isig")
    assert OUTAGE[0] < out.opened < OUTAGE[1]
    assert touches(out, "isig", "availability")


def test_what_goes_on_as_always_is_left_alone(sensor: list[DrawnEpisode]) -> None:
    assert not any(touches(episode, "glucose") or touches(episode, "glucose", "availability") for episode in sensor)


def test_the_outage_alone_is_told_too(tmp_path: Path) -> None:
    told = replayed(glucose(tmp_path, "2010-08-24", "2010-08-29"), tmp_path)
    assert [{signal.name for signal in episode.last.signals} for episode in told] == [{"isig"}]
    assert touches(told[0], "isig", "availability")


def test_of_used_cars_all_that_shifted_is_one_episode(tmp_path: Path) -> None:
    (episode,) = replayed(cars(tmp_path), tmp_path)
    assert episode.first.onset == "row 30000"
    assert episode.first.bucket == ("row 30000", "row 30500")
    shifted = "prediction", "car_age", "km_driven", "price_new", "accident_count", "door_count", "fuel", "transmission"
    assert {signal.name for signal in episode.last.signals} == set(shifted)
    assert all(signal.open and signal.of == "values" for signal in episode.last.signals)


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> list[DrawnEpisode]:
    """With weather of five hours ago, so that 33 flights of one hour carry the glitch: it was measured at 3 in the morning."""
    folder = tmp_path_factory.mktemp("flights")
    return replayed(flights(folder, hours_old=5), folder)


def test_the_blizzard_is_found(year: list[DrawnEpisode]) -> None:
    (found,) = [episode for episode in year if BLIZZARD[0] <= episode.opened < BLIZZARD[1]]
    assert touches(found, "dep_delay", "availability")  # half of the flights were cancelled


def test_a_year_has_few_episodes(year: list[DrawnEpisode]) -> None:
    assert len(year) < 35  # one for each of the worst days of delays, and the seasons: docs/real-data.md


def test_a_glitch_is_no_drift(year: list[DrawnEpisode]) -> None:
    assert not any(touches(episode, "wind_speed") and episode.opened < moment("2013-06-01T00:00Z") for episode in year)


@pytest.mark.parametrize("world", [lambda folder: flights(folder, hours_old=5), weather], ids=["flights", "weather"])
def test_without_tempering_the_day_of_the_glitch_would_be_drift(tmp_path: Path, world: Callable[[Path], World]) -> None:
    day = wind_only(world(tmp_path))
    assert replayed(day, tmp_path / "tempered") == []
    assert len(replayed(day, tmp_path / "untempered", untempered)) == 1
