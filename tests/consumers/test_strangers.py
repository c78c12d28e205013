"""Records on driftbus's own topics that are a stranger's, or of another release: set aside and told, and nothing else changes."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from driftbus.consumers.bus.addressing import addressed
from driftbus.consumers.bus.interface import Output
from driftbus.consumers.reference.announce import announce
from driftbus.schemas.messages.announcement import FROM_START, Announcement
from driftbus.schemas.messages.pane import Pane
from driftbus.schemas.messages.progress import InputPartition, InputTopic, Progress

from ..streaming import BEGINNING, Event, everything, rows, send
from .strange_world import SPLIT, TRAFFIC, events, letters, play, run, settings, undisturbed, world


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> list[Event]:
    return undisturbed(tmp_path_factory.mktemp("calm"))


SOURCE = InputPartition(topic="scored", topic_id="x", partition=0)
GOOD = Pane(
    stream="predictions",
    **SOURCE.model_dump(),
    first=0,
    last=9,
    bucket=BEGINNING + 10_000,
    about=BEGINNING,
    model="m0",
    version="1",
    rows=4,
)
SAID = Progress(stream="predictions", source=SOURCE, through=BEGINNING, topics=(InputTopic(topic="scored", topic_id="x", partitions=2),))


def heads(kind: str = "pane", source: bytes = b"/driftbus/test") -> tuple[tuple[str, bytes], ...]:
    return (("ce_source", source), ("ce_type", b"io.driftbus." + kind.encode()))


def pane(**changes: object) -> bytes:
    return msgspec.msgpack.encode(GOOD.model_dump() | changes)


def progress(**changes: object) -> bytes:
    return msgspec.msgpack.encode(SAID.model_dump() | changes)


#: Values and headers, each unreadable by itself.
UNREADABLE: dict[str, tuple[bytes | None, tuple[tuple[str, bytes], ...]]] = {
    "nothing at all": (None, ()),
    "empty": (b"", ()),
    "a megabyte": (b"\x00" * 1_000_000, ()),
    "JSON of somebody": (b'{"hello": "world"}', (("trace", b"1"),)),
    "headers not UTF-8": (b"x", (("ce_source", b"\xff\xfe"), ("ce_type", b"\xff"))),
    "a type of nobody": (b"x", (("ce_source", b"/driftbus/test"), ("ce_type", b"com.example.order"))),
    "a good pane of no source": (pane(), (("ce_type", b"io.driftbus.pane"),)),
    "a pane without a value": (None, heads()),
    "an empty pane": (b"", heads()),
    "a pane of garbage": (b"\xc1\xff\x00garbage", heads()),
    "a pane that is a list": (b"\x91\x01", heads()),
    "a pane without fields": (b"\x80", heads()),
    "a megabyte of pane": (b"\x91" * 1_000_000, heads()),
    "a pane of JSON": (b'{"stream": "predictions"}', heads()),
    "words for numbers": (pane(first="first", rows="many"), heads()),
    "numbers beyond 64 bits": (pane(last=2**64 - 1), heads()),
    "rows below none": (pane(rows=-5), heads()),
    "a bucket in no year": (pane(bucket=2**62), heads()),
    "counts that are no vector": (pane(counts=[1, 2, 3]), heads()),
    "counts of too few bytes": (pane(counts=[3, "i8", b"\x00"]), heads()),
    "counts of a length without end": (pane(counts=[2**40, "i1", b"", "i1", b""]), heads()),
    "counts at places outside": (pane(counts=[2, "i1", b"\x01", "i1", b"\x63"]), heads()),
    "counts of another type": (pane(counts=[2, "O8", b"\x01" * 16]), heads()),
    "more late rows than rows": (pane(late=9), heads()),
    "counts without a reference": (pane(counts=[2, "i1", b"\x01\x01"]), heads()),
    "a form that is none": (pane(form="new"), heads()),
    "a form of no release": (pane(form=2**40), heads()),
    "progress of garbage": (b"garbage", heads("progress")),
    "progress of a pane": (pane(), heads("progress")),
    "progress in no year": (progress(through=2**62), heads("progress")),
    "progress of a billion partitions": (progress(topics=[{"topic": "scored", "topic_id": "x", "partitions": 10**9}]), heads("progress")),
    "progress of a partition below none": (progress(source={"topic": "scored", "topic_id": "x", "partition": -1}), heads("progress")),
}


def records() -> Iterator[Output]:
    """All of them, some under keys that are no text."""
    for number, (value, headers) in enumerate(UNREADABLE.values()):
        yield Output("driftbus.summaries", number % 2, (None, b"", b"\xff\xfe", b"m0")[number % 4], value, headers)


def test_what_cannot_be_read_is_set_aside_and_nothing_else_changes(tmp_path: Path, calm: list[Event]) -> None:
    """More than three in a row: they are no fault of ours."""
    bus = play(tmp_path, list(records()))
    assert events(bus) == calm
    found = letters(bus)
    assert len(found) == len(UNREADABLE)
    assert {letter["driftbus-topic"] for letter in found} == {"driftbus.summaries"}
    assert all(letter["driftbus-reason"] and letter["driftbus-scope"] == "record" for letter in found)
    assert len(events(bus, b"io.driftbus.notice.unreadable")) == 2  # one a partition, not one a record
    assert not events(bus, b"io.driftbus.notice.set_aside")


def test_what_is_set_aside_is_a_function_of_the_log(tmp_path: Path, calm: list[Event]) -> None:
    dying, living = (play(tmp_path / str(deaths), list(records()), deaths=deaths) for deaths in (True, False))
    assert events(dying) == calm
    places = [
        [(one["driftbus-partition"], one["driftbus-offset"], one["driftbus-reason"]) for one in letters(bus)] for bus in (dying, living)
    ]
    assert len(places[0]) == len(set(places[0]))
    assert sorted(places[0]) == sorted(places[1])
    assert len(events(dying, b"io.driftbus.notice.")) == 2


CLOSELY: dict[str, object] = {
    "no vectors": "?",
    "halves of two lengths": [["x"], [1, "i1", b"\x02"], [1, "i1", b"\x00"], [2, "i1", b"\x00\x01"], *([[1, "i1", b"\x00"]] * 3)],
    "places that descend": [["x"], [1, "i1", b"\x02"], [1, "i1", b"\x00"], [2, "i1", b"\x00\xff"], *([[2, "i1", b"\x00\x00"]] * 3)],
    "lengths whose sum leaves 64 bits": [["x", "y"], [2, "i8", (2**63 - 1).to_bytes(8, "little") * 2], *([[2, "i1", b"\x00\x00"]] * 5)],
    "a length without end": [["x"], *([[2**40, "i1", b"", "i1", b""]] * 6)],
    "a megabyte": b"\x00" * 1_000_000,
}


@pytest.mark.parametrize("name", ["magnitudes", "repeated"])
def test_what_only_the_diagnoser_reads_of_a_pane_is_its_to_tell_of(tmp_path: Path, name: str) -> None:
    """The detector counts the pane; who looks for causes sets it aside, once, and tells. Nobody is told of what nobody reads."""
    chosen = settings(tmp_path)
    bus = world(chosen)
    values = [pane(**{name: held}) for held in CLOSELY.values()]
    values += pane(of="ood", **{name: "?"}), pane(of="of nobody", **{name: "?"})
    bus.publish([Output("driftbus.summaries", 0, b"m0", value, heads()) for value in values])
    run(bus, chosen, "detector")
    assert not letters(bus)
    for _ in range(2):
        run(bus, chosen, "diagnoser")
    assert [letter["driftbus-offset"] for letter in letters(bus)] == [str(offset) for offset in range(len(values) - 1)]
    assert len(events(bus, b"io.driftbus.notice.unreadable")) == 1


def test_what_the_detector_tells_of_the_diagnoser_tells_nobody(tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    bus = world(chosen)
    bus.publish(list(records()))
    run(bus, chosen, "diagnoser")
    assert not letters(bus)
    run(bus, chosen, "detector")
    assert len(letters(bus)) == len(UNREADABLE)


def test_a_flood_of_garbage_costs_a_bounded_number_of_letters(tmp_path: Path, calm: list[Event]) -> None:
    bus = play(tmp_path, [Output("driftbus.summaries", 0, None, b"garbage", ()) for _ in range(1_000)])
    assert events(bus) == calm
    assert len(letters(bus)) == 100
    assert len(events(bus, b"io.driftbus.notice.unreadable")) == 1


@pytest.mark.parametrize("sizes", [(0, 0), (1, 1), (1_000, 4), (36, 0)])
def test_a_pane_that_does_not_fit_its_reference_is_set_aside(tmp_path: Path, calm: list[Event], sizes: tuple[int, int]) -> None:
    chosen = settings(tmp_path)
    bus = world(chosen)
    send(bus, TRAFFIC[:SPLIT])
    run(bus, chosen, "profiler")
    [real] = [
        Pane.decoded(event.value)
        for events_ in everything(bus, "driftbus.summaries").values() for event in events_
        if dict(event.headers)["ce_type"] == b"io.driftbus.pane" and Pane.decoded(event.value).bucket == BEGINNING + 100_000
    ][:1]  # fmt: skip
    assert (len(real.counts), len(real.sums)) != sizes
    odd = msgspec.msgpack.encode(
        real.model_dump()
        | {"first": real.last, "counts": [sizes[0], "i1", b"\x00" * sizes[0]], "sums": [sizes[1], "i1", b"\x00" * sizes[1]]}
    )
    bus.publish([Output("driftbus.summaries", number, b"m0", odd, heads()) for number in range(2)])
    send(bus, TRAFFIC[SPLIT:])
    run(bus, chosen)
    assert events(bus) == calm
    assert len(letters(bus)) == 2
    assert "where its reference makes" in letters(bus)[0]["driftbus-reason"]


def test_a_type_of_tomorrow_is_passed_over_in_silence(tmp_path: Path, calm: list[Event]) -> None:
    bus = play(tmp_path, [Output("driftbus.summaries", number % 2, b"m0", b"?", heads("forecast")) for number in range(9)])
    assert events(bus) == calm
    assert not letters(bus)
    assert not events(bus, b"io.driftbus.notice.")


@pytest.mark.parametrize("kind", ["outcomes", "ood", "served pairs", ""])
def test_panes_and_progress_of_another_kind_are_never_summed_with_the_predictions(tmp_path: Path, calm: list[Event], kind: str) -> None:
    """Of the same stream, with another layout, from a topic and at times of their own: neither are they waited for."""
    told: list[Output] = []
    chosen, labels = settings(tmp_path), InputTopic(topic="labels", topic_id="l", partitions=3)
    for end in range(10_000, 900_000, 10_000):
        place = InputPartition(topic="labels", topic_id="l", partition=end % 3)
        counts = {"counts": [2, "i1", b"\x09\x01"], "bucket": BEGINNING + end, "of": kind, **place.model_dump()}
        later = SAID.model_copy(update={"source": place, "through": BEGINNING + end // 2, "topics": (labels,), "of": kind})
        messages = Pane.model_validate(GOOD.model_dump() | counts), later
        told += [addressed(chosen, chosen.topics.summaries, message, number) for number in range(2) for message in messages]
    bus = play(tmp_path, told)
    assert events(bus) == calm
    assert not letters(bus)


def test_ids_of_predictions_stay_and_other_kinds_have_their_own() -> None:
    panes = [GOOD.model_copy(update={"of": kind}) for kind in ("predictions", "outcomes", "ood")]
    said = [SAID.model_copy(update={"of": kind}) for kind in ("predictions", "outcomes", "ood")]
    assert (panes[0].id, panes[0].encoded()) == (GOOD.id, GOOD.encoded())
    assert b"predictions" not in GOOD.model_copy(update={"stream": "s"}).encoded()
    assert len({one.id for one in panes}) == len({one.id for one in said}) == 3
    assert [Pane.decoded(one.encoded()).of for one in panes] == [Progress.decoded(one.encoded()).of for one in said]


def test_two_applications_that_share_topics_each_publish_as_if_alone(tmp_path: Path, calm: list[Event]) -> None:
    """Of the same stream, model and version, though their data is another's."""
    ours = settings(tmp_path)
    theirs = ours.model_copy(
        update={"application": "churn", "streams": {"predictions": ours.streams["predictions"].model_copy(update={"topics": ("other",)})}}
    )
    bus = world(ours)
    churn = bus.as_instance("one", "churn")
    bus.create("other", 2, settings={"retention.ms": "-1"})
    quiet = [row._replace(partition=row.partition % 2) for row in rows(900, ("m0",), 3, seed=9)]
    [announced] = everything(bus, "driftbus.models")[0]
    announce(churn, theirs, Announcement(model="m0", version="1", reference=announced.content["reference"], since=FROM_START))
    for part in range(2):
        send(bus, TRAFFIC[part * SPLIT :][: SPLIT if part == 0 else None])
        send(bus, quiet[part * 1_350 :][:1_350], "other")
        for chosen, own in ((ours, bus), (theirs, churn)) if part else ((theirs, churn), (ours, bus)):
            run(own, chosen)
    whose = {
        name: [event for event in events(bus) if dict(event.headers)["ce_source"] == b"/driftbus/" + name] for name in (b"test", b"churn")
    }
    assert whose == {b"test": calm, b"churn": []}
    notices = events(bus, b"io.driftbus.notice.foreign")
    assert sorted(event.content["facts"]["application"] for event in notices) == ["churn", "test"]
    assert not letters(bus)


