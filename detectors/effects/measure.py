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
from .words import WordsMeasure

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
