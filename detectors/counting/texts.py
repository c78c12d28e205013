"""Counting texts: how long they are, and how many contain each word of the reference."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ...schemas.stored.reference import NumericProfile
from .absent import NULL
from .categories import Categories
from .layout import Signal
from .numbers import Column, Numbers
from .text import STEPS, TextReader, lengths_of

_NONE = np.array(NULL, dtype=np.uint64).view(np.float64)


class Texts:
    """One text field."""

    def __init__(self, available: Signal, parts: Sequence[Signal]) -> None:
        self._availability = Categories(available, None)
        of = {signal.of: signal for signal in parts}
        self._numeric = [signal for name in ("length", "new words") if (signal := of.get(name)) is not None]
        self._numbers = Numbers([Column(signal.profile, signal) for signal in self._numeric if isinstance(signal.profile, NumericProfile)])
        self._contained = [of.get("words"), of.get("characters")]
        words, grams = (() if signal is None else _words(signal) for signal in self._contained)
        self._reader = TextReader(words, grams)

    def add(self, frequencies: Mapping[object, int], rows: int, vector: NDArray[np.int64]) -> None:
        """Count how often each text, or mark of an absent one, occurs in so many rows."""
        self._availability.add(frequencies, rows, vector)
        texts = [text for text in frequencies if type(text) is str]
        times = np.fromiter((frequencies[text] for text in texts), np.int64, len(texts))
        new = np.full(len(texts), -1)
        first = 0
        for read in self._reader.read(texts):
            here = slice(first, first + len(read.new))
            first, new[here] = here.stop, read.new
            for signal, contains in zip(self._contained, (read.words, read.grams), strict=True):
                if signal is not None:
                    text, place = np.divmod(np.flatnonzero(contains), signal.size)
                    vector[signal.span] += np.bincount(place, times[here][text], signal.size).astype(np.int64)
        shares = np.where(new < 0, _NONE, new / STEPS)  # a text without words has none
        numbers = [lengths_of(texts) if signal.of == "length" else shares for signal in self._numeric]
        self._numbers.add(np.repeat(np.stack(numbers, axis=1), times, axis=0), vector)


def _words(signal: Signal) -> tuple[str, ...]:
    return getattr(signal.profile, "words", ())
