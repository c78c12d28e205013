"""How large our records become at most: at 5,000 features, and with the longest names and texts."""

import re
from collections.abc import Iterable
from pathlib import Path

import msgspec
import numpy as np
import pytest

from driftbus.consumers.bus import snapshots
from driftbus.consumers.bus.addressing import addressed
from driftbus.consumers.bus.bounded import MOST_LISTED, MOST_WHOLE, bounded
from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Output
from driftbus.consumers.clerk.copying import Copying
from driftbus.consumers.reference.announce import MOST_RETIRED, MOST_RETIRED_BYTES, announce
from driftbus.consumers.reference.artifacts import ArtifactStore
from driftbus.consumers.reference.holding import HeldReferences
from driftbus.consumers.replay.event_line import event_line
from driftbus.consumers.replay.picture import MORE, episodes
from driftbus.schemas.bounds import LONGEST_TOPIC, MOST_TOPICS, RECORDS
from driftbus.schemas.messages.announcement import Announcement
from driftbus.schemas.messages.dead_letter import LARGEST_VALUE, DeadLetter
from driftbus.schemas.messages.drift import Alarm, DriftedSignal, DriftEvent, Effect, Histogram, Statistics, UsedPanes, Word
from driftbus.schemas.messages.model_event import LONGEST_METRIC, MOST_METRICS, ModelEvent
from driftbus.schemas.messages.notice import Notice
from driftbus.schemas.messages.pane import Pane, Unexpected
from driftbus.schemas.messages.progress import InputPartition, InputTopic, Progress
from driftbus.schemas.stored.snapshot import PartitionState
from driftbus.schemas.text import MODEL

from ..streaming import configuration, everything, prepare

FEATURES = 5_000
LONGEST_NAME = MODEL.most
#: What a producer, or whoever names things, may write: four bytes a character, and six in JSON.
LONGEST = ("\U0001f600" * LONGEST_NAME, "\x01" * LONGEST_NAME, "\\" * LONGEST_NAME)
TOPIC = "t" * LONGEST_TOPIC
SETTINGS = configuration()
#: A broker's default, and librdkafka's, with room.
BROKER = 1_000_000


def size(output: Output) -> int:
    headers = sum(len(name.encode()) + len(value) for name, value in output.headers)
    return len(output.key or b"") + len(output.value or b"") + headers


def holds(kind: str, outputs: Iterable[Output]) -> None:
    assert max(map(size, outputs)) <= RECORDS[kind] < 0.9 * BROKER


def drifted(name: str, *, share: float = 0.0, text: str = "", is_open: bool = True) -> DriftedSignal:
    """A signal with all that an event tells of one."""
    labels = tuple(text or f"{place} .. {place + 1}" for place in range(13))
    numbers = Statistics(rows=10_000, nulls=0.123456, mean=1.23456, sd=1.23456, median=1.23456, quantiles=(1.23456,) * 7, distinct=100)
    return DriftedSignal(
        name=name,
        role="feature",
        open=is_open,
        share=share,
        change=f"more {text!r}" if text else "mean up",
        log_evidence=123.456,
        segment=text or None,
        only_in=(text,) * 64 if text else (),
        alarms=(Alarm(detector=text or "esr", rate=1e-6, statistic=1.23456, threshold=1.23456),) * (100 if text else 1),
        effect=Effect(
            ks=0.123456,
            psi=1.23456,
            nulls=(0.1, 0.2),
            words=(Word(word=text, shares=(0.1, 0.2)),) * 10,
            new_categories=(text,) * 5 if text else (),
        ),
        was=numbers,
        now=numbers,
        reference=Histogram(bins=labels, counts=(123_456,) * 13),
        current=Histogram(counts=(123_456,) * 13),
        rows=10_000,
    )


