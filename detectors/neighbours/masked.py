"""Masked outliers as whole numbers that add: how many each mask cures, and near which rows of the reference they then lie.

So the panes of any runs sum up to what says whose fault it is, or that rows are new (`judged`), as `driftbus.detectors.neighbours.causes`
says it of the rows themselves. Two fields that break together are told by pairs, of which each has a number, too: of the rows that no mask
cures, those that it does.
"""

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...schemas.stored.familiarity import FamiliarityProfile, MaskProfile
from .causes import Causes
from .cures import CURES, LEAST_SPREAD, STANDS_OUT, Blame, blamed_of, excess
from .levels import OUTLIER
from .masks import Left, Mask
from .pairs import Paired

Integers = NDArray[np.int64]

#: Parts of the reference's rows that are told apart: by their number, which says nothing of what they hold.
PLACES = 256
#: Of how many outliers the distinct places are compared with those of familiar rows: the most that there are. Of fewer nothing is said.
SAMPLES = (16, 32, 64)


def length(masks: int, pairs: int) -> int:
    """Of a vector of counts: outliers masked; of them those that each mask cures; their places without what cures them best; where there
    are pairs, of the others those that each pair cures, and their places.

    >>> length(3, 0) - PLACES, length(3, 3) - 2 * PLACES
    (4, 7)
    """
    return 1 + masks + PLACES + (pairs + PLACES if pairs else 0)


def counted(left: Left, masks: Sequence[Mask], paired: Paired) -> Integers:
    """Of masked outliers, by all masks and pairs of an index, what adds. What cures a row best is a field, where none does a source."""
    rows, fields = len(left.cured), sum(mask.of == "field" for mask in masks)
    worst = np.iinfo(np.int64).min
    scores = np.where(left.cured, left.scores, worst)
    if left.cured.shape[1] > fields:
        scores[left.cured[:, :fields].any(axis=1), fields:] = worst
    best = scores.argmax(axis=1) if rows else np.zeros(0, dtype=np.int64)
    there = np.flatnonzero(left.cured.any(axis=1))
    places = np.bincount(left.nearest[there, best[there]] % PLACES, minlength=PLACES)
    parts = [[rows], left.cured.sum(axis=0), places]
    if paired.cured.shape[1]:
        parts += [paired.cured.sum(axis=0), np.bincount(paired.nearest[paired.nearest >= 0] % PLACES, minlength=PLACES)]
    return np.concatenate(parts).astype(np.int64)


def distinct(places: Integers, rows: int) -> float:
    """Near how many places so many of the rows lie, drawn without replacement (rarefaction; Hurlbert, Ecology 52, 1971).

    >>> distinct(np.array([2, 0, 2]), 2), distinct(np.array([1, 1, 0]), 2)
    (1.6666666666666667, 2.0)
    """
    total = int(places.sum())
    every = math.comb(total, rows)
    return sum(1 - math.comb(total - count, rows) / every for count in places.tolist() if count)


def profiles(left: Left, masks: Sequence[Mask], names: Sequence[str], cured: Sequence[int]) -> tuple[MaskProfile, ...]:
    """What familiar rows are like without each mask's fields; none where there are too few.

    Parameters
    ----------
    left
        Of calibration rows.
    masks, names
        Of the index.
    cured
        Of its own outliers.
    """
    if len(left.cured) < SAMPLES[-1]:
        return ()
    places = [np.bincount(column % PLACES, minlength=PLACES) for column in left.nearest.T]
    return tuple(
        MaskProfile(
            name=mask.name,
            of="source" if mask.of == "source" else "field",
            fields=tuple(names[field] for field in mask.fields),
            cured=own,
            distinct=tuple(round(distinct(place, rows), 2) for rows in SAMPLES),
        )
        for mask, own, place in zip(masks, cured, places, strict=True)
    )