def test_a_second_run_under_another_application_begins_anew(tmp_path: Path, calm: list[Event]) -> None:
    ours = settings(tmp_path)
    bus = world(ours)
    send(bus, TRAFFIC)
    run(bus, ours)
    again = ours.model_copy(update={"application": "test-again"})
    announce(bus.as_instance("one", "test-again"), again, Announcement.model_validate(everything(bus, "driftbus.models")[0][0].content))
    pipeline = run(bus.as_instance("one", "test-again"), again)
    assert pipeline.totals["rows"] == len(TRAFFIC)
    second = [event for event in events(bus) if dict(event.headers)["ce_source"] == b"/driftbus/test-again"]
    assert [event.content["status"] for event in second] == [event.content["status"] for event in calm]
    assert [event.content["bucket"] for event in second] == [event.content["bucket"] for event in calm]
    assert not {event.content["episode"] for event in second} & {event.content["episode"] for event in calm}


def test_a_damaged_announcement_stops_no_profiler(tmp_path: Path, calm: list[Event]) -> None:
    chosen = settings(tmp_path)
    bus = world(chosen)
    damaged = [b"garbage", b"", b"{}", b"[" * 100_000, b'{"model": "m0", "version": "1", "reference": 7, "since": "x"}']
    bus.publish([Output("driftbus.models", 0, f"reference/m0/1/{n}".encode(), value) for n, value in enumerate(damaged)])
    bus.publish([Output("driftbus.models", 0, b"reference/\xff", b"\xff"), Output("driftbus.models", 0, b"\xff", b"?")])
    send(bus, TRAFFIC)
    run(bus, chosen)
    assert [event.content["status"] for event in events(bus)] == [event.content["status"] for event in calm]
    assert {event.value for event in events(bus)} == {event.value for event in calm}
