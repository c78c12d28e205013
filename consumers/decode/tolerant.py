"""One payload at a time, for those that the fast path refuses: what JSON's grammar allows, and the NaN and Infinity that Python writes."""

import json
from typing import Any

import msgspec
from msgspec import UNSET

from .scalars import quoted

_decode = msgspec.json.Decoder().decode


class Undecodable(ValueError):
    """A payload that is no JSON object. Its text is the reason."""


class NotAnObject(ValueError):
    """A step of a path leads through something that has no members. ``where`` it is; the text says what is there."""

    def __init__(self, where: str, value: object) -> None:
        super().__init__(f"{where}: {quoted(value)} is not an object")
        self.where = where


def decode_generic(value: bytes | None) -> dict[str, Any]:  # a user's message: any JSON
    """The members of a payload. Of a member that is there twice the last one holds, as in the fast path.

    Raises `Undecodable` with the reason.

    >>> decode_generic(b'{"a": 1, "b": NaN, "a": 2}')
    {'a': 2, 'b': nan}
    """
    if not value:
        raise Undecodable("no value: a tombstone" if value is None else "empty value")
    try:
        text = value.decode()
    except UnicodeDecodeError as error:
        msg = f"not UTF-8: byte 0x{value[error.start]:02x} at {error.start}"
        raise Undecodable(msg) from None
    message = _parsed(text)
    if not isinstance(message, dict):
        msg = f"{quoted(message)} is not a JSON object"
        raise Undecodable(msg)
    return message


def _parsed(text: str) -> object:
    try:
        return _decode(text)
    except (msgspec.DecodeError, RecursionError):
        pass  # msgspec is fast and strict: Python's own parser has the last word
    try:
        return json.loads(text, parse_int=_integer)
    except RecursionError:
        raise Undecodable("not readable JSON: nested too deeply") from None
    except json.JSONDecodeError as error:
        msg = f"not JSON: {error.msg} at character {error.pos}: {quoted(text)}"
        raise Undecodable(msg) from None


def _integer(digits: str) -> float:
    """Python reads at most 4,300 digits; that many are beyond every float anyway."""
    try:
        return int(digits)
    except ValueError:
        return float(digits)


def member(message: dict[str, Any], path: tuple[str, ...]) -> object:
    """What stands at a path; `UNSET` where nothing does, or where a null stands in its way.

    Raises `NotAnObject` where something else does.

    >>> member({"payload": {"amount": 3}}, ("payload", "amount")), member({"payload": None}, ("payload", "amount"))
    (3, UNSET)
    """
    value: Any = message  # of any JSON type, until looked at
    for depth, step in enumerate(path):
        if value is None:
            return UNSET
        if not isinstance(value, dict):
            raise NotAnObject(".".join(path[:depth]), value)
        value = value.get(step, UNSET)
        if value is UNSET:
            return UNSET
    return value
