"""A reference's familiarity, ready to score rows: its indexes, read from the artifacts, and where in decoded rows each subject stands.

An index that was made with other token vectors than those installed is refused, never used silently: its numbers mean nothing to them.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ...detectors.familiarity.places import CORE, NOTHING, OUTLIER, OUTSIDE, UNSCORED
from ...detectors.neighbours import levels
from ...detectors.neighbours.texts import Exact, Queries, TextIndex
from ...schemas.stored.familiarity import FamiliarityProfile
from ...schemas.stored.reference import ProfiledField, Reference
from ...schemas.text import CATEGORY, fitted
from ...schemas.unusable import Unusable
from .artifacts import ArtifactStore
from .kept import Kept
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


class Decoded(Protocol):
    """Decoded rows, as a profiler has them, or who builds a reference."""

    @property
    def numeric(self) -> NDArray[np.float64]:
        """By row and field; what is no number is a NaN."""
        ...

    @property
    def categorical(self) -> Sequence[Sequence[object]]:
        """By field, then row: texts, or marks."""
        ...

    @property
    def vectors(self) -> Sequence[NDArray[np.float64]]:
        """By field, then row; of one that is not there the first number is a NaN."""
        ...


class Scored(NamedTuple):
    """Of rows: their flags, and what is known of them exactly, as `driftbus.detectors.familiarity.places` has them."""

    flags: Bytes
    looked: Bytes
    outliers: NDArray[np.bool_]  #: p <= .01


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

    def scored(self, decoded: Decoded, rows: Integers, exactly: NDArray[np.bool_]) -> Scored:
        """Of these rows; those that are to be looked at ``exactly``."""
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
        looked, outliers = np.full(len(rows), UNSCORED, dtype=np.uint8), flags == 2
        asked = np.flatnonzero((exactly | (flags == 1)) & (flags != NOTHING))
        if len(asked):
            part = _chosen(queries, place_of[asked])
            p = self.index.exact(part.vectors, None if classes is None else [classes[row] for row in asked.tolist()], part.firsts).p
            outliers[asked] = p <= levels.OUTLIER
            known = np.full(len(asked), CORE, dtype=np.uint8)
            known[p <= levels.CORE], known[p <= levels.OUTLIER] = OUTSIDE, OUTLIER
            looked[asked] = known
            looked[~exactly] = UNSCORED
        return Scored(flags, looked, outliers)

    def contents(self, decoded: Decoded, rows: Integers) -> "list[Content]":
        """What these rows hold of it, for `exact`."""
        classes = self._classes(decoded, rows)
        values: list[object] = (
            [decoded.categorical[self._place][row] for row in rows.tolist()]
            if self.profile.kind == "text"
            else list(np.array(decoded.vectors[self._place][rows]))
        )
        return [Content(value, None if classes is None else classes[number]) for number, value in enumerate(values)]

    def queries(self, contents: "Sequence[Content]") -> Queries:
        """Their vectors."""
        values = [one.value for one in contents]
        return self._queries(values if self.profile.kind == "text" else np.array(values, dtype=np.float64))

    def exact(self, contents: "Sequence[Content]") -> tuple[Exact, NDArray[np.float32]]:
        """Scores, p-values, nearest training rows; and the products with these [n, 5], of the least familiar part."""
        queries = self.queries(contents)
        classes = [one.predicted for one in contents] if self._class is not None else None
        exact = self.index.exact(queries.vectors, classes, queries.firsts)
        place_of = {row: place for place, row in reversed(list(enumerate(self.index.rows.tolist())))}
        products = np.zeros(exact.nearest.shape, dtype=np.float32)
        for number, rows in enumerate(exact.nearest.tolist()):
            near = self.index.vectors[[place_of[row] for row in rows if row >= 0]].astype(np.float32)
            parts = queries.vectors[queries.firsts[number] : queries.firsts[number + 1]].astype(np.float32) @ near.T
            products[number, : len(near)] = parts[np.argmin(parts.sum(axis=1))]
        return exact, products

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


class Content(NamedTuple):
    """What a row holds of a subject, and the class that the model predicted for it."""

    value: object
    predicted: str | None


class Familiar:
    """References' subjects, as many as are in use."""

    def __init__(self, store: ArtifactStore) -> None:
        self._store = store.beside(FOLDER)
        self._indexes = Kept(self._index, MOST_INDEXES, MOST_INDEX_BYTES)

    def subjects(self, reference: Reference) -> tuple[Subject, ...]:
        """In the order of their counts in panes."""
        return tuple(Subject(one, reference.fields, self._indexes(one.index)) for one in reference.familiarity)

    def _index(self, name: str) -> tuple[TextIndex, int]:
        content = self._store.get(name)
        try:
            return decoded_index(content), len(content)
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


def classes_of(column: Sequence[object], rows: Integers) -> list[str | None]:
    """The classes that were predicted for these rows, as categories are written; None of those without any."""
    return [fitted(value, CATEGORY) if isinstance(value, str) else None for value in (column[row] for row in rows.tolist())]


def _chosen(queries: Queries, places: Integers) -> Queries:
    """Some of the queries, in this order."""
    sizes = np.diff(queries.firsts)[places]
    firsts = np.zeros(len(places) + 1, dtype=np.int64)
    np.cumsum(sizes, out=firsts[1:])
    rows = np.repeat(queries.firsts[places] - firsts[:-1], sizes) + np.arange(int(firsts[-1]))
    return Queries(queries.vectors[rows], firsts)
