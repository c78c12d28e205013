"""Tensors of the V2 inference protocol to rows: one a feature, whose shape, datatype and data say the same.

Shape and datatype may be left out, though the protocol has them: data says as much. Null is no value, of whatever datatype.
"""

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from .answering import LONGEST_ID, Row
from .reading import Refused

#: Rows of a request.
MOST_ROWS = 1_000
#: Characters of a name or a value that are told.
_SHOWN = 60


def _whole(bits: int, *, signed: bool) -> Callable[[object], bool]:
    least, most = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


#: By datatype, whether a value of JSON is one.
_DATATYPES: Mapping[str, Callable[[object], bool]] = {
    "BOOL": lambda value: isinstance(value, bool),
    **{f"UINT{bits}": _whole(bits, signed=False) for bits in (8, 16, 32, 64)},
    **{f"INT{bits}": _whole(bits, signed=True) for bits in (8, 16, 32, 64)},
    **dict.fromkeys(("FP16", "FP32", "FP64"), lambda value: isinstance(value, int | float) and not isinstance(value, bool)),
    "BYTES": lambda value: isinstance(value, str),
}


def rows_of(request: Mapping[str, Any]) -> tuple[str, list[Row]]:  # JSON
    """The request's id, and its rows; ids of these may stand in ``parameters.ids``: by them labels find their predictions."""
    inputs, id_ = request.get("inputs"), request.get("id") or uuid.uuid4().hex
    if not isinstance(inputs, list) or not inputs:
        msg = "inputs: a list of tensors is needed, one for each feature"
        raise Refused(msg)
    columns: dict[str, list[Any]] = {}
    for place, tensor in enumerate(inputs):
        name, data = _column(tensor, place)
        if name in columns:
            first = next(number for number, one in enumerate(inputs) if one["name"] == name)
            msg = f"inputs[{place}].name: {name[:_SHOWN]!r} is the name of inputs[{first}], too; a feature has one tensor"
            raise Refused(msg)
        columns[name] = data
    lengths = {len(data) for data in columns.values()}
    rows = min(lengths)
    if len(lengths) > 1 or not 0 < rows <= MOST_ROWS:
        msg = f"inputs: every tensor has the same number of rows, 1 to {MOST_ROWS:,}, and these have {sorted(lengths)}"
        raise Refused(msg)
    ids = _ids(request.get("parameters"), id_, rows)
    return id_, [Row(ids[row], {name: data[row] for name, data in columns.items()}) for row in range(rows)]


def _ids(parameters: object, id_: object, rows: int) -> list[str]:
    ids = parameters.get("ids") if isinstance(parameters, dict) else None
    if ids is None:
        ids = [id_] if rows == 1 else [f"{id_}/{row}" for row in range(rows)]
    if not isinstance(ids, list) or len(ids) != rows or not all(isinstance(one, str) and 0 < len(one) <= LONGEST_ID for one in [id_, *ids]):
        msg = f"parameters.ids: {rows} texts of at most {LONGEST_ID} characters are needed, one for each row; and id is one"
        raise Refused(msg)
    known: dict[str, int] = {}
    for row, one in enumerate(ids):
        if (first := known.setdefault(one, row)) != row:
            msg = f"parameters.ids: {one[:_SHOWN]!r} of row {row} is the id of row {first}, too; a label could not tell them apart"
            raise Refused(msg)
    return ids


def _column(tensor: object, place: int) -> tuple[str, list[Any]]:  # values of JSON
    if not isinstance(tensor, dict) or not isinstance(tensor.get("name"), str) or not isinstance(tensor.get("data"), list):
        msg = f"inputs[{place}]: a tensor has a name and data"
        raise Refused(msg)
    data, at = tensor["data"], f"inputs.{tensor['name'][:_SHOWN]}"
    shape = _shape(tensor.get("shape"), at)
    if data and all(isinstance(one, list) and len(one) == 1 for one in data) and (shape is None or len(shape) == 2):  # [n, 1]
        data = [one[0] for one in data]
    if any(isinstance(one, list | dict) for one in data):
        msg = f"{at}: one value a row is needed, as it is one feature"
        raise Refused(msg)
    if shape is not None and shape[0] != len(data):
        msg = f"{at}.shape: {str(shape)[:_SHOWN]} is not of as many values as data has, {len(data):,}"
        raise Refused(msg)
    _check_datatype(tensor.get("datatype"), data, at)
    return tensor["name"], data


def _shape(shape: object, at: str) -> list[int] | None:
    """As it is written; None: it is not."""
    if shape is None:
        return None
    whole = isinstance(shape, list) and all(type(one) is int and one >= 0 for one in shape)
    if not (whole and isinstance(shape, list) and (len(shape) == 1 or (len(shape) == 2 and shape[1] == 1))):
        msg = f"{at}.shape: {str(shape)[:_SHOWN]} is neither [rows] nor [rows, 1], as it is one feature"
        raise Refused(msg)
    return shape


def _check_datatype(datatype: object, data: list[Any], at: str) -> None:
    """That data is of it, where it is written."""
    if datatype is None:
        return
    fits = _DATATYPES.get(datatype) if isinstance(datatype, str) else None
    if fits is None:
        msg = f"{at}.datatype: {str(datatype)[:_SHOWN]!r} is none of {', '.join(_DATATYPES)}"
        raise Refused(msg)
    for row, value in enumerate(data):
        if value is not None and not fits(value):
            msg = f"{at}: {str(value)[:_SHOWN]!r} of row {row} is no {datatype}"
            raise Refused(msg)
