"""Rows that are compared with the training data: which are, what is said of them, and the flagged ones that are kept.

Which rows are scored, looked at exactly, or kept is decided by where they stand in the log; and all numbers are whole. So nothing shows of
batches, processes and deaths.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...detectors.counting.sampling import drawn, hashes
from ...detectors.familiarity.places import NOTHING, OUTLIER, UNLIKE, UNSCORED, WIDTH, counted
from ...schemas.configuration import Configuration, Ood
from ...schemas.messages.pane import MOST_FLAGGED, MOST_FLAGGED_TEXT, MOST_MASKED, Flagged
from ...schemas.messages.progress import InputPartition
from ..reference.familiar_rows import RowSubject
from ..reference.scored import Compared, Content, Decoded

Integers = NDArray[np.int64]
#: One scored row in so many is looked at exactly.
EXACTLY = 16
#: In front of offsets, so that those looked at exactly are no part of another sample.
_EXACTLY_SALT = 0x5EED << 40
_NO_COUNTS = np.zeros(0, dtype=np.int64)


class Found(NamedTuple):
    """Of rows [n]."""

    scored: NDArray[np.uint8]  #: [n, subjects, 2]
    outliers: NDArray[np.uint8]  #: 0: not scored, 1: not an outlier, 2: an outlier, of any subject


class Kept(NamedTuple):
    """A flagged row, and what it holds."""

    flagged: Flagged
    content: Content


class Outlier(NamedTuple):
    """A row with p <= .01, and what it holds."""

    hash: int
    offset: int
    content: Content


class Unlike:
    """Of one model version's rows of one bucket in one run: the flagged ones that are kept, and what is counted of all of them."""

    def __init__(self) -> None:
        self._kept: list[Kept] = []
        self._outliers: list[Outlier] = []
        self.inside = _NO_COUNTS  #: as in a pane

    def add(self, new: Sequence[Kept]) -> None:
        """Flagged rows; those of the smallest hashes stay."""
        self._kept += new
        if len(self._kept) > 2 * MOST_FLAGGED:
            self._kept = self.kept

    def add_outliers(self, new: Sequence[Outlier]) -> None:
        """Those of the smallest hashes stay."""
        self._outliers += new
        if len(self._outliers) > 2 * MOST_MASKED:
            self._outliers = _smallest(self._outliers)

    def add_inside(self, counts: Integers) -> None:
        """Of further rows; empty: of none."""
        if len(counts):
            self.inside = self.inside + counts if len(self.inside) else counts

    @property
    def kept(self) -> list[Kept]:
        """In the order of their hashes."""
        return sorted(self._kept, key=lambda one: one.flagged[:3])[:MOST_FLAGGED]

    def masked(self, subjects: Sequence[Compared]) -> Integers:
        """What cures the outliers of those of the smallest hashes, as in a pane."""
        rows = next((one for one in subjects if _has_masks(one)), None)
        if not isinstance(rows, RowSubject) or not self._outliers:
            return _NO_COUNTS
        return rows.masked([one.content for one in _smallest(self._outliers)[: rows.most_masked]])


def _smallest(outliers: Sequence[Outlier]) -> list[Outlier]:
    return sorted(outliers, key=lambda one: one[:2])[:MOST_MASKED]


def _has_masks(subject: Compared) -> bool:
    return isinstance(subject, RowSubject) and bool(subject.profile.masks)


class Stage:
    """What a partition's tally asks of the models of its stream that have ``ood:``."""

    def __init__(self, source: InputPartition, models: Mapping[str, Ood]) -> None:
        self._source, self._models = source, models

    @classmethod
    def of(cls, configuration: Configuration, stream: str, source: InputPartition) -> "Stage":
        """Of the models of a stream."""
        of_stream = {name: own.ood for name, own in configuration.models.items() if configuration.stream_of(name) == stream}
        return cls(source, {name: ood for name, ood in of_stream.items() if ood is not None})

    def asked(self, model: str) -> bool:
        """Whether a model's rows are compared."""
        return model in self._models

    def look(self, subjects: Sequence[Compared], decoded: Decoded, offsets: Integers, rows: Integers, found: Found) -> None:
        """Score these rows of one reference, as far as they are in the sample; ``offsets`` are those of all decoded rows."""
        for number, subject in enumerate(subjects):
            chosen = rows[drawn(offsets[rows], 1 / subject.profile.sample)]
            if len(chosen):
                exactly = drawn(offsets[chosen] ^ _EXACTLY_SALT, 1 / EXACTLY)
                scored = subject.scored(decoded, chosen, exactly)
                found.scored[chosen, number, 0], found.scored[chosen, number, 1] = scored.flags, scored.looked
                own = np.where(scored.flags == NOTHING, 0, 1 + scored.outliers).astype(np.uint8)
                found.outliers[chosen] = np.maximum(found.outliers[chosen], own)

    def gather(
        self,
        model: str,
        subjects: Sequence[Compared],
        decoded: Decoded,
        offsets: Integers,
        rows: Integers,
        found: Found,
        *,
        into: Unlike,
    ) -> None:
        """What of these rows is kept, or counted beside their levels."""
        into.add(self._kept(model, subjects, decoded, offsets, rows, found))
        for number, subject in enumerate(subjects):
            looked = found.scored[rows, number, 1]
            if subject.inside is not None:
                into.add_inside(subject.inside.counts(decoded, rows, looked))
            if _has_masks(subject):
                outliers, places = self._by_hash(offsets, rows[looked == OUTLIER], MOST_MASKED)
                contents = subject.contents(decoded, outliers)
                into.add_outliers(list(map(Outlier, places, offsets[outliers].tolist(), contents)))

    def _by_hash(self, offsets: Integers, rows: Integers, most: int) -> tuple[Integers, list[int]]:
        """Of the rows so many of the smallest hashes, in their order, with these."""
        places = hashes(self._source.topic_id, self._source.partition, offsets[rows])
        smallest = np.argsort(places, kind="stable")[:most]
        return rows[smallest], places[smallest].tolist()

    def _kept(
        self, model: str, subjects: Sequence[Compared], decoded: Decoded, offsets: Integers, rows: Integers, found: Found
    ) -> list[Kept]:
        """Of these rows those that are flagged, at most as many as a pane has."""
        new: list[Kept] = []
        for number, subject in enumerate(subjects):
            flags = found.scored[rows, number, 0]
            flagged = rows[(flags >= UNLIKE) & (flags < NOTHING)]
            if not len(flagged):
                continue
            flagged, places = self._by_hash(offsets, flagged, MOST_FLAGGED)
            columns = places, offsets[flagged].tolist(), found.scored[flagged, number, 0].tolist()
            shown = self._models[model].samples
            for content, place, offset, level in zip(subject.contents(decoded, flagged), *columns, strict=True):
                text = content.value[:MOST_FLAGGED_TEXT] if shown and isinstance(content.value, str) else None
                new.append(Kept(Flagged(place, offset, number, level, text), content))
        return new


def nothing_found(rows: int, subjects: int) -> Found:
    """Before anything is scored."""
    return Found(np.full((rows, subjects, 2), UNSCORED, dtype=np.uint8), np.zeros(rows, dtype=np.uint8))


def numbers(scored: NDArray[np.uint8]) -> Integers:
    """A pane's counts of these rows; of no subject nothing."""
    if not scored.shape[1]:
        return _NO_COUNTS
    of = [counted(scored[:, number, 0], scored[:, number, 1]) for number in range(scored.shape[1])]
    return np.concatenate(of).reshape(WIDTH * scored.shape[1])
