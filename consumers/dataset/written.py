"""The values of the rows that are in: read once more, decoded as at first, and written."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...detectors.joining.rows import NONE
from ...schemas.configuration import Configuration
from ...schemas.messages.retrain import RetrainRequest
from ...schemas.outcome import id_hash
from ...schemas.stored.dataset import DatasetColumn, DatasetPart
from ...schemas.stored.reference import ProfiledField
from ..bus.interface import Batch
from ..decode.interface import Columns, Decoder
from ..decode.personal import id_key
from ..decode.table import form_of
from ..profiler.awaiting import ids_of
from ..profiler.tally import MOST_DECODED_BYTES
from ..streams.cut import Rules
from ..streams.records import Records, parts_of, records_of
from .classes import Classes
from .gathered import Predictions
from .joined import Outcomes
from .parts import Column, Parts, named
from .windows import Windows

Flags = NDArray[np.bool_]
Numbers = NDArray[np.int64]
_NUMBERS = ("numeric", "timestamp")
_TYPES = {"numeric": "DOUBLE", "timestamp": "TIMESTAMP", "boolean": "BOOLEAN", "categorical": "VARCHAR", "text": "VARCHAR"}
_LABELS, _PEOPLE = "labels", "people"


class Decided(NamedTuple):
    """What was decided of the rows by their keys, row by row."""

    outcomes: Outcomes
    people: Flags  #: the label is theirs
    outliers: Flags
    predictions: Predictions


class Writing:
    """The columns of a set, and how rows come to them."""

    def __init__(
        self,
        configuration: Configuration,
        request: RetrainRequest,
        fields: Sequence[ProfiledField],
        decoder: Decoder,
        windows: Windows,
        classes: Classes | None,
    ) -> None:
        self.request, self.fields, self.decoder, self.windows, self.classes = request, fields, decoder, windows, classes
        stream = configuration.streams[configuration.stream_of(request.model)]
        self.id, self.rules = stream.mapping.id, Rules.of(stream)
        self.hides, self.key = configuration.hides_ids(request.model), id_key(configuration, request.model)
        #: Features of which a message has one number for each; of a vector of which nobody knows the size there is no column.
        self.known = [field for field in fields if field.type != "embedding" or form_of(field.values)[1]]
        own = [Column("id", "id", "VARCHAR"), Column("time", "time", "BIGINT"), Column("version", "version", "VARCHAR")]
        if classes is not None:
            own += [Column("label", "label", classes.type), Column("known", "known", "BIGINT"), Column("by", "by", "VARCHAR")]
        own.append(Column("weight", "weight", "DOUBLE"))
        if request.data.policy.outliers:
            own.append(Column("outlier", "outlier", "BOOLEAN"))
        self._named = named([*own, *map(_column, self.known)])
        self.counts: dict[str, Any] = {}
        self.parts: list[DatasetPart] = []
        self.columns: list[DatasetColumn] = []

    @contextmanager
    def to(self, folder: Path, decided: Decided) -> Iterator["Values"]:
        """Write the rows that are handed in meanwhile."""
        parts = Parts(folder, self._named)
        values = Values(self, decided, parts)
        yield values
        self.parts, self.columns = parts.close()
        self.counts = {**values.counts, "excluded": dict(sorted(values.excluded.items())), "written": parts.rows}


class Values:
    """The rows of one set, one place after the other."""

    def __init__(self, writing: Writing, decided: Decided, parts: Parts) -> None:
        self._writing, self._decided, self._parts = writing, decided, parts
        self._keys, self._outcomes = decided.predictions.found.rows, decided.outcomes
        self._versions = list(decided.predictions.versions)
        self.counts = dict.fromkeys(("repeated", "outside", "unlabelled", "immature"), 0)
        self.excluded, self.classes = Counter[str](), Counter[int]()
        self.reviewed = self.outliers = 0
        self._known: list[Numbers] = []
        self._made: list[Numbers] = []

    @property
    def known(self) -> Numbers:
        """When the labels that were written became known, where labels say so."""
        return np.concatenate(self._known) if self._known else np.zeros(0, dtype=np.int64)

    @property
    def made(self) -> Numbers:
        """When their predictions were made."""
        return np.concatenate(self._made) if self._made else np.zeros(0, dtype=np.int64)

    def add(self, batch: Batch, place: slice) -> None:
        """The next records of a place; ``place``: where its rows are among all."""
        offsets = self._keys["offset"][place]
        at = np.searchsorted(offsets, batch.offsets)
        there = np.flatnonzero(at < len(offsets))
        there = there[offsets[at[there]] == batch.offsets[there]]
        rows = place.start + at[there]
        times = self._writing.rules.times(batch.offsets[there], batch.timestamps[there], np.zeros(len(there), dtype=bool))
        inside, weights = self._chosen(rows, times)
        values = [batch.values[row] for row in there[inside].tolist()]
        records = records_of(batch, None)
        for part in parts_of(values, MOST_DECODED_BYTES):
            if part.stop > part.start:
                own = inside[part]
                self._decode(records, there[own], values[part], rows[own], times[own], weights[own])

    def _chosen(self, rows: Numbers, times: Numbers) -> tuple[Numbers, NDArray[np.float64]]:
        """Which of some rows are in, with their weights; the others are counted by what they are left out for."""
        outcomes, windows, counts = self._outcomes, self._writing.windows, self.counts
        weights, incident = windows.of(times)
        if self._writing.request.data.policy.outliers:
            weights[(weights == 0) & self._decided.outliers[rows]] = 1.0
        left = np.ones(len(rows), dtype=bool)

        def leave(which: Flags) -> int:
            gone = left & which
            left[gone] = False
            return int(np.count_nonzero(gone))

        counts["repeated"] += leave(~outcomes.counted[rows])
        counts["outside"] += leave(weights == 0)
        for number, name in enumerate(windows.names):
            if gone := leave(incident == number):
                self.excluded[name] += gone
        if self._writing.classes is not None:
            counts["immature"] += leave(~outcomes.ripe[rows])
            counts["unlabelled"] += leave(outcomes.label[rows] == NONE)
        return np.flatnonzero(left), weights

    def _decode(
        self, records: Records, at: Numbers, values: Sequence[bytes | None], rows: Numbers, times: Numbers, weights: NDArray[np.float64]
    ) -> None:
        writing, everything = self._writing, np.arange(len(rows))
        columns = writing.decoder.columns(writing.fields, values, ids=True)
        ids = ids_of(writing.id, columns, records, everything, at)
        if writing.hides:
            ids = [id_hash(one, writing.key) if isinstance(one, str) else None for one in ids]
        own: list[NDArray[Any]] = [_texts(ids), times, _texts([self._versions[code] for code in self._keys["version"][rows].tolist()])]
        if writing.classes is not None:
            own += self._labels(rows)
        own.append(weights * self._of_kinds(rows))
        if writing.request.data.policy.outliers:
            own.append(_flags(self._decided.outliers[rows]))
        self._parts.add([*own, *self._fields(columns, times)])
        self.outliers += int(np.count_nonzero(self._decided.outliers[rows]))

    def _of_kinds(self, rows: Numbers) -> NDArray[np.float64]:
        """What the request has rows count by whose label it is, and by whether they are unlike the training data."""
        weights, decided = self._writing.request.weights, self._decided
        labels = np.where(decided.people[rows], weights.get("people", 1.0), weights.get("labels", 1.0))
        return labels * np.where(decided.outliers[rows], weights.get("outliers", 1.0), 1.0)

    def _labels(self, rows: Numbers) -> list[NDArray[Any]]:
        classes, people = self._writing.classes, self._decided.people[rows]
        assert classes is not None
        codes, known = self._outcomes.label[rows], self._outcomes.known[rows]
        if classes.counted:
            self.classes.update(codes.tolist())
        self.reviewed += int(np.count_nonzero(people))
        there = known != NONE
        self._known.append(known[there])
        self._made.append(self._keys["bucket"][rows][there])
        return [classes.column(codes), np.where(there, known, np.nan), _texts([_PEOPLE if one else _LABELS for one in people.tolist()])]

    def _fields(self, columns: Columns, times: Numbers) -> Iterator[NDArray[Any]]:
        """Of the reference's fields, in its order; what is in doubt, or to be computed again, is null."""
        numbers, texts, vectors = iter(columns.numeric.T), iter(columns.categorical), iter(columns.vectors)
        again = set(self._writing.request.data.policy.recompute)
        known = {id(field) for field in self._writing.known}
        for field in self._writing.fields:
            if field.type in _NUMBERS:
                found: NDArray[Any] = np.array(next(numbers))
            elif field.type == "embedding":
                found = np.array(next(vectors))
            else:
                found = _texts(next(texts))
            if field.role == "feature":
                doubtful = np.ones(len(times), dtype=bool) if field.name in again else self._writing.windows.doubtful(field.name, times)
                found[doubtful] = np.nan if found.dtype.kind == "f" else None
            if id(field) in known:
                yield found


def _texts(values: Sequence[object]) -> NDArray[Any]:
    found = np.empty(len(values), dtype=object)
    found[:] = [value if type(value) is str else None for value in values]
    return found


def _flags(values: Flags) -> NDArray[Any]:
    return _texts(["true" if one else "false" for one in values.tolist()])


def _column(field: ProfiledField) -> Column:
    name = field.name if field.role == "feature" else None
    return Column(field.name, field.role, _TYPES.get(field.type, "DOUBLE[]"), name, form_of(field.values)[1])
