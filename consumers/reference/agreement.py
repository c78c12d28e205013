"""Which features of a model version are compared with its feature log: by its reference, and what its configuration asks for."""

from collections.abc import Callable, Sequence

from ...detectors.agreement import Comparison
from ...schemas.configuration import Configuration
from ...schemas.stored.reference import ProfiledField

#: References whose comparisons are remembered.
_MOST_KNOWN = 256
NOTHING = Comparison((), ())
#: By model, reference (content hash), and what of it is known: its fields.
ComparisonOf = Callable[[str, str, Sequence[ProfiledField]], Comparison]


def comparisons(configuration: Configuration) -> ComparisonOf:
    """What is compared of each model, remembered by reference; nothing, where nobody asks for it."""
    known: dict[tuple[str, str], Comparison] = {}

    def found(model: str, reference: str, fields: Sequence[ProfiledField]) -> Comparison:
        comparison = known.get((model, reference))
        if comparison is None:
            if len(known) >= _MOST_KNOWN:
                known.clear()
            comparison = known[model, reference] = _comparison(configuration, model, fields)
        return comparison

    return found


def _comparison(configuration: Configuration, model: str, fields: Sequence[ProfiledField]) -> Comparison:
    settings = configuration.model(model)
    if settings.agreement is None:
        return NOTHING
    return Comparison(fields, settings.agreement.features, lambda name: settings.feature(name).tolerance)
