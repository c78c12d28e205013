"""What a step must know beforehand, whatever lane it is of: predictions, or their outcomes."""

from typing import Protocol

from ...schemas.configuration import Model
from ..betting.companions import Companions
from ..betting.mixture import Bets
from ..betting.moving import Seasonal
from ..betting.space import Space
from ..counting.layout import Signal
from ..effects import Measure
from .at_work import AtWork
from .episode import EventIdentity
from .trailing import Following


class Decided(Protocol):
    """All that is decided beforehand. Built once per model version and lane; no part of the state."""

    settings: Model
    space: Space
    named: AtWork
    budget_seconds: float
    seasonal: Seasonal | None
    following: Following | None
    bets: Bets
    companions: Companions
    identity: EventIdentity
    fingerprint: str

    @property
    def measures(self) -> tuple[Measure, ...]:
        """Of the tested signals."""
        ...

    @property
    def anchors(self) -> tuple[Measure, ...]:
        """The same against the reference that was built, where one follows the past."""
        ...

    @property
    def written(self) -> str:
        """The settings as a state remembers them."""
        ...

    def decides(self, signal: Signal) -> tuple[float, str, bool]:
        """What the tests of a signal of all fields depend on beside the reference and the budget."""
        ...
