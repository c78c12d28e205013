"""An index of texts or embeddings as it is stored: msgpack of plain arrays, without code."""

from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from .calibration import Calibrated
from .embedder import Embedder
from .sketch import Sketch
from .tokens import Tokens
from .vectors import Vectors

Integers = NDArray[np.int64]


class Stored(NamedTuple):
    """What an index is made of."""

    embedder: Embedder | None
    vectors: Vectors
    rows: Integers
    calibration: Calibrated


class _Named(msgspec.Struct):
    name: str
    files: dict[str, str]


class _Form(msgspec.Struct):
    form: int
    embedder: _Named | None
    size: int
    vectors: bytes
    rows: bytes
    classes: list[tuple[str | None, int]]
    calibration: list[bytes]
    sketch: list[bytes] = []


def encoded(index: Stored) -> bytes:
    """The same bytes for the same index."""
    embedder = index.embedder
    form = _Form(
        form=1,
        embedder=None if embedder is None else _Named(embedder.name, dict(sorted(embedder.files.items()))),
        size=index.vectors.shape[1],
        vectors=index.vectors.astype("<i2").tobytes(),
        rows=index.rows.astype("<i4").tobytes(),
        classes=list(index.calibration.names),
        calibration=[scores.astype("<i4").tobytes() for scores in index.calibration.scores],
        sketch=[table.astype("<i2").tobytes() for table in (embedder.rarity, embedder.counts)] if isinstance(embedder, Sketch) else [],
    )
    return msgspec.msgpack.encode(form)


def decoded(content: bytes, tokens: Tokens | None) -> Stored:
    """What `encoded` wrote; raises ValueError for what it did not, and where ``tokens``, the ones installed, are not those of the index."""
    try:
        form = msgspec.msgpack.decode(content, type=_Form)
    except msgspec.MsgspecError as error:
        msg = f"familiarity: {len(content)} bytes are no index: {error}"
        raise ValueError(msg) from error
    if form.form != 1:
        msg = f"familiarity: an index of form {form.form}, this release reads form 1"
        raise ValueError(msg)
    vectors = np.frombuffer(form.vectors, dtype="<i2").astype(np.int16).reshape(-1, form.size)
    rows = _integers(form.rows)
    scores = tuple(map(_integers, form.calibration))
    if len(rows) != len(vectors) or len(scores) != len(form.classes) + 1 or not all(map(len, scores)):
        msg = f"familiarity: {len(vectors)} vectors, {len(rows)} rows, {len(scores)} calibrations of {len(form.classes)} classes"
        raise ValueError(msg)
    return Stored(_embedder(form, tokens), vectors, rows, Calibrated(tuple(form.classes), scores))


def _embedder(form: _Form, tokens: Tokens | None) -> Embedder | None:
    if form.embedder is None:
        return None
    name, files = form.embedder.name, form.embedder.files
    if form.sketch:
        found: Embedder = Sketch(*(np.frombuffer(table, dtype="<i2").astype(np.int16) for table in form.sketch))
    elif tokens is None:
        msg = f"familiarity: the reference is of {name}, which is not installed here: pip install 'driftbus[ood]'"
        raise ValueError(msg)
    else:
        found = tokens
    if dict(found.files) != files or (not files and found.name != name):  # the same files in another release embed the same
        msg = f"familiarity: the reference is of {name}, not of the files of {found.name} here: build it again, or install that one"
        raise ValueError(msg)
    return found


def _integers(content: bytes) -> Integers:
    return np.frombuffer(content, dtype="<i4").astype(np.int64)
