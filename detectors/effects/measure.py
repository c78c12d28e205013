"""The measure of every signal."""

from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ...schemas.configuration import Important, Model
from ...schemas.stored.reference import PairProfile, WordsProfile
from ..counting.layout import Signal
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
    signals: Iterable[Signal], all_signals: Sequence[Signal], settings: Model, expected: int | None = None, parts: int = 1
) -> tuple[Measure, ...]:
    """The measures of the tested signals; ``expected``: from where on a vector holds the counts to expect, each told by one of so many
    ``parts`` of the reference's rows."""
    available = {(signal.name, signal.segment): signal for signal in all_signals if signal.of == "availability"}
    words = {signal.name: signal for of in ("characters", "words") for signal in all_signals if signal.of == of}
    return tuple(
        _measure(
            signal,
            available.get((signal.name, signal.segment)),
            settings.feature(signal.name).important or settings.important,
            expected if signal.group in ("values", "availability") else None,
            parts,
            words.get(signal.name) if signal.group == "text" else None,
        )
        for signal in signals
    )


def _measure(
    signal: Signal, available: Signal | None, important: Important, expected: int | None, parts: int, words: Signal | None
) -> Measure:
    match signal.profile:
        case PairProfile():
            return PairMeasure(signal, important)
        case WordsProfile():
            own = WordsMeasure.of(signal, important)
            return own if words is None or words.of == signal.of else TextMeasure(own, WordsMeasure.of(words, important))
    counts = CountsMeasure.of(signal, available, important, expected, parts)
    return counts if words is None else TextMeasure(counts, WordsMeasure.of(words, important))
