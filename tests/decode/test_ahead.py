"""What is read ahead, and that it changes nothing."""

import json
from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from driftbus.consumers.decode.ahead import ReadAhead
from driftbus.consumers.decode.identity import RowIdentity
from driftbus.consumers.decode.interface import Columns
from driftbus.consumers.decode.json import JSONDecoder
from driftbus.consumers.decode.table import wanted
from driftbus.schemas.configuration.mapping import Mapping
from driftbus.schemas.stored.reference import ProfiledField

from .profiles import category, number

MAPPING = Mapping()
#: Three models of two schemas; "b" and "bb" begin alike.
SCHEMAS: dict[str, Sequence[ProfiledField]] = {"a": (number("x"),), "b": (number("y"), category("z"))}
SCHEMAS["bb"] = SCHEMAS["a"]

members: st.SearchStrategy[dict[str, object]] = st.dictionaries(st.sampled_from("xyz"), st.sampled_from((1, 2.5, None, "red", [])))
good = st.builds(
    lambda model, features, late: json.dumps(
        {"model": model, "features": features} if not late else {"features": features, "model": model}
    ),
    st.sampled_from(sorted(SCHEMAS)),
    members,
    st.booleans(),
).map(str.encode)
bad = st.sampled_from((None, b"", b"{", b"[]", b'{"model": 1.5}', b'{"model": "a", "model": "b", "features": {"y": 1}}'))
batches = st.lists(st.lists(good | good | good | bad, max_size=12), min_size=2, max_size=6)


def decoded(decoder: JSONDecoder, values: Sequence[bytes | None]) -> dict[str, tuple[list[int], Columns]]:
    """As the tally does it: whose rows they are, then the rows of each schema."""
    identities = decoder.identities(values, None, None)
    found = {}
    for place, (model, _) in enumerate(identities.models):
        rows = np.flatnonzero(identities.model_of == place)
        found[model] = rows.tolist(), decoder.columns(SCHEMAS[model], values, rows)
    return found


@given(batches)
def test_what_was_decoded_before_does_not_matter(batches: list[list[bytes | None]]) -> None:
    experienced = JSONDecoder(MAPPING)
    for values in batches:
        found, fresh = decoded(experienced, values), decoded(JSONDecoder(MAPPING), values)
        assert found.keys() == fresh.keys()
        for model, (rows, columns) in found.items():
            alone = fresh[model][1]
            assert rows == fresh[model][0]
            assert columns.numeric.tobytes() == alone.numeric.tobytes()
            assert [list(column) for column in columns.categorical] == [list(column) for column in alone.categorical]
            assert (columns.invalid, columns.rejected) == (alone.invalid, alone.rejected)


def test_the_schema_is_guessed_from_where_the_model_stands() -> None:
    identity, schemas = RowIdentity(MAPPING), {model: wanted(MAPPING, SCHEMAS[model]) for model in "ab"}
    ahead = ReadAhead(identity)
    values = [b'{"model":"a","features":{"x":1}}', b'{"model":"b","features":{"y":2}}', b'{"model":"a","features":{"x":3}}']
    found: list[Columns | None] = []
    for _ in range(3):
        batch = list(values)
        ahead.measure(identity.read(batch, None, None, ahead.read(batch)))
        found = [ahead.columns(schemas["a"], batch, np.array([0, 2])), ahead.columns(schemas["b"], batch, np.array([1]))]
    assert [read.numeric.tolist() for read in found if read] == [[[1.0], [3.0]], [[2.0]]]


def test_guesses_that_are_wrong_come_to_an_end() -> None:
    identity, schemas = RowIdentity(MAPPING), [wanted(MAPPING, SCHEMAS[model]) for model in "ab"]
    ahead = ReadAhead(identity)
    for turn in range(300):
        batch: list[bytes | None] = [b'{"model":"a","features":{"x":1,"y":2}}'] * 2
        beside = ahead.read(batch)
        ahead.measure(identity.read(batch, None, None, beside))
        for place in (0, 1):  # what begins alike is of another schema each time
            ahead.columns(schemas[(turn + place) % 2], batch, np.array([place]))
    assert beside is None
