"""A reference by season: the counts of every hour, and how much rows depend on each other once the hour is known."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ....detectors.betting.localised import localised
from ....detectors.betting.scores import scores
from ....detectors.counting.bins import bins_of
from ....detectors.counting.layout import Signal, layout
from ....detectors.profiling.dependence import Dependence
from ....schemas.stored.reference import CategoricalProfile, NumericProfile, ProfiledField, Reference
from .decoded import Decoded

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]


class SeasonalTaus:
    """The dependence of a reference's signals within their hour: a daily swing, which each hour knows, does not count as dependence."""

    def __init__(self, reference: Reference, by_slot: Sequence[Counts]) -> None:
        self._reference = reference
        plan = layout(reference)
        self._columns = [("numeric", place, field) for place, field in enumerate(plan.numeric)]
        self._columns += [("categorical", place, field) for place, field in enumerate(plan.categorical)]
        self._values: dict[str, tuple[int, Dependence]] = {}
        for _, _, field in self._columns:
            signal = plan.find(field.name, "values")
            if signal is not None and field.type != "timestamp":
                self._values[field.name] = signal.size, Dependence(np.concatenate([_centred(signal, own[signal.span]) for own in by_slot]))

    def add(self, rows: Decoded, slots: NDArray[np.int64]) -> None:
        """The next rows, in the order of time."""
        for kind, place, field in self._columns:
            if field.name in self._values:
                size, dependence = self._values[field.name]
                codes = _numbers(field, rows.numeric[:, place]) if kind == "numeric" else _categories(field, rows.categorical[place])
                there = codes >= 0
                dependence.add(slots[there] * size + codes[there])

    def applied(self) -> Reference:
        """The reference, with these taus."""
        return self._reference.model_copy(update={"fields": tuple(self._field(field) for field in self._reference.fields)})

    def _field(self, field: ProfiledField) -> ProfiledField:
        if field.name not in self._values or not isinstance(field.values, NumericProfile | CategoricalProfile):
            return field
        _, dependence = self._values[field.name]
        of_values = 1 if isinstance(field.values, NumericProfile) else None
        known = {"tau": tuple(dependence.tau().tolist()), **dependence.swung(of_values)}
        return field.model_copy(update={"values": field.values.model_copy(update=known)})


def _centred(signal: Signal, counts: Counts) -> Floats:
    """The scores of an hour's bins, [bin, score], whose mean in that hour is 0."""
    profile = localised(signal.profile, counts)
    if isinstance(profile, NumericProfile):
        return scores(profile).T
    share = counts / max(int(counts.sum()), 1)
    return np.eye(len(counts)) - share


def _numbers(field: ProfiledField, column: Floats) -> NDArray[np.int64]:
    assert isinstance(field.values, NumericProfile)
    return np.where(np.isnan(column), -1, bins_of(field.values, np.nan_to_num(column)))


def _categories(field: ProfiledField, column: Sequence[object]) -> NDArray[np.int64]:
    assert isinstance(field.values, CategoricalProfile)
    places: dict[object, int] = {text: place for place, text in enumerate(field.values.categories)}
    other = len(places)
    return np.array([places.get(value, other) if isinstance(value, str) else -1 for value in column], dtype=np.int64)