def event(
    signals: Iterable[DriftedSignal], *, model: str = "m0", partitions: int = 4, status: str = "opened", sequence: int = 0
) -> DriftEvent:
    return DriftEvent.model_validate(
        {
            "episode": "e" * 32,
            "sequence": sequence,
            "status": status,
            "model": model,
            "version": model,
            "stream": "predictions",
            "reference": "sha256:" + "0" * 64,
            "kind": "input",
            "bucket": ("2023-11-14T22:13:20.250Z", "2023-11-14T22:13:30.250Z"),
            "onset": "2023-11-14T22:13:20.250Z",
            "signals": tuple(signals),
            "detector": "esr",
            "budget": "1 per 30d",
            "severity": "major",
            "complete": True,
            "clock_decided": False,
            "panes": tuple(UsedPanes(topic=TOPIC, partition=place, offsets=(2**60, 2**61)) for place in range(partitions)),
            "configuration": "sha256:" + "0" * 64,
        }
    )


@pytest.mark.parametrize(
    ("number", "name"),
    [
        *((number, "feature_{:04}") for number in (1, MOST_WHOLE, MOST_WHOLE + 1, FEATURES)),
        *((MOST_WHOLE + 9, one[:-4] + "{:04}") for one in LONGEST),
    ],
    ids=["one", "as many as are whole", "one more", "all", "emoji", "control", "escaped"],
)
def test_an_event_is_bounded_whatever_has_drifted(number: int, name: str) -> None:
    text = "" if name.startswith("f") else name[:LONGEST_NAME]
    model = "m0" if name.startswith("f") else name[:LONGEST_NAME]
    whole = event((drifted(name.format(i), share=i / 1e6, text=text) for i in range(number)), model=model, partitions=10_000)
    holds("drift-event", [addressed(SETTINGS, SETTINGS.topics.drift, whole, 0)])
    told = bounded(whole)
    assert len(told.signals) + len(told.further) + told.more_signals == number
    assert len(told.panes) + told.more_panes == 10_000
    if not text:
        assert len(told.signals) == min(number, MOST_WHOLE)
        assert len(told.further) == min(number - len(told.signals), MOST_LISTED)
        assert told.signals[0].share == (0 if number <= MOST_WHOLE else (number - 1) / 1e6)  # the largest first
        assert told.further_open == number - len(told.signals)


@pytest.mark.parametrize("text", ["x" * 90_000, "\U0001f600" * 20_000, "\x00" * 10_000])
def test_an_event_is_bounded_whatever_its_texts_are(text: str) -> None:
    holds("drift-event", [addressed(SETTINGS, SETTINGS.topics.drift, event([drifted("amount", text=text + str(i)) for i in range(9)]), 0)])
    told = bounded(event([drifted("amount"), drifted("colour", text=text)]))
    assert told.signals[0] == drifted("amount")  # what is small is told as it is
    assert (told.signals[1].reference.bins[0] or "")[:50] == text[:50]


def test_what_is_returned_comes_last_and_watchers_count_what_they_cannot_name() -> None:
    signals = [drifted(f"f{i:04}", share=i / 1e6, is_open=i % 2 == 0) for i in range(1_200)]
    told = bounded(event(signals))
    assert all(signal.open for signal in told.signals)
    assert [signal.share for signal in told.signals] == sorted((one.share for one in told.signals), reverse=True)
    assert "f1198: mean up (KS .12  PSI 1.2  nulls .1 -> .2), f1196: mean up, f1194: mean up, f1192: mean up and 746 more" in event_line(
        told
    )  # 600 are open, 150 of 1,200 are not listed
    last = bounded(event([one.model_copy(update={"open": False}) for one in signals], status="resolved", sequence=1))
    [drawn] = episodes([told, last])
    assert MORE in drawn.spans
    assert all(span.end is not None for span in drawn.spans.values())
    assert "and 1,196 more" in event_line(last)


@pytest.mark.parametrize("name", LONGEST)
def test_notices_and_dead_letters_are_bounded(name: str) -> None:
    notice = Notice(
        about="unexpected",
        model=name,
        version=name,
        stream="predictions",
        text=f"model {name}/{name} gets a field {name!r}" + "x" * 900_000,
        facts={"field": name * 100, "rows": 1} | {f"{name}{i}": i for i in range(1_000)},
        identity=name,
    )
    holds("notice", [addressed(SETTINGS, SETTINGS.topics.drift, notice, 0)])
    place = InputPartition(topic=TOPIC, topic_id="x" * 32, partition=2**31 - 1)
    for value in (b"", b"\xff" * LARGEST_VALUE, b"\xff" * 1_000_000):
        letter = DeadLetter.of("predictions", place, 2**62, 2**62, name * 1_000, f"{name * 1_000} is not a number", value, 10**9)
        holds("dead-letter", [addressed(SETTINGS, SETTINGS.topics.dead_letter, letter, None)])


