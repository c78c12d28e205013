"""Sentences from product reviews, and then some from elsewhere between them."""

from functools import cache
from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np

DATA = Path(__file__).parents[1] / "data" / "reviews.parquet"
#: Rows of the reference, quiet ones behind it, and most of those behind the change.
REFERENCE, QUIET, CHANGED = 2_000, 1_480, 2_000


class Change(NamedTuple):
    """What is mixed in, and how fast a prototype of words alone told: the median of 20 runs; in panes of 20, 1 per 100,000 rows."""

    kind: str
    share: float
    prototype: int


CHANGES = (
    Change("film reviews", 1.0, 60),
    Change("film reviews", 0.3, 310),
    Change("film reviews", 0.1, 800),
    Change("tweets", 0.3, 1_120),
    Change("editorials", 0.1, 1_190),
)


@cache
def sentences(kind: str) -> list[str]:
    """All there are of a kind."""
    with duckdb.connect() as sql:
        return [text for (text,) in sql.execute(f"select text from '{DATA}' where kind = ?", [kind]).fetchall()]


def drawn(change: Change, seed: int) -> tuple[list[str], list[str]]:
    """A reference of product reviews, and what comes after it: the others in any order, then some of them again with what is mixed in."""
    rng = np.random.default_rng(seed)
    products, others = sentences("product reviews"), sentences(change.kind)
    order = rng.permutation(len(products))
    rest = order[REFERENCE:]
    mixed = rng.random(CHANGED) < change.share
    after = np.where(mixed, rng.integers(0, len(others), CHANGED), rest[rng.integers(0, len(rest), CHANGED)]).tolist()
    quiet = [products[i] for i in rest[rng.permutation(len(rest))[:QUIET]].tolist()]
    changed = [others[i] if new else products[i] for i, new in zip(after, mixed.tolist(), strict=True)]
    return [products[i] for i in order[:REFERENCE].tolist()], quiet + changed
