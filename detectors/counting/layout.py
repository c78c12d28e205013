"""Where each signal's numbers stand in a pane's vectors: the order that counting and testing share."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ...schemas.stored.baseline import OutcomeBaseline
from ...schemas.stored.reference import (
    AvailabilityProfile,
    CategoricalProfile,
    EmbeddingProfile,
    NumericProfile,
    PairProfile,
    ProfiledField,
    Reference,
    TextProfile,
    WordsProfile,
)

Profile = NumericProfile | CategoricalProfile | AvailabilityProfile | WordsProfile | PairProfile | OutcomeBaseline
#: Signals of one group share a part of the false-alarm budget (`driftbus.detectors.betting.mixture.GROUP_WEIGHTS`).
Group = Literal["values", "availability", "text", "pairs", "segments", "traffic", "joint", "errors", "relation", "ood"]

#: Hashed counts per numeric profile, to tell how many distinct values there are.
CELLS = 32
#: Wide numbers per numeric profile: the sum of z, and of its square.
MOMENTS = 2


@dataclass(frozen=True)
class Signal:
    """One tested series."""

    name: str
    of: str  #: what of the field: values, availability, length, words, ...
    role: str
    group: Group
    profile: Profile
    start: int  #: first index in the layout's vector
    size: int
    rows: slice  #: of the vector: the sum of these is the rows that count in this signal
    field: ProfiledField | None = None
    moments: int | None = None  #: index of the sum of z, of a numeric profile; that of its square follows
    cells: int | None = None  #: index of the first hashed count, of a numeric profile
    segment: str | None = None
    share: float = 1.0  #: of the reference's rows, of a segment

    @property
    def span(self) -> slice:
        """Its part of the layout's vector."""
        return slice(self.start, self.start + self.size)

    @property
    def key(self) -> tuple[str, str, str]:
        """By which signals are sorted, and told apart."""
        return self.name, self.of, self.segment or ""

    @property
    def reference_counts(self) -> NDArray[np.int64]:
        """Reference rows per bin, length `size`; of a pair, and of what is made of cells, nothing."""
        return np.asarray(() if isinstance(self.profile, PairProfile | OutcomeBaseline) else self.profile.counts, dtype=np.int64)


@dataclass(frozen=True)
class Layout:
    """All signals that a pane of a reference holds.

    A pane's vector is its ``counts`` (length `size`) followed by its ``sums`` (length `wide`): small numbers and large ones apart, since
    a packed vector is as wide as its largest number. Signals' indices address the two joined.
    """

    signals: tuple[Signal, ...]
    size: int
    wide: int
    numeric: tuple[ProfiledField, ...]  #: decoded as numbers: timestamps too, by their age
    categorical: tuple[ProfiledField, ...]  #: decoded as texts of categories, and as texts
    vectors: tuple[ProfiledField, ...]  #: decoded as vectors

    def find(self, name: str, of: str) -> Signal | None:
        """The signal of that name, if it is tested."""
        return next((s for s in self.signals if s.name == name and s.of == of and s.segment is None), None)


class _Places:
    """Hands out places in the two vectors; those in the wide one are shifted behind the narrow one at the end."""

    def __init__(self) -> None:
        self.narrow = self.wide = 0

    def take(self, size: int) -> int:
        """The first of so many narrow places."""
        self.narrow += size
        return self.narrow - size

    def take_wide(self, size: int) -> int:
        """The first of so many wide ones, counted from the first wide one."""
        self.wide += size
        return self.wide - size


@dataclass(frozen=True)
class _Part:
    """What a field's profile is made of."""

    of: str
    group: Group
    profile: NumericProfile | CategoricalProfile | WordsProfile


def parts_of(field: ProfiledField) -> Iterator[_Part]:
    """The tested parts of a field's values."""
    match field.values:
        case NumericProfile() | CategoricalProfile() as values:
            yield _Part("values", "values", values)
        case TextProfile() as text:
            yield _Part("length", "text", text.length)
            if text.new_words is not None:
                yield _Part("new words", "text", text.new_words)
            if text.words is not None:
                yield _Part("words", "text", text.words)
            if text.characters is not None:
                yield _Part("characters", "text", text.characters)
        case EmbeddingProfile() as embedding:
            for number, component in enumerate(embedding.components, start=1):
                yield _Part(f"component {number}", "values", component)
            yield _Part("distance", "values", embedding.distance)


def layout(reference: Reference) -> Layout:
    """The layout of a reference's panes: parts of values, availability, pairs, joint distance, ids."""
    places, fields = _Places(), reference.fields
    narrow: list[Signal] = []
    starts = [[places.take(len(part.profile.counts)) for part in parts_of(field)] for field in fields]
    available = [places.take(len(field.availability.counts)) for field in fields]
    for field, own, present in zip(fields, starts, available, strict=True):
        for part, start in zip(parts_of(field), own, strict=True):
            narrow.append(_signal(places, part, field, start, slice(present, present + 1)))
    for field, start in zip(fields, available, strict=True):
        span = slice(start, start + len(field.availability.counts))
        narrow.append(Signal(field.name, "availability", field.role, "availability", field.availability, start, 4, span, field))
    if reference.joint is not None:
        part = _Part("joint distance", "joint", reference.joint.distance)
        start = places.take(len(part.profile.counts))
        narrow.append(_signal(places, part, None, start, slice(0, 0)))
    if reference.ids is not None:
        start = places.take(len(reference.ids.counts))
        span = slice(start, start + len(reference.ids.counts))
        narrow.append(Signal("(ids)", "duplicates", "row", "traffic", reference.ids, start, len(reference.ids.counts), span))
    both = [places.take(1) for _ in reference.pairs]
    products = [places.take_wide(1) for _ in reference.pairs]
    size = places.narrow
    signals = [_shifted(signal, size) for signal in narrow]
    signals += [
        Signal(f"{pair.first} × {pair.second}", "pair", "feature", "pairs", pair, size + product, 1, slice(rows, rows + 1))
        for pair, rows, product in zip(reference.pairs, both, products, strict=True)
    ]
    return Layout(
        signals=tuple(signals),
        size=size,
        wide=places.wide,
        numeric=tuple(f for f in fields if f.type in ("numeric", "timestamp")),
        categorical=tuple(f for f in fields if f.type in ("categorical", "boolean", "text")),
        vectors=tuple(f for f in fields if f.type == "embedding"),
    )


def _signal(places: _Places, part: _Part, field: ProfiledField | None, start: int, present: slice) -> Signal:
    """A signal of counts; of a numeric one also the places of its moments and hashed counts."""
    profile, size = part.profile, len(part.profile.counts)
    numeric = isinstance(profile, NumericProfile)
    return Signal(
        name=f"({part.of})" if field is None else field.name,
        of=part.of,
        role="row" if field is None else field.role,
        group=part.group,
        profile=profile,
        start=start,
        size=size,
        rows=present if isinstance(profile, WordsProfile) else slice(start, start + size),
        field=field,
        moments=places.take_wide(MOMENTS) if numeric else None,
        cells=places.take(CELLS) if numeric else None,
    )


def _shifted(signal: Signal, size: int) -> Signal:
    return signal if signal.moments is None else replace(signal, moments=size + signal.moments)
