"""Counting: decoded rows to the integer vectors of a pane. Sums of counts are counts of sums: no batch, cut or order shows in them."""

from .rows import Counting

__all__ = ["Counting"]
