"""An index of texts, or of embeddings: how like its training data a query is, exactly and with a p-value."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .calibration import Calibrated, Scores
from .distinct import by_hash, firsts_of, key_of, split
from .embedder import Choice, Embedder, chosen
from .everyday import SENTENCES
from .levels import BOUNDS, UNLIKE
from .nearest import NEIGHBOURS, five_nearest
from .parts import groups_of, parts
from .regions import Regions
from .report import Report, warnings_of
from .stored import Stored, decoded, encoded
from .tokens import Tokens
from .vectors import LENGTH, Vectors, embedded, scorable

Integers = NDArray[np.int64]
Bytes = NDArray[np.uint8]
Classes = Sequence[str | None] | None

#: Flags: p > .05; .005 < p <= .05; p <= .005; nothing to score.
FAMILIAR, UNUSUAL, RARE, UNSCORED = 0, 1, 2, 3
#: The cell of a query with nothing to score; and flags by cell.
NOTHING = 5
_FLAGS = np.array([FAMILIAR, FAMILIAR, UNUSUAL, UNUSUAL, RARE, UNSCORED], dtype=np.uint8)
#: Distinct rows that an index needs: with fewer held out (half of them), no p-value is as small as .05.
LEAST_DISTINCT = 40
#: Above every score (5 (4,000 + 100)^2), and of a part without anything to score, which is nobody's least familiar one.
_ABOVE = int(NEIGHBOURS * (LENGTH + 100) ** 2)


class Queries(NamedTuple):
    """Texts or embeddings as they are scored."""

    vectors: Vectors  #: [parts, size]
    firsts: Integers  #: [n + 1]: vectors firsts[i] to firsts[i + 1] are the parts of query i


class Exact(NamedTuple):
    """Of queries: scores, p-values, and the training rows they are most like."""

    scores: Integers  #: [n]: the sum of the five largest products with the reference, of the least familiar part; 0 without one
    p: NDArray[np.float64]  #: [n]: within the predicted class; NaN without anything to score
    nearest: Integers  #: [n, 5]: rows of the training data, nearest first; -1: none
    products: NDArray[np.float32]  #: [n, 5]: with these, whole numbers


class TextIndex:
    """Reference vectors and the calibration by held-out ones.

    Vectors are whole numbers, so that every product is exact: scores, flags and nearest rows are the same on any processor, in any batch.
    """

    def __init__(self, embedder: Embedder | None, vectors: Vectors, rows: Integers, calibration: Calibrated) -> None:
        """``rows``: the training row of each reference vector."""
        self.embedder, self.vectors, self.rows, self.calibration = embedder, vectors, rows, calibration
        self._thresholds = np.stack([calibration.thresholds(level) for level in BOUNDS])

    @cached_property
    def _regions(self) -> Regions:
        """Made when something is compared: who only embeds needs none."""
        return Regions(self.vectors)

    @property
    def name(self) -> str:
        """Of the embedder; of given embeddings their size."""
        return self.embedder.name if self.embedder else f"given/{self.vectors.shape[1]}"

    @classmethod
    def built(
        cls,
        texts: Sequence[str],
        *,
        embedder: Choice | None = None,
        tokens: Tokens | None = None,
        classes: Classes = None,
        times: NDArray[np.int64] | None = None,
        size: int = 10_000,
        calibration: int = 5_000,
    ) -> tuple["TextIndex", Report]:
        """From the training data's texts, with the classes that the model predicted for them, and their times.

        ``embedder``: the one wanted, else chosen by tokens per word; ``tokens``: the token vectors installed. ``size``: reference vectors
        at most. Raises ValueError where there are too few distinct texts.
        """
        there = np.flatnonzero(np.fromiter(map(bool, map(str.strip, texts)), np.bool_, len(texts)))
        keys = [key_of(texts[row]) for row in there.tolist()]
        _enough(len(firsts_of(keys)), "texts")
        chosen_rows = split(keys, None if times is None else times[there], size=size, held_out=calibration)
        reference, held_out = there[chosen_rows.reference], there[chosen_rows.held_out]
        kept = [texts[row] for row in reference.tolist()]
        choice = chosen(kept, embedder, tokens)
        cut, firsts = parts(kept)
        rows = np.repeat(reference, np.diff(firsts))
        if len(cut) > len(kept):  # long texts: some of the parts of each
            part_keys = [key_of(part) for part in cut]
            drawn = by_hash(part_keys, firsts_of(part_keys))[:size]
            cut, rows = [cut[part] for part in drawn.tolist()], rows[drawn]
        vectors = choice.embedder.vectors(cut)
        queries = _read(choice.embedder, [texts[row] for row in held_out.tolist()])
        index, fresh, unscored = cls._calibrated(choice.embedder, vectors, rows, queries, _of(classes, held_out))
        everyday = index.share_flagged(SENTENCES) if isinstance(choice.embedder, Tokens) else None
        held = len(held_out) - unscored
        told = (*choice.warnings, *warnings_of(held, everyday))
        report = Report(
            rows=len(texts),
            empty=len(texts) - len(there) + unscored,
            duplicates=chosen_rows.duplicates,
            reference=len(index.rows),
            calibration=held,
            embedder=index.name,
            why=choice.why,
            tokens_per_word=choice.tokens_per_word,
            fresh=fresh,
            everyday=everyday,
            warnings=told,
        )
        return index, report

    @classmethod
    def of_embeddings(
        cls,
        given: NDArray[np.floating[Any]],
        *,
        classes: Classes = None,
        times: NDArray[np.int64] | None = None,
        size: int = 10_000,
        calibration: int = 5_000,
    ) -> tuple["TextIndex", Report]:
        """From the training data's embeddings [n, size]. Zeros, and what is not finite, are left out."""
        vectors = embedded(given)
        there = np.flatnonzero(scorable(vectors))
        keys = [vector.tobytes() for vector in vectors[there].astype("<i2", copy=False)]
        _enough(len(firsts_of(keys)), "embeddings")
        chosen_rows = split(keys, None if times is None else times[there], size=size, held_out=calibration)
        reference, held_out = there[chosen_rows.reference], there[chosen_rows.held_out]
        queries = Queries(vectors[held_out], np.arange(len(held_out) + 1))
        index, fresh, _ = cls._calibrated(None, vectors[reference], reference, queries, _of(classes, held_out))
        report = Report(
            rows=len(given),
            empty=len(given) - len(there),
            duplicates=chosen_rows.duplicates,
            reference=len(index.rows),
            calibration=len(held_out),
            embedder=index.name,
            why="embeddings are given",
            tokens_per_word=None,
            fresh=fresh,
            everyday=None,
            warnings=warnings_of(len(held_out), None),
        )
        return index, report

    @classmethod
    def _calibrated(
        cls, embedder: Embedder | None, vectors: Vectors, rows: Integers, queries: Queries, classes: Classes
    ) -> tuple["TextIndex", float, int]:
        """The index, the share of fresh rows flagged, and how many held-out ones had nothing to score."""
        there = scorable(vectors)
        vectors, rows = vectors[there], rows[there]
        five = five_nearest(queries.vectors, vectors.astype(np.float32), rows)
        scores, _ = _least(np.where(scorable(queries.vectors), five.scores, _ABOVE), queries.firsts)
        scored = np.flatnonzero(scores < _ABOVE)
        if not len(scored):
            msg = f"familiarity: none of {len(scores)} held-out texts has anything to score"
            raise ValueError(msg)
        groups = groups_of(queries.firsts)

        def of(held: Integers) -> tuple[Scores, Classes, Integers | None]:
            return scores[held], _of(classes, held), None if groups is None else groups[held]

        calibration = Calibrated.of(*of(scored))
        newer, newer_classes, newer_groups = of(scored[len(scored) // 2 :])
        older = Calibrated.of(*of(scored[: max(1, len(scored) // 2)]))
        fresh = float(np.mean(older.p(newer, older.codes(newer_classes, len(newer), newer_groups)) <= UNLIKE))
        # Rows that are often among the nearest come first: few of them show of most familiar queries that they are.
        order = np.argsort(-np.bincount(five.rows[five.rows >= 0], minlength=len(rows)), kind="stable")
        return cls(embedder, vectors[order], rows[order], calibration), fresh, len(scores) - len(scored)

    def read(self, texts: Sequence[str]) -> Queries:
        """Texts as they are scored; long ones in parts."""
        if self.embedder is None:
            msg = f"familiarity: this index is of embeddings ({self.name}), and was asked of texts"
            raise ValueError(msg)
        return _read(self.embedder, texts)

    def given(self, embeddings: NDArray[np.floating[Any]]) -> Queries:
        """Embeddings [n, size] as they are scored."""
        if embeddings.ndim != 2 or embeddings.shape[1] != self.vectors.shape[1]:
            msg = f"familiarity: embeddings of shape {embeddings.shape}, the reference's have {self.vectors.shape[1]} numbers"
            raise ValueError(msg)
        return Queries(embedded(embeddings), np.arange(len(embeddings) + 1))

    def cells(
        self, vectors: Vectors, classes: Classes = None, firsts: Integers | None = None, *, exactly: NDArray[np.bool_] | None = None
    ) -> Bytes:
        """Of every query the p-value's cell: 0 above .2, 1 to .05, 2 to .01, 3 to .005, 4 at or below it, 5 with nothing to score [n].

        It is that of the least familiar part, where there are parts. Of a query that is not to be looked at ``exactly`` it is only known
        whether p > .05, which is told by 0: that costs a fraction.
        """
        firsts = np.arange(len(vectors) + 1) if firsts is None else firsts
        exactly = np.zeros(len(firsts) - 1, dtype=np.bool_) if exactly is None else exactly
        thresholds = self._thresholds[:, self.calibration.codes(classes, len(firsts) - 1, groups_of(firsts))]
        there = np.flatnonzero(scorable(vectors))
        bounds = np.full(len(vectors), _ABOVE)
        enough = np.repeat(np.where(exactly, thresholds[0], thresholds[1]), np.diff(firsts))
        bounds[there] = self._regions.familiar(vectors[there], enough[there])
        scores, _ = _least(bounds, firsts)
        cells: Bytes = (scores < thresholds).sum(axis=0).astype(np.uint8)
        cells[~exactly & (cells == 1)] = 0
        cells[scores == _ABOVE] = NOTHING
        return cells

    def flags(self, vectors: Vectors, classes: Classes = None, firsts: Integers | None = None) -> Bytes:
        """0: p > .05, 1: .005 < p <= .05, 2: p <= .005, 3: nothing to score [n]; of the least familiar part, where there are parts."""
        flags: Bytes = _FLAGS[self.cells(vectors, classes, firsts)]
        return flags

    def exact(self, vectors: Vectors, classes: Classes = None, firsts: Integers | None = None) -> Exact:
        """Scores, p-values and nearest training rows; rows of equal product in their order."""
        firsts = np.arange(len(vectors) + 1) if firsts is None else firsts
        rows = self.rows[self._regions.order]
        five = five_nearest(vectors, self._regions.rows, rows)
        scores, part = _least(np.where(scorable(vectors), five.scores, _ABOVE), firsts)
        there = scores < _ABOVE
        p = self.calibration.p(scores, self.calibration.codes(classes, len(scores), groups_of(firsts)))
        places = five.rows[part]
        nearest = np.where((places >= 0) & there[:, None], np.append(rows, -1)[places], -1)
        return Exact(np.where(there, scores, 0), np.where(there, p, np.nan), nearest, five.products[part])

    def share_flagged(self, texts: Sequence[str], classes: Classes = None) -> float:
        """Of those with something to score, at .05; 0 of none."""
        flags = self.flags(*_in_order(self.read(texts), classes))
        scored = flags[flags != UNSCORED]
        return float(np.mean(scored != FAMILIAR)) if len(scored) else 0.0

    def encoded(self) -> bytes:
        """As it is stored: the same bytes for the same index."""
        return encoded(Stored(self.embedder, self.vectors, self.rows, self.calibration))

    @classmethod
    def decoded(cls, content: bytes, tokens: Tokens | None = None) -> "TextIndex":
        """What `encoded` wrote. ``tokens``: the token vectors installed; raises ValueError where the index is of others."""
        return cls(*decoded(content, tokens))


def _enough(distinct: int, of: str) -> None:
    if distinct < LEAST_DISTINCT:
        msg = f"familiarity: {distinct} distinct {of}, at least {LEAST_DISTINCT} are needed"
        raise ValueError(msg)


def _of(classes: Classes, rows: Integers) -> Classes:
    return None if classes is None else [classes[row] for row in rows.tolist()]


def _read(embedder: Embedder, texts: Sequence[str]) -> Queries:
    cut, firsts = parts(texts)
    return Queries(embedder.vectors(cut), firsts)


def _in_order(queries: Queries, classes: Classes) -> tuple[Vectors, Classes, Integers]:
    return queries.vectors, classes, queries.firsts


def _least(scores: Scores, firsts: Integers) -> tuple[Scores, Integers]:
    """Of each query the least score of its parts, and which part that is: the first one of these."""
    if len(scores) == len(firsts) - 1:
        return scores, np.arange(len(scores))
    least = np.minimum.reduceat(scores, firsts[:-1])
    of = np.repeat(np.arange(len(least)), np.diff(firsts))
    place = np.flatnonzero(scores == least[of])
    return least, place[np.searchsorted(of[place], np.arange(len(least)))]