@pytest.mark.parametrize("name", LONGEST)
def test_announcements_are_bounded(name: str) -> None:
    bus = EmbeddedBus(":memory:", "test", "a")
    prepare(bus, SETTINGS, ())
    announce(bus, SETTINGS, Announcement(model=name, version=name, reference="sha256:" + "0" * 64, since=2**45, rows=2**62))
    assert [
        len(one.key or b"") + len(one.value) + 2_000 < RECORDS["announcement"] for one in everything(bus, SETTINGS.topics.models)[0]
    ] == [True]


def test_progress_is_bounded_by_the_topics_that_a_stream_may_have() -> None:
    topics = tuple(InputTopic(topic=f"{i:04}" + TOPIC[4:], topic_id="x" * 36, partitions=100_000) for i in range(MOST_TOPICS))
    source = InputPartition(topic=TOPIC, topic_id="x" * 36, partition=99_999)
    said = Progress(stream="s" * LONGEST_NAME, source=source, through=2**45, topics=topics, retired={"m" * MOST_RETIRED_BYTES: 2**45})
    holds("progress", [addressed(SETTINGS, SETTINGS.topics.summaries, said, 0)])
    configuration(stream={"topics": [one.topic for one in topics]})
    for refused in ([one.topic for one in topics] + ["one more"], ["t" * (LONGEST_TOPIC + 1)]):
        with pytest.raises(ValueError, match="at most"):
            configuration(stream={"topics": refused})


def a_pane(draw: np.random.Generator, *, counts: int, sums: int, unseen: int = 0, largest: int = 2**15) -> Pane:
    names = {f"{LONGEST[0][:-4]}{i:04}": {f"{place}" + "\U0001f600" * 59: 2**40 for place in range(5)} for i in range(unseen)}
    return Pane(
        stream="predictions",
        topic=TOPIC,
        topic_id="x" * 36,
        partition=1,
        first=2**60,
        last=2**61,
        bucket=2**45,
        start=2**45 - 1,
        about=2**45,
        model=LONGEST[0],
        version=LONGEST[0],
        segment=LONGEST[0],
        reference="sha256:" + "0" * 64,
        since=2**45,
        rows=50_000,
        late=7,
        counts=draw.integers(0, largest, counts),
        sums=draw.integers(-(2**60), 2**60, sums),
        sampled=50,
        unexpected=tuple(Unexpected(f"{i:04}" + "\U0001f600" * 196, "number", 2**40) for i in range(20)),
        unseen=names,
    )


@pytest.mark.parametrize(
    ("counts", "sums", "unseen", "largest", "parts"),
    [
        (0, 0, 0, 2, 1),
        (3_000, 60, 0, 2**15, 1),
        (FEATURES * 102, FEATURES * 2, 0, 2**15, 4),
        (FEATURES * 102, 0, 1_000, 2**7, 8),
        (1, 1, 600, 2, 4),
    ],
    ids=["unmonitored", "ordinary", "5,000 numbers", "and names", "names alone"],
)
def test_a_pane_is_split_into_records_that_add_up_to_it(counts: int, sums: int, unseen: int, largest: int, parts: int) -> None:
    pane = a_pane(np.random.default_rng(counts), counts=counts, sums=sums, unseen=unseen, largest=largest)
    outputs = [addressed(SETTINGS, SETTINGS.topics.summaries, part, 0, value) for part, value in pane.split()]
    holds("pane", outputs)
    assert len(outputs) == parts
    read = [Pane.decoded(output.value or b"") for output in outputs]
    assert len({one.id for one in read}) == parts
    assert read[0].id == pane.id
    total = np.zeros(counts, dtype=np.int64), np.zeros(sums, dtype=np.int64)
    for one in read:
        total[0][one.counts_at : one.counts_at + len(one.counts)] += one.counts
        total[1][one.sums_at : one.sums_at + len(one.sums)] += one.sums
    assert (total[0] == pane.counts).all()
    assert (total[1] == pane.sums).all()
    assert [sum(one.rows for one in read), sum(one.late for one in read), sum(one.sampled for one in read)] == [50_000, 7, 50]
    assert {name: values for one in read for name, values in one.unseen.items()} == pane.unseen
    assert [value for _, value in pane.split()] == [one.value for one in outputs]


