"""Records that cannot be read: every one is counted, and their share is told, with what they look like, until it has gone."""

import gzip
import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.detector.silence import Completeness
from driftbus.consumers.detector.unreadable import OF_STREAM, Unreadable
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.streams.buckets import Every
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.progress import MOST_READ, Progress, ReadRecords

from ..streaming import configuration, everything, prepare, reference, rows, send

GOOD = b'{"model": "m0", "version": "1", "features": {"amount": 1.5}}'
BROKEN = {
    "gzip": (gzip.compress(GOOD), "gzip"),
    "a schema registry's framing": (b"\0\0\0\0\x07" + GOOD, "the framing of a schema registry (JSON)"),
    "Avro in it": (b"\0\0\0\0\x07\x02m0\x06\xff", "the framing of a schema registry (Avro or Protobuf)"),
    "CSV": (b"m0,1,1.5,0.25", "CSV"),
    "cut off": (GOOD[:30], "JSON that is cut off or broken"),
    "UTF-16": (GOOD.decode().encode("utf-16"), "UTF-16"),
    "twice encoded": (json.dumps(GOOD.decode()).encode(), "JSON inside a JSON text"),
    "XML": (b"<row><model>m0</model></row>", "XML"),
    "MessagePack": (msgspec.msgpack.encode({"model": "m0", "x": 2.5}), "bytes that are no text"),
    "a number": (b"17", "JSON that is no object"),
    "nothing": (b"", "nothing"),
}


def run(folder: Path, value: bytes, share: float, *, until: int = 600, partitions: int = 4) -> tuple[dict[str, int], list[dict[str, Any]]]:
    """The totals and events of 600 seconds, of which from the 200th to ``until`` this share of the records is broken."""
    chosen = configuration(artifacts=str(folder), models={"m0": {"false_alarms": "1 per 30d"}})
    bus = EmbeddedBus(":memory:", "test", "a")
    prepare(bus, chosen, [reference("m0")], partitions)
    draw = np.random.default_rng(1)
    traffic = [one._replace(partition=one.partition % partitions) for one in rows(600, ("m0",), 4, seed=1)]
    broken = [200_000 <= one.time < until * 1000 and draw.random() < share for one in traffic]
    send(bus, [one._replace(value=value) if wrong else one for one, wrong in zip(traffic, broken, strict=True)])
    pipeline = Pipeline(bus, chosen)
    for _ in pipeline.run_until_end():
        pass
    pipeline.close()
    found = [event.content for events in everything(bus, chosen.topics.drift).values() for event in events]
    assert pipeline.totals["dead_letters"] == sum(broken)
    return dict(pipeline.totals), [event for event in found if event.get("kind") == "unreadable"]


@pytest.mark.parametrize("name", BROKEN)
def test_it_is_told_what_they_look_like(tmp_path: Path, name: str) -> None:
    value, looks = BROKEN[name]
    _, (event,) = run(tmp_path, value, 0.8)
    assert event["status"] == "opened"
    assert (event["model"], event["stream"], event["severity"]) == ("-", "predictions", "major")
    assert event["signals"][0]["change"].endswith(f"cannot be read; they look like {looks}")
    assert event["bucket"][1] == "2023-11-14T22:16:50Z"


@pytest.mark.parametrize("partitions", [1, 2, 4])
def test_it_is_over_when_they_can_be_read_again(tmp_path: Path, partitions: int) -> None:
    _, events = run(tmp_path, b"{", 0.3, until=400, partitions=partitions)
    assert [(event["status"], event["reason"]) for event in events] == [("opened", None), ("resolved", "recovered")]
    assert events[0]["episode"] == events[1]["episode"]


@pytest.mark.parametrize("rows_", [30, 300])
def test_it_is_told_in_the_only_bucket_and_without_any_row(tmp_path: Path, rows_: int) -> None:
    """What is read at the end of a replay is told too, where no bucket follows and no model has a row."""
    chosen = configuration(artifacts=str(tmp_path), stream={"pane": "1h"})
    bus = EmbeddedBus(":memory:", "test", "a")
    prepare(bus, chosen, [reference("m0")])
    send(bus, [one._replace(value=b"<x/>") for one in rows(rows_, ("m0",), 4, seed=1)])
    pipeline = Pipeline(bus, chosen)
    for _ in pipeline.run_until_end():
        pass
    pipeline.close()
    found = [event.content for events in everything(bus, chosen.topics.drift).values() for event in events]
    assert [(event["kind"], event["signals"][0]["change"]) for event in found] == [
        ("unreadable", f"{rows_ * 4} of {rows_ * 4} cannot be read; they look like XML".replace("1200", "1,200"))
    ]


@pytest.mark.parametrize("share", [0.0, 0.002, 0.005])
def test_what_is_usual_is_not_told(tmp_path: Path, share: float) -> None:
    _, events = run(tmp_path, b"{", share)
    assert events == []


def test_a_budget_is_kept() -> None:
    """Of shares at the bound, followed for a hundred budgets, no more than the part of it that this may take: one in a hundred of each."""
    chosen = configuration(models={"m0": {"false_alarms": "1 per 100000 rows"}})
    draw, told = np.random.default_rng(0), 0
    for _ in range(20):
        shares = Unreadable(chosen)
        for bucket in range(1, 501):
            shares.take("predictions", bucket * 10_000, ReadRecords(bucket * 10_000, "", int(draw.binomial(1_000, 0.01)), 1_000, ""))
            known = Completeness(bucket * 10_000, complete=True, clock_decided=False)
            told += len(shares.passed("predictions", Every(10_000), known, {}))
    assert told <= 4  # 20 times 5 budgets of 100,000 rows, of which one in a hundred


