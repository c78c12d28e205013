"""A reference's familiarity, ready to score rows: its indexes, read from the artifacts, and where in decoded rows each subject stands.

An index that was made with other token vectors than those installed is refused, never used silently: its numbers mean nothing to them.
"""

import itertools
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...detectors.familiarity.places import UNSCORED
from ...detectors.neighbours.about import leaders
from ...detectors.neighbours.bins import leading
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
from .scored import Compared, Content, Decoded, Inside, Scored, Shown, classes_of
from .token_vectors import installed_tokens

Integers = NDArray[np.int64]
#: Where indexes lie, beside the references.
FOLDER = "familiarity"
#: Indexes that are kept, and bytes of them as they are stored; in use they take some three times as many.
MOST_INDEXES, MOST_INDEX_BYTES = 64, 1 << 27
_TEXTS = ("categorical", "boolean", "text")


class UnusableFamiliarity(Unusable):
    """An index that cannot score rows here, with what to do about it."""


class Subject:
    """One of the things that are scored in a row."""

    def __init__(
        self, profile: FamiliarityProfile, fields: Sequence[ProfiledField], index: TextIndex, inside: Inside | None = None
    ) -> None:
        self.profile, self.index, self.inside = profile, index, inside
        texts = [field for field in fields if field.type in _TEXTS]
        names = [field.name for field in (texts if profile.kind == "text" else (f for f in fields if f.type == "embedding"))]
        if profile.of not in names:
            msg = f"familiarity of {profile.of}: the reference has no {profile.kind} of that name; build it again"
            raise UnusableFamiliarity(msg)
        self._place = names.index(profile.of)
        self._class = next((place for place, field in enumerate(texts) if field.role == "prediction"), None) if profile.classes else None

    def scored(self, decoded: Decoded, rows: Integers, exactly: NDArray[np.bool_]) -> Scored:
        """Of these rows; and which are to be looked at ``exactly``. The same text of the same class is scored once."""
        texts, place_of = self._distinct(decoded, rows)
        classes = self._classes(decoded, rows)
        pairs = list(zip(place_of.tolist(), classes or [None] * len(rows), strict=True))
        number = {pair: number for number, pair in enumerate(dict.fromkeys(pairs))}
        of = np.fromiter((number[pair] for pair in pairs), np.int64, len(pairs))
        chosen = _chosen(self._queries(texts), np.array([place for place, _ in number], dtype=np.int64))
        asked = np.zeros(len(number), dtype=np.bool_)
        asked[of[exactly]] = True
        named = None if classes is None else [name for _, name in number]
        cells = self.index.cells(chosen.vectors, named, chosen.firsts, exactly=asked)[of]
        scored = Scored.of(cells)
        return scored._replace(looked=np.where(exactly, scored.looked, np.uint8(UNSCORED)))

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

    def vectors(self, contents: Sequence[Content]) -> Vectors:
        """Of each its own; of long texts that of the first part."""
        queries = self.queries(contents)
        return queries.vectors[queries.firsts[:-1]]

    def shown(self, panes: Sequence[Sequence[Content]], most: int) -> list[list[Shown]]:
        """With the training rows that the least familiar part of each is nearest to; nearly the same are texts whose first parts are."""
        contents = [one for pane in panes for one in pane]
        queries = self.queries(contents)
        first_parts = queries.vectors[queries.firsts[:-1]].astype(np.float32)
        starts = np.cumsum([0, *map(len, panes)]).tolist()
        told = [_alike(first_parts[first:last])[:most] for first, last in itertools.pairwise(starts)]
        places = [first + place for first, own in zip(starts[:-1], told, strict=True) for place, _ in own]
        chosen = _chosen(queries, np.array(places, dtype=np.int64))
        classes = [contents[place].predicted for place in places] if self._class is not None else None
        exact = self.index.exact(chosen.vectors, classes, chosen.firsts)
        similar = (exact.products / (LENGTH * LENGTH)).tolist()
        near = [
            tuple(Near(row, round(own, 4)) for row, own in zip(*one, strict=True) if row >= 0)
            for one in zip(exact.nearest.tolist(), similar, strict=True)
        ]
        found = iter(zip(exact.p.tolist(), near, strict=True))
        return [[Shown(place, times, *next(found)) for place, times in own] for own in told]

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
        place = leading(reference.familiarity)
        inside = [Inside(reference) if number == place else None for number in range(len(reference.familiarity))]
        return tuple(self._subject(one, reference.fields, own) for one, own in zip(reference.familiarity, inside, strict=True))

    def _subject(self, profile: FamiliarityProfile, fields: Sequence[ProfiledField], inside: Inside | None) -> Compared:
        index = self._indexes(f"{profile.kind} {profile.index}")
        if isinstance(index, RowIndex):
            return RowSubject(profile, fields, index, inside)
        return Subject(profile, fields, index, inside)

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


def _alike(vectors: NDArray[np.float32]) -> list[tuple[int, int]]:
    """The places of those that are nearly the same as no earlier one, each with how many are as it is, and itself."""
    return sorted(Counter(leaders(vectors @ vectors.T).tolist()).items())


def _chosen(queries: Queries, places: Integers) -> Queries:
    """Some of the queries, in this order."""
    sizes = np.diff(queries.firsts)[places]
    firsts = np.zeros(len(places) + 1, dtype=np.int64)
    np.cumsum(sizes, out=firsts[1:])
    rows = np.repeat(queries.firsts[places] - firsts[:-1], sizes) + np.arange(int(firsts[-1]))
    return Queries(queries.vectors[rows], firsts)
