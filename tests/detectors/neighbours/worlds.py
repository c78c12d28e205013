"""Texts of a few topics, made word by word, and embeddings of a few directions."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from driftbus.detectors.neighbours.texts import Queries, TextIndex
from driftbus.detectors.neighbours.tokens import Tokens

SHOP = (
    ("my order", "the parcel", "the blue lamp", "a new bicycle", "the shelf", "our delivery", "the carton", "a pair of shoes", "the box"),
    ("arrived", "was sent", "came", "was delivered", "was left at the door", "went missing", "was returned", "got lost", "was packed"),
    ("yesterday", "on monday", "last week", "after ten days", "this morning", "too late", "in time", "twice", "in may", "at noon"),
    (
        "and it was broken",
        "and all was fine",
        "but one screw was missing",
        "with a dent",
        "in the rain",
        "to my neighbour",
        "without a note",
    ),
    ("please help", "thank you", "what now", "can you check", "i am pleased", "send another", "", "it is a pity", "best wishes"),
)
SKY = (
    ("the galaxy", "a comet", "the third moon", "that red dwarf", "the nebula"),
    ("rotates", "was observed", "emits light", "is a billion years old", "collapsed"),
    ("beyond neptune", "in the southern hemisphere", "through a telescope", "at dawn"),
    ("astronomers say", "with a spectrum of hydrogen", "and its orbit is an ellipse"),
)


def tokens() -> Tokens:
    """The installed ones: the extra is part of the development environment."""
    from driftbus.consumers.reference.token_vectors import installed_tokens  # the exactness of kernels is tried without it

    found = installed_tokens()
    assert found is not None
    return found


def sentences(topic: Sequence[Sequence[str]], rows: int, seed: int) -> list[str]:
    """A part from each list, one behind the other."""
    rng = np.random.default_rng(seed)
    return [" ".join(part[int(rng.integers(len(part)))] for part in topic).strip() for _ in range(rows)]


def directions(rows: int, seed: int, *, turned: bool = False, size: int = 24) -> NDArray[np.float32]:
    """Embeddings about three directions, or about three others."""
    middles = np.random.default_rng(99 + turned).normal(size=(3, size))
    rng = np.random.default_rng(seed)
    return (middles[rng.integers(0, 3, rows)] + 0.6 * rng.normal(size=(rows, size))).astype(np.float32)


def flags(index: TextIndex, queries: Queries, classes: Sequence[str | None] | None = None) -> NDArray[np.uint8]:
    return index.flags(queries.vectors, classes, queries.firsts)
