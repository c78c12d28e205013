"""Which rows are golden: asked by an evaluator, and served like all others, they come back on the prediction topic, and are no traffic."""

from collections.abc import Sequence
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from ...schemas.cloud_events import Headers

#: Of a call, and of the record that a server makes of it; its value is the id.
HEADER = "driftbus-evaluation"
#: How the id of every call begins.
PREFIX = "driftbus-golden/"


def mark(evaluation: str, attempt: int, row: int) -> str:
    """The id of a call.

    >>> mark("5f0c", 2, 17)
    'driftbus-golden/5f0c/2/17'
    """
    return f"{PREFIX}{evaluation}/{attempt}/{row}"


def evaluation_of(id_: str) -> str | None:
    """Whose call an id is of; None: it is none of ours.

    >>> evaluation_of("driftbus-golden/5f0c/2/17"), evaluation_of("17")
    ('5f0c', None)
    """
    return id_.removeprefix(PREFIX).split("/")[0] if id_.startswith(PREFIX) else None


def marked(ids: Sequence[object] | None, headers: Sequence[Headers] | None) -> NDArray[np.bool_]:
    """Which rows are golden, by id or header; None: these are not known. Where nothing of the kind is among them that costs one pass in C.

    >>> marked(["a", "driftbus-golden/5f0c/2/17", None], [(), (), (("driftbus-evaluation", b"driftbus-golden/5f0c/2/18"),)]).tolist()
    [False, True, True]
    """
    rows = len(ids) if ids is not None else len(headers) if headers is not None else 0
    golden = np.zeros(rows, dtype=np.bool_)
    if ids is not None:
        texts = ids if set(map(type, ids)) <= {str} else [id_ if isinstance(id_, str) else "" for id_ in ids]
        golden |= np.fromiter(map(str.startswith, texts, repeat(PREFIX)), np.bool_, rows)  # type: ignore[arg-type]  # they are texts
    if headers is not None and any(map(len, headers)):
        golden |= np.fromiter((any(name.lower() == HEADER for name, _ in of_row) for of_row in headers), np.bool_, rows)
    return golden
