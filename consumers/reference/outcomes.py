"""How the outcomes of a model version are counted: by its reference, what its labels are, and what its configuration asks for."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType

import numpy as np

from ...detectors.agreement.ledger import Basis
from ...detectors.outcomes.counting import Own
from ...detectors.outcomes.grouping import Grouping
from ...detectors.outcomes.layout import LARGEST
from ...detectors.outcomes.own import OwnMetric, columns_of, counted
from ...schemas.configuration import Configuration, Labels
from ...schemas.stored.outcomes import MOST_CLASSES, OutcomeBasis
from ...schemas.stored.reference import CategoricalProfile, NumericProfile, ProfiledField, Reference
from ..streams.grain import grain
from ..streams.spans import Spans
from .agreement import comparisons

#: Bins of predicted numbers.
BINS = 16
#: Of numbers, edges of the absolute residual, two to a power of two, in units of 2^-20 sd of the prediction: from 2^-14 sd, for those that
#: are nearly exact, to the largest. Of what says that normal residuals spread by a quarter more they keep 93 %; one to a power, 80 %.
LOSSES = tuple(round(2.0 ** (half / 2)) for half in range(12, 61))
#: Outcomes may be so many times as far away as predictions are large, in the mean; and where a model says the same of all.
_FAR, _FAR_OF_CONSTANT = 2.0, 32.0
#: References whose bases are remembered.
_MOST_KNOWN = 256
#: A user's own metrics, by model.
MetricsOf = Mapping[str, Sequence[OwnMetric]]
NO_METRICS: MetricsOf = MappingProxyType({})
#: The groups of a version's features: by model, reference (content hash), and what of it is known: its fields.
GroupingOf = Callable[[str, str, Sequence[ProfiledField]], Grouping]


def basis_of(labels: Labels, reference: Reference) -> OutcomeBasis:
    """Of a version that is watched against this reference."""
    predicted = next((field.values for field in reference.fields if field.role == "prediction"), None)
    if predicted is None and labels.outcome == "number":
        predicted = next((field.values for field in reference.fields if field.role == "score"), None)
    if labels.outcome == "binary":
        return OutcomeBasis(task="binary")
    if labels.outcome == "category":
        return OutcomeBasis(task="category", classes=_classes(predicted) or ("(none)",))
    if not isinstance(predicted, NumericProfile):
        return OutcomeBasis(task="number", losses=LOSSES)
    return OutcomeBasis(task="number", centre=predicted.mean, scale=_scale(predicted), edges=_edges(predicted), losses=LOSSES)


def _scale(predicted: NumericProfile) -> float:
    """In which outcomes and losses are counted, from a millionth of it to `LARGEST` times it: the sd of the predictions. Those of a model
    that hardly tells its rows apart say nothing of how far outcomes are from them, but how large they are does.
    """
    large = abs(predicted.mean) / LARGEST
    if predicted.minimum < predicted.maximum:
        return max(predicted.sd, _FAR * large)
    return _FAR_OF_CONSTANT * large or 1.0


def _classes(predicted: object) -> tuple[str, ...]:
    """The commonest classes that the reference predicts."""
    if not isinstance(predicted, CategoricalProfile):
        return ()
    order = sorted(range(len(predicted.categories)), key=lambda place: (-predicted.counts[place], predicted.categories[place]))
    return tuple(predicted.categories[place] for place in order[:MOST_CLASSES])


def _edges(predicted: NumericProfile) -> tuple[float, ...]:
    """Between bins of about equal mass: some of the reference's own."""
    counts, bin_of = np.asarray(predicted.counts), np.asarray(predicted.bin_of)
    behind = np.cumsum(counts[bin_of[:-1]])
    wanted = behind[-1] * np.arange(1, BINS) / BINS
    return tuple(sorted({predicted.edges[place] for place in np.searchsorted(behind, wanted).tolist()}))


def groupings(configuration: Configuration) -> GroupingOf:
    """By which groups of features the outcomes of each model are summed, remembered by reference."""
    known: dict[tuple[str, str], Grouping] = {}

    def found(model: str, reference: str, fields: Sequence[ProfiledField]) -> Grouping:
        grouping = known.get((model, reference))
        if grouping is None:
            if len(known) >= _MOST_KNOWN:
                known.clear()
            grouping = known[model, reference] = Grouping(fields, configuration.model(model).grouped)
        return grouping

    return found


class Bases:
    """How outcomes are counted, by model, reference (content hash) and labels."""

    def __init__(self, configuration: Configuration, reference_of: Callable[[str], Reference], metrics: MetricsOf = NO_METRICS) -> None:
        self._configuration, self._reference_of, self._metrics = configuration, reference_of, metrics
        self._comparison_of = comparisons(configuration)
        self._grouping_of = groupings(configuration)
        self._found = lru_cache(maxsize=_MOST_KNOWN)(self._basis)
        self._intervals = lru_cache(maxsize=_MOST_KNOWN)(self._interval)
        self._counted = lru_cache(maxsize=_MOST_KNOWN)(self._own)
        self._compared = lru_cache(maxsize=_MOST_KNOWN)(self._basis_of_agreement)

    def __call__(self, model: str, reference: str, labels: str) -> OutcomeBasis:
        """The basis."""
        return self._found(model, reference, labels)

    def metrics(self, model: str) -> Sequence[OwnMetric]:
        """The user's own."""
        return self._metrics.get(model, ())

    def interval(self, model: str, reference: str, labels: str) -> int:
        """The length (ms) of the intervals of prediction time that its revisions are about: where causes are looked for grains, as far as
        whole ones make an interval of performance.
        """
        return self._intervals(model, reference, labels)

    def compared(self, model: str, reference: str) -> Basis:
        """What of a version is compared with its feature log, and for what stretches of time that is told."""
        return self._compared(model, reference)

    def own(self, model: str, basis: OutcomeBasis) -> Own | None:
        """What a model's rows add to the columns of these, the same for the same basis."""
        return self._counted(model, basis)

    def _basis(self, model: str, reference: str, labels: str) -> OutcomeBasis:
        profile = self._reference_of(reference)
        grouping = self._grouping_of(model, reference, profile.fields)
        inner = bool(grouping.features) and self._configuration.model(model).inner
        own = {"features": grouping.features, "grouping": grouping.name, "inner": inner, "own": columns_of(self.metrics(model))}
        return basis_of(self._configuration.labels[labels], profile).model_copy(update=own)

    def _interval(self, model: str, reference: str, labels: str) -> int:
        own, stream = self._configuration.model(model), self._configuration.read_as(labels)
        about = Spans.of(self._configuration, labels).about
        if own.diagnosis is None or not reference:
            return about
        length = grain(self._reference_of(reference), stream.pane, own.season, own.rate)
        return about if about % length else length

    def _basis_of_agreement(self, model: str, reference: str) -> Basis:
        profile, settings = self._reference_of(reference), self._configuration.model(model)
        pane = self._configuration.streams[self._configuration.stream_of(model)].pane
        length = grain(profile, pane, settings.season, settings.rate)
        return Basis(self._comparison_of(model, reference, profile.fields), length)

    def _own(self, model: str, basis: OutcomeBasis) -> Own | None:
        return counted(basis, self.metrics(model))
