"""Whether labels are to be believed: some are reviewed by people, and how often these disagree is watched.

A label that is wrong and a world that has changed are the same to whoever learns from labels alone. So what is held, and given free again,
goes by reviewed labels only.
"""

import math
from dataclasses import dataclass
from typing import Any, Literal

#: The share of disagreement of labels that are to be believed, and of those that are not.
USUAL, WRONG = 0.05, 0.25
#: Evidence that labels have become wrong, and that they are right again.
FOUND, CLEARED = math.log(100.0), math.log(20.0)
_OF_DISAGREEMENT, _OF_AGREEMENT = math.log(WRONG / USUAL), math.log((1 - WRONG) / (1 - USUAL))

Verdict = Literal["found", "cleared"]


@dataclass
class Audit:
    """A cumulated sum in whichever direction is news.

    >>> audit = Audit()
    >>> [audit.take(day, agrees=False) for day in (3, 4, 5)], audit.onset
    ([None, None, 'found'], 3)
    >>> [audit.take(day, agrees=True) for day in range(6, 19)].index("cleared")
    12
    """

    disbelieved: bool = False
    evidence: float = 0.0
    onset: int = 0  #: when the first label was made that counts against what is believed

    def take(self, about: int, *, agrees: bool) -> Verdict | None:
        """A label that was reviewed; ``about``: when its prediction was made. What is found with it."""
        of_wrong = _OF_AGREEMENT if agrees else _OF_DISAGREEMENT
        before, self.evidence = self.evidence, max(self.evidence + (-of_wrong if self.disbelieved else of_wrong), 0.0)
        if before == 0.0 or about < self.onset:
            self.onset = about
        if self.evidence < (CLEARED if self.disbelieved else FOUND):
            return None
        self.disbelieved, self.evidence = not self.disbelieved, 0.0
        return "found" if self.disbelieved else "cleared"

    def plain(self) -> list[Any]:  # numbers
        """What is remembered."""
        return [self.disbelieved, self.evidence, self.onset]

    @classmethod
    def of(cls, plain: list[Any]) -> "Audit":
        """What `plain` wrote."""
        return cls(*plain)
