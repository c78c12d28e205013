"""Whole rows of a table as a subject: all numbers and categories of their features together."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...detectors.neighbours.coordinates import MEAN, SCALE
from ...detectors.neighbours.masked import counted
from ...detectors.neighbours.rows import RowIndex
from ...schemas.messages.ood import Near
from ...schemas.messages.pane import MOST_MASKED
from ...schemas.stored.familiarity import FamiliarityProfile
from ...schemas.stored.reference import ProfiledField
from .scored import NO_CELL, Content, Decoded, Inside, Scored, Shown, classes_of

Integers = NDArray[np.int64]
#: Masks times outliers of a run that are masked: each takes 10 us.
_MASKINGS = 16_384
_NUMBERS, _TEXTS = ("numeric", "timestamp"), ("categorical", "boolean", "text")


class Table:
    """Which of a reference's decoded columns are fields of its rows: numbers, then categories."""

    def __init__(self, fields: Sequence[ProfiledField]) -> None:
        numbers, texts = ([field for field in fields if field.type in types] for types in (_NUMBERS, _TEXTS))
        self._numbers = [place for place, field in enumerate(numbers) if _is_part(field)]
        self._texts = [place for place, field in enumerate(texts) if _is_part(field)]
        self.names = (*(numbers[place].name for place in self._numbers), *(texts[place].name for place in self._texts))
        self.predicted = next((place for place, field in enumerate(texts) if field.role == "prediction"), None)

    def of(self, decoded: Decoded, rows: Integers) -> tuple[NDArray[np.float64], list[list[object]]]:
        """The fields of these rows."""
        chosen = rows.tolist()
        numbers = decoded.numeric[np.ix_(rows, np.array(self._numbers, dtype=np.int64))]
        return numbers, [[decoded.categorical[place][row] for row in chosen] for place in self._texts]


def _is_part(field: ProfiledField) -> bool:
    return field.role == "feature" and field.type != "text" and field.values is not None


class RowSubject:
    """As `driftbus.consumers.reference.familiar.Subject`, of rows. All of a row's p-value is known, so that each is looked at exactly."""

    def __init__(self, profile: FamiliarityProfile, fields: Sequence[ProfiledField], index: RowIndex, inside: Inside | None = None) -> None:
        self.profile, self.fields, self.index, self.inside, self._table = profile, fields, index, inside, Table(fields)

    def scored(self, decoded: Decoded, rows: Integers, exactly: NDArray[np.bool_]) -> Scored:
        """Of these rows."""
        numbers, texts = self._table.of(decoded, rows)
        cells = self.index.cells(numbers, texts, self._classes(decoded, rows))
        texts_there = np.array([[isinstance(value, str) for value in column] for column in texts], dtype=np.bool_)
        nothing = ~np.isfinite(numbers).any(axis=1) & ~texts_there.reshape(len(texts), len(rows)).any(axis=0)
        cells[nothing] = NO_CELL
        return Scored.of(cells)

    @property
    def most_masked(self) -> int:
        """Outliers of a run that are looked at without each field: of very many fields fewer."""
        return max(1, min(MOST_MASKED, _MASKINGS // max(len(self.profile.masks), 1)))

    def masked(self, contents: Sequence[Content]) -> Integers:
        """What cures these outliers, as a pane has it."""
        numbers, texts, classes = self._fields_of(contents)
        left = self.index.left(numbers, texts, classes)
        return counted(left, self.index.masks, self.index.paired(left, classes))

    def contents(self, decoded: Decoded, rows: Integers) -> list[Content]:
        """What these rows hold, for `shown` and `masked`."""
        numbers, texts = self._table.of(decoded, rows)
        classes = self._classes(decoded, rows)
        return [
            Content((numbers[row], [column[row] for column in texts]), None if classes is None else classes[row])
            for row in range(len(rows))
        ]

    def vectors(self, contents: Sequence[Content]) -> None:
        """Rows have none."""

    def shown(self, panes: Sequence[Sequence[Content]], most: int) -> list[list[Shown]]:
        """The first of each pane; none counts with another one.

        Similarity is 1 of the same row, 0 where all fields are as far as by chance.
        """
        told = [list(contents[:most]) for contents in panes]
        exact = self.index.exact(*self._fields_of([one for contents in told for one in contents]))
        usual = MEAN * SCALE**2 * len(self._table.names)
        similar = np.round(1 - exact.squares / usual, 4).tolist()
        near = [
            tuple(Near(row, own) for row, own in zip(*one, strict=True) if row >= 0)
            for one in zip(exact.nearest.tolist(), similar, strict=True)
        ]
        found = iter(zip(exact.p.tolist(), near, strict=True))
        return [[Shown(place, 1, *next(found)) for place in range(len(contents))] for contents in told]

    def flags_of(self, decoded: Decoded, rows: Integers) -> NDArray[np.uint8]:
        """The flags of rows of which it is not known what the model predicted."""
        return self.index.flags(*self._table.of(decoded, rows))

    def _fields_of(self, contents: Sequence[Content]) -> tuple[NDArray[np.float64], list[list[object]], list[str] | None]:
        numbers = np.array([one.value[0] for one in contents], dtype=np.float64)  # type: ignore[index]  # as `contents` made it
        texts = [list(column) for column in zip(*(one.value[1] for one in contents), strict=True)]  # type: ignore[index]
        classes = None if self._table.predicted is None or not self.profile.classes else [one.predicted or "" for one in contents]
        return numbers, texts, classes

    def _classes(self, decoded: Decoded, rows: Integers) -> list[str] | None:
        if self._table.predicted is None or not self.profile.classes:
            return None
        return [name or "" for name in classes_of(decoded.categorical[self._table.predicted], rows)]
