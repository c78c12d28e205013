"""How much a signal changed: effect sizes, each less what two samples of one distribution would show."""

from .counts import grouped
from .measure import Measure, measures_of
from .size import Size, rounded

__all__ = ["Measure", "Size", "grouped", "measures_of", "rounded"]
