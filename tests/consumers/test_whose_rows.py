"""Whose rows they are: labels, heartbeats, deletions and other kinds of events on the topic of the predictions are no rows."""

import json
from pathlib import Path
from typing import Any

import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Output
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.process.settings import parsed
from driftbus.schemas.configuration import Configuration

from ..streaming import BEGINNING, configuration, everything, prepare, reference, rows, send

#: None of them has features.
NONE: dict[str, bytes | None] = {
    "a label": b'{"model": "m0", "version": "1", "label": true}',
    "a heartbeat": b'{"alive": true}',
    "a tombstone": None,
    "a deletion": b'{"op": "d", "model": "m0", "version": "1", "features": null}',
    "of a model that nobody knows": b'{"model": "other", "label": 3}',
}
#: These are rows: with nothing in them, or with something wrong.
SOME = {
    "an empty object": b'{"model": "m0", "version": "1", "features": {}}',
    "a list": b'{"model": "m0", "version": "1", "features": [1]}',
}


def run(folder: Path, extra: list[bytes | None], **stream: Any) -> tuple[dict[str, int], list[dict[str, Any]]]:
    """The totals of a run whose every second record is one of these, and its events."""
    chosen = configuration(artifacts=str(folder), stream=stream)
    bus = EmbeddedBus(":memory:", "test", "a")
    prepare(bus, chosen, [reference("m0")])
    traffic = rows(300, ("m0",), 4, seed=1)
    send(bus, [one for sent in traffic for one in (sent, *(sent._replace(value=value) for value in extra))])
    pipeline = Pipeline(bus, chosen)
    for _ in pipeline.run_until_end():
        pass
    pipeline.close()
    found = [event.content for events in everything(bus, chosen.topics.drift).values() for event in events]
    return dict(pipeline.totals), found


@pytest.mark.parametrize("name", [name for name in NONE if "nobody" not in name])
def test_a_record_without_features_is_no_row(tmp_path: Path, name: str) -> None:
    totals, events = run(tmp_path, [NONE[name]])
    assert (totals["rows"], totals["skipped"], totals["dead_letters"]) == (1_200, 1_200, 0)
    assert events == []


@pytest.mark.parametrize("name", SOME)
def test_a_record_with_features_is_a_row_whatever_they_are(tmp_path: Path, name: str) -> None:
    totals, events = run(tmp_path, [SOME[name]])
    assert (totals["rows"], totals["skipped"]) == (2_400, 0)
    assert any("status" in event for event in events)


@pytest.mark.parametrize(
    ("where", "kept"),
    [
        ("type == prediction", 1),
        ("type != label and live != false", 1),
        ("meta.stage == live", 1),
        ("meta.shard >= 2 and meta.shard < 4", 1),
        ("key == a", 1),
        ("header:kind == prediction", 1),
        ("header:kind != prediction", 0),
        ("type == nothing", 0),
    ],
)
def test_conditions_say_which_records_are_rows(tmp_path: Path, where: str, kept: int) -> None:
    chosen = configuration(artifacts=str(tmp_path), stream={"where": where})
    bus = EmbeddedBus(":memory:", "test", "a")
    prepare(bus, chosen, [reference("m0")])
    sent = []
    for number, one in enumerate(rows(60, ("m0",), 4, seed=1)):
        message = json.loads(one.value or b"")
        for type_, stage, shard, key in (("prediction", "live", 3, b"a"), ("label", "shadow", 1, b"b")):
            beside = {"type": type_, "live": type_ == "prediction", "meta": {"stage": stage, "shard": shard}}
            value = json.dumps({**message, **beside}).encode()
            sent.append(Output("scored", one.partition, key, value, (("kind", type_.encode()),), BEGINNING + one.time))
        if number == 7:
            sent.append(Output("scored", one.partition, b"a", b"{", (("kind", b"prediction"),), BEGINNING + one.time))
    bus.publish(sent)
    pipeline = Pipeline(bus, chosen)
    for _ in pipeline.run_until_end():
        pass
    pipeline.close()
    expected = 240 if kept or where.startswith("header:kind !=") else 0
    known = where.startswith("header:kind !=")  # of what cannot be read its header says that it is none
    assert (pipeline.totals["rows"], pipeline.totals["skipped"]) == (expected, 480 - expected + known)
    assert pipeline.totals["dead_letters"] == 1 - known


@pytest.mark.parametrize(
    ("where", "reason"),
    [
        ("type", '"type" is not a condition'),
        ("constant:a == b", "constant:a is always the same"),
        ("type < b", "< needs a number"),
        ("a..b == 1", "has an empty step in its path"),
    ],
)
def test_a_condition_that_is_none_is_refused(where: str, reason: str) -> None:
    text = json.dumps({"application": "a", "streams": {"s": {"topics": ["t"], "where": where}}, "models": {"m": {}}})
    with pytest.raises(Exception, match=r"streams\.s\.where") as refused:
        parsed(text)
    assert reason in str(refused.value)


def test_a_condition_is_written_as_it_was(tmp_path: Path) -> None:
    chosen = configuration(artifacts=str(tmp_path), stream={"where": "type == prediction"})
    assert Configuration.model_validate(chosen.model_dump(mode="json")) == chosen
