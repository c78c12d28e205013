"""Which of seven causes is behind a degradation: a pure function from evidence to findings."""
