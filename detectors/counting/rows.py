"""All that one reference's rows are counted for."""

from collections import Counter
from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from ...schemas.stored.reference import NumericProfile, ProfiledField, Reference, TextProfile
from .categories import Categories
from .closely import Looked
from .layout import Layout, Signal, layout
from .magnitudes import mantissa
from .numbers import Column, Numbers
from .sampled import Sampled
from .segments import Segmenter
from .texts import Texts
from .unseen import Names
from .vectors import Vectors

ByField = dict[str, NDArray[np.int64]]
Categorical = Sequence[object] | dict[object, int]


class Counting:
    """How one reference's rows are counted: all that does not depend on the rows, prepared."""

    def __init__(self, reference: Reference) -> None:
        self.layout: Layout = layout(reference)
        self.segmenter = None if reference.segmentation is None else Segmenter(reference.segmentation, self.layout)
        self.fields: tuple[ProfiledField, ...] = reference.fields
        self._length = self.layout.size + self.layout.wide
        numeric = enumerate(self.layout.numeric)
        self._mantissas = {place: mantissa(each.values) for place, each in numeric if isinstance(each.values, NumericProfile)}
        self._numbers = Numbers([self._column(field) for field in self.layout.numeric])
        self._categories = [self._counted(field) for field in self.layout.categorical]
        self._vectors = [Vectors(field, self.layout) for field in self.layout.vectors]
        self._sampled = Sampled(reference, self.layout)

    def _signals(self, field: ProfiledField) -> tuple[Signal, Signal | None]:
        """A field's availability, and its values if they are tested and of one part."""
        available = self.layout.find(field.name, "availability")
        assert available is not None
        return available, self.layout.find(field.name, "values")

    def _counted(self, field: ProfiledField) -> Categories | Texts:
        """How the values of a field that is decoded as texts are counted."""
        available, values = self._signals(field)
        if isinstance(field.values, TextProfile):
            return Texts(available, [signal for signal in self.layout.signals if signal.field is field])
        return Categories(available, values)

    def _column(self, field: ProfiledField) -> Column:
        available, values = self._signals(field)
        if values is None:
            return Column(None, None, available.start)
        assert isinstance(values.profile, NumericProfile)
        return Column(values.profile, values, available.start)

    def unseen(self, categorical: Sequence[Categorical]) -> Names:
        """By field, the categories that the reference does not know, and their rows."""
        fields = zip(self.layout.categorical, self._categories, categorical, strict=True)
        found = {
            field.name: counted.unseen(column if isinstance(column, dict) else Counter(column))
            for field, counted, column in fields
            if isinstance(counted, Categories)
        }
        return {name: values for name, values in found.items() if values}

    def closely(self, looked: Looked, of: Hashable, most: int) -> tuple[ByField, ByField]:
        """``Pane.magnitudes`` and ``Pane.repeated`` of ``most`` of the rows that were kept for it; of fields without any number nothing."""
        names = [self.layout.numeric[place].name for place in self._mantissas]
        found = looked.told(of, self._mantissas, most)
        magnitudes, repeated = ({name: each for name, each in zip(names, kind, strict=True) if each.size} for kind in found)
        return magnitudes, repeated

    def count(
        self,
        numeric: NDArray[np.float64],
        categorical: Sequence[Categorical],
        vectors: Sequence[NDArray[np.float64]] = (),
        offsets: NDArray[np.int64] | None = None,
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """``Pane.counts`` and ``Pane.sums`` of decoded rows.

        Numbers by row and field; categories and texts by field, or how often each occurs; vectors by field; the rows' offsets, by which
        the rows are sampled that pairs are counted in (None: by their numbers).
        """
        vector = np.zeros(self._length, dtype=np.int64)
        self._numbers.add(numeric, vector)
        self._sampled.add(numeric, np.arange(len(numeric)) if offsets is None else offsets, vector)
        for categories, column in zip(self._categories, categorical, strict=True):
            categories.add(column if isinstance(column, dict) else Counter(column), len(numeric), vector)
        for embedding, rows in zip(self._vectors, vectors, strict=True):
            embedding.add(rows, vector)
        return vector[: self.layout.size], vector[self.layout.size :]
