"""How long predictions wait for labels, or for rows of a feature log, and how often what became of them is told: whole buckets."""

from typing import NamedTuple

from ...schemas.configuration import Configuration

#: Revisions in an interval of performance, at most.
REVISED = 12
#: What becomes known of pairs with a feature log is told so often, in ms of record time.
REVISED_MS = 60_000


class Spans(NamedTuple):
    """The lengths of a join, whole buckets (ms)."""

    wait: int
    early: int
    about: int
    revise: int
    pane: int
    maturity: int | None = None  #: of arrivals; None: they are told as they come
    versus: int = 0  #: for which it is told together how versions compare

    @classmethod
    def of(cls, configuration: Configuration, name: str) -> "Spans":
        """As configured, rounded up."""
        pane = configuration.read_as(name).pane.milliseconds
        if (log := configuration.features.get(name)) is not None:
            revise = up(REVISED_MS, pane)
            return cls(up(log.wait, pane), up(log.early, pane), revise, revise, pane)
        own = configuration.labels[name]
        about = up(own.about, pane)
        maturity = up(own.maturity, pane) if own.order == "matured" and own.maturity is not None else None
        versus = about if any(one.labels == name and one.promotion is not None for one in configuration.models.values()) else 0
        return cls(up(own.wait, pane), up(own.early, pane), about, max(pane, up(about // REVISED, pane)), pane, maturity, versus)

    @property
    def memory(self) -> int:
        """What comes so long behind a mark does not depend on what lay in front of it."""
        return 2 * self.wait + self.early + 3 * self.pane + max(self.revise, self.versus)

    @property
    def told_of(self) -> int:
        """What an arrival is made of came in its step, or no longer before its end than so: its prediction, and early labels of that."""
        return 0 if self.maturity is None else self.maturity + 2 * self.pane + self.early

    def final(self, about: int) -> int:
        """When nothing more is to become known of the predictions of an interval that ends then, and all of it has been told: but for what
        is taken in a later bucket than its own, which a clock had closed.
        """
        return about + self.wait + self.pane + self.revise


def up(length: int, unit: int) -> int:
    """The least number of whole units that is as long."""
    return -(-length // unit) * unit
