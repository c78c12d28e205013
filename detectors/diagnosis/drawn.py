"""Windows drawn from a reference: what stands for a baseline before production has made one.

They know neither season nor what is usual in production, so a diagnosis against them confirms little. Rows that depend on each other are
drawn as runs of one value, as long as the reference's dependence says (tau): so windows differ as production's will, day by day.
"""

import hashlib
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...schemas.stored.reference import ProfiledField, Reference
from ..neighbours.levels import CORE, OUTLIER
from .evidence import Agreeing, FieldOf, Values, Window

#: Windows that are drawn, and rows of each.
WINDOWS, ROWS = 20, 500
#: Of pairs one differs, by chance.
_ONE_IN = 100

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def drawn(reference: Reference, fields: Sequence[FieldOf], *, compared: bool, pairs: Sequence[str] = ()) -> list[Window]:
    """The same whoever draws them. ``compared``: rows are compared with the training data; ``pairs``: features with a feature log."""
    by_name = {field.name: field for field in reference.fields}
    bits = np.random.PCG64(int.from_bytes(hashlib.sha256(reference.name.encode()).digest()[:8], "big"))
    values = {field.name: _values(by_name[field.name], bits, compared=compared) for field in fields}
    return [
        Window(
            start=place - WINDOWS,
            end=place - WINDOWS + 1,
            rows=ROWS,
            values={name: own[place] for name, own in values.items()},
            scored=ROWS if compared else 0,
            outliers=round(OUTLIER * ROWS) if compared else 0,
            agreeing={name: Agreeing(ROWS, ROWS // _ONE_IN, 0) for name in pairs} if pairs else None,
        )
        for place in range(WINDOWS)
    ]


def _values(field: ProfiledField, bits: np.random.PCG64, *, compared: bool) -> list[Values]:
    """Of every window. Of rows that are compared as many are outside the core, and outliers, as by definition, whatever they hold."""
    available = _counts(field.availability.counts, field.availability.tau, np.full(WINDOWS, ROWS), bits)
    counts = _counts(getattr(field.values, "counts", ()), getattr(field.values, "tau", ()), available[:, 0], bits)
    rows = zip(*available.T.tolist(), counts, strict=True)
    found = [Values(present, null, invalid, missing, bins) for present, null, invalid, missing, bins in rows]
    for one in found if compared else ():
        one.scored, one.outside, one.outliers = one.bins, _part(one.bins, CORE), _part(one.bins, OUTLIER)
    return found


def _part(counts: Integers, share: float) -> Integers:
    """Of counts so large a part of each, whole numbers that add up to that of all."""
    found: Integers = np.diff(np.floor(np.cumsum(counts) * share), prepend=0).astype(np.int64)
    return found


def _counts(reference: Sequence[int], taus: Sequence[float], rows: Integers, bits: np.random.PCG64) -> Integers:
    """Of every window so many rows, spread as those of the reference, as chance and dependence have it: [windows, counts]."""
    behind = np.cumsum(np.asarray(reference, dtype=np.int64))
    length = len(behind)
    if not length or not behind[-1]:
        return np.zeros((WINDOWS, length), dtype=np.int64)
    uniform: Floats = np.asarray((bits.random_raw(WINDOWS * ROWS) >> np.uint64(11)) * 2.0**-53, dtype=np.float64)
    run = min(math.ceil(max(taus, default=1.0)), ROWS)
    uniform = uniform.reshape(WINDOWS, ROWS)[:, np.arange(ROWS) // run]
    place = np.searchsorted(behind, np.floor(uniform * behind[-1]), side="right")
    place = np.where(np.arange(ROWS) < rows[:, None], place, length) + (length + 1) * np.arange(WINDOWS)[:, None]
    found = np.bincount(place.ravel(), minlength=WINDOWS * (length + 1)).reshape(WINDOWS, length + 1)
    return found[:, :length].astype(np.int64)
