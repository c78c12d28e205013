"""Which causes of drift can be told with what is configured."""

from collections.abc import Iterator

from ....schemas.configuration import Configuration
from ....schemas.stored.reference import Reference
from ....schemas.unusable import Unusable
from ...console.decided import decided
from ...diagnoser.settings import thresholds_of
from ...reference.artifacts import ArtifactStore
from ...reference.calibrations import calibration_of
from .finding import Finding


def causes(configuration: Configuration, reference: Reference) -> Iterator[Finding]:
    """Of one model version."""
    found = decided(configuration, reference)
    if found is not None:
        first, *more = found.lines()
        yield Finding("ok", f"models.{reference.model}.diagnosis: {first}")
        yield from (Finding("more", f"  {line}") for line in more)


def diagnosed_by(configuration: Configuration) -> Iterator[Finding]:
    """Thresholds and calibrations without which no diagnoser starts, of all models."""
    store = ArtifactStore(configuration.artifacts)
    for model in configuration.models:
        try:
            thresholds_of(configuration, model)
            calibration_of(configuration, model, store)
        except Unusable as error:
            yield Finding("wrong", str(error))
