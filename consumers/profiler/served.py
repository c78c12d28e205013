"""Which predictions wait for rows of a feature log, and with which values."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from ...schemas.configuration import Configuration
from ...schemas.messages.block import Whose
from ...schemas.outcome import sampled_entities
from ..decode.entities import EntityReader, in_ms
from ..decode.interface import Columns
from ..decode.personal import entity_key
from ..reference.agreement import ComparisonOf, comparisons
from ..streams.records import Records
from .awaiting import Of, Texts
from .waiting import Rows, carrying


class _Entities(NamedTuple):
    """Of some rows those that say whose features they were made of, and as of when (ms)."""

    rows: NDArray[np.int64]
    entities: Sequence[str]
    times: NDArray[np.int64]


class Served:
    """The join with one feature log, as a reader of predictions sees it."""

    def __init__(self, configuration: Configuration, stream: str, log: str, comparison_of: ComparisonOf) -> None:
        mapping = configuration.streams[stream].mapping
        assert mapping.entity is not None, "refused by the configuration"
        self.name, self._comparison_of = log, comparison_of
        self._mapping, self._reader = mapping, EntityReader(mapping.entity, mapping.as_of)
        self._key, self._sample = entity_key(configuration, log), configuration.features[log].sample
        self._width = configuration.compared(log)

    def rows(
        self,
        columns: Columns,
        records: Records,
        inside: NDArray[np.int64],
        among: NDArray[np.int64],
        of: Of,
        code: Callable[[Whose], int],
    ) -> tuple[Rows, NDArray[np.int64]]:
        """Of decoded records of one model version those that are sampled and say whose features they were made of, and as of when, and
        which of them these are; arguments as of `awaiting.Join.rows`.
        """
        comparison = self._comparison_of(of.whose.model, of.whose.reference, of.monitored.fields)
        if not comparison.features:
            return carrying(np.zeros((0, 2), dtype=np.uint64), np.zeros((0, self._width), dtype=np.int64)), np.zeros(0, dtype=np.int64)
        read = self._entities(columns, records, inside, among)
        kept, halves = sampled_entities(read.entities, read.times, salt(of.whose.model, comparison.name), self._key, self._sample)
        there = read.rows[kept]
        inside, among = inside[there], among[there]
        codes = comparison.codes(columns.numeric[inside], Texts(columns.categorical, of.monitored.fields, inside), self._width)
        whose = of.whose._replace(grouping=comparison.name)
        return carrying(halves, codes, of=code(whose), offset=records.offsets[among]), there

    def _entities(self, columns: Columns, records: Records, inside: NDArray[np.int64], among: NDArray[np.int64]) -> _Entities:
        """As they were decoded with the features; else they are read by themselves."""
        mapping = self._mapping
        if columns.entities is None or (mapping.as_of is not None and columns.as_of is None):
            return self._read(records, among)
        whole = len(inside) == len(columns.entities)
        entities = columns.entities if whole else [columns.entities[row] for row in inside.tolist()]
        if columns.as_of is None:
            times, known = records.timestamps[among], np.ones(len(inside), dtype=bool)
        else:
            times, known = in_ms(columns.as_of if whole else columns.as_of[inside])
        if known.all() and set(map(type, entities)) <= {str}:
            return _Entities(np.arange(len(inside)), cast(Sequence[str], entities), times)
        good = np.array([row for row, one in enumerate(entities) if type(one) is str and known[row]], dtype=np.int64)
        return _Entities(good, [cast(str, entities[row]) for row in good.tolist()], times[good])

    def _read(self, records: Records, among: NDArray[np.int64]) -> _Entities:
        keys = records.keys() if self._reader.needs("key") else None
        headers = records.headers() if self._reader.needs("header") else None
        rows = among.tolist()
        read = self._reader.read(
            [records.values[row] for row in rows],
            None if keys is None else [keys[row] for row in rows],
            None if headers is None else [headers[row] for row in rows],
            records.timestamps[among],
        )
        return _Entities(read.rows, read.entities, read.times)


def salt(model: str, comparison: str) -> str:
    """What values of features are of: rows of other models, or of versions whose values mean something else, do not meet."""
    return f"{model}\0{comparison}"


def served(configuration: Configuration, stream: str) -> dict[str, Served]:
    """By model, those of a stream's models that are compared with a feature log."""
    comparison_of = comparisons(configuration)
    by_log: dict[str, Served] = {}
    found: dict[str, Served] = {}
    for name, model in configuration.models.items():
        if model.agreement is not None and configuration.stream_of(name) == stream:
            log = model.agreement.log
            if log not in by_log:
                by_log[log] = Served(configuration, stream, log, comparison_of)
            found[name] = by_log[log]
    return found
