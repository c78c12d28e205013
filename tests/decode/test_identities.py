"""Whose rows they are, wherever a mapping keeps it."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftbus.consumers.decode.interface import Decoder, Identities, Rejected
from driftbus.consumers.decode.json import JSONDecoder
from driftbus.schemas.configuration.mapping import Mapping

from .profiles import category, number

NESTED = Mapping.model_validate({"model": "model.name", "version": "model.version"})
FIELDS = (number("amount"), category("country"))


def of_rows(identities: Identities) -> list[tuple[str, str] | None]:
    return [None if code < 0 else identities.models[code] for code in identities.model_of]


def identified(*values: bytes | None, mapping: Mapping = NESTED) -> Identities:
    return JSONDecoder(mapping).identities(values, None, None)


def written(name: str, version: str | None = None) -> bytes:
    return f'{{"model": {{"name": {name}{"" if version is None else f", {chr(34)}version{chr(34)}: {version}"}}}}}'.encode()


def test_the_decoder_is_one() -> None:
    decoder: Decoder = JSONDecoder(Mapping())
    assert not decoder.needs_keys
    assert not decoder.needs_headers


@pytest.mark.parametrize(
    ("value", "pair"),
    [
        (written('"fraud"', '"3.2.1"'), ("fraud", "3.2.1")),
        (written('"fraud"'), ("fraud", "-")),
        (written('"fraud"', "null"), ("fraud", "-")),
        (written('"fraud"', '""'), ("fraud", "-")),
        (written("7", "3"), ("7", "3")),
        (written("7", "3.0"), ("7", "3")),
        (written('"7"', "3.5"), ("7", "3.5")),
        (b'{"x": NaN, "model": {"name": "f"}}', ("f", "-")),
        (b'{"model": {"name": "f"}, "model": {"name": "g"}}', ("g", "-")),
    ],
)
def test_model_and_version_are_texts(value: bytes, pair: tuple[str, str]) -> None:
    assert of_rows(identified(written('"other"'), value, written("7", "1"))) == [("other", "-"), pair, ("7", "1")]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"{}", "model.name: no model's name"),
        (b'{"model": null}', "model.name: no model's name"),
        (written("null"), "model.name: no model's name"),
        (written('""'), "model.name: no model's name"),
        (written("1.5"), "model.name: 1.5 is not a model's name"),
        (written("true"), "model.name: true is not a model's name"),
        (written("[1]"), "model.name: a list is not a model's name"),
        (written(r'"\ud800"'), r'model.name: "\ud800" is not a model' + "'s name"),
        (written('"f"', "false"), "model.version: false is not a version's name"),
        (written('"f"', "NaN"), "model.version: NaN is not a version's name"),
        (written('"f"', "{}"), "model.version: an object is not a version's name"),
        (b'{"model": "fraud"}', 'model: "fraud" is not an object'),
        (b'{"model": ', 'not JSON: Expecting value at character 10: "{\\"model\\": "'),
        (b"\xff", "not UTF-8: byte 0xff at 0"),
        (b"", "empty value"),
        (None, "no value: a tombstone"),
    ],
)
def test_a_record_without_a_model_is_rejected(value: bytes | None, reason: str) -> None:
    identities = identified(written('"f"'), value, written('"f"'))
    assert identities.rejected == [Rejected(1, reason)]
    assert of_rows(identities) == [("f", "-"), None, ("f", "-")]


def test_each_pair_is_listed_once() -> None:
    identities = identified(*[written(name, version) for name in ('"1"', "1") for version in ('"2"', "2", "2.0", "null")] * 100)
    assert identities.models == [("1", "2"), ("1", "-")]
    assert np.bincount(identities.model_of).tolist() == [600, 200]


def test_constants_need_no_payload() -> None:
    mapping = Mapping.model_validate({"model": "constant:fraud", "version": None})
    assert of_rows(identified(b"{", None, mapping=mapping)) == [("fraud", "-")] * 2
    mapping = Mapping.model_validate({"model": "constant:fraud", "version": "v"})
    assert of_rows(identified(b'{"v": 2}', b"{}", mapping=mapping)) == [("fraud", "2"), ("fraud", "-")]


def test_keys_and_headers_name_models() -> None:
    decoder = JSONDecoder(Mapping.model_validate({"model": "header:model", "version": "key"}))
    assert decoder.needs_keys
    assert decoder.needs_headers
    headers = [(("model", b"fraud"), ("trace", b"1")), (("model", b"f"), ("model", b"g")), (), (("model", b"\xff"),), (("model", b"f"),)]
    identities = decoder.identities([b"{}"] * 5, [b"1", None, b"1", b"1", b"\xff"], headers)
    assert of_rows(identities) == [("fraud", "1"), ("g", "-"), None, None, None]
    assert [rejected.reason for rejected in identities.rejected] == [
        "header:model: no model's name",
        "header:model: b'\\xff' is not UTF-8",
        "key: b'\\xff' is not UTF-8",
    ]


def test_no_records_have_no_models() -> None:
    identities = identified()
    assert identities.models == []
    assert len(identities.model_of) == 0


names = st.sampled_from(['"f"', '"g"', "1", "1.0", "true", "null", "[]", '"not JSON"'])
amounts = st.sampled_from(["1", "null", '"x"', "NaN", "[]", "}"])
payloads = st.tuples(names, names, amounts).map(
    lambda t: f'{{"model": {{"name": {t[0]}, "version": {t[1]}}}, "features": {{"amount": {t[2]}}}}}'.encode()
)


@given(st.lists(st.lists(st.one_of(payloads, st.none(), st.just(b'{"model": {"name": "f"}, "x": "\xff"}')), max_size=5), max_size=4))
def test_reading_ahead_changes_nothing(batches: list[list[bytes | None]]) -> None:
    experienced = JSONDecoder(NESTED)
    for values in batches:
        fresh = JSONDecoder(NESTED)
        ahead, alone = experienced.identities(values, None, None), fresh.identities(values, None, None)
        assert of_rows(ahead) == of_rows(alone)
        assert ahead.rejected == alone.rejected
        rows = np.flatnonzero(ahead.model_of >= 0)
        read_ahead, read = experienced.columns(FIELDS, values, rows), fresh.columns(FIELDS, [values[row] for row in rows])
        assert read_ahead.numeric.tobytes() == read.numeric.tobytes()
        assert read_ahead.categorical == read.categorical
        assert read_ahead.invalid == read.invalid
        assert read_ahead.rejected == read.rejected


def test_what_was_read_ahead_serves_its_own_values_only() -> None:
    decoder = JSONDecoder(Mapping())
    first = [json.dumps({"model": "m", "features": {"amount": amount}}).encode() for amount in (1, 2)]
    second = [value.replace(b"}}", b"0}}") for value in first]
    for values in (first, second):
        decoder.identities(values, None, None)
        assert decoder.columns(FIELDS, values).numeric.tolist() == [[json.loads(value)["features"]["amount"]] for value in values]
    assert decoder.columns(FIELDS, first).numeric.tolist() == [[1.0], [2.0]]
    assert decoder.columns((number("other"),), second).numeric.tolist() != [[10.0], [20.0]]
