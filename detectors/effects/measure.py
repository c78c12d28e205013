"""The measure of every signal."""

from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ...schemas.configuration import Important, Model
from ...schemas.drift import Histogram
from ...schemas.reference import PairProfile, WordsProfile
from ..layout import Signal
from .counts import CountsMeasure
from .pairs import PairMeasure
from .size import Size
from .words import WordsMeasure

Counts = NDArray[np.int64]


class Measure(Protocol):
    """One signal's effect sizes against its reference."""

    @property
    def signal(self) -> Signal:
        """Whose."""
        ...

    def on(self, counts: Counts) -> tuple[Size, Counts]:
        """The effect in a vector of the space, and the signal's own numbers in it."""
        ...

    @property
    def reference(self) -> Histogram:
        """The reference's histogram."""
        ...

    def histogram(self, current: Counts) -> Histogram:
        """Of the signal's own numbers now, in the reference's groups."""
        ...

    def rows(self, counts: Counts) -> int:
        """Rows counted in the signal, in a vector of the space."""
        ...


def measures_of(signals: Iterable[Signal], all_signals: Sequence[Signal], settings: Model) -> tuple[Measure, ...]:
    """The measures of the tested signals."""
    available = {(signal.name, signal.segment): signal.span for signal in all_signals if signal.of == "availability"}
    return tuple(
        _measure(signal, available.get((signal.name, signal.segment)), settings.feature(signal.name).important or settings.important)
        for signal in signals
    )


def _measure(signal: Signal, available: slice | None, important: Important) -> Measure:
    match signal.profile:
        case PairProfile():
            return PairMeasure(signal, important)
        case WordsProfile():
            return WordsMeasure(signal, important)
    return CountsMeasure.of(signal, available, important)
