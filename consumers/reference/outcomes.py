"""How the outcomes of a model version are counted: by its reference and what its labels are."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from ...schemas.configuration import Configuration, Labels
from ...schemas.stored.outcomes import MOST_CLASSES, OutcomeBasis
from ...schemas.stored.reference import CategoricalProfile, NumericProfile, Reference

#: Bins of predicted numbers.
BINS = 16
#: Of numbers, edges of the absolute residual, two to a power of two, in units of 2^-20 sd of the prediction: from 2^-14 sd, for those that
#: are nearly exact, to the largest. Of what says that normal residuals spread by a quarter more they keep 93 %; one to a power, 80 %.
LOSSES = tuple(round(2.0 ** (half / 2)) for half in range(12, 61))
#: References whose bases are remembered.
_MOST_KNOWN = 256


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
    return OutcomeBasis(task="number", centre=predicted.mean, scale=predicted.sd, edges=_edges(predicted), losses=LOSSES)


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


def bases(configuration: Configuration, reference_of: Callable[[str], Reference]) -> Callable[[str, str, str], OutcomeBasis]:
    """By model, reference (content hash) and labels."""

    @lru_cache(maxsize=_MOST_KNOWN)
    def found(reference: str, labels: str) -> OutcomeBasis:
        return basis_of(configuration.labels[labels], reference_of(reference))

    return lambda model, reference, labels: found(reference, labels)
