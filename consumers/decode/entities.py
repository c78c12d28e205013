"""Whose features they are, and as of when: by what predictions and the rows of a feature log find each other."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from msgspec import UNSET
from numpy.typing import NDArray

from ...schemas.cloud_events import Headers
from ...schemas.configuration.mapping import Place
from .interface import Rejected
from .places import PlaceReader, text_of
from .scalars import quoted
from .times import seconds_of_numbers, seconds_of_texts

#: Instants in ms stay exact in a float up to here.
_LATEST = 2.0**53


@dataclass(frozen=True)
class ReadEntities:
    """Of n records those that say both."""

    rows: NDArray[np.int64]  #: which of the records they are
    entities: list[str]
    times: NDArray[np.int64]  #: ms
    rejected: list[Rejected]  #: the others, with the reason
    beside: Mapping[str, Sequence[object]]  #: what else was asked for, of all records: JSON scalars, bytes, `UNSET`


class EntityReader:
    """Reads entities and times.

    Parameters
    ----------
    entity, as_of
        Where they are; None: as of the record's own time.
    beside
        What else is read with them, by name.
    """

    def __init__(self, entity: Place, as_of: Place | None, beside: Mapping[str, Place | None] | None = None) -> None:
        places = {"entity": entity, "as of": as_of, **(beside or {})}
        self._places = {name: place for name, place in places.items() if place is not None}
        self._reader = PlaceReader(self._places)

    def needs(self, source: str) -> bool:
        """Whether keys, or headers, are read."""
        return self._reader.needs(source)

    def read(
        self,
        values: Sequence[bytes | None],
        keys: Sequence[bytes | None] | None,
        headers: Sequence[Headers] | None,
        timestamps: NDArray[np.int64],
    ) -> ReadEntities:
        """Of all records; ``timestamps``: theirs, ms."""
        columns, why = self._reader.read(values, keys, headers)
        entities = columns["entity"]
        if not all(type(one) is str and one for one in entities):
            entities = [self._entity(row, raw, why) for row, raw in enumerate(entities)]
        times = timestamps if "as of" not in self._places else self._times(columns["as of"], why)
        rows = np.array([row for row in range(len(values)) if row not in why], dtype=np.int64) if why else np.arange(len(values))
        beside = {name: column for name, column in columns.items() if name not in ("entity", "as of")}
        found = list(entities) if not why else [entities[row] for row in rows.tolist()]
        return ReadEntities(rows, found, times[rows], [Rejected(row, reason) for row, reason in sorted(why.items())], beside)

    def _entity(self, row: int, raw: object, why: dict[int, str]) -> str:
        try:
            text = text_of(raw)
        except ValueError as reason:
            why.setdefault(row, f"{self._places['entity']}: {reason} is not an entity's name")
            return ""
        if text is None:
            why.setdefault(row, f"{self._places['entity']}: no entity, so nobody knows whose values they are")
        return text or ""

    def _times(self, column: Sequence[object], why: dict[int, str]) -> NDArray[np.int64]:
        """In ms; 0 where there is none, which is noted."""
        raw: Sequence[Any] = (
            [one.decode("utf-8", "replace") if isinstance(one, bytes) else one for one in column]
            if bytes in set(map(type, column))
            else column
        )
        seconds = np.full(len(raw), np.nan)
        read: Callable[[list[Any]], NDArray[np.float64]]  # of values of these kinds
        for kinds, read in (({str}, seconds_of_texts), ({int, float}, seconds_of_numbers)):
            rows = [row for row, one in enumerate(raw) if type(one) in kinds]
            seconds[rows] = read([raw[row] for row in rows])
        times, there = in_ms(seconds)
        for row in np.flatnonzero(~there).tolist():
            what = "no time" if raw[row] is None or raw[row] is UNSET else f"{quoted(raw[row])} is not a time"
            why.setdefault(row, f"{self._places['as of']}: {what}, so nobody knows as of when the values are")
        return times


def in_ms(seconds: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Times in ms, 0 where there is none; and where there is one.

    >>> [found.tolist() for found in in_ms(np.array([1.0004, np.nan, 1e300]))]
    [[1000, 0, 0], [True, False, False]]
    """
    with np.errstate(over="ignore", invalid="ignore"):
        ms = np.rint(seconds * 1000)
        there = np.abs(ms) < _LATEST
    return np.where(there, ms, 0).astype(np.int64), there
