"""What fields of a reference show only together: a pass over its rows behind those that built each by itself."""

from collections.abc import Mapping

import numpy as np

from ...detectors.bins import intervals
from ...detectors.pairs import Pairs
from ...schemas.configuration import Model
from ...schemas.reference import NumericProfile, Reference
from .columns import PRESENT, Column, Integers, Key, Source, numbers


def with_pairs(reference: Reference, source: Source, keys: Mapping[str, Key], settings: Model) -> tuple[Reference, list[str]]:
    """The reference with its pairs, and what a reader should know of them; ``keys`` are the columns of its fields, by their names."""
    wanted = settings.pairs
    fields = [field for field in reference.fields if field.type == "numeric" and isinstance(field.values, NumericProfile)]
    if wanted is None or len(fields) < 2:
        return reference, []
    fields.sort(key=lambda field: field.role == "feature")  # what a model puts out first: it is never left out
    paired = [(field.name, keys[field.name], field.values) for field in fields[: wanted.most] if isinstance(field.values, NumericProfile)]
    pairs = Pairs([name for name, _, _ in paired], [profile for _, _, profile in paired])
    for chunk in source.chunks([key for _, key, _ in paired]):
        pairs.add(np.stack([_places(chunk.columns[key], profile) for _, key, profile in paired], axis=1))
    left = ", ".join(field.name for field in fields[wanted.most :])
    remarks = [f"pairs of {wanted.most} numeric fields are watched, without {left}; raise pairs.most, or ignore others"] if left else []
    return reference.model_copy(update={"pairs": pairs.profiles(wanted.sample), "sample": wanted.sample}), remarks


def _places(column: Column, profile: NumericProfile) -> Integers:
    """The interval of every row's value; -1 where there is none."""
    values, states = numbers(column, parse=profile.parse)
    return np.where(states == PRESENT, intervals(np.asarray(profile.edges), values), -1)
