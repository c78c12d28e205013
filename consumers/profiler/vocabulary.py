"""The values of one field in the rows that wait to be counted: each is kept once, rows have its code."""

import itertools
import sys
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...schemas.text import CATEGORY, fitted

#: Texts of at most so many bytes in memory have at most as many characters as a category may.
_SHORT = sys.getsizeof("") + CATEGORY.most


class Vocabulary:
    """A value's code is the number of those seen before it.

    Of long categories only a part is kept (`fitted`): looked at once per distinct value, so that rows of ordinary ones pay nothing.
    ``whole``: texts, whose every word counts, are kept as they are.
    """

    def __init__(self, *, whole: bool = False) -> None:
        self._codes = defaultdict[object, int](itertools.count().__next__)
        self._whole = whole
        self._gaps = 0  # codes that nothing has any more
        self.bytes = 0  #: of what is kept

    def codes(self, column: Sequence[object]) -> NDArray[np.int64]:
        """Of every row."""
        before = len(self._codes)
        codes = np.fromiter(map(self._codes.__getitem__, column), np.int64, len(column))
        if len(self._codes) > before:
            sizes = list(map(sys.getsizeof, new := list(itertools.islice(self._codes, before, None))))
            self.bytes += sum(sizes)
            if not self._whole and max(sizes) > _SHORT:
                for value, size in zip(new, sizes, strict=True):
                    if size > _SHORT and isinstance(value, str) and len(value) > CATEGORY.most:
                        codes[codes == self._codes.pop(value)] = self._short(value)
                        self._gaps += 1
                        self.bytes -= size
        return codes

    def _short(self, value: str) -> int:
        short = fitted(value, CATEGORY)
        if short not in self._codes:
            self.bytes += sys.getsizeof(short)
        return self._codes[short]

    def values(self) -> Sequence[object]:
        """By code."""
        if not self._gaps:
            return list(self._codes)
        values: list[object] = [None] * (len(self._codes) + self._gaps)
        for value, code in self._codes.items():
            values[code] = value
        return values
