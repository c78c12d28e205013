"""A last pass over a reference's rows, counted as the profiler counts: by segment, and by hour of the week."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ....detectors.betting.seasons import SLOTS, slot_names, slots_of
from ....detectors.counting import Counting
from ....detectors.counting.segments import unusable
from ....schemas.configuration import Model
from ....schemas.configuration.segments import OTHER, Segments
from ....schemas.stored.reference import CategoricalProfile, Recount, Reference
from ....schemas.stored.segmentation import Segmentation
from .columns import Key, Source, UnusableReference
from .decoded import Decoded, coded, decoded
from .seasonal import SeasonalTaus

#: A segment, or an hour of the week, needs so many rows to be compared with by itself.
FEWEST_ROWS = 500


def recounted(source: Source, reference: Reference, keys: Sequence[Key], settings: Model) -> Reference:
    """The reference with the counts of its segments and seasons, as far as the settings ask for any."""
    segmentation = None if settings.segments is None else _segmentation(reference, settings.segments)
    if segmentation is None and settings.season is None:
        return reference
    counting = Counting(reference.model_copy(update={"segmentation": segmentation}))
    length = counting.layout.size
    by_segment = _Counts(0 if segmentation is None else len(segmentation.names), length)
    by_slot = _Counts(0 if settings.season is None else SLOTS[settings.season], length)
    row = 0
    for chunk in source.chunks(keys):
        rows = decoded(chunk, reference.fields, keys)
        offsets = np.arange(row, row + chunk.rows)
        row += chunk.rows
        if counting.segmenter is not None:
            by_segment.add(counting, rows, offsets, counting.segmenter.of(rows.numeric, coded(rows)))
        if settings.season is not None:
            if chunk.times is None:
                msg = f"models.{reference.model}.season: {source.label} has no times; name its time column"
                raise UnusableReference(msg)
            by_slot.add(counting, rows, offsets, slots_of(settings.season, chunk.times))
    names = () if segmentation is None else segmentation.names
    slots = () if settings.season is None else slot_names(settings.season)
    _enough(by_slot, slots, reference)
    if settings.season is not None:
        taus = SeasonalTaus(reference, list(by_slot.counts))
        for chunk in source.chunks(keys):
            assert chunk.times is not None
            taus.add(decoded(chunk, reference.fields, keys), slots_of(settings.season, chunk.times))
        reference = taus.applied()
    segments = tuple(one for one in by_segment.recounts(names) if one.rows >= FEWEST_ROWS)
    return reference.model_copy(update={"segmentation": segmentation, "segments": segments, "seasons": by_slot.recounts(slots)})


def _segmentation(reference: Reference, settings: Segments) -> Segmentation:
    """What the settings mean for these fields: of a categorical field, the commonest values with rows enough."""
    key = f"models.{reference.model}.segments"
    if settings.by is None:
        plan = Counting(reference).layout
        for name, rule in settings.rules.items():
            if reason := unusable(rule, plan):
                msg = f"{key}.rules.{name}: {reason}"
                raise UnusableReference(msg)
        return Segmentation(rules=settings.rules, names=(*settings.rules, OTHER))
    field = next((field for field in reference.fields if field.name == settings.by), None)
    if field is None or not isinstance(field.values, CategoricalProfile):
        what = "there is no such field" if field is None else f"it is {field.type}; write rules, or set its type: categorical"
        msg = f"{key}.by: {settings.by}: {what}"
        raise UnusableReference(msg)
    names = zip(field.values.categories, field.values.counts, strict=False)
    enough = [name for name, rows in names if rows >= FEWEST_ROWS and name != OTHER]
    return Segmentation(by=settings.by, names=(*enough[: settings.most], OTHER))


def _enough(by_slot: "_Counts", slots: Sequence[str], reference: Reference) -> None:
    few = [name for name, rows in zip(slots, by_slot.rows, strict=True) if rows < FEWEST_ROWS]
    if few:
        msg = (
            f"models.{reference.model}.season: {len(few)} of {len(slots)} hours have fewer than {FEWEST_ROWS} rows in the reference "
            f"(first: {few[0]}); give more data, or write season: day"
        )
        raise UnusableReference(msg)


class _Counts:
    """The counts of every part of the rows."""

    def __init__(self, parts: int, length: int) -> None:
        self.rows = [0] * parts
        self.counts = np.zeros((parts, length), dtype=np.int64)

    def add(self, counting: Counting, rows: Decoded, offsets: NDArray[np.int64], part_of: NDArray[np.int64]) -> None:
        for part in np.unique(part_of).tolist():
            chosen = np.flatnonzero(part_of == part)
            own = rows.of(chosen)
            self.rows[part] += len(chosen)
            self.counts[part] += counting.count(own.numeric, own.categorical, own.vectors, offsets[chosen])[0]

    def recounts(self, names: Sequence[str]) -> tuple[Recount, ...]:
        parts = zip(names, self.rows, self.counts, strict=True)
        return tuple(Recount(name=name, rows=rows, counts=tuple(counts.tolist())) for name, rows, counts in parts)
