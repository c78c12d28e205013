"""Predictions meet their labels, by the joiner's own functions, step by step as if all had been read side by side."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...detectors.joining.joiner import Joiner, Settings, Told
from ...detectors.joining.rows import LABEL, NONE, Happening, Unmatched, prediction
from ..streams.buckets import Every
from ..streams.spans import Spans
from .gathered import OURS, Rows

Numbers = NDArray[np.int64]
#: Rows that are handed to the joiner at once, or those of one bucket.
_AT_ONCE = 1 << 15


class Outcomes(NamedTuple):
    """What became of predictions, row by row as they were gathered."""

    label: Numbers  #: the one in force; NONE: there is none
    known: Numbers  #: when a first one became known, ms; NONE: none did
    counted: NDArray[np.bool_]  #: the first of its id
    ripe: NDArray[np.bool_]  #: its maturity is over, where labels have one
    unmatched: int = 0  #: labels that met nothing


def unlabelled(rows: int) -> Outcomes:
    """Of a model without labels: all of them count."""
    none = np.full(rows, NONE)
    return Outcomes(none, none.copy(), np.ones(rows, dtype=bool), np.ones(rows, dtype=bool))


class _Noted:
    """A ledger that sums nothing: it notes of each row what happened to it. ``place`` is the row's number."""

    def __init__(self, rows: int) -> None:
        self.outcomes = Outcomes(np.full(rows, NONE), np.full(rows, NONE), np.zeros(rows, dtype=bool), np.ones(rows, dtype=bool))
        self.unmatched = 0

    def add(self, step: int, happening: Happening) -> None:
        """Note it; of several changes of a row the last holds."""
        rows = happening.rows
        places = rows["place"].astype(np.int64)
        match happening.what:
            case "predicted":
                self.outcomes.counted[places] = True
            case "changed":
                self.outcomes.label[places] = rows["label"]
            case "first":
                self.outcomes.known[places] = rows["about"] + rows["delay"]

    def add_unmatched(self, step: int, unmatched: Unmatched) -> None:
        """Count them."""
        self.unmatched += len(unmatched.about)

    def arrivals(self, step: int) -> Iterable[Told]:
        """Nothing is told."""
        return ()

    def revisions(self) -> Iterable[Told]:
        """Nothing is told."""
        return ()


def joined(spans: Spans, predictions: Rows, labels: Rows, until: int) -> Outcomes:
    """What became of predictions, by all labels. Both stand by topic, partition and offset; ``until``: when it was asked for.

    All versions of the model are one: an id that several of them answered is there once.
    """
    tiling = Every(spans.pane)
    noted = _Noted(len(predictions))
    joiner = Joiner(Settings(tiling, Every(spans.revise), spans.wait, spans.early, bins=0), noted)
    ours, theirs = _order(predictions), _order(labels)
    last = tiling.start(until)
    for own, other in _together(predictions["bucket"], ours, labels["bucket"], theirs):
        rows, known = _predictions(predictions, ours[own]), _labels(labels, theirs[other])
        ends = np.unique(np.concatenate((rows["about"], known["about"]))).tolist()
        joiner.take_all(ends, rows, rows["about"], known, known["about"])
        last = max(last, ends[-1])
    joiner.ended(last)
    if spans.maturity is not None:
        noted.outcomes.ripe[:] = tiling.ends(predictions["bucket"] + spans.maturity) <= tiling.start(until)
    return noted.outcomes._replace(unmatched=noted.unmatched)


def _order(rows: Rows) -> Numbers:
    """In which they hold: by bucket, then by the high water behind each, then as they stand."""
    return np.lexsort((rows["water"], rows["bucket"]))


def _together(own: Numbers, ours: Numbers, other: Numbers, theirs: Numbers) -> Iterator[tuple[slice, slice]]:
    """Parts of both orders that end with the same bucket, of so many rows or one bucket."""
    begins = [0, 0]
    sorted_ = own[ours], other[theirs]
    while any(begin < len(rows) for begin, rows in zip(begins, sorted_, strict=True)):
        reached = [
            int(rows[min(begin + _AT_ONCE, len(rows)) - 1]) for begin, rows in zip(begins, sorted_, strict=True) if begin < len(rows)
        ]
        ends = [int(np.searchsorted(rows, min(reached), side="right")) for rows in sorted_]
        yield slice(begins[0], ends[0]), slice(begins[1], ends[1])
        begins = ends


def _predictions(rows: Rows, chosen: Numbers) -> Rows:
    found = np.zeros(len(chosen), prediction(0))
    for name, of in (("hi", "hi"), ("lo", "lo"), ("about", "bucket")):
        found[name] = rows[of][chosen]
    found["place"], found["model"] = chosen, OURS
    return found


def _labels(rows: Rows, chosen: Numbers) -> Rows:
    found = np.zeros(len(chosen), LABEL)
    for name, of in (("hi", "hi"), ("lo", "lo"), ("value", "value"), ("revision", "revision"), ("about", "bucket"), ("model", "model")):
        found[name] = rows[of][chosen]
    return found
