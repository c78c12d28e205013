"""Which causes of drift can be told with what is configured."""

from collections.abc import Iterator

from ....schemas.configuration import Configuration
from ....schemas.stored.reference import Reference
from ...console.decided import decided
from .finding import Finding


def causes(configuration: Configuration, reference: Reference) -> Iterator[Finding]:
    """Of one model version."""
    found = decided(configuration, reference)
    if found is not None:
        first, *more = found.lines()
        yield Finding("ok", f"models.{reference.model}.diagnosis: {first}")
        yield from (Finding("more", f"  {line}") for line in more)
