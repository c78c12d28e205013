"""Times, texts and vectors in references: how they are recognised, and that they say what the live path counts."""

import json
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pytest

from driftbus.consumers.decode.json import JSONDecoder
from driftbus.consumers.decode.times import aged
from driftbus.consumers.reference.building.build import build_reference
from driftbus.consumers.reference.building.messages import json_lines
from driftbus.consumers.reference.building.tables import TableSource, open_table
from driftbus.consumers.replay.canonical import messages
from driftbus.detectors.counting import Counting
from driftbus.detectors.counting.layout import layout
from driftbus.schemas.configuration import Model, Table
from driftbus.schemas.configuration.mapping import Mapping as Places
from driftbus.schemas.stored.reference import EmbeddingProfile, NumericProfile, ProfiledField, Reference, TextProfile

from .test_build import Lists

DRAW = np.random.default_rng(0)
ROWS = 1_000
TIMES = [1_700_000_000_000 + i * 1_000 for i in range(ROWS)]
VECTORS: list[object] = DRAW.normal(size=(ROWS, 5)).round(3).tolist()


def built(values: list[object], rows: int = 300, **settings: object) -> ProfiledField:
    source = Lists({"x": values}, TIMES, rows=rows)
    (field,) = build_reference(source, "m", "1", Model.model_validate({"features": {"x": settings}})).fields
    return field


@pytest.mark.parametrize(
    ("value", "type_"),
    [
        (lambda i: f"2023-11-{1 + i % 14:02}T10:00:00.{i:03}+01:00", "timestamp"),
        (lambda i: f"2023-{1 + i % 9:02}-{1 + i % 14:02}", "timestamp"),
        (lambda i: f"2023-11-{1 + i // 100:02}", "timestamp"),
        (lambda i: f"2023-11-{1 + i % 14:02}", "categorical"),
        (lambda i: f"customer {i} says this was not what had been ordered", "text"),
        (lambda i: f"これは{i}番目の評価です。とてもよい商品でした。", "text"),
        (lambda i: [i, 0.5, -1], "embedding"),
        (lambda i: [i, 0.5, -1] if i % 200 else [1], "embedding"),
        (lambda i: 1_699_000_000 + i * 7, "numeric"),
    ],
)
def test_types_come_from_the_rows(value: Callable[[int], object], type_: str) -> None:
    assert built([value(i) for i in range(ROWS)]).type == type_


