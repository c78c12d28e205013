"""At which p-values a row is told apart, wherever queries unlike the training data are spoken of."""

from typing import Final

#: Flagged, for the lane that detects: the share of familiar rows that are, too.
LEVELS: Final = (0.05, 0.005)
#: *In distribution* is above this one; an *outlier*, of which is asked which field it is, is at or below that one.
CORE, OUTLIER = 0.2, 0.01
#: How many nearest rows of the reference a score is the sum of.
NEAREST = 5
