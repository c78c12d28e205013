"""Profiling: the columns of a reference to what is remembered of them."""
