"""Texts, times and vectors: what each comes to, alone and in company, on the fast path and the tolerant one."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftbus.consumers.decode.interface import MARKS, Columns, InvalidField
from driftbus.consumers.decode.json import JSONDecoder
from driftbus.consumers.decode.table import ColumnDecoder, Wanted
from driftbus.consumers.decode.times import aged, ages, seconds_of_number, seconds_of_numbers, seconds_of_text, seconds_of_texts
from driftbus.schemas.configuration.mapping import Mapping
from driftbus.schemas.stored.reference import ProfiledField

from .profiles import THERE, category, number

SIZE = 3
SCHEMA = (
    Wanted(("features", "at"), "timestamp"),
    Wanted(("features", "note"), "text"),
    Wanted(("features", "vector"), "embedding", size=SIZE),
    Wanted(("features", "any"), "embedding"),
    Wanted(("features", "x"), "numeric"),
)
NAMES = {bits: name for name, bits in MARKS._asdict().items()}
INSTANT = 1_772_359_200.25  # 2026-03-01T10:00:00.25Z


def decoded(*values: bytes | None, schema: tuple[Wanted, ...] = SCHEMA) -> Columns:
    return ColumnDecoder(schema).read(values).columns


def message(**features: object) -> bytes:
    return json.dumps({"features": features}).encode()


def written(field: str, value: str) -> bytes:
    return f'{{"features": {{"{field}": {value}}}}}'.encode()


def _read(cell: np.float64) -> object:
    return NAMES[int(cell.view(np.uint64))] if np.isnan(cell) else float(cell)


def cells(columns: Columns, row: int = 0) -> list[object]:
    """A row as Python values, marks by name: numbers, texts, vectors."""
    texts = [NAMES[value] if isinstance(value, int) else value for value in (column[row] for column in columns.categorical)]
    vectors = [_read(of[row][0]) if np.isnan(of[row][0]) else of[row].tolist() for of in columns.vectors]
    return [*map(_read, columns.numeric[row]), *texts, *vectors]


def test_a_message_becomes_a_row() -> None:
    columns = decoded(message(at="2026-03-01T10:00:00.25Z", note="Grüße", vector=[1, 2.5, -3], any=[7, 8], x=1))
    assert cells(columns) == [INSTANT, 1.0, "Grüße", [1.0, 2.5, -3.0], [7.0]]
    assert not columns.invalid


@pytest.mark.parametrize("value", [b"{}", b'{"features": {}}', b'{"features": null}'])
def test_what_is_not_there_is_missing(value: bytes) -> None:
    assert cells(decoded(value)) == ["missing"] * 5


def test_a_null_is_null() -> None:
    assert cells(decoded(message(at=None, note=None, vector=None, any=None, x=None))) == ["null"] * 5


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-01T10:00:00.25Z",
        "2026-03-01 10:00:00.250000000+00:00",
        "2026-03-01T12:00:00.25+02:00",
        "2026-03-01T04:30:00.25-05:30",
        "2026-03-01T10:00:00.2500009",
        "2026-W09-7T10:00:00.25",
        "20260301T100000.25Z",
    ],
)
def test_times_are_written_in_many_ways(text: str) -> None:
    assert cells(decoded(message(at=text)))[0] == INSTANT


@pytest.mark.parametrize("number", [INSTANT, INSTANT * 1e3, INSTANT * 1e6, int(INSTANT * 4) * 250_000_000])
def test_numbers_say_their_unit_by_their_magnitude(number: float) -> None:
    assert cells(decoded(message(at=number)))[0] == pytest.approx(INSTANT, abs=1e-6, rel=0)


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("at", '"yesterday"', '"yesterday" is not an ISO 8601 time or epoch number'),
        ("at", '"2026-02-29T10:00:00Z"', '"2026-02-29T10:00:00Z" is not an ISO 8601 time or epoch number'),
        ("at", "true", "true is not an ISO 8601 time or epoch number"),
        ("at", "[]", "a list is not an ISO 8601 time or epoch number"),
        ("at", "Infinity", "Infinity is not a finite number"),
        ("note", "12", "12 is not a text"),
        ("note", "[]", "a list is not a text"),
        ("note", r'"\ud800"', r'"\ud800" is not Unicode text'),
        ("vector", "[1, 2]", "a list of 2, not of 3 numbers"),
        ("vector", "[]", "a list of 0, not of 3 numbers"),
        ("vector", "[1, null, 3]", "number 2 of 3 is null"),
        ("vector", "[1, 2, NaN]", "number 3 of 3 is NaN"),
        ("vector", "[1, 1e999, 3]", "number 2 of 3 is Infinity"),
        ("vector", '[1, "2", 3]', 'number 2 of 3 is "2"'),
        ("vector", "[true, 2, 3]", "number 1 of 3 is true"),
        ("vector", "[[1], 2, 3]", "number 1 of 3 is a list"),
        ("vector", '"1,2,3"', '"1,2,3" is not a list of numbers'),
        ("any", "[]", "a list of 0, not of any numbers"),
    ],
)
def test_a_wrong_value_costs_its_field(field: str, value: str, reason: str) -> None:
    good = message(at=INSTANT, note="good", vector=[1, 2, 3], any=[4], x=5)
    columns = decoded(good, written(field, value), good)
    assert columns.invalid == [InvalidField(1, f"features.{field}", f"features.{field}: {reason}")]
    order = ("at", "x", "note", "vector", "any")
    assert cells(columns, 1) == ["invalid" if name == field else "missing" for name in order]
    for row in (0, 2):
        assert cells(columns, row) == [INSTANT, 5.0, "good", [1.0, 2.0, 3.0], [4.0]]


# Every time of the usual form, and others: a text of a time means the same whatever stands beside it.
moments = st.datetimes().map(lambda at: at.isoformat())
zones = st.sampled_from(["", "Z", "z", "+00:00", "-11:30", "+24:00", "+0100", "+01", " UTC", "+01:00:30"])
fractions = st.sampled_from(["", ".", ".5", ".123456789", ",25", ".1234567890123", ".12a"])
usual = st.builds(lambda moment, fraction, zone: moment[:19] + fraction + zone, moments, fractions, zones)
spoilt = st.builds(
    lambda text, place, character: text[: place % len(text)] + character + text[place % len(text) + 1 :],
    usual,
    st.integers(0, 40),
    st.sampled_from("0123456789:-T /.Zé９"),
)
times = st.one_of(moments, usual, spoilt, st.text(max_size=30))


@given(st.lists(times, max_size=8))
def test_many_times_are_read_as_each(texts: list[str]) -> None:
    expected = [np.nan if (seconds := seconds_of_text(text)) is None else seconds for text in texts]
    np.testing.assert_array_equal(seconds_of_texts(texts), expected)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**308), 10**308), max_size=8), st.booleans())
def test_many_numbers_are_read_as_each(numbers: list[float], huge: bool) -> None:
    read = seconds_of_numbers([*numbers, 10**400] if huge else numbers)
    assert read[: len(numbers)].tolist() == [seconds_of_number(float(number)) for number in numbers]
    assert np.isnan(read[len(numbers) :]).all()


numbers = st.one_of(st.integers(-3, 3), st.floats(), st.integers(10**300, 10**310)).map(lambda number: json.dumps(number))
oddities = st.sampled_from(["null", "true", '"a"', "[]", "{}", "1e999", r'"\ud800"'])
vectors = st.lists(numbers | oddities, min_size=2, max_size=4).map(lambda written: f"[{','.join(written)}]")
good_vectors = st.lists(st.floats(-9, 9), min_size=SIZE, max_size=SIZE).map(json.dumps)
values = st.one_of(times.map(json.dumps), numbers, oddities, vectors, good_vectors)
fields = st.sampled_from(["at", "note", "vector", "any", "x"])
members = st.dictionaries(fields, values, max_size=5).map(lambda of: ",".join(f'"{name}":{value}' for name, value in of.items()))
payloads = st.one_of(members.map(lambda of: f'{{"features":{{{of}}}}}'.encode()), st.binary(max_size=4), st.none())
#: A leaf twice fits no message type, so every payload goes the tolerant way.
TOLERANT = ColumnDecoder((*SCHEMA, SCHEMA[4]))


@given(st.lists(payloads, max_size=6))
def test_the_fast_and_the_tolerant_way_agree(values: list[bytes | None]) -> None:
    fast, tolerant = decoded(*values), TOLERANT.read(values).columns
    for row in range(len(values)):
        slow = cells(tolerant, row)
        assert cells(fast, row) == [*slow[:2], *slow[3:]]
    assert (fast.rejected, fast.invalid) == (tolerant.rejected, tolerant.invalid)


def test_rows_that_were_read_ahead_keep_their_vectors() -> None:
    profile = ProfiledField(name="vector", type="embedding", values=None, availability=THERE)
    mapping, schemas = Mapping(), {"a": (profile, number("x")), "b": (number("x"),)}
    decoder = JSONDecoder(mapping)
    batch = [json.dumps({"model": "ab"[i % 2], "features": {"vector": [i, 1], "x": i}}).encode() for i in range(6)]
    for _ in range(3):
        values = list(batch)
        identities = decoder.identities(values, None, None)
        rows = np.flatnonzero(identities.model_of == identities.models.index(("a", "-")))
        columns = decoder.columns(schemas["a"], values, rows)
        decoder.columns(schemas["b"], values, np.flatnonzero(identities.model_of == identities.models.index(("b", "-"))))
        assert columns.vectors[0].tolist() == [[0.0], [2.0], [4.0]]
        assert decoder.columns(schemas["a"], values, rows[1:]).vectors[0].tolist() == [[2.0], [4.0]]


@pytest.mark.parametrize("entity", ["id", "customer"])
def test_ids_and_entities_come_with_the_features_also_from_one_place(entity: str) -> None:
    decoder = JSONDecoder(Mapping.model_validate({"entity": entity}))
    values = [json.dumps({"id": name, "customer": name.upper(), "features": {"x": 1}}).encode() for name in "ab"]
    columns = decoder.columns((number("x"), category("y")), values, ids=True, entities=True)
    assert (columns.ids, columns.entities) == (["a", "b"], ["a", "b"] if entity == "id" else ["A", "B"])
    assert len(columns.categorical) == 1


def test_ages_take_the_place_of_times_and_marks_stay() -> None:
    marks = np.array([MARKS.null, MARKS.invalid, MARKS.missing], dtype=np.uint64).view(np.float64)
    at = np.array([1.5, *marks])
    of = ages(at, np.full(4, 4_000))
    assert of[0] == 2.5
    assert of[1:].tobytes() == marks.tobytes()
    time = ProfiledField(name="at", type="timestamp", availability=THERE)
    columns = Columns(np.stack([np.arange(4.0), at], axis=1), [["a"] * 4])
    older = aged(columns, (number("x"), category("c"), time), np.full(4, 4_000))
    assert older.numeric[:, 0].tolist() == [0, 1, 2, 3]
    assert older.numeric[:, 1].tobytes() == of.tobytes()
    assert columns.numeric[0, 1] == 1.5
