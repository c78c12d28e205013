"""Messages as a reference: the stream's mapping, one model version, the order of time."""

import gzip
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import duckdb
import msgspec
import numpy as np
import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Batch, Bus, Output, TopicPartition
from driftbus.consumers.decode.json import JSONDecoder
from driftbus.consumers.reference.building.build import UnusableReference
from driftbus.consumers.reference.building.messages import epoch_ms
from driftbus.consumers.reference.building.source import open_source, reference_of
from driftbus.detectors.counting import Counting
from driftbus.detectors.counting.layout import layout
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.stored.reference import Reference

ROWS = 2_000


@pytest.fixture
def bus() -> Iterator[Bus]:
    bus = EmbeddedBus(":memory:", "test", "one")
    bus.create("scored", 3)
    yield bus
    bus.close()


def configuration(reference: Mapping[str, object] | None, mapping: Mapping[str, object] | None = None) -> Configuration:
    model = {} if reference is None else {"reference": reference}
    streams = {"s": {"topics": ["scored"], "mapping": mapping or {}}}
    return Configuration.model_validate({"application": "a", "streams": streams, "models": {"fraud": model}})


def message(i: int, **features: object) -> dict[str, object]:
    return {"model": "fraud", "version": "1", "time": i * 1000, "features": {"amount": i % 97 + 0.5, **features}, "score": (i % 10) / 10}


def publish(bus: Bus, values: list[bytes]) -> None:
    bus.publish([Output("scored", i % 3, b"k", value, timestamp=i * 1000) for i, value in enumerate(values)])


def names(reference: Reference) -> list[str]:
    return [field.name for field in reference.fields]


