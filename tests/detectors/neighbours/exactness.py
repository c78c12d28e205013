"""Prints a hash of all that an index says: the same with every kernel and number of threads of the BLAS."""

import hashlib

import numpy as np

from driftbus.detectors.neighbours.texts import TextIndex

from .worlds import SHOP, SKY, directions, flags, sentences


def main() -> None:
    """Of texts and of embeddings."""
    told = hashlib.sha256()
    shop = sentences(SHOP, 600, 1)
    texts, _ = TextIndex.built(shop, embedder="sketch", classes=[text[:5] for text in shop])
    given, _ = TextIndex.of_embeddings(directions(600, 1, size=300))
    for index, queries in (
        (texts, texts.read(sentences(SHOP, 300, 2) + sentences(SKY, 300, 3))),
        (given, given.given(np.concatenate([directions(300, 2, size=300), directions(300, 2, turned=True, size=300)]))),
    ):
        exact = index.exact(queries.vectors, None, queries.firsts)
        for part in (index.encoded(), flags(index, queries).tobytes(), exact.scores.tobytes(), exact.p.tobytes(), exact.nearest.tobytes()):
            told.update(part)
    print(told.hexdigest())


if __name__ == "__main__":
    main()
