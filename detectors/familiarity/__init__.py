"""Queries unlike the training data, counted: what is tested of them, and how much more of them there are."""

from .asked import Asked, AskedRow
from .places import CELLS, WIDTH, counted
from .settings import FamiliaritySettings
from .suite import FamiliaritySuite

__all__ = ["CELLS", "WIDTH", "Asked", "AskedRow", "FamiliaritySettings", "FamiliaritySuite", "counted"]
