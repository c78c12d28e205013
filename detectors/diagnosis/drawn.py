"""Windows drawn from a reference: what stands for a baseline before production has made one.

They know neither season nor what is usual in production, so a diagnosis against them confirms little.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...schemas.stored.reference import ProfiledField, Reference
from .evidence import Agreeing, FieldOf, Values, Window

#: Windows that are drawn, and rows of each.
WINDOWS, ROWS = 20, 500
#: Of rows that are compared one is an outlier, and of pairs one differs, by chance.
_ONE_IN = 100

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def drawn(reference: Reference, fields: Sequence[FieldOf], *, compared: bool, pairs: Sequence[str] = ()) -> list[Window]:
    """The same whoever draws them. ``compared``: rows are compared with the training data; ``pairs``: features with a feature log."""
    by_name = {field.name: field for field in reference.fields}
    bits = np.random.PCG64(int.from_bytes(hashlib.sha256(reference.name.encode()).digest()[:8], "big"))
    return [
        Window(
            start=place,
            end=place + 1,
            rows=ROWS,
            values={field.name: _values(by_name[field.name], bits) for field in fields},
            scored=ROWS if compared else 0,
            outliers=ROWS // _ONE_IN if compared else 0,
            agreeing={name: Agreeing(ROWS, ROWS // _ONE_IN, 0) for name in pairs} if pairs else None,
        )
        for place in range(-WINDOWS, 0)
    ]


def _values(field: ProfiledField, bits: np.random.PCG64) -> Values:
    present, null, invalid, missing = _counts(field.availability.counts, ROWS, bits).tolist()
    profile = field.values
    counts = getattr(profile, "counts", ())
    return Values(present, null, invalid, missing, _counts(counts, present, bits))


def _counts(reference: Sequence[int], rows: int, bits: np.random.PCG64) -> Integers:
    """So many rows, spread as those of the reference, as chance has it."""
    total = np.cumsum(np.asarray(reference, dtype=np.int64))
    if not len(total) or not total[-1] or not rows:
        return np.zeros(len(total), dtype=np.int64)
    uniform: Floats = np.asarray((bits.random_raw(rows) >> np.uint64(11)) * 2.0**-53, dtype=np.float64)
    place = np.searchsorted(total, np.floor(uniform * total[-1]), side="right")
    return np.bincount(place, minlength=len(total)).astype(np.int64)
