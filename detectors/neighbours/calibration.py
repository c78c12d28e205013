"""Conformal p-values: how many of the training data's own held-out rows are as unlike the rest (Vovk, Gammerman, Shafer 2005)."""

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.int64]
Integers = NDArray[np.int64]

#: Held-out rows that a predicted class needs for a calibration of its own; the rest is pooled.
LEAST_OF_CLASS = 200
#: Below this is no score.
_NEVER = int(np.iinfo(np.int64).min)


class Calibrated(NamedTuple):
    """Scores of held-out rows, larger ones more familiar, by predicted class, and by a group of rows that are scored alike."""

    names: tuple[tuple[str | None, int], ...]  #: classes of a group that have their own; None: of the group's other rows
    scores: tuple[Scores, ...]  #: per name, sorted; the last one is for all other rows

    @classmethod
    def of(cls, scores: Scores, classes: Sequence[str | None] | None, groups: Integers | None = None) -> "Calibrated":
        """From held-out rows [m], their predicted classes, and their groups, if there are several."""
        if not len(scores):
            msg = "familiarity: no held-out rows to calibrate with"
            raise ValueError(msg)
        keys = _keys(classes, groups, len(scores))
        counts = Counter(key for key in keys if key[0] is not None)
        own = sorted(key for key, rows in counts.items() if rows >= LEAST_OF_CLASS)
        place_of = {key: place for place, key in enumerate(own)}
        places = np.fromiter((place_of.get(key, -1) for key in keys), np.int64, len(keys))
        names: list[tuple[str | None, int]] = [*own]
        found = [scores[places == place] for place in range(len(own))]
        for group in [] if groups is None or len(np.unique(groups)) < 2 else np.unique(groups).tolist():
            rest = _enough_of(scores[(groups == group) & (places < 0)], scores[groups == group])
            if len(rest) >= LEAST_OF_CLASS:
                names.append((None, group))
                found.append(rest)
        return cls(tuple(names), tuple(np.sort(one) for one in (*found, _enough_of(scores[places < 0], scores))))

    def codes(self, classes: Sequence[str | None] | None, rows: int, groups: Integers | None = None) -> Integers:
        """Which of the calibrations is that of each row [rows]."""
        last = len(self.names)
        if not last:
            return np.full(rows, last)
        code_of = {name: code for code, name in enumerate(self.names)}
        keys = _keys(classes, groups, rows)
        return np.fromiter((code_of.get(key, code_of.get((None, key[1]), last)) for key in keys), np.int64, rows)

    def thresholds(self, level: float) -> Scores:
        """Per calibration: a row is flagged, p <= level, where its score is below this."""
        return np.array([_threshold(own, level) for own in self.scores])

    def p(self, scores: Scores, codes: Integers) -> NDArray[np.float64]:
        """(1 + held-out rows that are as unlike) / (1 + held-out rows)."""
        values = np.ones(len(scores))
        for code, own in enumerate(self.scores):
            here = codes == code
            values[here] = (1 + np.searchsorted(own, scores[here], side="right")) / (len(own) + 1)
        return values


def _keys(classes: Sequence[str | None] | None, groups: Integers | None, rows: int) -> list[tuple[str | None, int]]:
    return list(zip([None] * rows if classes is None else classes, [0] * rows if groups is None else groups.tolist(), strict=True))


def _enough_of(few: Scores, all_: Scores) -> Scores:
    return few if len(few) >= LEAST_OF_CLASS else all_


def _threshold(scores: Scores, level: float) -> int:
    # p <= level where at most `as_unlike` held-out scores are not above one's own, that is, where the next one is above it.
    as_unlike = int(Fraction(str(level)) * (len(scores) + 1)) - 1
    return _NEVER if as_unlike < 0 else int(scores[as_unlike])
