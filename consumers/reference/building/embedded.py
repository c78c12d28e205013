"""A source whose texts have the vectors of a stream's embedder: each text is asked for once, however often the rows are read."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from tempfile import TemporaryFile
from typing import IO

import numpy as np

from ....schemas.configuration import Configuration
from ....schemas.configuration.embedder import Embedder
from ...calls.embedding import AskedEmbedder
from .columns import Chunk, Column, Key, Source, UnusableReference

#: Of the hash that a text is remembered by.
_DIGEST = 16


@contextmanager
def with_vectors(source: Source, configuration: Configuration, name: str) -> Iterator[Source]:
    """The source as it is where its stream has no embedder; else with a column of vectors, if it has none."""
    with remembered(configuration, name) as embedder:
        places = configuration.streams[name].embedded
        if embedder is None or places is None:
            yield source
        else:
            text, vector = (Key("feature", place.name) for place in places)
            yield _SourceWithVectors(source, text, vector, embedder)


@contextmanager
def remembered(configuration: Configuration, name: str) -> Iterator["Remembered | None"]:
    """The embedder of a stream, if it has one."""
    settings = configuration.streams[name].embedder
    if settings is None:
        yield None
        return
    with TemporaryFile() as file, closing(Remembered(settings, f"streams.{name}.embedder", file)) as found:
        yield found


class Remembered:
    """An embedder that is asked for each text once.

    Vectors stand by their texts in a file: a million of 384 numbers are 770 MB there, and 100 MB of hashes here.
    """

    def __init__(self, settings: Embedder, key: str, file: IO[bytes]) -> None:
        self._asks = AskedEmbedder(settings.model_copy(update={"down": "pass"}))
        self._file, self._size, self._key = file, settings.size, key
        self._asks.start(key)
        self._places: dict[bytes, int | None] = {}
        self._next = 0

    def of(self, texts: Sequence[str]) -> list[list[int] | None]:
        """Of each text its vector. Raises `UnusableReference` where the embedder has none at all."""
        keys = [hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_DIGEST).digest() for text in texts]
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._places}
        vectors = self._asks.vectors(list(new.values()))
        if new and all(vector is None for vector in vectors):
            msg = f"{self._key} has no vectors of {len(new):,} texts: does it run? driftbus check asks it"
            raise UnusableReference(msg)
        for key, vector in zip(new, vectors, strict=True):
            self._places[key] = None if vector is None else self._next
            if vector is not None:
                self._file.seek(2 * self._size * self._next)
                self._file.write(vector.astype("<i2").tobytes())
                self._next += 1
        return [None if (place := self._places[key]) is None else self._read(place) for key in keys]

    def _read(self, place: int) -> list[int]:
        self._file.seek(2 * self._size * place)
        found: list[int] = np.frombuffer(self._file.read(2 * self._size), dtype="<i2").tolist()
        return found

    def close(self) -> None:
        """Ask no more."""
        self._asks.close()


class _SourceWithVectors:
    """A source with one column more."""

    def __init__(self, source: Source, text: Key, vector: Key, embedder: Remembered) -> None:
        self.label = source.label
        self._source, self._text, self._vector, self._embedder = source, text, vector, embedder
        self._given = False  # whether the source has vectors of its own: known when all of its columns have been read

    def chunks(self, keys: Sequence[Key] | None = None) -> Iterator[Chunk]:
        """As the source; vectors that it has stay. All columns are asked for first, as whoever builds a reference does."""
        for chunk in self._source.chunks(self._needed(keys)):
            columns = dict(chunk.columns)
            self._given = self._given or self._vector in columns
            if (keys is None or self._vector in keys) and self._text in columns:
                columns[self._vector] = self._read(columns[self._text], columns.get(self._vector))
            if keys is not None:
                columns = {key: columns[key] for key in keys if key in columns}
            yield chunk._replace(columns=columns)

    def _needed(self, keys: Sequence[Key] | None) -> Sequence[Key] | None:
        """Of the source, which may know nothing of vectors."""
        if keys is None or self._vector not in keys:
            return keys
        return [key for key in dict.fromkeys((*keys, self._text)) if key != self._vector or self._given]

    def _read(self, texts: Column, given: Column | None) -> Column:
        """The vectors that are given, and of the other texts those of the embedder."""
        there: list[object] = [None] * len(texts) if given is None or isinstance(given, np.ndarray) else list(given)
        rows = [row for row, text in enumerate(texts) if isinstance(text, str) and text.strip() and not isinstance(there[row], list)]
        found = self._embedder.of([str(texts[row]) for row in rows])
        for row, vector in zip(rows, found, strict=True):
            there[row] = vector
        return there

    def remarks(self) -> Sequence[str]:
        """Those of the source."""
        return self._source.remarks()