def test_of_a_model_its_own_share_is_told() -> None:
    shares, events = Unreadable(configuration()), []
    for bucket in range(1, 40):
        if bucket > 20:
            shares.take("predictions", bucket * 10_000, ReadRecords(bucket * 10_000, "m0", 50, 0, "XML"))
        known = Completeness(bucket * 10_000, complete=True, clock_decided=False)
        events += [event for _, event in shares.passed("predictions", Every(10_000), known, {"m0": 100, "m1": 100})]
    assert [(event.status, event.model) for event in events] == [("opened", "m0")]
    assert events[0].signals[0].change.startswith("50 of 150 cannot be read")


def test_what_is_followed_travels_as_plain_data() -> None:
    chosen = configuration()
    shares = Unreadable(chosen)
    for bucket in (10_000, 20_000):
        shares.take("predictions", bucket, ReadRecords(bucket, "", 50, 100, "XML"))
    known = Completeness(10_000, complete=True, clock_decided=False)
    shares.passed("predictions", Every(10_000), known, {})
    plain = msgspec.msgpack.decode(msgspec.msgpack.encode(shares.plain()))
    again = Unreadable.restored(chosen, plain)
    assert (again.followed, again.waiting) == (shares.followed, shares.waiting)
    assert again.open_now() == 1
    assert ("predictions", OF_STREAM) in again.followed


def _opened(chosen: Configuration, model: str) -> Unreadable:
    shares = Unreadable(chosen)
    for bucket, unread in ((10_000, 200), (20_000, 80)):
        shares.take("predictions", bucket, ReadRecords(bucket, model, unread, 100, "XML"))
    known = Completeness(20_000, complete=True, clock_decided=False)
    assert [event.status for _, event in shares.passed("predictions", Every(10_000), known, {})] == ["opened"]
    return shares


@pytest.mark.parametrize("model", [OF_STREAM, "m0", "-"])
@pytest.mark.parametrize("moved", ["nothing", "the stream is gone", "the model is another stream's"])
def test_an_episode_of_what_is_read_no_more_is_ended(model: str, moved: str) -> None:
    """And goes on, whatever else is changed."""
    names = {"the stream is gone": ["other"], "the model is another stream's": ["other", "scored"]}.get(moved, ["scored", "other"])
    chosen = configuration(
        streams={{"scored": "predictions"}.get(name, name): {"topics": [name]} for name in names},
        models={name: {"stream": {"scored": "predictions"}.get(names[0], names[0])} for name in ("m0", "-")},
    )
    again = Unreadable.restored(chosen, _opened(configuration(), model).plain())
    goes_on = moved == "nothing" or (model == OF_STREAM and moved != "the stream is gone")
    assert (again.open_now(), len(again.unfit)) == (1, 0) if goes_on else (0, 1)
    assert [(event.status, event.reason, event.model) for _, event in again.reconfigured()] == (
        [] if goes_on else [("resolved", "reconfigured", model or "-")]
    )
    assert (again.reconfigured(), again.unfit) == ([], {})


def test_the_worst_of_it_stays_its_severity() -> None:
    shares, told = _opened(configuration(), OF_STREAM), []
    for bucket in range(40_000, 400_000, 10_000):
        shares.take("predictions", bucket, ReadRecords(bucket, "", 0, 1_000, ""))
        known = Completeness(bucket, complete=True, clock_decided=False)
        told += [(event.status, event.severity) for _, event in shares.passed("predictions", Every(10_000), known, {})]
    assert told == [("resolved", "major")]


@pytest.mark.parametrize("seconds", [10, 1_000, 100_000])
def test_of_a_sparse_replay_each_record_has_its_bound(tmp_path: Path, seconds: int) -> None:
    """A commit of many buckets says what was read of them in several records, and what is told is the same."""
    chosen = configuration(artifacts=str(tmp_path), topics={"partitions": 1})
    bus = EmbeddedBus(":memory:", "test", "a")
    prepare(bus, chosen, [reference("m0")], 1)
    sent = [one._replace(partition=0, time=one.time * seconds) for one in rows(3_000, ("m0",), 1, seed=1)]
    send(bus, [one._replace(value=b"{") if number % 3 == 0 else one for number, one in enumerate(sent)])
    pipeline = Pipeline(bus, chosen)
    for _ in pipeline.run_until_end():
        pass
    pipeline.close()
    said = [
        Progress.decoded(one.value)
        for one in everything(bus, chosen.topics.summaries)[0]
        if dict(one.headers)["ce_type"] == Progress.TYPE.encode()
    ]
    assert max(len(one.read) for one in said) == MOST_READ
    assert sum(share.unread for one in said for share in one.read) == 1_000
    assert len({one.id for one in said}) == len(said)
    found = [event.content for events in everything(bus, chosen.topics.drift).values() for event in events]
    assert [event["status"] for event in found if event["kind"] == "unreadable"] == ["opened"]


@pytest.mark.parametrize("model", [OF_STREAM, "m0", "m1"])
def test_what_an_earlier_form_followed_goes_on(model: str) -> None:
    """It named the stream as it stands in events, and knew no worst severity."""
    chosen = configuration()
    shares = _opened(chosen, model)
    plain = shares.plain()
    former = [[stream, name or "-", *numbers, opened[:4]] for stream, name, *numbers, opened in plain.pop("shares")]
    again = Unreadable.restored(chosen, {**plain, "followed": former})
    assert again.followed.keys() == shares.followed.keys()
    assert (again.open_now(), again.unfit) == (1, {})
