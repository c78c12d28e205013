"""Decoded rows of one shape, gathered until there are enough to count: those of many models at once, taken apart here."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...detectors.counting.segments import Coded, Segmenter
from ...detectors.familiarity.places import UNSCORED
from ...schemas.stored.reference import ProfiledField
from ..decode.interface import AsOf, Columns
from .vocabulary import Vocabulary


class Part(NamedTuple):
    """The rows of one group."""

    group: int
    rows: int
    late: int
    numeric: NDArray[np.float64]
    categorical: Sequence[dict[object, int]]  #: per field, how often each value occurs
    vectors: Sequence[NDArray[np.float64]]  #: per embedding
    offsets: NDArray[np.int64]
    scored: NDArray[np.uint8]  #: per row and subject its flag, and what is known of it exactly
    segment: int | None = None  #: index of the segment; None: they are not divided


class _Rows(NamedTuple):
    numeric: NDArray[np.float64]
    codes: NDArray[np.int64]  # [categorical field, row]
    vectors: Sequence[NDArray[np.float64]]
    group: NDArray[np.int64]
    late: NDArray[np.bool_]
    offsets: NDArray[np.int64]
    scored: NDArray[np.uint8]  # [row, subjects, 2]

    def of(self, rows: NDArray[np.int64] | slice) -> "_Rows":
        vectors = [vector[rows] for vector in self.vectors]
        of = self.group[rows], self.late[rows], self.offsets[rows], self.scored[rows]
        return _Rows(self.numeric[rows], self.codes[:, rows], vectors, *of)


class Shape:
    """Rows whose references decode alike. A category is kept as a code, at a fraction of the text's size."""

    def __init__(
        self,
        fields: Sequence[ProfiledField],
        *,
        ids: bool = False,
        entities: bool = False,
        subjects: int = 0,
        times: tuple[AsOf, ...] = (),
    ) -> None:
        self.fields = fields  #: of one of the references; none: their models are not monitored
        self.ids = ids  #: whether ids are watched
        self.entities = entities  #: whether it is read whose features they are, and as of when
        self.times = times  #: of features, that stand beside them
        self.subjects = subjects  #: what of a row is compared with the training data
        self.rows = 0
        coded = [field.type for field in fields if field.type in ("categorical", "boolean", "text")]
        self._vocabularies = [Vocabulary(whole=type_ == "text") for type_ in coded]
        self._parts: list[_Rows] = []
        self._bytes = 0  # of the rows' numbers

    def add(
        self,
        columns: Columns | None,
        group: NDArray[np.int64],
        late: NDArray[np.bool_],
        offsets: NDArray[np.int64],
        scored: NDArray[np.uint8] | None = None,
    ) -> None:
        """Take decoded rows, each with its group and offset; rejected ones are left out."""
        numeric = np.zeros((len(group), 0)) if columns is None else columns.numeric
        codes = np.zeros((len(self._vocabularies), len(group)), dtype=np.int64)
        for place, vocabulary in enumerate(self._vocabularies):
            assert columns is not None
            codes[place] = vocabulary.codes(columns.categorical[place])
        known = np.full((len(group), self.subjects, 2), UNSCORED, dtype=np.uint8) if scored is None else scored
        rows = _Rows(numeric, codes, () if columns is None else columns.vectors, group, late, offsets, known)
        if columns is not None and columns.rejected:
            rows = rows.of(np.delete(np.arange(len(group)), [rejected.row for rejected in columns.rejected]))
        self._parts.append(rows)
        self.rows += len(rows.group)
        self._bytes += rows.numeric.nbytes + rows.codes.nbytes + sum(vectors.nbytes for vectors in rows.vectors)

    @property
    def bytes(self) -> int:
        """Of all that is kept."""
        return self._bytes + sum(vocabulary.bytes for vocabulary in self._vocabularies)

    def groups(self, segmenter_of: Callable[[int], Segmenter | None]) -> Iterator[Part]:
        """All rows so far, group by group, and segment by segment where a group has any."""
        if not self.rows:
            return
        rows = _Rows(
            np.concatenate([part.numeric for part in self._parts]),
            np.concatenate([part.codes for part in self._parts], axis=1),
            [np.concatenate(vectors) for vectors in zip(*(part.vectors for part in self._parts), strict=True)],
            np.concatenate([part.group for part in self._parts]),
            np.concatenate([part.late for part in self._parts]),
            np.concatenate([part.offsets for part in self._parts]),
            np.concatenate([part.scored for part in self._parts]),
        )
        if (np.diff(rows.group) < 0).any():
            rows = rows.of(np.argsort(rows.group, kind="stable"))
        values = [vocabulary.values() for vocabulary in self._vocabularies]
        starts = np.flatnonzero(np.diff(rows.group, prepend=-1)).tolist()
        for start, stop in itertools.pairwise([*starts, len(rows.group)]):
            part = rows.of(slice(start, stop))
            segmenter = segmenter_of(int(part.group[0]))
            if segmenter is None:
                yield _part(part, values, None)
                continue
            segment_of = segmenter.of(part.numeric, Coded(list(part.codes), values))
            for segment in np.unique(segment_of).tolist():
                yield _part(part.of(np.flatnonzero(segment_of == segment)), values, segment)


def _part(rows: _Rows, values: Sequence[Sequence[object]], segment: int | None) -> Part:
    frequencies = [_frequencies(codes, of) for codes, of in zip(rows.codes, values, strict=True)]
    group, late = int(rows.group[0]), int(rows.late.sum())
    return Part(group, len(rows.group), late, rows.numeric, frequencies, rows.vectors, rows.offsets, rows.scored, segment)


def _frequencies(codes: NDArray[np.int64], values: Sequence[object]) -> dict[object, int]:
    rows = np.bincount(codes)
    return {values[code]: int(rows[code]) for code in np.flatnonzero(rows).tolist()}
