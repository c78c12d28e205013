"""Asks by the V2 inference protocol: KServe, MLServer, Triton, Seldon."""

from collections.abc import Mapping, Sequence
from urllib.parse import quote

import msgspec

from ...schemas.configuration.golden import KServe
from ...schemas.stored.golden import GoldenRow
from ..calls.connection import Connection
from ..decode.marked import HEADER
from .asking import Batch, Invalid, Replies, decoded


class KServeCaller:
    """A batch of rows in a request."""

    def __init__(self, settings: KServe) -> None:
        self._settings = settings
        self._connection = Connection(settings.url, settings.headers)

    def ask(self, batch: Batch, deadline: float) -> Replies:
        """The first output, or the one named."""
        name, version = self._settings.model or batch.asked.model, batch.asked.version
        place = f"/v2/models/{quote(name, safe='')}"
        if self._settings.versioned and version != "-":
            place += f"/versions/{quote(version, safe='')}"
        body = msgspec.json.encode({"id": batch.id, "inputs": inputs(batch.rows, self._settings.tensor)})
        return read(decoded(self._connection.post(f"{place}/infer", body, deadline, {HEADER: batch.id})), batch, self._settings.output)

    def cut(self) -> None:
        """Give up what is under way."""
        self._connection.cut()

    def close(self) -> None:
        """It asks no more."""
        self._connection.close()


def inputs(rows: Sequence[GoldenRow], tensor: str | None) -> list[dict[str, object]]:
    """The features, column by column; or as one tensor of numbers, features in the order of their names.

    >>> inputs([GoldenRow(id="a", features={"amount": 1.5, "new": True}, label=0)], None)[1]
    {'name': 'new', 'shape': [1], 'datatype': 'BOOL', 'data': [True]}
    """
    names = sorted({name for row in rows for name in row.features})
    if tensor is not None:
        data = [row.features.get(name) for row in rows for name in names]
        return [{"name": tensor, "shape": [len(rows), len(names)], "datatype": "FP64", "data": data}]
    return [_column(name, [row.features.get(name) for row in rows]) for name in names]


def _column(name: str, values: list[object]) -> dict[str, object]:
    kinds = {type(value) for value in values if value is not None}
    shape = [len(values)]
    if kinds == {bool}:
        datatype = "BOOL"
    elif kinds == {int}:
        datatype = "INT64"
    elif kinds <= {int, float, bool}:
        datatype = "FP64"
    elif kinds == {list} and len(lengths := {len(value) for value in values if isinstance(value, list)}) == 1 and None not in values:
        datatype, shape = "FP64", [len(values), lengths.pop()]
        values = [number for value in values if isinstance(value, list) for number in value]
    else:
        datatype = "BYTES"
        values = [value if value is None or isinstance(value, str) else msgspec.json.encode(value).decode() for value in values]
    return {"name": name, "shape": shape, "datatype": datatype, "data": values}


def read(answer: object, batch: Batch, output: str | None) -> Replies:
    """By row, a value or a list of them. Raises `Invalid`."""
    outputs = answer.get("outputs") if isinstance(answer, Mapping) else None
    if not isinstance(answer, Mapping) or not isinstance(outputs, list):
        msg = "the answer has no outputs"
        raise Invalid(msg)
    if answer.get("id", batch.id) not in (batch.id, None, ""):
        msg = "the answer is one to another request"
        raise Invalid(msg)
    named = [one for one in outputs if isinstance(one, Mapping) and output in (None, one.get("name"))]
    data = _flat(named[0].get("data")) if named else None
    if data is None:
        msg = "the answer has no output of that name with data"
        raise Invalid(msg)
    rows = len(batch.rows)
    if not data or len(data) % rows:
        msg = f"{len(data)} numbers are no answer for {rows} rows"
        raise Invalid(msg)
    width = len(data) // rows
    values = data if width == 1 else [data[start : start + width] for start in range(0, len(data), width)]
    version = answer.get("model_version")
    return Replies(values, [version if isinstance(version, str) and version else None] * rows)


def _flat(data: object) -> list[object] | None:
    """Tensors may be written flat, or a list for each row."""
    if not isinstance(data, list):
        return None
    return [value for one in data for value in one] if data and all(isinstance(one, list) for one in data) else data
