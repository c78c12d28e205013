"""At which p-values a query is called unlike the training data."""

from ...schemas.stored.familiarity import LEVELS

#: A query is unlike the training data, or far from it.
FAR, UNLIKE = LEVELS
#: A query in distribution has a larger p; an outlier no larger one.
CORE, OUTLIER = 0.2, 0.01
#: Where cells of p end: 0 above the first, and so on.
BOUNDS = CORE, UNLIKE, OUTLIER, FAR
