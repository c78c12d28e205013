"""What could not be counted is listed, shown, and written back once."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from driftbus.consumers.bus.addressing import addressed
from driftbus.consumers.bus.interface import Bus, Output, TopicPartition
from driftbus.consumers.bus.open import open_bus
from driftbus.consumers.console.letters import letters
from driftbus.consumers.console.reading import Read, records_of
from driftbus.consumers.process.settings import load

from .conftest import BEGINNING, User, amounts, messages, prepared

GOOD = messages(amounts(600, seed=2))
LARGE = b'{"model": 7, "big": "' + b"x" * 70_000
HEADERS = (("trace", b"1"), ("driftbus-other", b"2"))


def bad(value: bytes, second: int, partition: int = 0, after_ms: int = 0) -> Output:
    return Output("fraud.scored", partition, b"k\xff", value, HEADERS, BEGINNING + second * 1000 + after_ms)


def spoil(user: User) -> None:
    user.creates()
    user.says("reference", "build", "fraud", "--version", "1", "--from-start")
    field = (GOOD[20].value or b"").replace(b'"NZ"', b"[1]").replace(b'"PE"', b"[1]")
    outputs = [*GOOD[:20], bad(b"no json \x1b[2J", 2), bad(LARGE, 2), bad(field, 2), *GOOD[20:300]]
    user.publishes([*outputs, bad(b"{}", 3_600 * 9), *GOOD[300:]])
    user.says("run", "--until-end")


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepared(tmp_path_factory.mktemp("spoilt"), spoil)


@pytest.fixture
def spoilt(played: Path, user: User) -> User:
    """Somebody with four dead letters: of no JSON, of a large record, of a field, of a wrong clock."""
    return user.takes(played)


def listed(user: User) -> dict[str, dict[str, object]]:
    found = [json.loads(line) for line in user.says("dead-letters", "list", "--json").splitlines()]
    return {str(one["place"]): one for one in found}


def inputs(user: User) -> list[tuple[bytes | None, bytes | None, dict[str, bytes], int]]:
    with closing(open_bus(load())) as bus:
        found = read(bus, TopicPartition("fraud.scored", 0))
    return [(one.key, one.value, dict(one.headers), one.timestamp) for one in found]


def read(bus: Bus, place: TopicPartition) -> list[Read]:
    return [record for batch in bus.read(place, *bus.watermarks(place)) for record in records_of(batch)]


def test_they_are_listed_with_place_and_reason(spoilt: User) -> None:
    said = spoilt.says("dead-letters", "list")
    assert "fraud.scored[0]@10  " in said
    assert 'not JSON: Expecting value at character 0: "no json \\u001b[2J"' in said
    assert "\x1b" not in said
    assert [one["scope"] for one in listed(spoilt).values()] == ["record", "field", "record", "record"]
    assert len(spoilt.says("dead-letters", "list", "--last", "1", "--json").splitlines()) == 1
    assert "dead letters: 4 kept" in spoilt.says("status")


def test_one_is_shown_with_its_bytes_and_its_way_back(spoilt: User) -> None:
    shown = spoilt.says("dead-letters", "show", "fraud.scored[0]@10")
    assert "no json \\u001b[2J" in shown
    assert "replay: back to fraud.scored[0]" in shown
    assert "70,021 bytes, of which the first 65,536 are kept" in spoilt.says("dead-letters", "show", "fraud.scored[0]@11")
    assert "it would be counted twice" in spoilt.says("dead-letters", "show", "fraud.scored[0]@12")
    assert "no dead letter of a[0]@1" in spoilt.says("dead-letters", "show", "a[0]@1", code=1)


def test_records_go_back_whole_once_with_a_header_that_says_so(spoilt: User) -> None:
    before = inputs(spoilt)
    said = spoilt.says("dead-letters", "replay", "--all", "--yes")
    assert "fraud.scored[0]@12 stays: its row was counted, all but payload.features.country" in said
    assert "stays: its time is wrong" in said
    assert "2 records written back" in said
    back = inputs(spoilt)[len(before) :]
    assert [(key, value, time) for key, value, _, time in back] == [
        (b"k\xff", b"no json \x1b[2J", BEGINNING + 2000),
        (b"k\xff", LARGE, BEGINNING + 2000),
    ]
    assert [heads for _, _, heads, _ in back] == [
        {"trace": b"1", "driftbus-replayed": f"fraud.scored[0]@{offset}".encode()} for offset in (10, 11)
    ]
    again = spoilt.says("dead-letters", "replay", "--all", "--yes")
    assert "fraud.scored[0]@10 stays: it has been written back already" in again
    assert "nothing to write" in again
    assert inputs(spoilt)[len(before) :] == back
    assert sum(bool(one["replayed"]) for one in listed(spoilt).values()) == 2


def test_without_yes_somebody_is_asked(spoilt: User) -> None:
    before = inputs(spoilt)
    assert "Write 1 records? [y/N]" in spoilt.says("dead-letters", "replay", "fraud.scored[0]@10", code=1)
    assert inputs(spoilt) == before
    assert "name the places" in spoilt.says("dead-letters", "replay", code=2)
    assert "name the places" in spoilt.says("dead-letters", "replay", "--all", "a[0]@1", code=2)
    assert "no dead letter of a[0]@1" in spoilt.says("dead-letters", "replay", "a[0]@1", code=1)


def test_a_live_record_whose_clock_was_wrong_gets_the_time_now(spoilt: User) -> None:
    spoilt.configures("clock: record", "clock: live")
    (place,) = [place for place, one in listed(spoilt).items() if str(one["reason"]).startswith("timestamp")]
    assert "with the time now" in spoilt.says("dead-letters", "replay", place, "--yes")
    assert inputs(spoilt)[-1][3] > BEGINNING + 10**10


@pytest.mark.parametrize("what", ["topic", "stream"])
def test_what_cannot_go_back_says_why(spoilt: User, what: str) -> None:
    if what == "topic":
        with closing(open_bus(load())) as bus:
            bus.delete("fraud.scored")
            bus.create("fraud.scored", 1)
        why = "topic fraud.scored has been deleted since, and made again"
    else:
        spoilt.configures("topics: [fraud.scored]", "topics: [other]")
        why = "nothing reads fraud.scored as stream predictions any more"
    said = spoilt.says("dead-letters", "replay", "--all", "--yes")
    assert said.count(why) == 3
    assert "nothing to write" in said


def test_a_large_record_that_its_topic_has_lost_stays(spoilt: User) -> None:
    """The letter holds only its head. The small one goes back from the letter, without the key and headers that nobody has any more."""
    with closing(open_bus(load())) as bus:
        described = bus.describe(["fraud.scored"])["fraud.scored"]
        bus.delete("fraud.scored")
        bus.restore(described, [])  # type: ignore[attr-defined]  # the embedded bus's: the same topic, empty
    spoilt.configures("model: model.name", "model: 'header:model'")
    assert "mapping reads keys or headers, and the topic no longer holds" in spoilt.says("dead-letters", "show", "fraud.scored[0]@10")
    spoilt.configures("model: 'header:model'", "model: model.name")
    said = spoilt.says("dead-letters", "replay", "fraud.scored[0]@10", "fraud.scored[0]@11", "--yes")
    assert "the letter holds only the head of its 70,021 bytes" in said
    assert "fraud.scored[0]@10: back to fraud.scored[0]" in said
    assert inputs(spoilt)[-1][:3] == (None, b"no json \x1b[2J", {"driftbus-replayed": b"fraud.scored[0]@10"})


def test_all_leaves_out_what_the_topic_holds_no_more(spoilt: User) -> None:
    """Retention has taken it: what it was followed by is long counted, and a person names it who wants it back."""
    with closing(open_bus(load())) as bus:
        described = bus.describe(["fraud.scored"])["fraud.scored"]
        bus.delete("fraud.scored")
        bus.restore(described, [])  # type: ignore[attr-defined]  # the embedded bus's: the same topic, empty
    said = spoilt.says("dead-letters", "replay", "--all", "--yes")
    assert "3 more are left out, whose records their topics no longer hold" in said
    assert "nothing to write" in said
    assert inputs(spoilt) == []


def test_what_was_written_back_is_known_whatever_partition_says_so(spoilt: User) -> None:
    """Partitions added to the dead-letter topic take the letters of some keys elsewhere than before: notes, and letters of a second run."""
    with closing(open_bus(load())) as bus:
        topic = bus.describe(["fraud-watch.dead-letter"])["fraud-watch.dead-letter"]
        found = [record for number in range(topic.partitions) for record in read(bus, TopicPartition(topic.name, number))]
    spoilt.says("dead-letters", "replay", "--all", "--yes")
    with closing(open_bus(load())) as bus:
        notes = [record for number in range(topic.partitions) for record in read(bus, TopicPartition(topic.name, number))]
        notes = [note for note in notes if b"io.driftbus.dead-letter.replayed" in dict(note.headers).values()]
        assert len(notes) == 2
        for letters_in, notes_in in ((0, 2), (2, 0), (1, 1)):
            bus.delete(topic.name)
            bus.create(topic.name, 3)
            for records, number in ((found, letters_in), (found, 2 - letters_in), (notes, notes_in)):
                bus.publish([Output(topic.name, number, one.key, one.value, one.headers, one.timestamp) for one in records])
            said = spoilt.says("dead-letters", "replay", "--all", "--yes")
            assert said.count("stays: it has been written back already") == 2
            assert "nothing to write" in said
            assert len(listed(spoilt)) == 4


def test_a_note_of_a_topic_that_was_made_again_is_not_of_this_one(spoilt: User) -> None:
    """The same place of another topic, by its id: a letter there can still go back."""
    with closing(open_bus(load())) as bus:
        letter = next(one for one in letters(bus, load()) if one.place == "fraud.scored[0]@10")
        again = letter.facts.model_copy(update={"topic_id": "another", "value": b"{}"})
        bus.publish([addressed(load(), "fraud-watch.dead-letter", again, None)])
    assert "1 records written back" in spoilt.says("dead-letters", "replay", letter.place, "--yes")
    with closing(open_bus(load())) as bus:
        found = {one.facts.topic_id: one.replayed for one in letters(bus, load()) if one.place == letter.place}
    assert found == {letter.facts.topic_id: True, "another": False}


@pytest.mark.parametrize("partition", [2, 99, -1])
def test_a_letter_of_a_partition_that_its_topic_has_not_stays(spoilt: User, partition: int) -> None:
    with closing(open_bus(load())) as bus:
        one = next(one for one in letters(bus, load()) if one.place == "fraud.scored[0]@10")
        bus.publish([addressed(load(), "fraud-watch.dead-letter", one.facts.model_copy(update={"partition": partition}), None)])
    said = spoilt.says("dead-letters", "replay", "--all", "--yes")
    assert f"fraud.scored[{partition}]@10 stays: topic fraud.scored has 2 partitions" in said
    assert "2 records written back" in said


def test_letters_of_another_application_are_not_ours(spoilt: User) -> None:
    spoilt.configures("application: fraud-watch", "application: other")
    assert "no dead letter" in spoilt.says("dead-letters", "list")
