"""Outcomes: predictions and what became of them, as integer sums; and what these say of a model's performance."""
