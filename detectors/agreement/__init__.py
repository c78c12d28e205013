"""Whether served values of features are those that the training pipeline computes: pairs of both to integer sums.

A *pair* is of one feature, of one prediction and the row of the feature log that is in force for it; its offline value is there. What is
said of pairs adds up over runs, processes and corrections, to the byte.
"""

from .compared import ComparedFeature, Comparison
from .counting import Counting
from .layout import Layout
from .ledger import Ledger

__all__ = ["ComparedFeature", "Comparison", "Counting", "Layout", "Ledger"]
