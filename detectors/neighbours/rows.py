"""Rows of a table: how familiar they are, by their nearest rows of the reference, and which field makes them unfamiliar."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from ...schemas.form import check_form
from .calibration import Calibrated
from .coordinates import CategoryField, Coded, Coordinates, NumberField
from .distances import Space
from .drawing import drawn, hashes_of
from .levels import BOUNDS, FAR, OUTLIER, UNLIKE
from .masks import Left, Mask, Masking, masks_of
from .packed import packed, unpacked
from .pairs import Paired, paired, pairs_of
from .report import warnings_of

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Bytes = NDArray[np.uint8]
Columns = Sequence[Sequence[object]]

FORM = 1
#: Rows that others are compared with: of 2,000 .55 of the rows with an unknown carrier were outliers, of 5,000 .98, of 10,000 1.
SIZE = 5_000
#: Of these, looked at first: most familiar rows are known to be so from them.
_FIRST = 2_000
#: Masks times calibration rows that they are calibrated with: one takes 10 us.
_MASKINGS = 250_000
#: Rows to tell a share of flagged ones from, and not more than so many.
_FRESH, _MOST_FRESH = 500, 2_000
NOTHING = 3
_BASES = (OUTLIER, FAR)


class Exact(NamedTuple):
    """Of every row."""

    scores: Integers  #: the negated sum of the squared distances to the nearest
    p: Floats
    nearest: Integers  #: [n, 5], of the reference's rows in the data, the nearest first; -1: there is none
    squares: Integers  #: [n, 5], their squared distances


class RowReport(NamedTuple):
    """What an index was made of."""

    rows: int  #: given
    duplicates: int  #: left out
    reference: int  #: distinct rows that others are compared with
    calibration: int  #: distinct held-out rows
    classes: int  #: with a calibration of their own
    fresh: float | None  #: of held-out rows that are in neither, the share flagged at .05; None: too few
    warnings: tuple[str, ...]
    held_out: Integers  #: numbers of the calibration's rows in the data, ascending


class RowIndex:
    """Rows of a reference, and what is needed to say how familiar others are.

    Fields are numbers first, then categories, in everything that is by field.
    """

    def __init__(
        self,
        coordinates: Coordinates,
        names: Sequence[str],
        sources: Mapping[str, str],
        reference: Coded,
        rows: Integers,
        calibration: Coded,
        classes: Sequence[str | None] | None,
    ) -> None:
        self.names, self.sources = tuple(names), dict(sources)
        self.masks = masks_of(self.names, self.sources)
        self.pairs = pairs_of(self.names)
        #: The numbers of the reference's rows in the data.
        self.rows = rows
        self._classes = None if classes is None else tuple(classes)
        self._coordinates, self._reference, self._calibration = coordinates, reference, calibration
        self._space, self._masking = Space(coordinates, reference), Masking(coordinates, reference)
        self._own = -self._space.nearest(calibration)
        self.calibrated = Calibrated.of(self._own, classes)
        self._thresholds = np.stack([self.calibrated.thresholds(level) for level in BOUNDS])
        of = self.calibrated.codes(self._classes, calibration.rows)
        self._outliers = [int(np.count_nonzero(self._own < self._thresholds[place, of])) for place in (2, 3)]
        self._of_masks: dict[Mask, Integers] = {}
        self._base: dict[Mask, tuple[int, int]] = {}

    @classmethod
    def built(
        cls,
        numeric: Floats,
        texts: Columns,
        names: Sequence[str],
        *,
        classes: Sequence[str | None] | None = None,
        times: Integers | None = None,
        size: int = SIZE,
        calibration: int = 5_000,
        sources: Mapping[str, str] | None = None,
    ) -> tuple["RowIndex", RowReport]:
        """From a table.

        Parameters
        ----------
        numeric, texts
            Numbers by row and field, NaN where absent; texts by field, no ``str`` where absent.
        names
            Of the fields, numeric ones first.
        classes, times
            By row: the model's predicted class; ms.
        size, calibration
            Rows that others are compared with, and that scores are compared with, at most.
        sources
            By field, where its values come from.

        Raises
        ------
        ValueError
            If there are no two different rows, or a row has no field.
        """
        if len(names) != numeric.shape[1] + len(texts) or not names or not len(numeric):
            msg = f"{len(numeric)} rows of {numeric.shape[1]} numeric and {len(texts)} categorical fields, with {len(names)} names"
            raise ValueError(msg)
        found = drawn(hashes_of(numeric, texts), times)
        if not len(found.held_out):
            msg = f"{len(numeric)} rows, all of them the same: there is nothing to compare with"
            raise ValueError(msg)

        def taken(rows: Integers) -> tuple[Floats, Columns]:
            return numeric[rows], [[column[row] for row in rows.tolist()] for column in texts]

        coordinates = Coordinates.of(*taken(found.pool))
        reference = coordinates.coded(*taken(found.pool[:size]))
        own, fresh = found.held_out[:calibration], found.held_out[calibration : calibration + _MOST_FRESH]
        coded = coordinates.coded(*taken(own))
        of_classes = None if classes is None else [classes[row] for row in own.tolist()]
        index = cls(coordinates, names, sources or {}, reference, found.pool[:size], coded, of_classes)
        share = None
        if len(fresh) >= _FRESH:
            flags = index.flags(*taken(fresh), None if classes is None else [classes[row] for row in fresh.tolist()])
            share = float(np.isin(flags, (1, 2)).mean())
        return index, RowReport(
            len(numeric),
            found.duplicates,
            reference.rows,
            len(own),
            len(index.calibrated.names),
            share,
            warnings_of(len(own), None),
            np.sort(own),
        )

    def cells(self, numeric: Floats, texts: Columns, classes: Sequence[str | None] | None = None) -> Bytes:
        """Of every row the p-value's cell: 0 above .2, 1 to .05, 2 to .01, 3 to .005, 4 at or below it."""
        return self._cells(self._coordinates.coded(numeric, texts), classes, 0)

    def flags(self, numeric: Floats, texts: Columns, classes: Sequence[str | None] | None = None) -> Bytes:
        """Of every row: 0 where p > .05, 1 at or below .05, 2 at or below .005, 3 where nothing is there to be scored."""
        coded = self._coordinates.coded(numeric, texts)
        cells = self._cells(coded, classes, 1)
        flags = (cells > 1).astype(np.uint8) + (cells > 3)
        flags[coded.nothing] = NOTHING
        return flags

    def _cells(self, coded: Coded, classes: Sequence[str | None] | None, least: int) -> Bytes:
        """Cells below ``least`` + 1 are 0: with more references rows can only come nearer, so most are known to be so from a part."""
        of = self.calibrated.codes(classes, coded.rows)
        rest = np.arange(coded.rows)
        if len(self.rows) > 2 * _FIRST:
            scores = -self._space.nearest(coded, among=_FIRST)
            rest = np.flatnonzero(scores < self._thresholds[least, of])
        scores = -self._space.nearest(coded.at(rest))
        found = np.zeros(coded.rows, dtype=np.uint8)
        found[rest] = (scores < self._thresholds[:, of[rest]]).sum(axis=0)
        return found

    def scores(self, numeric: Floats, texts: Columns) -> Integers:
        """Of every row the negated sum of the squared distances to the nearest; larger ones are more familiar."""
        return -self._space.nearest(self._coordinates.coded(numeric, texts))

    def exact(self, numeric: Floats, texts: Columns, classes: Sequence[str | None] | None = None) -> Exact:
        """Scores, p-values and the nearest rows: for some rows, it takes ten times as long."""
        coded = self._coordinates.coded(numeric, texts)
        nearest, squares = self._space.ordered(coded)
        scores = -np.where(nearest < 0, 0, squares).sum(axis=1)
        p = self.calibrated.p(scores, self.calibrated.codes(classes, coded.rows))
        return Exact(scores, p, np.where(nearest < 0, -1, self.rows[nearest]), squares)

    def masked(
        self, numeric: Floats, texts: Columns, classes: Sequence[str | None] | None = None, *, masks: Sequence[Mask] | None = None
    ) -> NDArray[np.bool_]:
        """Of every row whether each mask cures it, [n, masks]: without these fields its p is above .05. For outliers: .3 ms a row."""
        return self.left(numeric, texts, classes, masks=masks).cured

    def left(
        self, numeric: Floats, texts: Columns, classes: Sequence[str | None] | None = None, *, masks: Sequence[Mask] | None = None
    ) -> Left:
        """The same, with the scores, and where the rows then lie."""
        asked = self.masks if masks is None else masks
        coded = self._coordinates.coded(numeric, texts)
        scores, nearest = self._masking.left(coded, asked)
        return Left(scores, nearest, scores >= self._of(asked)[self.calibrated.codes(classes, coded.rows)], coded)

    def paired(self, left: Left, classes: Sequence[str | None] | None = None) -> Paired:
        """Of rows that no mask cures, as `left` says, whether two fields together do, of those without which each is most familiar."""
        return paired(self._masking, left, self.pairs, self._of(self.pairs)[self.calibrated.codes(classes, left.coded.rows)])

    def spread(self, numeric: Floats, texts: Columns, mask: Mask) -> float:
        """Among how many rows of the reference these lie without a mask's fields, as a part of those among which as many familiar ones do.

        Rows of a broken field are everywhere in all others: about 1. A new cluster is in one place there, too: near 0.
        """
        coded = self._coordinates.coded(numeric, texts)
        familiar = self._calibration.at(slice(coded.rows))
        if not familiar.rows:
            return 1.0
        here, usual = (len(np.unique(self._masking.nearest(rows, mask))) for rows in (coded.at(slice(familiar.rows)), familiar))
        return here / usual

    def base(self, masks: Sequence[Mask] | None = None, *, level: float = OUTLIER) -> Floats:
        """Of every mask the share that it cures of the calibration's own outliers, those with p <= ``level``: .01 or .005."""
        asked = self.masks if masks is None else masks
        self._of(asked)
        at = _BASES.index(level)
        return np.array(
            [cured[at] / outliers if (outliers := self._outliers[at]) else 0.0 for cured in (self._base[mask] for mask in asked)]
        )

    @property
    def outliers(self) -> tuple[int, tuple[int, ...]]:
        """The calibration's own, p <= .01, and of them those that each mask cures."""
        self._of(self.masks)
        return self._outliers[0], tuple(self._base[mask][0] for mask in self.masks)

    @property
    def outliers_paired(self) -> tuple[int, ...]:
        """Of the calibration's own outliers that no mask cures, those that each pair does."""
        if not self.pairs:
            return ()
        of = self.calibrated.codes(self._classes, self._calibration.rows)
        outliers = np.flatnonzero(self._own < self._thresholds[2, of])
        coded = self._calibration.at(outliers)
        scores, nearest = self._masking.left(coded, self.masks)
        left = Left(scores, nearest, scores >= self._of(self.masks)[of[outliers]], coded)
        found = paired(self._masking, left, self.pairs, self._of(self.pairs)[of[outliers]])
        return tuple(found.cured.sum(axis=0).tolist())

    def _of(self, masks: Sequence[Mask]) -> Integers:
        """The thresholds of masks, [classes, masks], from the calibration: each is calibrated when it is first asked for."""
        asked = dict.fromkeys(masks if set(masks).isdisjoint(self.pairs) else (*self.pairs, *masks))  # pairs: all at once, or by luck
        new = [mask for mask in asked if mask not in self._of_masks]
        if new:
            most = max(1_000, _MASKINGS // len(new))
            coded, classes = self._calibration.at(slice(most)), None if self._classes is None else self._classes[:most]
            of = self.calibrated.codes(self._classes, self._calibration.rows)
            outliers = np.flatnonzero(self._own < self._thresholds[2, of])
            calibrated = [Calibrated.of(column, classes) for column in self._masking.scores(coded, new).T]
            cures = self._masking.scores(self._calibration.at(outliers), new).T
            for mask, column, own in zip(new, cures, calibrated, strict=True):
                names = [name for name, _ in self.calibrated.names]
                places = own.codes(names, len(names))  # fewer rows may make fewer classes
                self._of_masks[mask] = own.thresholds(UNLIKE)[np.append(places, len(own.names))]
                cured = column >= self._of_masks[mask][of[outliers]]
                further = self._own[outliers] < self._thresholds[3, of[outliers]]
                self._base[mask] = int(np.count_nonzero(cured)), int(np.count_nonzero(cured & further))
        none = np.zeros((len(self.calibrated.names) + 1, 0), dtype=np.int64)
        return np.stack([self._of_masks[mask] for mask in masks], axis=1) if masks else none

    def encoded(self) -> bytes:
        """The artifact: the same bytes for the same rows."""
        coordinates = self._coordinates
        self._of(self.masks)
        self._of(self.pairs)
        content = {
            "form": FORM,
            "kind": "rows",
            "names": self.names,
            "sources": self.sources,
            "numbers": [[packed(part) if isinstance(part, np.ndarray) else part for part in field] for field in coordinates.numbers],
            "categories": [list(field) for field in coordinates.categories],
            "rows": packed(self.rows),
            "reference": [packed(part) for part in self._reference],
            "calibration": [packed(part) for part in self._calibration],
            "classes": self._classes,
            "masks": [packed(self._of_masks[mask]) for mask in self.masks],
            "base": [self._base[mask] for mask in self.masks],
            "pairs": [packed(self._of_masks[pair]) for pair in self.pairs],
        }
        return msgspec.msgpack.encode(content, order="sorted")

    @classmethod
    def decoded(cls, content: bytes) -> "RowIndex":
        """What `encoded` wrote."""
        plain: dict[str, Any] = msgspec.msgpack.decode(content, type=dict[str, Any])  # plain arrays, texts and numbers
        check_form("index of rows", plain, FORM)
        if plain.get("kind") != "rows":
            msg = f"kind {plain.get('kind')!r}: this is no index of rows"
            raise ValueError(msg)
        numbers = [_number_field(field) for field in plain["numbers"]]
        index = cls(
            Coordinates(numbers, [CategoryField(*field) for field in plain["categories"]]),
            plain["names"],
            plain["sources"],
            Coded(*map(unpacked, plain["reference"])),
            unpacked(plain["rows"]),
            Coded(*map(unpacked, plain["calibration"])),
            plain["classes"],
        )
        for mask, thresholds, base in zip(index.masks, plain["masks"], plain["base"], strict=True):
            index._of_masks[mask], index._base[mask] = unpacked(thresholds), (base[0], base[1])
        index.pairs = index.pairs if "pairs" in plain else ()  # of an index that was made before there were any
        for pair, thresholds in zip(index.pairs, plain.get("pairs", ()), strict=True):
            index._of_masks[pair] = unpacked(thresholds)
        return index


def _number_field(written: list[Any]) -> NumberField:  # arrays and numbers
    parts: list[Any] = [unpacked(part) if isinstance(part, list) else part for part in written]
    return NumberField(*parts)
