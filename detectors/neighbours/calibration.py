"""Conformal p-values: how many of the training data's own held-out rows are as unlike the rest (Vovk, Gammerman, Shafer 2005)."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.int64]

#: Rows are flagged at these. In the core are those above .2; outliers are those up to .01.
LEVELS = (0.05, 0.005)
CORE, OUTLIER = 0.2, 0.01
#: Held-out rows that a predicted class needs for a calibration of its own; the rest is pooled.
LEAST_OF_CLASS = 200
#: Below this is no score.
_NEVER = int(np.iinfo(np.int64).min)


class Calibrated(NamedTuple):
    """Scores of held-out rows, larger ones more familiar, by predicted class."""

    names: tuple[str, ...]  #: classes that have their own
    scores: tuple[Scores, ...]  #: per class, sorted; the last one is for all other classes

    @classmethod
    def of(cls, scores: Scores, classes: Sequence[str | None] | None) -> "Calibrated":
        """From held-out rows [m] and their predicted classes."""
        if not len(scores):
            msg = "familiarity: no held-out rows to calibrate with"
            raise ValueError(msg)
        codes = np.array(["" if name is None else f"={name}" for name in classes or [None] * len(scores)], dtype=object)
        own = sorted(name for name in set(codes.tolist()) if name and np.count_nonzero(codes == name) >= LEAST_OF_CLASS)
        rest = scores[~np.isin(codes, own)] if own else scores
        pooled = rest if len(rest) >= LEAST_OF_CLASS else scores
        by_class = [np.sort(scores[codes == name]) for name in own]
        return cls(tuple(name[1:] for name in own), (*by_class, np.sort(pooled)))

    def codes(self, classes: Sequence[str | None] | None, rows: int) -> NDArray[np.int64]:
        """Which of the calibrations is that of each row [rows]."""
        last = len(self.names)
        if classes is None or not last:
            return np.full(rows, last)
        code_of: Mapping[str | None, int] = {name: code for code, name in enumerate(self.names)}
        return np.fromiter((code_of.get(name, last) for name in classes), np.int64, rows)

    def thresholds(self, level: float) -> Scores:
        """Per calibration: a row is flagged, p <= level, where its score is below this."""
        return np.array([_threshold(own, level) for own in self.scores])

    def p(self, scores: Scores, codes: NDArray[np.int64]) -> NDArray[np.float64]:
        """(1 + held-out rows that are as unlike) / (1 + held-out rows)."""
        values = np.ones(len(scores))
        for code, own in enumerate(self.scores):
            here = codes == code
            values[here] = (1 + np.searchsorted(own, scores[here], side="right")) / (len(own) + 1)
        return values


def _threshold(scores: Scores, level: float) -> int:
    # p <= level where at most `as_unlike` held-out scores are not above one's own, that is, where the next one is above it.
    as_unlike = int(Fraction(str(level)) * (len(scores) + 1)) - 1
    return _NEVER if as_unlike < 0 else int(scores[as_unlike])
