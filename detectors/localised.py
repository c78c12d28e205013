"""A profile with the counts of a part of its rows: of a segment, of an hour of the week, of the recent past."""

import numpy as np
from numpy.typing import NDArray

from ..schemas.reference import AvailabilityProfile, CategoricalProfile, NumericProfile
from .layout import Profile

Counts = NDArray[np.int64]


def localised(profile: Profile, counts: Counts) -> Profile:
    """The same bins with other counts; a bin that has rows in the whole, but none in the part, has one all the same.

    Its moments stay those of the whole: they are its unit. So do its taus, since a part seldom tells its own.
    """
    match profile:
        case NumericProfile() | CategoricalProfile():
            filled = np.maximum(counts, np.minimum(np.asarray(profile.counts, dtype=np.int64), 1))
            return profile.model_copy(update={"counts": tuple(filled.tolist())})
        case AvailabilityProfile():
            return profile.model_copy(update={"counts": tuple(counts.tolist())})
    return profile
