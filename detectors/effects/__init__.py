"""How much a signal changed: effect sizes, each less what two samples of one distribution would show."""

from .counts import grouped
from .measure import Measure, measures_of
from .size import Change, rounded

__all__ = ["Change", "Measure", "grouped", "measures_of", "rounded"]
