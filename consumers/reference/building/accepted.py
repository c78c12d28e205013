"""A reference in which some fields' new normal has taken the place of the old one."""

from collections.abc import Collection, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from ....detectors.counting.layout import Layout, Signal, layout
from ....schemas.messages.drift import DriftedSignal, FurtherSignal
from ....schemas.stored.reference import JointProfile, PairProfile, Recount, Reference
from .columns import UnusableReference

Fields = Collection[str]
_LACKING = "not there, or in too few rows"


def accepted(old: Reference, new: Reference, signals: Iterable[DriftedSignal | FurtherSignal]) -> Reference:
    """The old reference with the fields of these signals, and what is said of them together with others, as they are in the new one.

    Its rate and span stay: the new one may be of a few minutes.
    """
    drifted = tuple(signals)
    names, parts = {signal.name for signal in drifted}, {signal.of for signal in drifted}
    counted = bool({"duplicates", "volume"} & parts)  # per bucket: what is left of the old ones must be of the same length
    other = counted and bool(old.of_other_panes(str(new.pane)))
    unlike = {signal.name for signal in drifted if signal.of == "ood"}
    own = {signal.name for signal in drifted if signal.of not in ("pair", "ood") and signal.role != "row"}
    taken = {field.name: field for field in new.fields if field.name in own}
    paired = {signal.name for signal in drifted if signal.of == "pair"}
    pairs = _pairs_of(new)
    again = {one.signal: one for one in new.familiarity}
    there = {"(volume)": new.volume, "(ids)": new.ids, "(joint distance)": new.joint, **taken, **pairs, **again}
    if lacking := sorted(name for name in names if there.get(name) is None):
        msg = f"the rows since then do not tell what is normal now: {'; '.join(f'{n}: {new.ignored.get(n, _LACKING)}' for n in lacking)}"
        raise UnusableReference(msg)
    merged = old.model_copy(
        update={
            "fields": tuple(taken.get(field.name, field) for field in old.fields),
            "pairs": tuple(_pairs(_pairs_of(old), pairs, paired, taken.keys())),
            "joint": _joint(old.joint, new.joint, taken.keys(), anew=bool(paired) or "joint distance" in parts),
            "volume": new.volume if "volume" in parts else None if other else old.volume,
            "ids": new.ids if "duplicates" in parts else None if other else old.ids,
            "familiarity": tuple(again.get(one.signal, one) if one.signal in unlike else one for one in old.familiarity),
            "pane": new.pane if counted else old.pane,
            "warnings": (*old.warnings, f"accepted as normal: {', '.join(sorted(names))}, from {new.rows:,} rows"),
        }
    )
    return merged.model_copy(update={"segments": tuple(_recounts(old, new, merged, taken.keys()))})


def _pairs_of(reference: Reference) -> dict[str, PairProfile]:
    """By the names that their signals have."""
    return {signal.name: signal.profile for signal in layout(reference).signals if isinstance(signal.profile, PairProfile)}


def _pairs(old: dict[str, PairProfile], new: dict[str, PairProfile], names: Fields, taken: Fields) -> Iterator[PairProfile]:
    """Those of a field that was taken are taken too, or nothing is known of them."""
    for name, pair in old.items():
        if name not in names and pair.first not in taken and pair.second not in taken:
            yield pair
        elif name in new:
            yield new[name]


def _joint(old: JointProfile | None, new: JointProfile | None, taken: Fields, *, anew: bool) -> JointProfile | None:
    """Its scores are those of its fields' own bins: where one of these was taken it is taken too, or nothing is known of it."""
    if old is None or not (anew or set(taken) & set(old.fields)):
        return old
    return new if new is not None and set(new.fields) == set(old.fields) else None


def _recounts(old: Reference, new: Reference, merged: Reference, taken: Fields) -> Iterator[Recount]:
    """The segments' counts, each field's from where it was taken.

    Of a field that was taken nothing is known in a segment that the new rows do not fill, or, since those of too few rows are in it, in
    the rest of them.
    """
    ways = [None if one.segmentation is None else (one.segmentation.by, one.segmentation.rules) for one in (old, new)]
    names = [() if one.segmentation is None else one.segmentation.names for one in (old, new)]
    known = {one.name: one for one in new.segments} if ways[0] == ways[1] else {}
    places = layout(old), layout(new), layout(merged)
    for one in old.segments:
        again = None if one.name == names[0][-1] and set(names[0]) != set(names[1]) else known.get(one.name)
        yield one.model_copy(update={"counts": tuple(spliced(one, again, places, taken).tolist())})


def spliced(old: Recount, new: Recount | None, places: tuple[Layout, Layout, Layout], taken: Fields) -> NDArray[np.int64]:
    """The counts of one part, in the layout of the merged reference: of fields that were taken the new ones, else those of before."""
    before, after, to = places
    counts = np.zeros(to.size, dtype=np.int64)
    for signal in to.signals:
        plan, one = (after, new) if signal.name in taken else (before, old)
        source: Signal | None = plan.find(signal.name, signal.of)
        if one is not None and source is not None and signal.span.stop <= to.size:
            counts[signal.span] = np.asarray(one.counts, dtype=np.int64)[source.span]
    return counts
