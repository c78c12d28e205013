"""Concept drift: whether a model is wrong more often than it was, and whether its inputs have come to mean something else."""

from .arrivals import Arrivals
from .gathering import Gathering
from .settings import OutcomeSettings
from .suite import LANE, REVIEWS, OutcomeSuite

__all__ = ["LANE", "REVIEWS", "Arrivals", "Gathering", "OutcomeSettings", "OutcomeSuite"]
