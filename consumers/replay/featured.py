"""A table's rows as rows of a feature log: what `replay --features` puts on a log of its own, and `features load` on the user's topic."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from ...schemas.cloud_events import Headers, iso
from ...schemas.configuration import Configuration, FeatureLog, FeatureMapping, Table
from ...schemas.configuration.mapping import Place
from ..reference.building.tables import OF_TEXTS, TableRows, UnusableTable, open_table
from .canonical import values_of

#: Rows at a time, as of predictions.
_ROWS = 16_384
#: What a row says beside the values of features.
_MEMBERS = ("entity", "as_of", "model", "revision")
_NEEDED = ("entity", "as_of")


class FeatureFile(NamedTuple):
    """A file of values of features."""

    name: str  #: of the feature log
    file: Path
    log: FeatureLog
    texts: frozenset[str]  #: columns whose texts are texts, whatever they look like
    zone: str  #: of times that name none

    @classmethod
    def of(cls, configuration: Configuration, name: str, file: Path) -> "FeatureFile":
        """Read as the models that are compared with the log are configured."""
        models = [own for own in configuration.models.values() if name in own.joins]
        texts = frozenset(feature for own in models for feature in own.features if own.feature(feature).type in OF_TEXTS)
        return cls(name, file, configuration.features[name], texts, models[0].zone)


class FeatureMessage(NamedTuple):
    """A record: its time (ms), key, value and headers."""

    timestamp: int
    key: bytes | None
    value: bytes
    headers: Headers


def canonical(log: FeatureLog, topic: str) -> FeatureLog:
    """The same, read from messages in the canonical form on one topic."""
    also = {name: Place("path", name) for name in ("model", "revision")}
    return log.model_copy(update={"topics": (topic,), "mapping": FeatureMapping.model_validate(also), "where": None})


def feature_messages(of: FeatureFile, mapping: FeatureMapping) -> Iterator[FeatureMessage]:
    """A message a row, as such a mapping reads it, in the order of their times: those of the column of times, else as of when they are."""
    columns = of.log.columns
    time = columns.time or columns.as_of or _likely(of, "as_of")[-1]
    with open_table(Table(file=str(of.file), time=time), raw=of.texts.__contains__, zone=of.zone) as rows:
        found = _columns(of, (*rows.names, time))
        features = [name for name in rows.names if name not in found.values()]
        if not features:
            msg = f"{of.file} has no column of a feature beside {', '.join(sorted({time, *found.values()}))}"
            raise UnusableTable(msg)
        yield from _messages(rows, time, found, features, mapping)


def _messages(
    rows: TableRows, time: str, found: Mapping[str, str], features: Sequence[str], mapping: FeatureMapping
) -> Iterator[FeatureMessage]:
    writing = _Writing(mapping)
    for chunk in rows.chunks(list(dict.fromkeys([*features, *(name for name in found.values() if name != time)])), rows=_ROWS):
        members = {member: _times(chunk.times) if name == time else values_of(chunk, name) for member, name in found.items()}
        said = [dict(zip(members, row, strict=True)) for row in zip(*members.values(), strict=True)]
        held = zip(*(values_of(chunk, name) for name in features), strict=True)
        for timestamp, own, values in zip(chunk.times.tolist(), said, held, strict=True):
            there = {name: value for name, value in zip(features, values, strict=True) if value is not msgspec.UNSET}
            yield writing.message(timestamp, own, there)


def _times(times: NDArray[np.int64]) -> list[object]:
    return [iso(time) for time in times.tolist()]


class _Writing:
    """What stands where."""

    def __init__(self, mapping: FeatureMapping) -> None:
        places = {member: getattr(mapping, member) for member in _MEMBERS}
        self._places: dict[str, Place] = {member: place for member, place in places.items() if place is not None}
        self._values, self._encode = mapping.values, msgspec.json.Encoder().encode

    def message(self, timestamp: int, said: Mapping[str, object], values: Mapping[str, object]) -> FeatureMessage:
        message: dict[str, Any] = {}  # JSON
        key, headers = None, list[tuple[str, bytes]]()
        _put(message, self._values.path, values)
        for member, place in self._places.items():
            value = said.get(member)
            if value is None or value is msgspec.UNSET:
                continue
            if place.source == "path":
                _put(message, place.path, value)
            elif place.source == "key":
                key = str(value).encode()
            elif place.source == "header":
                headers.append((place.name, str(value).encode()))
        return FeatureMessage(timestamp, key, self._encode(message), tuple(headers))


def _put(message: dict[str, Any], path: Sequence[str], value: object) -> None:  # JSON
    *steps, last = path
    for step in steps:
        message = message.setdefault(step, {})
    if isinstance(value, Mapping) and isinstance(message.get(last), dict):
        message[last] |= value
    else:
        message[last] = dict(value) if isinstance(value, Mapping) else value


def _likely(of: FeatureFile, member: str) -> list[str]:
    """What a member's column may be called: as it is named, else as its place in a message is, by the whole path or its last step."""
    named, place = getattr(of.log.columns, member), getattr(of.log.mapping, member)
    if named is not None:
        return [named]
    called = [place.name, place.name.rpartition(".")[2]] if place is not None and place.source in {"path", "header"} else [member]
    return list(dict.fromkeys(called))


def _columns(of: FeatureFile, names: Sequence[str]) -> dict[str, str]:
    """The column of each member that there is. Raises `UnusableTable` where one that is named or needed is not there."""
    found: dict[str, str] = {}
    for member in _MEMBERS:
        likely = _likely(of, member)
        column = next((name for name in likely if name in names), None)
        if column is not None:
            found[member] = column
        elif member in _NEEDED or getattr(of.log.columns, member) is not None:
            msg = f"{of.file} has no column {' or '.join(map(repr, likely))} ({member}); its columns: {', '.join(names)}"
            raise UnusableTable(f"{msg}; write features.{of.name}.columns: {{{member}: COLUMN}}")
    return found
