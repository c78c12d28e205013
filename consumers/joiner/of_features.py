"""Joins with a feature log: whether served values are those that the training pipeline computes."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...detectors.agreement import Layout
from ...detectors.agreement.ledger import Basis, Ledger
from ...detectors.joining.joiner import Outcome, Settings
from ...schemas.configuration import Configuration
from ...schemas.messages.block import Block, Whose
from ...schemas.messages.pane import AGREEMENT
from ..streams.buckets import Every
from ..streams.spans import Spans
from .counted import CountedBy
from .kinds import Taken
from .names import Names
from .rows import in_steps, offline, served


class OfFeatures:
    """A `Kind`."""

    of = AGREEMENT

    def __init__(self, configuration: Configuration, name: str, spans: Spans, names: Names, basis_of: CountedBy) -> None:
        self._names, self._basis_of = names, basis_of

        def basis(version: int, place: int) -> Basis:
            return basis_of.compared(names.model_of(version), names.place(place).reference)

        self.ledger = Ledger(basis)
        tiling, revise, self._width = Every(spans.pane), Every(spans.revise), configuration.compared(name)
        self.settings = Settings(tiling, revise, spans.wait, spans.early, bins=0, carried=self._width)

    def taken(self, blocks: Sequence[Block], ends: Sequence[int], step: int) -> Taken:
        """The rows of blocks; without predictions whose values are those of features that are no longer configured, or not yet."""
        rows, at = in_steps(served(blocks, self._names, self._known, step, self._width), blocks, ends, "served")
        known = rows["flags"] != 0
        return Taken(rows[known], at[known], *in_steps(offline(blocks, self._names, self._width), blocks, ends, "offline"))

    def told(self, outcome: Outcome, whose: Whose) -> dict[str, Any]:  # fields of any type
        """Counts and sums of pairs, the commonest values, and what is compared; of rows that met no prediction, how many."""
        if not whose.reference:
            return {"counts": outcome.sums, "of": AGREEMENT}
        comparison = self._basis_of.compared(whose.model, whose.reference).comparison
        layout = Layout(comparison.features)
        counts, sums, commonest = np.split(outcome.sums, (layout.counts, layout.size))
        return {"counts": counts, "sums": sums, "commonest": commonest, "of": AGREEMENT, "grouping": comparison.name}

    def _known(self, whose: Whose) -> bool:
        comparison = self._basis_of.compared(whose.model, whose.reference).comparison
        return bool(comparison.name) and comparison.name == whose.grouping
