"""How often a field was there."""

import numpy as np

from ....detectors.profiling.dependence import Dependence
from ....schemas.stored.reference import AVAILABILITY, AvailabilityProfile
from .columns import Integers

#: Fewer rows with a value say too little about the values: only the availability is watched.
FEWEST_VALUES = 500


class Availability:
    """How often a field was there, of all rows."""

    def __init__(self) -> None:
        self._counts = np.zeros(len(AVAILABILITY), dtype=np.int64)
        self._dependence = Dependence(np.eye(len(AVAILABILITY)))

    def add(self, states: Integers) -> None:
        """The next rows, by their state."""
        self._counts += np.bincount(states, minlength=len(AVAILABILITY))
        self._dependence.add(states)

    def profile(self) -> AvailabilityProfile:
        """The result."""
        present, null, invalid, missing = self._counts.tolist()
        of_present, of_null, of_invalid, of_missing = self._dependence.tau().tolist()
        return AvailabilityProfile(counts=(present, null, invalid, missing), tau=(of_present, of_null, of_invalid, of_missing))