@pytest.mark.parametrize("name", [*LONGEST, "n" * LONGEST_NAME, "short"], ids=["wide", "control", "backslash", "plain", "short"])
def test_progress_is_bounded_by_the_names_of_retired_models(name: str) -> None:
    """The newest are said: of the others whoever needs them has heard long ago."""
    bus = EmbeddedBus(":memory:", "test", "a")
    prepare(bus, SETTINGS, ())
    many = MOST_RETIRED + 10
    models = [f"{place:05}{name}"[:LONGEST_NAME] for place in range(many)]
    gone = (
        Announcement(model=model, version="1", reference=None, since=2**40 + place, application="test")
        for place, model in enumerate(models)
    )
    bus.publish([addressed(SETTINGS, SETTINGS.topics.models, one, None) for one in gone])
    retired = HeldReferences(bus, SETTINGS, ArtifactStore(".")).retired("predictions")
    said = Progress(stream="s", source=InputPartition(topic="t", topic_id="x", partition=0), retired=retired)
    assert len(said.encoded()) < MOST_RETIRED_BYTES + 1_000
    assert list(retired) == models[::-1][: len(retired)]
    assert len(retired) == MOST_RETIRED or len(said.encoded()) > MOST_RETIRED_BYTES - 3_000


@pytest.mark.parametrize("name", [LONGEST[0], LONGEST[2]], ids=["wide", "backslash"])
def test_model_events_and_the_evidence_that_they_are_are_bounded_by_their_names(name: str) -> None:
    names = {"model": name, "version": name, "job": name, "parent": name, "application": "a" * 249}
    record = {
        **dict.fromkeys(("data", "reference"), f"sha256:{'0' * 64}"),
        "artifact": {"name": name, "sha256": "0" * 64},
        "metrics": {f"{place:02}{name}"[:LONGEST_METRIC]: -1.2345678901234567e-300 for place in range(MOST_METRICS)},
    }
    event = ModelEvent.of({**names, **record, "by": name, "kind": "rolled_back", "time": 253_402_300_799_999, "more": "x" * 100_000})
    assert event.lies_under(event.key.encode())
    copying = Copying(SETTINGS, "model")
    copying.situated(InputPartition(topic=TOPIC, topic_id="x" * 32, partition=0), append_time=True)
    [one] = copying.feed(2**60, 2**40, event)
    for kind, message in (("model-event", event), ("evidence", one)):
        holds(kind, [addressed(SETTINGS, TOPIC, message, 0)])


def test_a_snapshot_is_bounded_with_a_thousand_states_and_large_ones() -> None:
    keys = [
        msgspec.json.encode(["predictions", f"{i:04}{LONGEST[0][4:]}", LONGEST[0], "sha256:" + "0" * 64]).decode() for i in range(1_000)
    ]
    state = PartitionState(
        form=1, position=2**60, states=tuple(keys), aligners={}, pending=tuple(range(10_000)), fold={"since": dict.fromkeys(keys, 2**60)}
    )
    states = {key: b"x" * (3_000_000 if place == 0 else 10) for place, key in enumerate(keys)}
    holds("snapshot", snapshots.written(SETTINGS, "detector", 0, state, states).records)


def test_the_documentation_states_the_bounds() -> None:
    text = (Path(__file__).parents[2] / "docs" / "schemas.md").read_text()
    rows = dict(re.findall(r"^\| ([a-z-]+) \| ([\d,]+) \|", text.partition("## How large a record may be")[2], flags=re.MULTILINE))
    assert {name: int(number.replace(",", "")) for name, number in rows.items()} == RECORDS
    for number in (MOST_WHOLE, MOST_LISTED, MOST_TOPICS, LONGEST_NAME):
        assert f"{number:,}" in text
