"""At which p-values a query is called unlike the training data."""

#: For detection: each has its own count in a pane.
LEVELS = (0.05, 0.005)
#: A query in distribution has a larger p; an outlier no larger one.
CORE, OUTLIER = 0.2, 0.01