def test_a_slice_of_a_topic_is_what_the_live_path_counts(bus: Bus) -> None:
    odd: list[dict[str, object]] = [{"note": "a"}, {"amount": "x"}, {"amount": None}, {"late": 3}]
    values = [msgspec.json.encode(message(i, **(odd[i // 10 % 4] if i % 10 == 0 else {}))) for i in range(ROWS)]
    values[5], values[7] = b"{", b'{"model": "fraud", "version": "1", "features": 3}'
    publish(bus, values)
    reference = reference_of(configuration({"topic": "scored"}), "fraud", "1", bus)
    assert (reference.rows, reference.first, reference.last, reference.longest_gap) == (ROWS - 1, 0, (ROWS - 1) * 1000, 2_000)
    assert sorted(names(reference)) == ["amount", "late", "note", "score"]
    assert any("1 messages left out: not JSON" in warning for warning in reference.warnings)
    decoder = JSONDecoder(configuration(None).streams["s"].mapping)
    decoded = decoder.columns(reference.fields, [value for i, value in enumerate(values) if i != 5])
    counts, _ = Counting(reference).count(decoded.numeric, decoded.categorical)
    for signal in layout(reference).signals:
        assert counts[signal.span].tolist() == signal.reference_counts.tolist(), signal


def test_a_slice_has_a_start_and_an_end(bus: Bus) -> None:
    publish(bus, [msgspec.json.encode(message(i)) for i in range(ROWS)])
    slice_ = {"topic": "scored", "start": "1970-01-01T00:05:00Z", "end": "1970-01-01T00:20:00Z"}
    reference = reference_of(configuration(slice_), "fraud", "1", bus)
    assert (reference.rows, reference.first, reference.last) == (900, 300_000, 1_199_000)


class Noting(EmbeddedBus):
    """A bus that remembers from where it was read."""

    starts: dict[TopicPartition, int]

    def read(self, source: TopicPartition, start: int, end: int) -> Iterator[Batch]:
        self.starts[source] = start
        return super().read(source, start, end)


@pytest.mark.parametrize("back_s", [0, 40, 400], ids=lambda back: f"{back} s out of order")
def test_a_slice_is_read_from_near_its_start(back_s: int) -> None:
    """And has every row between start and end, in whatever order the records lie."""
    bus = Noting(":memory:", "test", "one")
    bus.starts = {}
    bus.create("scored", 3)
    times = [i - back_s * (i % 4 == 1) for i in range(ROWS)]
    bus.publish([Output("scored", i % 3, b"k", msgspec.json.encode(message(i)), timestamp=max(t, 0) * 1000) for i, t in enumerate(times)])
    slice_ = {"topic": "scored", "start": "1970-01-01T00:20:00Z", "end": "1970-01-01T00:30:00Z"}
    reference = reference_of(configuration(slice_), "fraud", "1", bus)
    assert reference.rows == sum(1_200 <= time < 1_800 for time in times)
    assert set(bus.starts.values()) <= {399, 400, 401}
    bus.close()


def test_other_models_and_versions_are_left_out_and_said(bus: Bus) -> None:
    values = [msgspec.json.encode({**message(i), "version": str(i % 3)}) for i in range(ROWS)]
    publish(bus, values)
    reference = reference_of(configuration({"topic": "scored"}), "fraud", "1", bus)
    assert reference.rows == sum(i % 3 == 1 for i in range(ROWS))
    with pytest.raises(
        UnusableReference, match=r"has 0 rows for fraud/7, 500 are needed; give more data; 667 messages left out: of fraud/0"
    ):
        reference_of(configuration({"topic": "scored"}), "fraud", "7", bus)


def test_the_mapping_leads(bus: Bus) -> None:
    values = [msgspec.json.encode({"who": {"name": "fraud"}, "in": {"a": i % 9, "b": {"c": 1}}, "out": i / 7}) for i in range(ROWS)]
    publish(bus, values)
    mapping: dict[str, object] = {"model": "who.name", "version": None, "features": ["in.a", "in.b.c"], "score": "out", "prediction": None}
    reference = reference_of(configuration({"topic": "scored"}, mapping), "fraud", "-", bus)
    assert [(field.name, field.role) for field in reference.fields] == [("in.a", "feature"), ("in.b.c", "feature"), ("score", "score")]


def test_headers_and_keys_may_name_the_model(bus: Bus) -> None:
    headers = ((("v", b"2"),), (("v", b"3"),))
    value = msgspec.json.encode({"features": {"x": 1.0}})
    bus.publish([Output("scored", 0, b"fraud", value, headers[i % 2], timestamp=i) for i in range(ROWS)])
    reference = reference_of(configuration({"topic": "scored"}, {"model": "key", "version": "header:v"}), "fraud", "3", bus)
    assert reference.rows == ROWS // 2


def lines(path: Path, order: list[int]) -> dict[str, object]:
    path.write_bytes(b"\n".join(msgspec.json.encode(message(i)) for i in order) + b"\n\n")
    return {"file": str(path)}


def test_json_lines_go_through_the_mapping_in_the_order_of_time(tmp_path: Path) -> None:
    shuffled = np.random.default_rng(0).permutation(ROWS).tolist()
    sorted_, unsorted = (
        reference_of(configuration(lines(tmp_path / f"{name}.jsonl", order)), "fraud", "1")
        for name, order in (("one", list(range(ROWS))), ("two", shuffled))
    )
    assert names(sorted_) == ["amount", "score"]
    assert sorted_ == unsorted.model_copy(update={"warnings": sorted_.warnings})  # which name the file
    assert sorted_.ordered
    assert sorted_.longest_gap == 1_000


def test_json_lines_of_columns_are_a_table(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"\n".join(msgspec.json.encode({"x": i % 50, "s": "ab"[i % 2]}) for i in range(ROWS)))
    assert names(reference_of(configuration({"file": str(path)}), "fraud", "1")) == ["x", "s"]


def test_json_lines_without_a_model_are_all_of_it(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"\n".join(msgspec.json.encode({"features": {"x": i % 50}}) for i in range(ROWS)))
    reference = reference_of(configuration({"file": str(path)}), "fraud", "1")
    assert (reference.rows, reference.ordered) == (ROWS, False)


def test_a_line_without_its_time_is_named(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"features": {"x": 1}, "time": 5}\n{"features": {"x": 1}, "time": "noon"}\n')
    with pytest.raises(UnusableReference, match=r"rows.jsonl:2: time: .*noon.*; write ISO 8601 or epoch milliseconds"):
        reference_of(configuration({"file": str(path)}), "fraud", "1")


def test_an_output_steps_back_where_a_feature_has_its_name(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"\n".join(msgspec.json.encode({"features": {"score": i % 50}, "score": i / 9}) for i in range(ROWS)))
    reference = reference_of(configuration({"file": str(path)}), "fraud", "1")
    assert [(field.name, field.role) for field in reference.fields] == [("score", "feature"), ("score (output)", "score")]


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        (None, r"models.fraud.reference is not set; write reference: \{file: train.parquet\}"),
        ({"topic": "nowhere"}, "topic nowhere does not exist"),
        ({"topic": "scored", "start": "noon"}, 'reference.start: "noon" is not an ISO 8601 time'),
    ],
)
def test_errors_say_what_to_change(bus: Bus, reference: dict[str, object] | None, reason: str) -> None:
    with pytest.raises(UnusableReference, match=reason), open_source(configuration(reference), "fraud", "1", bus):
        pass


def test_times_without_a_zone_are_utc() -> None:
    assert epoch_ms("2026-03-01T10:00:00") == epoch_ms("2026-03-01T12:00:00+02:00")


@pytest.mark.parametrize("how", ["an array", "packed", "parquet"])
def test_messages_in_another_form_are_refused_by_name(tmp_path: Path, how: str) -> None:
    lines = [json.dumps({"model": "fraud", "version": "1", "features": {"x": i}}) for i in range(600)]
    if how == "an array":
        file = tmp_path / "train.json"
        file.write_text(f"[{','.join(lines)}]")
    elif how == "packed":
        file = tmp_path / "train.jsonl.gz"
        file.write_bytes(gzip.compress("\n".join(lines).encode()))
    else:
        file = tmp_path / "train.parquet"
        (tmp_path / "lines.jsonl").write_text("\n".join(lines))
        duckdb.execute(f"copy (select * from read_json('{tmp_path / 'lines.jsonl'}')) to '{file}'")
    chosen = configuration({"file": str(file)})
    with pytest.raises(UnusableReference, match="holds messages: its column features holds objects"):
        reference_of(chosen, "fraud", "1")


@pytest.mark.parametrize("more", [{"time": "time"}, {"model": "model", "version": "version"}, {}])
def test_a_file_of_messages_may_be_named_with_the_mappings_own_places(tmp_path: Path, more: dict[str, str]) -> None:
    file = tmp_path / "train.jsonl"
    file.write_text(
        "\n".join(json.dumps({"model": "fraud", "version": "1", "time": i * 1000, "features": {"x": i % 7}}) for i in range(600))
    )
    chosen = configuration({"file": str(file), **more})
    assert [field.name for field in reference_of(chosen, "fraud", "1").fields] == ["x"]


@pytest.mark.parametrize("more", [{"time": "at"}, {"prediction": "x"}, {"ignore": ["x"]}])
def test_a_file_of_messages_is_read_by_the_mapping_alone(tmp_path: Path, more: dict[str, object]) -> None:
    file = tmp_path / "train.jsonl"
    file.write_text("\n".join(json.dumps({"model": "fraud", "features": {"x": i}}) for i in range(600)))
    chosen = configuration({"file": str(file), **more})
    with pytest.raises(UnusableReference, match=f"read with the mapping of streams.s: leave out {next(iter(more))}"):
        reference_of(chosen, "fraud", "1")
