"""Which type a column is: what the reference's rows say, unless the configuration does."""

import re
from collections import Counter
from itertools import islice
from typing import NamedTuple

import numpy as np

from ....schemas.configuration import FeatureSettings
from ...decode.scalars import FieldType, classify
from ...decode.times import seconds_of_text
from .columns import Column, Kind, kinds

#: Of all values that are there: so many must be of a kind, the others are then invalid.
MOSTLY = 0.99
#: Texts that name a category: so few, or of so few rows each one.
FEW, FEW_SHARE = 64, 0.05
#: Texts that come from the beginning to the end: in rows that reach over so much of them.
LASTING = 0.9
#: Texts from so long a mean on, and with spaces between words, are read by people.
LONG = 20
#: Numbers in a vector, at least and at most.
SHORTEST, LONGEST = 2, 4_096
#: Distinct texts remembered, and characters of them; a column that has more is no category.
_MOST_TEXTS, _MOST_CHARACTERS = 200_000, 50_000_000
#: Characters of a text that tell what it is.
_TELLING = 10_000
#: Distinct texts that are tried as times.
_TRIED = 1_000
#: Digits that begin with zeros: of postal codes, accounts, and so on.
_CODE = re.compile(r"\s*[+-]?0\d")


class Typed(NamedTuple):
    """How a column is read."""

    type: FieldType
    parse: bool = False
    size: int = 0  #: of an embedding
    zone: str = "UTC"  #: of times that name none


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
        self.texts: Counter[str] = Counter()  #: the texts, or as many of them as are remembered
        self.loose = False  #: the source tells no numbers from their texts
        self._more = False
        self._characters = 0
        self._sizes: Counter[int] = Counter()  # of lists of numbers
        self._rows = 0
        self._spans: dict[str, tuple[int, int]] = {}  # the first and the last row of each text, as long as they are few

    def add(self, column: Column) -> None:
        """The next rows."""
        self.kinds += kinds(column)
        first, self._rows = self._rows, self._rows + len(column)
        if isinstance(column, np.ndarray):
            self.numeric = True
            self.rises = self.rises and bool(column[0] > self._last and (column[1:] > column[:-1]).all())
            self._last = float(column[-1])
            return
        self.rises = False
        self._span(first, column)
        if not self._more:
            before = len(self.texts)
            self.texts.update([value[:_TELLING] for value in column if type(value) is str])
            self._characters += sum(map(len, islice(self.texts, before, None)))
            self._more = len(self.texts) > _MOST_TEXTS or self._characters > _MOST_CHARACTERS
        self._sizes.update([len(value) for value in column if type(value) is list and value and set(map(type, value)) <= {int, float}])

    def _span(self, first: int, column: list[object]) -> None:
        if len(self._spans) > FEW:
            return
        texts = [(value, row) for row, value in enumerate(column, start=first) if type(value) is str]
        place, back = dict(texts), dict(reversed(texts))
        for text, last in place.items():
            self._spans[text] = (self._spans[text][0] if text in self._spans else back[text], last)

    def _stands(self) -> bool:
        """Whether there are few texts, and they are the same from the beginning to the end: times that move on are not."""
        if len(self._spans) > FEW or self._rows < FEW:
            return False
        lasting = sum(self.texts[text] for text, (first, last) in self._spans.items() if last - first > LASTING * self._rows)
        return lasting >= MOSTLY * self.texts.total()

    def decide(self, settings: FeatureSettings, *, timed: bool = True) -> Typed | Ignored:
        """The column's type, or why it is ignored; ``timed``: the rows have times.

        Numbers and booleans may come as text where the source is loose, or the configuration says that a column holds such.
        """
        if settings.ignore:
            return Ignored("ignored by configuration")
        if settings.type == "timestamp":
            return _time(timed)
        if settings.type == "embedding":
            return self._embedding()
        there = sum(self.kinds[kind] for kind in (Kind.NUMBER, Kind.BOOLEAN, Kind.TEXT, Kind.NESTED))
        written = self._numbers_as_text()
        parse = self.loose or written > (1 - MOSTLY) * there
        if settings.type is not None:
            return Typed(settings.type, settings.type in {"numeric", "boolean"})
        if not there:
            return Typed("numeric", parse) if self.numeric else Typed("categorical")
        if self.kinds[Kind.NUMBER] + written >= MOSTLY * there:
            return Typed("numeric", parse)
        commonest = max((Kind.NUMBER, Kind.BOOLEAN, Kind.TEXT, Kind.NESTED), key=lambda kind: self.kinds[kind])
        if commonest is Kind.NESTED:
            if self._sizes.total() < MOSTLY * there:
                return Ignored("objects or lists; name the paths of single values in the mapping")
            return self._embedding()
        if commonest is Kind.TEXT:
            return self._text(written / there, timed)
        return Typed("numeric", parse) if commonest is Kind.NUMBER else Typed("boolean", self.loose)

    def _numbers_as_text(self) -> float:
        """Rows whose text is a number, estimated from the texts that are remembered."""
        remembered = self.texts.total()
        numbers = sum(rows for text, rows in self.texts.items() if _is_number(text))
        return self.kinds[Kind.TEXT] * numbers / max(remembered, 1)

    def _embedding(self) -> Typed | Ignored:
        """Lists of numbers, all but a few of one length."""
        lists = self._sizes.total()
        size, rows = max(self._sizes.items(), key=lambda item: (item[1], -item[0]), default=(0, 0))
        if not lists:
            return Ignored("it has no lists of numbers")
        if rows < MOSTLY * lists:
            return Ignored(f"{rows:,} of {lists:,} lists of numbers have {size:,} of them; vectors are watched that have one size")
        if SHORTEST <= size <= LONGEST:
            return Typed("embedding", size=size)
        return Ignored(f"lists of {size:,} numbers; vectors of {SHORTEST} to {LONGEST:,} are watched")

    def _text(self, numbers: float, timed: bool) -> Typed | Ignored:
        tried = list(islice(self.texts, _TRIED))
        times = sum(self.texts[text] for text in tried if seconds_of_text(text) is not None)
        if times >= MOSTLY * sum(self.texts[text] for text in tried) and not self._stands():
            return _time(timed)
        rows, distinct = self.texts.total(), len(self.texts)
        if not self._more and (distinct <= FEW or distinct < FEW_SHARE * rows):
            return Typed("categorical")
        if numbers > 0.5:
            return Ignored(f"{numbers:.1%} of its texts are numbers, too few to be sure; set its type: numeric to watch them")
        length = sum(len(text) * of for text, of in self.texts.items()) / rows
        if length >= LONG and sum(map(_reads_as_text, tried)) >= len(tried) / 2:
            return Typed("text")
        return Ignored(
            f"ids: {'over ' if self._more else ''}{distinct:,} different texts in {rows:,} rows; if not, set its type: categorical"
        )


def _is_number(text: str) -> bool:
    return not _CODE.match(text) and type(classify("numeric", True, text)) is float


def _time(timed: bool) -> Typed | Ignored:
    if timed:
        return Typed("timestamp")
    return Ignored("times are watched by their age, and the time of these rows is not known; name it: time")


def _reads_as_text(text: str) -> bool:
    """Spaces between words, or a script that has none."""
    return " " in text or any("\u3040" <= character <= "\u9fff" or "\uac00" <= character <= "\ud7af" for character in text)
