"""What the joiner must be told about how outcomes are counted."""

from typing import Protocol

from ...detectors.agreement.ledger import Basis
from ...detectors.outcomes.counting import Own
from ...schemas.stored.outcomes import OutcomeBasis


class CountedBy(Protocol):
    """How the outcomes of a version are counted."""

    def __call__(self, model: str, reference: str, labels: str) -> OutcomeBasis:
        """By model, reference (content hash) and labels."""
        ...

    def interval(self, model: str, reference: str, labels: str) -> int:
        """The length (ms) of the intervals of prediction time that its revisions are about."""
        ...

    def compared(self, model: str, reference: str) -> Basis:
        """Of which features, and for what stretches of time, served values are compared with those of a feature log."""
        ...

    def own(self, model: str, basis: OutcomeBasis) -> Own | None:
        """What a model's rows add to the columns of a user's own metrics."""
        ...
