"""From outliers to what makes them so: their excess cured by field and by source, and whom it blames."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from .cures import CURES, HALF, LEAST_SPREAD, WEAK, Blame, blamed, blamed_of, excess
from .levels import OUTLIER
from .masks import Mask
from .rows import Columns, Floats, RowIndex


class Causes(NamedTuple):
    """Shares of the outliers that are so for a reason."""

    fields: dict[str, float]
    sources: dict[str, float]
    blame: Blame
    pair: float = 0.0  #: without both fields, where both are blamed


def causes(
    index: RowIndex, numeric: Floats, texts: Columns, classes: Sequence[str] | None = None, *, rate: float, level: float = OUTLIER
) -> Causes:
    """What makes these outliers so: a few dozens of them are enough, and take .2 ms a field.

    Parameters
    ----------
    index
        Of the reference.
    numeric, texts, classes
        The outliers: rows with p <= ``level``, or a sample of them.
    rate
        The share of all rows that are outliers.
    """
    if not len(numeric):
        return Causes({}, {}, Blame("unknown"))

    def shares(masks: Sequence[Mask]) -> list[float]:
        cured = index.masked(numeric, texts, classes, masks=masks).mean(axis=0).tolist()
        return [excess(own, base, rate=rate, level=level) for own, base in zip(cured, index.base(masks, level=level).tolist(), strict=True)]

    found = shares(index.masks)
    fields, sources = (
        {mask.name: share for mask, share in zip(index.masks, found, strict=True) if mask.of == of} for of in ("field", "source")
    )
    blame = _blamed(index, shares, fields, sources, rate=rate, level=level)
    places = {mask.name: mask.fields for mask in index.masks if mask.of == ("source" if blame.of == "source" else "field")}
    if blame.names:
        mask = Mask(" + ".join(blame.names), blame.of, tuple(sorted({place for name in blame.names for place in places[name]})))
        if index.spread(numeric, texts, mask) < LEAST_SPREAD:
            blame = Blame("novelty")
    return Causes(fields, sources, blame)


def _blamed(
    index: RowIndex,
    shares: Callable[[Sequence[Mask]], list[float]],
    fields: dict[str, float],
    sources: dict[str, float],
    *,
    rate: float,
    level: float,
) -> Blame:
    """By what is cured alone."""
    members = {mask.name: tuple(index.names[place] for place in mask.fields) for mask in index.masks if mask.of == "source"}
    blame = blamed_of(fields, sources, members, rate=rate, level=level)
    if blame.of != "novelty":
        return blame
    order = sorted(fields, key=lambda name: (-fields[name], name))
    if len(order) < 3 or not (HALF <= fields[order[0]] < CURES and fields[order[1]] < WEAK):
        return blame
    first = index.names.index(order[0])
    pairs = [Mask(f"{order[0]} + {name}", "pair", (first, index.names.index(name))) for name in order[1:]]
    best, name = max(zip(shares(pairs), order[1:], strict=True), key=lambda found: (found[0], found[1]))
    return blamed(fields, rate=rate, level=level, pair=(order[0], name) if best >= max(CURES, fields[order[0]] + WEAK) else None)
