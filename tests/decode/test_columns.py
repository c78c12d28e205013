"""What each field of a message comes to: alone, and in whatever company."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftbus.consumers.decode.interface import MARKS, Columns, InvalidField, Rejected
from driftbus.consumers.decode.json import JSONDecoder
from driftbus.consumers.decode.table import ColumnDecoder, Wanted
from driftbus.schemas.configuration.mapping import Mapping

from .profiles import boolean, category, number

NESTED = Mapping.model_validate({"features": "payload.features", "prediction": "result.label", "score": "result.probability"})
FIELDS = (number("amount"), category("country"), number("isig", parse=True), boolean("new"), number("score", role="score"))


def message(features: object, **others: object) -> bytes:
    return json.dumps({"model": "m", "payload": {"features": features}, **others}).encode()


def decoded(*values: bytes | None, fields: Any = FIELDS, mapping: Mapping = NESTED) -> Columns:
    return JSONDecoder(mapping).columns(fields, values)


def cells(columns: Columns, row: int = 0) -> list[object]:
    """A row as Python values, marks by name."""
    names = {bits: name for name, bits in MARKS._asdict().items()}
    numbers = [names[int(number.view(np.uint64))] if np.isnan(number) else float(number) for number in columns.numeric[row]]
    return [*numbers, *(names[column[row]] if isinstance(column[row], int) else column[row] for column in columns.categorical)]


def test_a_message_becomes_a_row() -> None:
    value = message({"amount": 12, "country": "DE", "isig": "3.5", "new": True, "unknown": [{}]}, result={"probability": 0.25})
    columns = decoded(value)
    assert cells(columns) == [12.0, 3.5, 0.25, "DE", "true"]
    assert not columns.invalid
    assert not columns.rejected


@pytest.mark.parametrize("value", [b'{"payload": {"features": {}}}', b'{"payload": {}}', b"{}", b'{"payload": null}', message(None)])
def test_where_there_is_no_path_all_is_missing(value: bytes) -> None:
    columns = decoded(value)
    assert cells(columns) == ["missing"] * 5
    assert not columns.invalid


def test_a_null_is_null_in_every_type() -> None:
    assert cells(decoded(message(dict.fromkeys(("amount", "country", "isig", "new"))))) == ["null", "null", "missing", "null", "null"]


@pytest.mark.parametrize(
    ("field", "written", "reason"),
    [
        ("amount", '"12,50"', '"12,50" is not a number'),
        ("amount", '"12.50"', '"12.50" is not a number'),
        ("amount", "true", "true is not a number"),
        ("amount", "[1]", "a list is not a number"),
        ("amount", '{"a": 1}', "an object is not a number"),
        ("amount", "Infinity", "Infinity is not a finite number"),
        ("amount", "-Infinity", "-Infinity is not a finite number"),
        ("amount", "1e999", "Infinity is not a finite number"),
        ("amount", "1" + "0" * 400, f"1{'0' * 59}... is not a finite number"),
        ("amount", "1" + "0" * 5000, "Infinity is not a finite number"),
        ("isig", '"12,50"', '"12,50" is not a number'),
        ("isig", '"1_000"', '"1_000" is not a number'),
        ("isig", '""', '"" is not a number'),
        ("isig", '"inf"', '"inf" is not a number'),
        ("isig", "false", "false is not a number"),
        ("country", "[]", "a list is not a text, number or boolean"),
        ("country", "Infinity", "Infinity is not a text, number or boolean"),
        ("country", r'"\ud800"', r'"\ud800" is not Unicode text'),
        ("new", "1", "1 is not true or false"),
        ("new", "1.0", "1.0 is not true or false"),
        ("new", '"true"', '"true" is not true or false'),
    ],
)
def test_a_wrong_value_costs_its_field(field: str, written: str, reason: str) -> None:
    others = {"amount": "1", "country": '"DE"', "isig": "2", "new": "false"}
    value = f'{{"payload": {{"features": {{{", ".join(f"{json.dumps(k)}: {v}" for k, v in (others | {field: written}).items())}}}}}}}'
    columns = decoded(message({"amount": 7}), value.encode(), message({"amount": 8}))
    where = f"payload.features.{field}"
    assert columns.invalid == [InvalidField(1, where, f"{where}: {reason}")]
    good = {"amount": 1.0, "isig": 2.0, "score": "missing", "country": "DE", "new": "false"}
    assert cells(columns, 1) == list((good | {field: "invalid"}).values())
    assert columns.numeric[[0, 2], 0].tolist() == [7.0, 8.0]
    assert not columns.rejected


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "no value: a tombstone"),
        (b"", "empty value"),
        (b"\xff\xfe{}", "not UTF-8: byte 0xff at 0"),
        (b'{"note": "caf\xe9"}', "not UTF-8: byte 0xe9 at 13"),
        (b'{"payload": ', 'not JSON: Expecting value at character 12: "{\\"payload\\": "'),
        (b'{"payload": {}} x', 'not JSON: Extra data at character 16: "{\\"payload\\": {}} x"'),
        (b"\xef\xbb\xbf{}", 'not JSON: Unexpected UTF-8 BOM (decode using utf-8-sig) at character 0: "\ufeff{}"'),
        (b"[1]", "a list is not a JSON object"),
        (b"12", "12 is not a JSON object"),
        (b"NaN", "NaN is not a JSON object"),
        (b"null", "null is not a JSON object"),
        (b'{"payload": ' + b"[" * 100_000, "not readable JSON: nested too deeply"),
    ],
)
def test_an_undecodable_record_costs_itself(value: bytes | None, reason: str) -> None:
    good = message({"amount": 1, "country": "DE", "isig": 1, "new": True}, result={"probability": 1})
    columns = decoded(good, value, good)
    assert columns.rejected == [Rejected(1, reason)]
    assert not columns.invalid
    assert [cells(columns, row) for row in range(3)] == [[1, 1, 1, "DE", "true"], ["missing"] * 5, [1, 1, 1, "DE", "true"]]


def test_bad_records_are_named_by_their_rows_across_chunks() -> None:
    bad = {0, 1, 255, 256, 700, 999}
    values = [b"{" if row in bad else message({"amount": row}) for row in range(1000)]
    columns = decoded(*values)
    assert [rejected.row for rejected in columns.rejected] == sorted(bad)
    good = [row for row in range(1000) if row not in bad]
    assert columns.numeric[good, 0].tolist() == good


def test_an_object_that_is_none_is_said_once() -> None:
    columns = decoded(message([1, 2]))
    assert cells(columns) == ["invalid", "invalid", "missing", "invalid", "invalid"]
    assert columns.invalid == [InvalidField(0, "payload.features", "payload.features: a list is not an object")]


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("1", "1"),
        ("1.0", "1"),
        ("true", "true"),
        ('"1"', "1"),
        ("-0.0", "0"),
        ("2.50", "2.5"),
        ("1e3", "1000"),
        ("NaN", "null"),
        ('""', ""),
    ],
)
@pytest.mark.parametrize("before", ["1", "1.0", "true", '"x"', "null"])
def test_categories_are_told_apart_by_type_not_by_hash(written: str, text: str, before: str) -> None:
    values = [f'{{"payload": {{"features": {{"country": {each}}}}}}}'.encode() for each in (before, written)]
    assert cells(decoded(*values), 1)[3] == text


def test_invalid_fields_are_told_in_the_order_of_rows() -> None:
    columns = decoded(message({"amount": "x"}), message({"isig": "y"}), message({"isig": "z", "amount": "z"}))
    assert [(each.row, each.field.rpartition(".")[2]) for each in columns.invalid] == [
        (0, "amount"),
        (1, "isig"),
        (2, "amount"),
        (2, "isig"),
    ]


def test_the_last_of_duplicate_members_holds() -> None:
    doubles = [b'{"payload": {"features": {"amount": "x", "amount": 2}}}', b'{"payload": 1, "payload": {"features": {"amount": 2}}}']
    assert [cells(decoded(value))[0] for value in doubles] == [2.0, 2.0]
    assert cells(decoded(b'{"payload": {"features": {"amount": 2}, "features": {}}}'))[0] == "missing"


def test_features_may_be_a_list_of_paths() -> None:
    mapping = Mapping.model_validate({"features": ["order.amount", "customer.country", "age"]})
    fields = (number("age"), category("customer.country"), number("order.amount"))
    columns = decoded(b'{"age": 3, "order": {"amount": 5}, "customer": {"country": "JP"}}', fields=fields, mapping=mapping)
    assert cells(columns) == [3.0, 5.0, "JP"]


@pytest.mark.parametrize("name", ["a.b", "", "a b", "Größe", "日本", "class", 'say "x"', "back\\slash", "line\nbreak", "__init__"])
def test_members_of_an_object_may_have_any_name(name: str) -> None:
    columns = decoded(json.dumps({"payload": {"features": {name: 5}}}).encode(), fields=(number(name),))
    assert cells(columns) == [5.0]


def test_a_path_that_is_a_value_and_an_object_goes_the_tolerant_way() -> None:
    mapping = Mapping.model_validate({"features": ["result", "result.label"]})
    columns = decoded(b'{"result": 3}', b'{"result": {"label": 4}}', fields=(number("result"), number("result.label")), mapping=mapping)
    assert [cells(columns, row) for row in (0, 1)] == [[3.0, "invalid"], ["invalid", 4.0]]


def test_many_nulls_and_few_give_the_same_bits() -> None:
    values = [message({"amount": None if row % 2 else row}) for row in range(2000)]
    fields = (number("amount"), number("other"))
    columns = decoded(*values, fields=fields)
    bits = columns.numeric.view(np.uint64)
    assert (bits[1::2, 0] == MARKS.null).all()
    assert (bits[:, 1] == MARKS.missing).all()
    assert columns.numeric[::2, 0].tolist() == list(range(0, 2000, 2))


def test_no_rows_make_empty_columns() -> None:
    columns = decoded()
    assert columns.numeric.shape == (0, 3)
    assert columns.categorical == [[], []]


# What JSON may write for a value, valid or not: the two ways through must agree on every one of them.
texts = st.text(st.characters(exclude_categories=()), max_size=4).map(json.dumps)
numbers = st.one_of(st.integers().map(str), st.floats().map(json.dumps), st.integers(min_value=2**60, max_value=10**320).map(str))
oddities = st.sampled_from(
    ["null", "true", "false", "1", "1.0", "-0", "-0.0", "1E5", "5e-324", "1e999", "[]", '{"a": 1}', '"1.5"', '"nan"', '" 7 "', "NaN", "tru"]
)
written_values = st.one_of(numbers, texts, oddities)
names = st.sampled_from(['"amount"', '"country"', '"isig"', '"new"', r'"am\u006funt"', '"other"'])
members = st.lists(st.tuples(names, written_values).map(": ".join), max_size=6)
payloads = st.one_of(
    members.map(lambda written: f'{{"payload": {{"features": {{{", ".join(written)}}}}}}}'.encode()),
    written_values.map(lambda written: f'{{"payload": {written}}}'.encode()),
    st.binary(max_size=8),
    st.none(),
)

SCHEMA = (
    Wanted(("payload", "features", "amount"), "numeric"),
    Wanted(("payload", "features", "country"), "categorical"),
    Wanted(("payload", "features", "isig"), "numeric", parse=True),
    Wanted(("payload", "features", "new"), "boolean"),
)
#: A leaf twice fits no message type, so every payload goes the tolerant way.
TOLERANT = ColumnDecoder((*SCHEMA, SCHEMA[0]))


@given(st.lists(payloads, max_size=5))
def test_the_fast_and_the_tolerant_way_agree(values: list[bytes | None]) -> None:
    fast, tolerant = ColumnDecoder(SCHEMA).read(values).columns, TOLERANT.read(values).columns
    assert [cells(fast, row) for row in range(len(values))] == [
        [*row[:2], *row[3:]] for row in (cells(tolerant, row) for row in range(len(values)))
    ]
    assert fast.rejected == tolerant.rejected
    assert fast.invalid == tolerant.invalid


@given(st.lists(payloads, max_size=6), st.data())
def test_company_does_not_matter(values: list[bytes | None], data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(values))))
    together = decoded(*(values[row] for row in order))
    for place, row in enumerate(order):
        alone = decoded(values[row])
        assert cells(together, place) == cells(alone)
        assert [each.reason for each in together.invalid if each.row == place] == [each.reason for each in alone.invalid]
        assert [each.reason for each in together.rejected if each.row == place] == [each.reason for each in alone.rejected]
