"""Label meets prediction: what waits for a label, and what is known when one comes."""

from .joiner import Joiner, Outcome, Settings
from .rows import ANY, LABEL, NONE, Happening, Unmatched, label, prediction

__all__ = ["ANY", "LABEL", "NONE", "Happening", "Joiner", "Outcome", "Settings", "Unmatched", "label", "prediction"]
