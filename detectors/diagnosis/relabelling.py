"""Categories that were written anew: the same frequencies under other names, or under each other's."""

import numpy as np
from numpy.typing import NDArray

from ...schemas.stored.reference import CategoricalProfile
from .availability import categories_in
from .finding import Map, Piece
from .inquiry import Inquiry
from .meaning import face
from .relations import Relations
from .shifts import Shift
from .statistics import rounded, total_variation

Floats = NDArray[np.float64]

#: New names must have so many rows; beside a permutation hardly any may be new.
_NEW, _NONE_NEW = 0.05, 0.02
#: By how much frequencies must have moved that a permutation explains, and times what it leaves.
_MOVED, _TIMES = 0.1, 4.0
#: Categories that permutations are looked for among.
_MOST = 200
RENAMED_SURE, PERMUTED_SURE = 0.95, 0.85


def look(inquiry: Inquiry, relations: Relations, name: str, shift: Shift) -> tuple[Map, list[Piece], float] | None:
    """How, if they were."""
    profile = inquiry.layout.of[name].profile
    assert isinstance(profile, CategoricalProfile)
    counts, usual = categories_in(inquiry, inquiry.behind(shift.step.onset), name), categories_in(inquiry, inquiry.case.baseline, name)
    rows, known = sum(counts.values()), set(profile.categories)
    if not rows or not usual or len(profile.categories) > _MOST:
        return None
    new = {category: count for category, count in counts.items() if category not in known}
    old = np.array([usual.get(category, 0) for category in profile.categories], dtype=np.float64)
    fresh = sum(new.values()) / rows
    if fresh > _NEW and len(new) >= 2:
        return _renamed(inquiry, name, new, old)
    if fresh < _NONE_NEW:
        now = np.array([counts.get(category, 0) for category in profile.categories], dtype=np.float64)
        return _permuted(inquiry, relations, name, shift, now, old)
    return None


def _renamed(inquiry: Inquiry, name: str, new: dict[str, int], old: Floats) -> tuple[Map, list[Piece], float] | None:
    """The new names' frequencies, by size, are those of the old ones."""
    size = max(len(new), len(old))
    now, before = (np.sort(np.pad(np.asarray(each, dtype=np.float64), (0, size - len(each))))[::-1] for each in ([*new.values()], old))
    left = rounded(total_variation(now, before))
    if left >= inquiry.thresholds.renamed:
        return None
    pieces = [
        Piece("new_labels", float(len(new)), None, name),
        Piece("frequencies_total_variation", left, inquiry.thresholds.renamed, name),
    ]
    return Map("labels", error=left), pieces, RENAMED_SURE


def _permuted(
    inquiry: Inquiry, relations: Relations, name: str, shift: Shift, now: Floats, old: Floats
) -> tuple[Map, list[Piece], float] | None:
    """Abruptly, and what hangs together with the categories says that they mean something else."""
    from scipy.optimize import linear_sum_assignment  # as `exchange` loads it

    t = inquiry.thresholds
    if now.sum() <= 0 or old.sum() <= 0 or len(old) < 2 or shift.step.gradual:
        return None
    share, before = now / now.sum(), old / old.sum()
    rows, columns = linear_sum_assignment(np.abs(share[:, None] - before[None, :]))
    left = rounded(0.5 * float(np.abs(share[rows] - before[columns]).sum()))
    if left >= t.permuted or total_variation(share, before) <= max(_MOVED, _TIMES * left):
        return None
    meaning = face(inquiry, relations, name, shift.step.onset)
    if not (meaning > t.face_broken or (meaning < 0 and not inquiry.unclaimed(shift.step.onset, name))):
        return None
    pieces = [Piece("frequencies_total_variation", left, t.permuted, name), Piece("face", meaning, t.face_broken, name)]
    return Map("codes", error=left), pieces, PERMUTED_SURE
