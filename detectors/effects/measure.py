"""The measure of every signal."""

from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ...schemas.configuration import Important, Model
from ...schemas.reference import PairProfile, WordsProfile
from ..layout import Signal
from .counts import CountsMeasure
from .pairs import PairMeasure
from .size import Change
from .words import TextMeasure, WordsMeasure

Counts = NDArray[np.int64]


class Measure(Protocol):
    """One signal's effect sizes against its reference."""

    @property
    def signal(self) -> Signal:
        """Whose."""
        ...

    def on(self, vector: Counts) -> Change:
        """The change in a vector of the space."""
        ...

    def rows(self, vector: Counts) -> int:
        """Rows counted in the signal, in a vector of the space."""
        ...


def measures_of(
    signals: Iterable[Signal], all_signals: Sequence[Signal], settings: Model, expected: int | None = None
) -> tuple[Measure, ...]:
    """The measures of the tested signals; ``expected``: from where on a vector holds the counts that the season lets expect."""
    available = {(signal.name, signal.segment): signal.span for signal in all_signals if signal.of == "availability"}
    words = {signal.name: signal for of in ("characters", "words") for signal in all_signals if signal.of == of}
    return tuple(
        _measure(
            signal,
            available.get((signal.name, signal.segment)),
            settings.feature(signal.name).important or settings.important,
            None if expected is None else slice(expected + signal.start, expected + signal.start + signal.size),
            words.get(signal.name) if signal.group == "text" else None,
        )
        for signal in signals
    )


def _measure(signal: Signal, available: slice | None, important: Important, expected: slice | None, words: Signal | None) -> Measure:
    match signal.profile:
        case PairProfile():
            return PairMeasure(signal, important)
        case WordsProfile():
            own = WordsMeasure.of(signal, important)
            return own if words is None or words.of == signal.of else TextMeasure(own, WordsMeasure.of(words, important))
    moves = signal.group in ("values", "availability")
    counts = CountsMeasure.of(signal, available, important, expected if moves else None)
    return counts if words is None else TextMeasure(counts, WordsMeasure.of(words, important))
