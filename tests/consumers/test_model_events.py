"""What anybody writes of a model: read as it is meant, or a dead letter that names the field."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftbus.consumers.bus.interface import Output
from driftbus.consumers.bus.own import Foreign, Unreadable
from driftbus.consumers.reference.model_events import read, tell
from driftbus.schemas.cloud_events import headers
from driftbus.schemas.messages.model_event import ModelEvent

from .clerks import MODELS, deployed, evidence, finish, settings, told, world, written


@pytest.mark.parametrize(
    ("fields", "key", "reason"),
    [
        ({"model": "m0", "kind": "deployed", "job": "j"}, None, "version: Field required"),
        ({"model": "m0", "version": "1", "kind": "deployed"}, "model/m0/1/deployed/", "job or time is missing"),
        ({"model": "m0", "version": "1", "kind": "moved", "job": "j"}, None, "kind: Input should be 'registered', 'deployed'"),
        ({"model": "m0", "version": "1", "kind": "deployed", "time": "soon"}, None, "time: Invalid isoformat string: 'soon'"),
        ({"model": "m0", "version": "1", "kind": "deployed", "time": 10**30}, None, "time: "),
        ({"model": "m0", "version": {"a": 1}, "kind": "deployed", "job": True}, None, "version: Input should be a valid string; job: "),
        ({"model": "", "version": "1", "kind": "deployed", "job": "j"}, "model//1/deployed/j", "model: an empty text"),
        ({"model": "m" * 501, "version": "1", "kind": "deployed", "job": "j"}, None, "model: a name of 501 characters"),
        ({"model": "m0", "version": "1", "kind": "deployed", "job": "j"}, "model/m0/2/deployed/j", "write model/m0/1/deployed/j"),
    ],
)
def test_a_bad_one_is_a_dead_letter_and_a_notice_that_name_the_field(
    tmp_path: Path, fields: Mapping[str, Any], key: str | None, reason: str
) -> None:
    chosen = settings(tmp_path)
    bus = world(chosen)
    written(bus, fields, key)
    tell(bus, chosen, deployed("7"))
    assert finish(bus, chosen) == {"facts": 1, "set_aside": 1}
    [letter], [text] = told(bus, chosen)
    assert reason in letter
    assert text.startswith("driftbus.models[0]@0 was set aside: ")
    assert text.endswith("Whoever wrote it is to write it again, as it should be, under the same key")


@pytest.mark.parametrize("value", [b"", b"garbage", b"[]", b"null", b"\xff", b"[" * 100_000, b'{"model": "\\ud800"}', b"\x00" * 900_000])
def test_what_is_no_event_under_the_key_of_one_costs_itself(tmp_path: Path, value: bytes) -> None:
    chosen = settings(tmp_path)
    bus = world(chosen)
    bus.publish([Output(MODELS.topic, 0, key, value) for key in (b"model/", b"model/\xff", b"reference/m0/1/0", b"other", b"\xff")])
    tell(bus, chosen, deployed("7"))
    assert finish(bus, chosen) == {"facts": 1, "set_aside": 2}
    assert len(told(bus, chosen)[0]) == 2


@pytest.mark.parametrize(
    "fields",
    [
        {"version": 7, "job": 12},
        {"version": "7", "time": "2026-03-01T10:00:00Z"},
        {"version": "7", "time": "2026-03-01 11:00:00+01:00", "trained_by": {"anybody": 1}},
        {"version": "v 7", "job": "nightly 3"},
    ],
)
def test_what_a_client_writes_is_read_as_it_is_meant(tmp_path: Path, fields: Mapping[str, Any]) -> None:
    chosen = settings(tmp_path)
    bus = world(chosen)
    written(bus, {"model": "m0", "kind": "promoted", **fields})
    assert finish(bus, chosen) == {"facts": 1, "set_aside": 0}
    [(_, one)] = evidence(bus, chosen)
    assert one.version == str(fields["version"])
    if "time" in fields:
        assert one.about == 1_772_359_200_000


#: Names as people and machines give them, and as nobody should.
names = st.one_of(st.text(max_size=600), st.sampled_from(["", "a/b", "%2F", "7", "\ud800", "\0", "é" * 500, "reference"]), st.integers())
times = st.one_of(st.integers(), st.floats(), st.sampled_from(["2026-03-01", "2026-03-01T10:00:00+14:00", "", "9999-12-31T23:59:59.999Z"]))
fields = st.fixed_dictionaries(
    {"model": names, "version": names, "kind": st.sampled_from(["deployed", "rolled_back", "moved", None])},
    optional={"time": times, "job": names, "parent": st.one_of(names, st.none()), "application": st.sampled_from(["a", "b", "", None])},
)


@given(fields)
def test_whatever_is_written_is_read_or_refused_and_what_is_read_is_read_again(plain: dict[str, Any]) -> None:
    try:
        event = ModelEvent.of(plain)
    except ValueError as error:
        told_of = [part.partition(":")[0] for part in str(error).split("; ")]
        assert set(told_of) & {*ModelEvent.model_fields, "event"}
        return
    assert ModelEvent.decoded(event.encoded()) == event
    assert event.lies_under(event.key.encode())
    assert event.key.startswith("model/")
    assert headers(event, "/driftbus/a")
    assert event.id == event.model_copy(update={"parent": "other", "application": "b"}).id
    try:
        assert read("a", event.key.encode(), event.encoded(), ()) == event
    except Foreign:
        assert event.application == "b"


@given(st.binary(max_size=200), st.binary(max_size=60))
def test_bytes_of_nobody_are_refused(value: bytes, key: bytes) -> None:
    with pytest.raises(Unreadable):
        read("a", b"model/" + key, value, ())


@given(st.recursive(st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=5), st.lists, max_leaves=5))
def test_json_that_is_no_event_is_refused(content: Any) -> None:
    with pytest.raises(Unreadable):
        read("a", b"model/a/1/deployed/j", msgspec.json.encode(content), ())
