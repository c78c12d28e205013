"""How far features hang together with what the model says: by which of them outcomes are summed, where a reference has more than can be.

Of each the share of the output's variance that its groups explain, less what chance comes to. What became of its rows a reference does not
know; what the model made of them it does.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ....detectors.outcomes.grouping import ABSENT, Grouping, has_groups
from ....schemas.messages.block import MOST_BINNED
from ....schemas.stored.reference import CategoricalProfile, NumericProfile, ProfiledField, Reference
from .columns import Key, Source
from .decoded import Decoded, coded, decoded

Floats = NDArray[np.float64]

#: Features that are looked at at once: bounds memory.
_AT_ONCE = 32
#: Digits that are kept: sums differ between machines in the last ones.
_DIGITS = 6


def related(source: Source, reference: Reference, keys: Sequence[Key]) -> Reference:
    """The reference with how its features are related to its output, where they are so many that it matters; ``keys`` are its columns."""
    features = [field for field in reference.fields if field.role == "feature" and has_groups(field)]
    outputs = [field for role in ("score", "prediction") for field in reference.fields if field.role == role and has_groups(field)]
    if len(features) <= MOST_BINNED or not outputs:
        return reference
    key_of = dict(zip((field.name for field in reference.fields), keys, strict=True))
    found: dict[str, float] = {}
    for first in range(0, len(features), _AT_ONCE):
        some = features[first : first + _AT_ONCE]
        found |= _explained(source, some, outputs[0], [key_of[field.name] for field in (*some, outputs[0])])
    fields = tuple(field.model_copy(update={"related": found.get(field.name)}) for field in reference.fields)
    return reference.model_copy(update={"fields": fields})


def _explained(source: Source, features: Sequence[ProfiledField], output: ProfiledField, keys: Sequence[Key]) -> dict[str, float]:
    grouping, fields = Grouping(features, [field.name for field in features]), (*features, output)
    sums = [np.zeros((3, one.groups)) for one in grouping.features]  # by group: rows, outputs, their squares
    for chunk in source.chunks(keys):
        rows = decoded(chunk, fields, keys)
        said, codes = _said(rows, fields, output), grouping.codes(rows.numeric, coded(rows))
        for own, column in zip(sums, codes.T, strict=True):
            there = (column != ABSENT) & np.isfinite(said)
            for power in (0, 1, 2):
                own[power] += np.bincount(column[there], weights=said[there] ** power, minlength=own.shape[1])
    return {one.name: _share(*own) for one, own in zip(grouping.features, sums, strict=True)}


def _said(rows: Decoded, fields: Sequence[ProfiledField], output: ProfiledField) -> Floats:
    """Of every row the output in its own unit, of a category whether it is the commonest; NaN where there is none."""
    if isinstance(output.values, NumericProfile):
        place = [field.name for field in fields if field.type in ("numeric", "timestamp")].index(output.name)
        return (rows.numeric[:, place] - output.values.mean) / (output.values.sd or 1.0)
    assert isinstance(output.values, CategoricalProfile)
    place = [field.name for field in fields if field.type in ("categorical", "boolean", "text")].index(output.name)
    commonest = output.values.categories[int(np.argmax(output.values.counts[: len(output.values.categories)]))]
    return np.array([float(value == commonest) if isinstance(value, str) else np.nan for value in rows.categorical[place]])


def _share(rows: Floats, total: Floats, squares: Floats) -> float:
    there = rows > 0
    n, groups = rows.sum(), int(there.sum())
    whole = squares.sum() - total.sum() ** 2 / max(n, 1.0)
    if groups < 2 or n <= groups or whole <= 0:
        return 0.0
    between = (total[there] ** 2 / rows[there]).sum() - total.sum() ** 2 / n
    return max(round(float((between - (groups - 1) * (whole - between) / (n - groups)) / whole), _DIGITS), 0.0)
