"""Single values of many records, wherever a mapping says that they are: in the JSON, a header, the key, or nowhere but in the mapping."""

from collections.abc import Mapping, Sequence
from operator import methodcaller
from typing import Any, NamedTuple

from msgspec import UNSET

from ...schemas.cloud_events import Headers
from ...schemas.configuration.mapping import Place
from .reader import JSONReader, Leaf
from .scalars import classify, quoted
from .tolerant import NotAnObject, Undecodable, decode_generic, member


class ReadPlaces(NamedTuple):
    """Of n records."""

    columns: dict[str, Sequence[Any]]  # JSON scalars, bytes, `UNSET`; by what they are for
    why: dict[int, str]  #: of which records nothing can be read, with the reason


class PlaceReader:
    """Reads these places, by what they are for."""

    def __init__(self, places: Mapping[str, Place]) -> None:
        self._places = places
        self._inside = {name: place for name, place in places.items() if place.source == "path"}
        self._paths = list(dict.fromkeys(place.path for place in self._inside.values()))
        self._reader = JSONReader([Leaf(path, str | int | float | bool | None) for path in self._paths])

    def needs(self, source: str) -> bool:
        """Whether keys, or headers, are read."""
        return any(place.source == source for place in self._places.values())

    def read(self, values: Sequence[bytes | None], keys: Sequence[bytes | None] | None, headers: Sequence[Headers] | None) -> ReadPlaces:
        """What messages, keys and headers hold."""
        if not self._paths:
            by_path: dict[tuple[str, ...], list[Any]] = {}
            why: dict[int, str] = {}
        else:
            by_path, why = self._members(values)
        found: dict[str, Sequence[Any]] = {name: by_path[place.path] for name, place in self._inside.items()}
        for name, place in self._places.items():
            if place.source == "key":
                assert keys is not None, "the mapping reads keys: see needs"
                found[name] = keys
            elif place.source == "header":
                assert headers is not None, "the mapping reads headers: see needs"
                found[name] = list(map(methodcaller("get", place.name), map(dict, headers)))
            elif place.source == "constant":
                found[name] = [place.name] * len(values)
        return ReadPlaces(found, why)

    def _members(self, values: Sequence[bytes | None]) -> tuple[dict[tuple[str, ...], list[Any]], dict[int, str]]:
        members, why = self._reader.read(values), dict[int, str]()
        by_path = dict(zip(self._paths, members.others, strict=True))
        for row in members.refused:
            try:
                message = decode_generic(values[row])
                for path, column in by_path.items():
                    column[row] = member(message, path)
            except (Undecodable, NotAnObject) as reason:
                why[row] = str(reason)
        return by_path, why


def text_of(raw: object) -> str | None:
    """The text by which something is known, as an id; None: there is none. Raises `ValueError`, of what is none.

    >>> text_of(b"a"), text_of(17), text_of(""), text_of(None)
    ('a', '17', None, None)
    """
    if isinstance(raw, bytes):
        try:
            raw = raw.decode()
        except UnicodeDecodeError:
            msg = f"{raw[:60]!r}, which is not UTF-8,"
            raise ValueError(msg) from None
    if raw is UNSET or raw is None or raw == "":
        return None
    text = classify("categorical", False, raw) if isinstance(raw, str | int | float) and not isinstance(raw, bool) else None
    if not isinstance(text, str):
        raise ValueError(quoted(raw))
    return text
