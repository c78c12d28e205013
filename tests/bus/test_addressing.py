"""Every message is addressed by one function, from what it knows of itself: the headers that readers have been promised."""

from collections.abc import Callable

import pytest

from driftbus.consumers.bus.addressing import addressed
from driftbus.consumers.detector.placing import placed
from driftbus.schemas.cloud_events import Message
from driftbus.schemas.configuration import PaneLength
from driftbus.schemas.messages.announcement import Announcement
from driftbus.schemas.messages.dead_letter import DeadLetter
from driftbus.schemas.messages.notice import Notice
from driftbus.schemas.messages.pane import Pane, Unexpected
from driftbus.schemas.messages.progress import InputPartition, InputTopic, Progress

from ..streaming import configuration
from ..test_schemas import EVENT

OURS = configuration(application="fraud-watch")
PLACE = InputPartition(topic="t", topic_id="id", partition=1)
TIME = 1_700_000_000_000


def pane() -> Pane:
    return Pane.model_validate(
        {
            "stream": "predictions",
            **PLACE.model_dump(),
            **{"first": 3, "last": 9, "bucket": TIME, "about": TIME, "model": "fraud", "version": "3", "segment": "a"},
            **{"reference": "sha256:ab", "since": 0, "rows": 7, "late": 1, "sampled": 2, "unseen": {"c": {"z": 2}}},
            "counts": [3, "i1", b"\1\0\3"],
            "sums": [0, "i1", b""],
            "unexpected": (Unexpected("x", "text", 1),),
        }
    )


def progress(through: int | None) -> Progress:
    topic = InputTopic(topic="t", topic_id="id", partitions=2)
    return Progress(stream="predictions", source=PLACE, through=through, topics=(topic,))


#: Message, key, type, subject, time, content type, id: as they were before messages addressed themselves.
EXPECTED: dict[str, tuple[Callable[[], Message], str, str, str, str, str, str]] = {
    "pane": (
        pane, "fraud", "pane", "fraud/3", "2023-11-14T22:13:20Z", "application/vnd.msgpack",
        "f8662918078a2d541ac7805b4a8bc7cf",
    ),
    "progress": (
        lambda: progress(TIME), "t/1", "progress", "t/1", "2023-11-14T22:13:20Z", "application/vnd.msgpack",
        "900d9095f76fd7ae7ecd4743cb7b477b",
    ),
    "progress of nothing": (
        lambda: progress(None), "t/1", "progress", "t/1", "1970-01-01T00:00:00Z", "application/vnd.msgpack",
        "7f7b0b5b3c9183041e7149a7972a0c7c",
    ),
    "event": (
        lambda: EVENT, "fraud", "drift.opened", "fraud/3.2.1", "2026-03-01T10:00:10Z", "application/json",
        "3b832e241786675c321d4e6d2e49ab1b",
    ),
    "event in rows": (
        lambda: placed(EVENT.model_copy(update={"stream": "rows"}), PaneLength("rows", 500)), "fraud", "drift.opened", "fraud/3.2.1",
        "2026-03-01T10:00:10Z", "application/json", "3b832e241786675c321d4e6d2e49ab1b",
    ),
    "notice": (
        lambda: Notice.lost("fraud-watch", None, PLACE, 4, 9), "-", "notice.lost", "-/-", "1970-01-01T00:00:00Z", "application/json",
        "1503edc496d0d3c202c747d717aac472",
    ),
    "dead letter": (
        lambda: DeadLetter.of("predictions", PLACE, 4, 99, "amount", "bad", b"x" * 70_000, 2), "t[1]", "dead-letter", "t[1]@4",
        "1970-01-01T00:00:00.099000Z", "application/octet-stream", "061555385ba07ad71132184eca684f32",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", EXPECTED)
def test_headers_and_keys_stay_to_the_byte(name: str) -> None:
    make, key, type_, subject, time, content_type, id_ = EXPECTED[name]
    output = addressed(OURS, "p.somewhere", make(), 1)
    assert (output.topic, output.partition, output.key) == ("p.somewhere", 1, key.encode())
    assert output.value
    assert dict(output.headers[:7]) == {
        "ce_id": id_.encode(),
        "ce_source": b"/driftbus/fraud-watch",
        "ce_specversion": b"1.0",
        "ce_subject": subject.encode(),
        "ce_time": time.encode(),
        "ce_type": b"io.driftbus." + type_.encode(),
        "content-type": content_type.encode(),
    }
    assert bool(output.headers[7:]) == (name == "dead letter")


def test_a_dead_letter_tells_all_it_knows_in_headers() -> None:
    letter = DeadLetter.of("predictions", PLACE, 4, -5, None, "bad", None)
    assert [name for name, _ in addressed(OURS, "p.dead-letter", letter, None).headers[7:]] == [
        f"driftbus-{fact}"
        for fact in ("stream", "topic", "topic-id", "partition", "offset", "timestamp", "scope", "reason", "size", "further")
    ]


def test_an_announcement_is_addressed_by_what_it_is_about() -> None:
    output = addressed(OURS, "p.models", Announcement(model="fraud", version="3/1", reference="sha256:ab", since=5), None)
    heads = dict(output.headers)
    assert output.key == b"reference/fraud/3%2F1/5"
    assert (heads["ce_subject"], heads["ce_source"], heads["ce_type"]) == (b"fraud/3/1", b"/driftbus/fraud-watch", b"io.driftbus.reference")
