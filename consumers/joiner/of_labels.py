"""Joins with labels: what became of predictions."""

from collections.abc import Sequence
from typing import Any

from ...detectors.joining.joiner import Outcome, Settings
from ...detectors.outcomes.counting import Own
from ...detectors.outcomes.ledger import NO_VERSION, Ledger
from ...schemas.configuration import Configuration
from ...schemas.messages.block import Block, Whose
from ...schemas.messages.pane import ARRIVALS, REVISIONS
from ...schemas.stored.outcomes import OutcomeBasis
from ..streams.buckets import Every
from ..streams.spans import Spans
from .counted import CountedBy
from .kinds import Taken
from .names import Names
from .rows import in_steps, labels, predictions


class OfLabels:
    """A `Kind`."""

    of = ARRIVALS

    def __init__(self, configuration: Configuration, name: str, spans: Spans, names: Names, basis_of: CountedBy) -> None:
        self._name, self._names, self._basis_of = name, names, basis_of

        def basis(version: int, place: int) -> OutcomeBasis:
            return basis_of(names.model_of(version), names.place(place).reference, name)

        def own_of(version: int, basis: OutcomeBasis) -> Own | None:
            return basis_of.own(names.model_of(version), basis)

        def interval_of(bucket: int, version: int, place: int) -> int:
            if version == NO_VERSION:
                return Every(spans.about).end(bucket - 1)
            return Every(basis_of.interval(names.model_of(version), names.place(place).reference, name)).end(bucket - 1)

        self.ledger = Ledger(basis, interval_of, own_of)
        tiling, revise = Every(spans.pane), Every(spans.revise)
        self.settings = Settings(tiling, revise, spans.wait, spans.early, configuration.binned(name), maturity=spans.maturity)

    def taken(self, blocks: Sequence[Block], ends: Sequence[int], step: int) -> Taken:
        """The rows of blocks."""
        rows = predictions(blocks, self._names, lambda model, ref: self._basis_of(model, ref, self._name), step, self.settings.bins)
        return Taken(*in_steps(rows, blocks, ends, "predictions"), *in_steps(labels(blocks, self._names), blocks, ends, "labels"))

    def told(self, outcome: Outcome, whose: Whose) -> dict[str, Any]:  # fields of any type
        """Sums; of revisions with what they are of."""
        said: dict[str, Any] = {"counts": outcome.sums, "of": ARRIVALS if outcome.about is None else REVISIONS}
        if outcome.about is not None and whose.reference:
            basis = self._basis_of(whose.model, whose.reference, self._name)
            said |= {"grouping": basis.grouping, "own": basis.own}
        return said
