"""The slots of a model that people are asked about: intervals of record time, whole panes, each with its share of the budget."""

from dataclasses import dataclass

from ...schemas.configuration import Model, PaneLength
from ...schemas.configuration.review import Review
from .buckets import Buckets, Every, buckets


@dataclass(frozen=True)
class Slots:
    """How time is divided for one model, and how many cases each slot has.

    >>> slots = Slots(Review(slot="10m", budget="20 per hour", uniform=0.5), Every(600_000))
    >>> [(slots.cases(end * 600_000), slots.uniform(end * 600_000)) for end in (1, 2, 3)]
    [(3, 1), (3, 2), (4, 2)]
    """

    settings: Review
    tiling: Buckets

    @classmethod
    def of(cls, model: Model, pane: PaneLength) -> "Slots | None":
        """Of a model whose panes are so long; None: nobody is asked about it."""
        if model.review is None:
            return None
        length = -(-model.review.slot // pane.milliseconds) * pane.milliseconds
        return cls(model.review, buckets(pane) if pane.unit == "month" else Every(length))

    def cases(self, end: int, start: int | None = None) -> int:
        """Of the slot that ends then: what the budget has by its end, less what it had by its start; ``start``: where it begins later than
        the tiling says, for slots were of another length before.
        """
        due = self.settings.budget.due
        return due(end) - due(self.tiling.start(end - 1) if start is None else start)

    def uniform(self, end: int, start: int | None = None) -> int:
        """How many of them are drawn uniformly."""
        due, share = self.settings.budget.due, self.settings.uniform
        return int(due(end) * share) - int(due(self.tiling.start(end - 1) if start is None else start) * share)

    @property
    def most(self) -> tuple[int, int]:
        """Cases of a slot, and of these uniform ones, at most."""
        length = self.tiling.end(0) - self.tiling.start(0)
        cases = self.settings.budget.due(length) + 1
        return cases, min(cases, int(cases * self.settings.uniform) + 1)
