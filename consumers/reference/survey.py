"""Which type a column is: what the reference's rows say, unless the configuration does."""

from collections import Counter
from datetime import datetime
from itertools import islice
from typing import NamedTuple

import numpy as np

from ...schemas.configuration import FeatureSettings
from ..decode.scalars import FieldType, classify
from .columns import Column, Kind, kinds

#: Of all values that are there: so many must be of a kind, the others are then invalid.
MOSTLY = 0.99
#: Texts that name a category: so few, or of so few rows each one.
FEW, FEW_SHARE = 64, 0.05
#: Texts from so long a mean on, and with spaces between words, are read by people.
LONG = 20
#: Distinct texts remembered; a column that has more is no category.
_MOST_TEXTS = 200_000
#: Distinct texts that are tried as times.
_TRIED = 1_000


class Typed(NamedTuple):
    """How a column is read."""

    type: FieldType
    parse: bool = False


class Ignored(NamedTuple):
    """Why a column is not watched."""

    reason: str


class Survey:
    """What kinds of values a column holds, over chunks of its rows."""

    def __init__(self) -> None:
        self.kinds: Counter[Kind] = Counter()
        self.numeric = False  #: the source knows it for a column of numbers, even where there are none
        self.rises = True  #: every row holds a larger number than the one before
        self._last = -np.inf
        self._texts: Counter[str] = Counter()
        self._more = False

    def add(self, column: Column) -> None:
        """The next rows."""
        self.kinds += kinds(column)
        if isinstance(column, np.ndarray):
            self.numeric = True
            self.rises = self.rises and bool(column[0] > self._last and (column[1:] > column[:-1]).all())
            self._last = float(column[-1])
            return
        self.rises = False
        if not self._more:
            self._texts.update([value for value in column if type(value) is str])
            self._more = len(self._texts) > _MOST_TEXTS

    def decide(self, settings: FeatureSettings) -> Typed | Ignored:
        """The column's type, or why it is ignored."""
        if settings.ignore:
            return Ignored("ignored by configuration")
        there = sum(self.kinds[kind] for kind in (Kind.NUMBER, Kind.BOOLEAN, Kind.TEXT, Kind.NESTED))
        written = self._numbers_as_text()
        parse = written > (1 - MOSTLY) * there
        if settings.type is not None:
            return Typed(settings.type, settings.type == "numeric" and parse)
        if not there:
            return Typed("numeric" if self.numeric else "categorical")
        if self.kinds[Kind.NUMBER] + written >= MOSTLY * there:
            return Typed("numeric", parse)
        commonest = max((Kind.NUMBER, Kind.BOOLEAN, Kind.TEXT, Kind.NESTED), key=lambda kind: self.kinds[kind])
        if commonest is Kind.NESTED:
            return Ignored("objects or lists; name the paths of single values in the mapping")
        if commonest is Kind.TEXT:
            return self._text(written / there)
        return Typed("numeric" if commonest is Kind.NUMBER else "boolean")

    def _numbers_as_text(self) -> float:
        """Rows whose text is a number, estimated from the texts that are remembered."""
        remembered = self._texts.total()
        numbers = sum(rows for text, rows in self._texts.items() if type(classify("numeric", True, text)) is float)
        return self.kinds[Kind.TEXT] * numbers / max(remembered, 1)

    def _text(self, numbers: float) -> Typed | Ignored:
        tried = list(islice(self._texts, _TRIED))
        if sum(map(_is_time, tried)) >= MOSTLY * len(tried):
            return Ignored("times are not watched")
        rows, distinct = self._texts.total(), len(self._texts)
        if not self._more and (distinct <= FEW or distinct < FEW_SHARE * rows):
            return Typed("categorical")
        if numbers > 0.5:
            return Ignored(f"{numbers:.1%} of its texts are numbers, too few to be sure; set its type: numeric to watch them")
        length = sum(len(text) * of for text, of in self._texts.items()) / rows
        if length >= LONG and sum(map(_reads_as_text, tried)) >= len(tried) / 2:
            return Ignored(f"text of {length:.0f} characters on average; text is not watched yet")
        return Ignored(
            f"ids: {'over ' if self._more else ''}{distinct:,} different texts in {rows:,} rows; if not, set its type: categorical"
        )


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text.strip())
    except ValueError:
        return False
    return True


def _reads_as_text(text: str) -> bool:
    """Spaces between words, or a script that has none."""
    return " " in text or any("\u3040" <= character <= "\u9fff" or "\uac00" <= character <= "\ud7af" for character in text)
