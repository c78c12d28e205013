"""Where each signal's counts stand in a pane's vectors: the order that counting and testing share."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..schemas.reference import CategoricalProfile, NumericProfile, ProfiledField, Reference

SignalOf = Literal["values", "availability"]


@dataclass(frozen=True)
class Signal:
    """One tested series: the values of a field, or its availability."""

    name: str
    of: SignalOf
    field: ProfiledField
    start: int  #: first index in ``Pane.counts``
    size: int

    @property
    def span(self) -> slice:
        """Its part of ``Pane.counts``."""
        return slice(self.start, self.start + self.size)

    @property
    def reference_counts(self) -> NDArray[np.int64]:
        """Reference rows per bin, length `size`."""
        profile = self.field.availability if self.of == "availability" else self.field.values
        assert profile is not None
        return np.asarray(profile.counts, dtype=np.int64)


@dataclass(frozen=True)
class Layout:
    """All signals of a reference: the values of every field that has any, then the availability of every field.

    ``Pane.sums`` holds two numbers per numeric field, in the fields' order.
    """

    signals: tuple[Signal, ...]
    size: int
    numeric: tuple[ProfiledField, ...]
    categorical: tuple[ProfiledField, ...]

    @property
    def starts(self) -> NDArray[np.int64]:
        """First index of every signal, for ``np.add.reduceat``."""
        return np.array([signal.start for signal in self.signals], dtype=np.int64)

    def find(self, name: str, of: SignalOf) -> Signal | None:
        """The signal of that name, if it is tested."""
        return next((s for s in self.signals if s.name == name and s.of == of), None)


def layout(reference: Reference) -> Layout:
    """The layout of a reference's panes."""
    signals: list[Signal] = []
    start = 0
    for field in reference.fields:
        if field.values is not None:
            signals.append(Signal(field.name, "values", field, start, len(field.values.counts)))
            start += len(field.values.counts)
    for field in reference.fields:
        signals.append(Signal(field.name, "availability", field, start, len(field.availability.counts)))
        start += len(field.availability.counts)
    # A field without tested values is decoded by its type, so that its availability can be told.
    numeric = tuple(f for f in reference.fields if isinstance(f.values, NumericProfile) or (f.values is None and f.type == "numeric"))
    categorical = tuple(
        f for f in reference.fields if isinstance(f.values, CategoricalProfile) or (f.values is None and f.type != "numeric")
    )
    return Layout(tuple(signals), start, numeric, categorical)
