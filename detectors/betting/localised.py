"""A profile with the counts of a part of its rows: of a segment, of an hour of the week, of the recent past."""

import numpy as np
from numpy.typing import NDArray

from ...schemas.stored.reference import AvailabilityProfile, CategoricalProfile, NumericProfile
from ..counting.layout import Profile

Counts = NDArray[np.int64]


def localised(profile: Profile, counts: Counts) -> Profile:
    """The same bins with other counts. Of a part that fills few of them no row may be made up in the others: of 600 rows that moved a
    tenth, and every hour of a quiet day was drift.

    Its moments stay those of the whole: they are its unit. So do its taus, since a part seldom tells its own.
    """
    if isinstance(profile, NumericProfile | CategoricalProfile | AvailabilityProfile):
        return profile.model_copy(update={"counts": tuple(counts.tolist())})
    return profile
