"""A reference's familiarity, ready to score rows: its indexes, read from the artifacts, and where in decoded rows each subject stands.

An index that was made with other token vectors than those installed is refused, never used silently: its numbers mean nothing to them.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...detectors.familiarity.places import CORE, FAR, NOTHING, OUTLIER, OUTSIDE, UNLIKE, UNSCORED
from ...detectors.neighbours import levels
from ...detectors.neighbours.alike import leaders
from ...detectors.neighbours.rows import RowIndex
from ...detectors.neighbours.texts import Queries, TextIndex
from ...detectors.neighbours.vectors import LENGTH, Vectors
from ...schemas.messages.ood import Near
from ...schemas.stored.familiarity import FamiliarityProfile
from ...schemas.stored.reference import ProfiledField, Reference
from ...schemas.unusable import Unusable
from .artifacts import ArtifactStore
from .familiar_rows import RowSubject
from .kept import Kept
from .scored import Compared, Content, Decoded, Scored, Shown, classes_of
from .token_vectors import installed_tokens

Integers = NDArray[np.int64]
Bytes = NDArray[np.uint8]
#: Where indexes lie, beside the references.
FOLDER = "familiarity"
#: Indexes that are kept, and bytes of them as they are stored; in use they take some three times as many.
MOST_INDEXES, MOST_INDEX_BYTES = 64, 1 << 27
_TEXTS = ("categorical", "boolean", "text")


class UnusableFamiliarity(Unusable):
    """An index that cannot score rows here, with what to do about it."""


class Subject:
    """One of the things that are scored in a row."""

    def __init__(self, profile: FamiliarityProfile, fields: Sequence[ProfiledField], index: TextIndex) -> None:
        self.profile, self.index = profile, index
        texts = [field for field in fields if field.type in _TEXTS]
        names = [field.name for field in (texts if profile.kind == "text" else (f for f in fields if f.type == "embedding"))]
        if profile.of not in names:
            msg = f"familiarity of {profile.of}: the reference has no {profile.kind} of that name; build it again"
            raise UnusableFamiliarity(msg)
        self._place = names.index(profile.of)
        self._class = next((place for place, field in enumerate(texts) if field.role == "prediction"), None) if profile.classes else None

    def scored(self, decoded: Decoded, rows: Integers, exactly: NDArray[np.bool_], *, outliers: bool = False) -> Scored:
        """Of these rows; those that are to be looked at ``exactly``, and whether anybody asks which are ``outliers``."""
        texts, place_of = self._distinct(decoded, rows)
        queries = self._queries(texts)
        classes = self._classes(decoded, rows)
        if classes is None or self.profile.kind != "text":
            flags = self.index.flags(queries.vectors, classes, queries.firsts)[place_of]
        else:
            pairs = list(zip(place_of.tolist(), classes, strict=True))
            distinct = list(dict.fromkeys(pairs))
            again = {pair: number for number, pair in enumerate(distinct)}
            chosen = _chosen(queries, np.array([place for place, _ in distinct], dtype=np.int64))
            found = self.index.flags(chosen.vectors, [name for _, name in distinct], chosen.firsts)
            flags = found[[again[pair] for pair in pairs]]

        def among(chosen: NDArray[np.bool_], *levels_: float) -> Bytes:
            """At or below how many of these levels the chosen rows are."""
            part, asked = _chosen(queries, place_of[chosen]), np.flatnonzero(chosen).tolist()
            named = None if classes is None else [classes[row] for row in asked]
            return self.index.flags(part.vectors, named, part.firsts, levels=(levels_[0], levels_[1]))

        looked, far = np.full(len(rows), UNSCORED, dtype=np.uint8), flags == FAR
        if (chosen := exactly & (flags != NOTHING)).any():
            looked[chosen] = np.array([CORE, OUTSIDE, OUTLIER], dtype=np.uint8)[among(chosen, levels.CORE, levels.OUTLIER)]
        if outliers and (chosen := flags == UNLIKE).any():
            far[chosen] = among(chosen, levels.OUTLIER, min(levels.LEVELS)) > 0
        return Scored(flags, looked, far)

    def contents(self, decoded: Decoded, rows: Integers) -> list[Content]:
        """What these rows hold of it, for `exact`."""
        classes = self._classes(decoded, rows)
        values: list[object] = (
            [decoded.categorical[self._place][row] for row in rows.tolist()]
            if self.profile.kind == "text"
            else list(np.array(decoded.vectors[self._place][rows]))
        )
        return [Content(value, None if classes is None else classes[number]) for number, value in enumerate(values)]

    def queries(self, contents: Sequence[Content]) -> Queries:
        """Their vectors."""
        values = [one.value for one in contents]
        return self._queries(values if self.profile.kind == "text" else np.array(values, dtype=np.float64))

    def leaders(self, contents: Sequence[Content]) -> list[int]:
        """Of each the place of the first whose cosine with it is nearly 1; of long texts of their first parts."""
        return leaders(self.vectors(contents))

    def vectors(self, contents: Sequence[Content]) -> Vectors:
        """Of each its own; of long texts that of the first part."""
        queries = self.queries(contents)
        return queries.vectors[queries.firsts[:-1]]

    def shown(self, contents: Sequence[Content]) -> list[Shown]:
        """Their p-values, and the training rows that the least familiar part of each is nearest to."""
        queries = self.queries(contents)
        classes = [one.predicted for one in contents] if self._class is not None else None
        exact = self.index.exact(queries.vectors, classes, queries.firsts)
        place_of = {row: place for place, row in reversed(list(enumerate(self.index.rows.tolist())))}
        found = []
        for number, (p, rows) in enumerate(zip(exact.p.tolist(), exact.nearest.tolist(), strict=True)):
            near = [row for row in rows if row >= 0]
            examples = self.index.vectors[[place_of[row] for row in near]].astype(np.float32)
            parts = queries.vectors[queries.firsts[number] : queries.firsts[number + 1]].astype(np.float32) @ examples.T
            products = (parts[np.argmin(parts.sum(axis=1))] / (LENGTH * LENGTH)).tolist()
            found.append(Shown(p, tuple(Near(row, round(product, 4)) for row, product in zip(near, products, strict=True))))
        return found

    def _distinct(self, decoded: Decoded, rows: Integers) -> "tuple[Sequence[object] | NDArray[np.float64], Integers]":
        """The values, each text but once, and which of them each row has."""
        if self.profile.kind != "text":
            return np.array(decoded.vectors[self._place][rows]), np.arange(len(rows))
        column = decoded.categorical[self._place]
        codes: dict[object, int] = {}
        place_of = np.fromiter((codes.setdefault(column[row], len(codes)) for row in rows.tolist()), np.int64, len(rows))
        return list(codes), place_of

    def _queries(self, values: "Sequence[object] | NDArray[np.float64]") -> Queries:
        if isinstance(values, np.ndarray):
            return self.index.given(values)
        return self.index.read([value if isinstance(value, str) else "" for value in values])

    def _classes(self, decoded: Decoded, rows: Integers) -> list[str | None] | None:
        return None if self._class is None else classes_of(decoded.categorical[self._class], rows)


class Familiar:
    """References' subjects, as many as are in use."""

    def __init__(self, store: ArtifactStore) -> None:
        self._store = store.beside(FOLDER)
        self._indexes = Kept(self._index, MOST_INDEXES, MOST_INDEX_BYTES)

    def subjects(self, reference: Reference) -> tuple[Compared, ...]:
        """In the order of their counts in panes."""
        return tuple(self._subject(one, reference) for one in reference.familiarity)

    def _subject(self, profile: FamiliarityProfile, reference: Reference) -> Compared:
        index = self._indexes(f"{profile.kind} {profile.index}")
        if isinstance(index, RowIndex):
            return RowSubject(profile, reference, index)
        return Subject(profile, reference.fields, index)

    def _index(self, kind_and_name: str) -> tuple[TextIndex | RowIndex, int]:
        kind, name = kind_and_name.split(" ")
        content = self._store.get(name)
        try:
            return RowIndex.decoded(content) if kind == "row" else decoded_index(content), len(content)
        except ValueError as error:
            msg = f"artifacts: {name}: {error}"
            raise UnusableFamiliarity(msg) from error


def copied(source: ArtifactStore, target: ArtifactStore, reference: str) -> None:
    """A reference with its indexes, from one store to another."""
    target.put(source.get(reference))
    for one in source.reference(reference).familiarity:
        target.beside(FOLDER).put(source.beside(FOLDER).get(one.index))


def decoded_index(content: bytes) -> TextIndex:
    """An index, with what is installed here."""
    return TextIndex.decoded(content, installed_tokens())


def _chosen(queries: Queries, places: Integers) -> Queries:
    """Some of the queries, in this order."""
    sizes = np.diff(queries.firsts)[places]
    firsts = np.zeros(len(places) + 1, dtype=np.int64)
    np.cumsum(sizes, out=firsts[1:])
    rows = np.repeat(queries.firsts[places] - firsts[:-1], sizes) + np.arange(int(firsts[-1]))
    return Queries(queries.vectors[rows], firsts)