@pytest.mark.parametrize("unit", [1, 1_000, 1_000_000, 1_000_000_000])
def test_of_a_time_its_age_is_profiled(unit: int) -> None:
    old = DRAW.integers(0, 5_000, ROWS)
    numbers: list[object] = [(time // 1_000 - age) * unit for time, age in zip(TIMES, old.tolist(), strict=True)]
    field = built([*numbers[:-3], None, "soon", True], type="timestamp")
    assert field.type == "timestamp"
    assert field.availability.counts == (ROWS - 3, 1, 2, 0)
    assert isinstance(field.values, NumericProfile)
    assert field.values.mean == pytest.approx(old[:-3].mean())
    assert (field.values.minimum, field.values.maximum) == pytest.approx((old[:-3].min(), old[:-3].max()))


def test_a_vector_with_a_fault_is_invalid() -> None:
    faults: list[object] = [[1.0] * 4, [1.0] * 4 + [None], [1.0] * 4 + [float("nan")], [1.0] * 4 + [True], "a", None]
    field = built([*VECTORS[:-6], *faults])
    assert field.availability.counts == (ROWS - 6, 1, 5, 0)
    assert isinstance(field.values, EmbeddingProfile)
    assert field.values.size == 5
    assert sum(field.values.distance.counts) == ROWS - 6
    variances = [component.sd for component in field.values.components]
    assert sorted(variances, reverse=True) == pytest.approx(variances, rel=1e-3)


@pytest.mark.parametrize("type_", ["text", "embedding", "timestamp"])
def test_of_few_values_the_availability_alone_is_watched(type_: str) -> None:
    value: object = {"text": "a text of some words", "embedding": [1.0, 2.0], "timestamp": "2023-11-14"}[type_]
    field = built([value] * 400 + [None] * 600, type=type_)
    assert (field.type, field.values, field.availability.counts) == (type_, None, (400, 600, 0, 0))


def test_settings_that_no_value_suits_leave_the_column_out() -> None:
    model = Model.model_validate({"features": {"x": {"type": "embedding"}}})
    reference = build_reference(Lists({"x": [1.5] * ROWS, "y": list(range(ROWS))}, TIMES), "m", "1", model)
    assert reference.ignored == {"x": "it has no lists of numbers"}


def test_an_age_that_rises_is_no_id() -> None:
    numbers: list[object] = [time // 1_000 - 60 for time in TIMES]
    model = Model.model_validate({"features": {"x": {"type": "timestamp"}}})
    assert not any("rises" in warning for warning in build_reference(Lists({"x": numbers}, TIMES), "m", "1", model).warnings)


@pytest.mark.parametrize("values", [VECTORS, [f"2023-11-{1 + i % 14:02}T10:{i % 60:02}:00" for i in range(ROWS)]])
def test_chunks_change_nothing(values: list[object]) -> None:
    whole, parts = built(values, rows=ROWS), built(values, rows=77)
    assert whole.availability == parts.availability
    for one, other in zip(_profiles(whole), _profiles(parts), strict=True):
        assert one.model_dump(exclude={"mean", "sd", "values"}) == other.model_dump(exclude={"mean", "sd", "values"})


def _profiles(field: ProfiledField) -> tuple[NumericProfile, ...]:
    if isinstance(field.values, EmbeddingProfile):
        return (*field.values.components, field.values.distance)
    assert isinstance(field.values, NumericProfile)
    return (field.values,)


def test_the_axes_of_many_vectors_come_from_a_sample() -> None:
    """More numbers than are kept: the axes are those of all the same, and every vector is counted."""
    size, rows = 2_048, 1_100
    draw = np.random.default_rng(1)
    vectors = draw.normal(size=(rows, size)) * 0.01
    vectors[:, 7] += draw.normal(size=rows)
    reference = build_reference(Lists({"x": vectors.tolist()}, list(range(rows)), rows=500), "m", "1")
    values = reference.fields[0].values
    assert isinstance(values, EmbeddingProfile)
    assert abs(values.axes[0][7]) > 0.999
    assert sum(values.components[0].counts) == rows


def test_the_live_path_counts_what_the_reference_counted(tmp_path: Path) -> None:
    """A table, sent as messages and counted against its own reference, has the reference's counts."""
    file = tmp_path / "rows.parquet"
    duckdb.execute(
        f"""copy (select 1700000000000 + i * 1000 as at, make_timestamp(1699990000000000 + i * 900000) as seen,
        case when i % 11 = 0 then null when i % 300 = 5 then 'soon'
             else strftime(make_timestamp(1699956000000000 + i % 500 * 1000000), '%Y-%m-%dT%H:%M:%SZ') end as written,
        'row ' || i || ' of a text that is long enough' as note,
        case when i % 13 = 0 then null when i % 200 = 7 then [1.0] when i % 200 = 9 then [1, 2, null]
             else [sin(i), cos(i * 1.7), i % 5] end as v,
        [i % 7, i % 3]::float[2] as two, [{{'a': 1}}] as objects from range(3000) r(i)) to '{file}'"""
    )
    with open_table(Table(file=str(file), time="at")) as rows:
        source = TableSource(rows)
        reference = build_reference(source, "m", "1")
        sent = list(messages(rows, "m", "1"))
    assert {field.name: field.type for field in reference.fields} == {
        "seen": "timestamp",
        "written": "timestamp",
        "note": "text",
        "v": "embedding",
        "two": "embedding",
    }
    assert isinstance(reference.fields[2].values, TextProfile)
    assert reference.fields[3].availability.counts[1:] == (231, 28, 0)
    columns = JSONDecoder(Places()).columns(reference.fields, [message.value for message in sent])
    columns = aged(columns, reference.fields, np.array([message.timestamp for message in sent]))
    counts, _ = Counting(reference).count(columns.numeric, columns.categorical, columns.vectors)
    for signal in layout(reference).signals:
        if signal.field is not None and signal.of != "new words":  # what is new is reckoned without the text itself
            assert counts[signal.span].tolist() == signal.reference_counts.tolist(), signal
    assert len(columns.invalid) == reference.fields[1].availability.counts[2] + 28


def test_files_of_messages_hold_all_types(tmp_path: Path) -> None:
    file = tmp_path / "train.jsonl"
    file.write_text(
        "\n".join(
            f'{{"model": "m", "version": "1", "time": {time}, '
            f'"features": {{"at": "2023-11-14T10:{i % 60:02}:{i % 59:02}Z", "v": {vector}, "i": {i}}}}}'
            for i, (time, vector) in enumerate(zip(TIMES, VECTORS, strict=True))
        )
    )
    reference: Reference = build_reference(json_lines(file, Places(), "m", "1"), "m", "1")
    assert {field.name: field.type for field in reference.fields} == {"at": "timestamp", "v": "embedding", "i": "numeric"}


def test_a_text_and_a_vector_may_stand_beside_the_features(tmp_path: Path) -> None:
    file = tmp_path / "train.jsonl"
    lines = [
        json.dumps({"model": "m", "version": "1", "in": {"x": i, "v": vector}, "out": {"note": f"the {i}th of some longer texts"}})
        for i, vector in enumerate(VECTORS)
    ]
    file.write_text("\n".join(lines))
    mapping = Places.model_validate({"features": "in", "text": "out.note", "embedding": "in.v"})
    reference = build_reference(json_lines(file, mapping, "m", "1"), "m", "1")
    assert {field.name: field.type for field in reference.fields} == {"x": "numeric", "out.note": "text", "in.v": "embedding"}
    columns = JSONDecoder(mapping).columns(reference.fields, [line.encode() for line in lines])
    assert not columns.invalid
    assert columns.categorical[0][7] == "the 7th of some longer texts"
    assert columns.vectors[0].tolist() == VECTORS
