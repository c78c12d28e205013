"""Sums of outcomes in the layout that they are of, from panes; and with the columns that there are now of a user's own metrics."""

from typing import NamedTuple

import numpy as np

from ...detectors.outcomes.layout import Layout
from ...schemas.messages.pane import Pane
from .online import Sums


class Summed(NamedTuple):
    """Sums in the layout that they are of."""

    plan: Layout
    sums: Sums


def beginning(pane: Pane, plan: Layout) -> Summed:
    """Of a pane, or of a part of one, what stands in the first places."""
    found, part = np.zeros(plan.size, dtype=np.int64), pane.counts[: max(plan.size - pane.counts_at, 0)]
    if pane.parts == 1 and len(part) < plan.size:
        msg = f"outcomes of {pane.model}/{pane.version} that hold {len(part):,} sums, and {plan.size:,} are known: of other labels"
        raise ValueError(msg)
    found[pane.counts_at : pane.counts_at + len(part)] = part
    return Summed(plan, found)


def owning(vector: Summed, own: tuple[str, ...]) -> Sums:
    """The same with these columns of a user's metrics, by name: what is new in it is 0, and what is gone is left out."""
    plan, sums = vector
    if plan.basis.own == own:
        return sums
    section = plan.sections["own"]
    known = dict(zip(plan.basis.own, plan.take(sums, "own").tolist(), strict=True))
    columns = np.array([known.get(name, 0) for name in own], dtype=np.int64)
    return np.concatenate((sums[: section.start], columns, sums[section.span.stop :]))
