"""A reference in which some fields' new normal has taken the place of the old one."""

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from ...detectors.layout import Layout, layout
from ...schemas.reference import Recount, Reference
from .columns import UnusableReference


def accepted(old: Reference, new: Reference, names: Collection[str]) -> Reference:
    """The old reference with the fields of these names, and the pairs that they are in, as they are in the new one.

    Its rate and span stay: the new one may be of a few minutes.
    """
    taken = {field.name: field for field in new.fields if field.name in names}
    lacking = sorted(set(names) - set(taken) - {name for name in names if name.startswith("(")})
    if lacking:
        reasons = "; ".join(f"{name}: {new.ignored.get(name, 'not there')}" for name in lacking)
        msg = f"the rows since then do not tell what is normal now: {reasons}"
        raise UnusableReference(msg)
    pairs = {(pair.first, pair.second): pair for pair in new.pairs}
    merged = old.model_copy(
        update={
            "fields": tuple(taken.get(field.name, field) for field in old.fields),
            "pairs": tuple(
                pairs.get((pair.first, pair.second), pair)
                for pair in old.pairs
                if {pair.first, pair.second}.isdisjoint(taken) or (pair.first, pair.second) in pairs
            ),
            "joint": new.joint,
            "volume": new.volume if "(volume)" in names else old.volume,
            "ids": new.ids if "(ids)" in names else old.ids,
            "warnings": (*old.warnings, f"accepted as normal: {', '.join(sorted(names))}, from {new.rows:,} rows"),
        }
    )
    return merged.model_copy(update={"segments": _recounts(old.segments, new.segments, old, new, merged, names), "seasons": old.seasons})


def _recounts(
    before: tuple[Recount, ...], after: tuple[Recount, ...], old: Reference, new: Reference, merged: Reference, names: Collection[str]
) -> tuple[Recount, ...]:
    """The segments' counts, each field's from where it was taken; a segment that the new rows do not fill goes."""
    places = layout(old), layout(new), layout(merged)
    by_name = {one.name: one for one in after}
    return tuple(
        one.model_copy(update={"counts": tuple(_spliced(one, by_name[one.name], places, names).tolist())})
        for one in before
        if one.name in by_name
    )


def _spliced(old: Recount, new: Recount, places: tuple[Layout, Layout, Layout], names: Collection[str]) -> NDArray[np.int64]:
    before, after, to = places
    counts = np.zeros(to.size, dtype=np.int64)
    for signal in to.signals:
        plan, one = (after, new) if signal.name in names else (before, old)
        source = plan.find(signal.name, signal.of)
        if source is not None and signal.span.stop <= to.size:
            counts[signal.span] = np.asarray(one.counts, dtype=np.int64)[source.span]
    return counts
