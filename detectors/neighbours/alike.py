"""Which of thousands of texts, or embeddings, are nearly the same: as `about.leaders`, without the products of all with all at once."""

import numpy as np

from .about import SAME
from .vectors import LENGTH, Vectors


def leaders(vectors: Vectors) -> list[int]:
    """Of each vector [n, size] the place of the first leader that it is nearly the same as; itself, if of none: then it leads.

    >>> leaders(np.array([[4000, 0], [0, 4000], [3900, 888], [0, 0], [0, 0]], dtype=np.int16))
    [0, 1, 0, 3, 4]
    """
    floats, found, first = vectors.astype(np.float32), list[int](), list[int]()
    for place in range(len(floats)):
        alike = np.flatnonzero(floats[first] @ floats[place] >= SAME * LENGTH**2)
        found.append(first[int(alike[0])] if len(alike) else place)
        if not len(alike):
            first.append(place)
    return found
