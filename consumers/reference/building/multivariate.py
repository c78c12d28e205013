"""What fields of a reference show only together: passes over its rows behind those that built each by itself."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....detectors.betting.scores import scores
from ....detectors.counting.bins import bins_of, profile_of
from ....detectors.counting.joint import Distance, Moments
from ....detectors.counting.ranks import Ranks
from ....detectors.counting.sampling import drawn
from ....detectors.profiling.dependence import Dependence
from ....detectors.profiling.pairs import PairProfiling
from ....schemas.configuration import Model
from ....schemas.configuration import PairSettings as Wanted
from ....schemas.stored.reference import JointProfile, NumericProfile, Reference
from .columns import PRESENT, Key, Source, numbers

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

#: Of the rows, those that say how scores hang together; others say how far rows lie, since from their own axes rows lie too near.
AXES_PART = 0.25
#: Distances that a profile is made of: at least, and at most.
FEWEST_DISTANCES, MOST_DISTANCES = 500, 1_000_000
#: A field that is absent more often is not among those whose joint distance is watched: no row would have them all.
MOSTLY = 0.95


@dataclass(frozen=True)
class _Fields:
    """Numeric fields of a source, and where they are read."""

    names: tuple[str, ...]
    keys: tuple[Key, ...]
    profiles: tuple[NumericProfile, ...]

    def places(self, source: Source) -> Iterator[tuple[Integers, Integers]]:
        """Chunk by chunk, the rows' numbers and by row and field the interval of the value; -1 where it is absent."""
        ranks, first = Ranks(self.profiles), 0
        for chunk in source.chunks(self.keys):
            columns = [numbers(chunk.columns[key], parse=profile.parse) for key, profile in zip(self.keys, self.profiles, strict=True)]
            values = np.stack([np.where(states == PRESENT, column, np.nan) for column, states in columns], axis=1)
            yield np.arange(first, first + chunk.rows), ranks.places(values)
            first += chunk.rows


def together(reference: Reference, source: Source, keys: Mapping[str, Key], settings: Model) -> tuple[Reference, list[str]]:
    """The reference with its pairs and joint distance, and what a reader should know of them; ``keys`` are its fields' columns, by name."""
    wanted = settings.pairs
    found = [(field, field.values) for field in reference.fields if field.type == "numeric" and isinstance(field.values, NumericProfile)]
    if wanted is None or len(found) < 2:
        return reference, []
    found.sort(key=lambda one: one[0].role == "feature")  # what a model puts out comes first: it is never left out
    kept, left = found[: wanted.most], ", ".join(field.name for field, _ in found[wanted.most :])
    remarks = [f"pairs of {wanted.most} numeric fields are watched, without {left}; raise pairs.most, or ignore others"] if left else []
    fields = _Fields(tuple(f.name for f, _ in kept), tuple(keys[f.name] for f, _ in kept), tuple(profile for _, profile in kept))
    joint = [place for place, (field, _) in enumerate(kept) if field.availability.counts[0] >= MOSTLY * reference.rows]
    pairs, moments, ranks = PairProfiling(fields.names, fields.profiles), Moments(len(joint)), Ranks(fields.profiles)
    for rows, places in fields.places(source):
        pairs.add(places)
        oriented = ranks.at(places[drawn(rows, AXES_PART)])[:, joint]
        moments.add(oriented[~np.isnan(oriented).any(axis=1)])
    changes = {
        "pairs": pairs.profiles(wanted.sample),
        "sample": wanted.sample,
        "joint": _joint(source, fields, joint, moments, wanted, reference.rows) if len(joint) > 1 else None,
    }
    return reference.model_copy(update=changes), remarks


def _joint(source: Source, fields: _Fields, joint: list[int], moments: Moments, wanted: Wanted, rows: int) -> JointProfile | None:
    """How far the rows lie, of which no axis was made."""
    if not moments.rows:
        return None
    axes, ranks = moments.axes(), Ranks(fields.profiles)
    distance, part = Distance(axes), min(1 - AXES_PART, MOST_DISTANCES / rows)
    found: list[Floats] = []
    for numbered, places in fields.places(source):
        chosen = places[drawn(numbered, AXES_PART + part) & ~drawn(numbered, AXES_PART)]
        found.append(distance.of(ranks.at(chosen[(chosen[:, joint] >= 0).all(axis=1)])[:, joint]))
    distances = np.concatenate(found)
    if len(distances) < FEWEST_DISTANCES:
        return None
    profile = profile_of(distances)
    dependence = Dependence(scores(profile).T)
    dependence.add(bins_of(profile, distances))
    # In these rows; panes may count more of theirs, which then depend on each other more.
    location, spread, skew, tails = (1 + (dependence.tau() - 1) * max(1.0, 1 / (part * wanted.sample))).tolist()
    names = tuple(fields.names[place] for place in joint)
    timed = profile.model_copy(update={"tau": (location, spread, skew, tails)})
    return JointProfile(fields=names, axes=tuple(map(tuple, axes.tolist())), distance=timed)