def judged(profile: FamiliarityProfile, counts: Integers, *, rate: float) -> Causes:
    """Whose fault it is, by a sum of `counted`; ``rate``: the share of rows that are outliers.

    Raises
    ------
    ValueError
        If the counts are not of the reference's masks.
    """
    masks, expected = profile.masks, length(len(profile.masks), len(profile.pairs))
    if len(counts) != expected:
        msg = f"{len(counts)} counts of masked outliers, where {len(masks)} masks and {len(profile.pairs)} pairs make {expected}"
        raise ValueError(msg)
    rows, own, places = int(counts[0]), counts[1 : 1 + len(masks)].tolist(), counts[1 + len(masks) :][:PLACES]
    if rows < SAMPLES[0]:
        return Causes({}, {}, Blame("unknown"))
    base = max(profile.outliers, 1)
    shares = [excess(cured / rows, mask.cured / base, rate=rate, level=OUTLIER) for mask, cured in zip(masks, own, strict=True)]
    fields, sources = ({mask.name: share for mask, share in zip(masks, shares, strict=True) if mask.of == of} for of in ("field", "source"))
    members = {mask.name: mask.fields for mask in masks if mask.of == "source"}
    blame = blamed_of(fields, sources, members, rate=rate, level=OUTLIER)
    kind = "source" if blame.of == "source" else "field"
    if _in_one_place(places, [mask for mask in masks if mask.of == kind and mask.name in blame.names]):
        return Causes(fields, sources, Blame("novelty"))
    pair = _pair(profile, counts, rate) if blame.of == "novelty" and profile.pairs else None
    if blame.of in ("novelty", "source") and rows < SAMPLES[-1]:
        best = max([*shares, *([] if pair is None else [pair.cured])] if blame.of == "novelty" else fields.values())
        blame = Blame("unknown") if best + _doubt(rows, rate) >= CURES else blame  # a few outliers more may name a field
    elif pair is not None and pair.stands_out:
        return Causes(fields, sources, Blame("both", pair.names), pair.cured)
    return Causes(fields, sources, blame)


class _Pair(NamedTuple):
    names: tuple[str, str]
    cured: float
    stands_out: bool  #: it cures enough, more than any other, and not what is all in one place


def _pair(profile: FamiliarityProfile, counts: Integers, rate: float) -> _Pair:
    """The pair that cures most: rows that neither of its fields does, and, as these overlap, those that one of them does."""
    rows, base, masks = int(counts[0]), max(profile.outliers, 1), profile.masks
    fields = [mask for mask in masks if mask.of == "field"]
    pairs = list(itertools.combinations(range(len(fields)), 2))
    own, places = counts[1:].tolist(), counts[length(len(masks), 0) :]
    shares = [
        excess(
            (together + max(own[a], own[b])) / rows,
            (usual + max(fields[a].cured, fields[b].cured)) / base,
            rate=rate,
            level=OUTLIER,
        )
        for (a, b), together, usual in zip(pairs, places[: len(pairs)].tolist(), profile.pairs, strict=True)
    ]
    best = max(range(len(pairs)), key=lambda place: shares[place])
    cured, next_ = shares[best], max((share for place, share in enumerate(shares) if place != best), default=0.0)
    members = [fields[place] for place in pairs[best]]
    clear = cured >= CURES and cured - next_ >= STANDS_OUT and not _in_one_place(places[len(pairs) :], members)
    return _Pair((members[0].name, members[1].name), cured, clear)


def _in_one_place(places: Integers, members: Sequence[MaskProfile]) -> bool:
    """Whether rows lie near fewer rows of the reference, without what cures them, than rows of a broken field do."""
    fit = [place for place, most in enumerate(SAMPLES) if most <= places.sum()]
    return bool(members and fit) and distinct(places, SAMPLES[fit[-1]]) < LEAST_SPREAD * min(one.distinct[fit[-1]] for one in members)


def _doubt(rows: int, rate: float) -> float:
    """Two standard errors of an excess of `CURES`: of what is cured, and of how many familiar rows there are among so many outliers."""
    familiar = OUTLIER / rate
    return 2 * math.sqrt((CURES * (1 - CURES) + familiar) / rows) / (1 - familiar)
