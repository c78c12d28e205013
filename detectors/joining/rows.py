"""What comes to the join, and what it tells of: structured rows. Codes of models, versions and places are the caller's."""

from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .groups import Rows

Values = NDArray[np.int64]
What = Literal["predicted", "duplicate", "expired", "changed", "first", "due"]

#: No value: an outcome that is not known; a label with it is a retraction. As a float64's bits it is -0.0, so a number must come as 0.0.
NONE = int(np.iinfo(np.int64).min)
#: The model of a label that names none.
ANY = 65_535

#: A label; ``about``: the bucket that it belongs to; ``revision``: the user's own order, 0 where there is none.
LABEL = np.dtype([("hi", "<u8"), ("lo", "<u8"), ("value", "<i8"), ("revision", "<i8"), ("about", "<i8"), ("model", "<u2")])


def label(carried: int = 0) -> np.dtype[Any]:
    """A label that carries so many values, its ``offline`` ones: ``value`` is then a hash of them, so that it tells whether they differ."""
    return np.dtype([*LABEL.descr, *_values("offline", carried)])


def prediction(bins: int, carried: int = 0) -> np.dtype[Any]:
    """A prediction with so many binned features, that carries so many values, its ``served`` ones.

    >>> prediction(3).itemsize, prediction(0, 2).itemsize
    (52, 65)
    """
    return np.dtype(
        [
            ("hi", "<u8"),
            ("lo", "<u8"),
            ("value", "<i8"),  # what was predicted
            ("about", "<i8"),  # the bucket that it belongs to
            ("version", "<u4"),
            ("place", "<u4"),
            ("score", "<i4"),
            ("model", "<u2"),
            ("cell", "<u2"),
            ("flags", "u1"),
            ("bins", "u1", (bins,)),
            *_values("served", carried),
        ]
    )


def told(bins: int, carried: int = 0) -> np.dtype[Any]:
    """A prediction of which something is told, with the ``label`` in force, NONE where there is none.

    ``delay``: of *first* ones, from its bucket to the step in which an outcome became known, in ms. ``offline``: what the label carries;
    ``former``: of *changed* ones, what the one before it carried, if there was one.
    """
    of_label = _values("offline", carried), _values("former", carried)
    return np.dtype([*prediction(bins, carried).descr, ("label", "<i8"), ("delay", "<i8"), *(one for own in of_label for one in own)])


def _values(name: str, carried: int) -> list[Any]:  # of a structured type
    return [(name, "<i8", (carried,))] if carried else []


def waiting(bins: int, carried: int, *, matures: bool) -> np.dtype[Any]:
    """A prediction as it waits: without its bucket, with its label, and if there was one before."""
    own: list[Any] = [("older", "<u4"), ("known", "u1"), ("label", "<i8"), ("revision", "<i8"), *([("delay", "<i8")] if matures else [])]
    own += [("offline", "<i8", (carried,))] if carried else []
    hi, lo, *others = (field for field in prediction(bins, carried).descr if field[0] != "about")
    return np.dtype([hi, lo, *own, *others])  # what a match looks at stands side by side


class Happening(NamedTuple):
    """What became of predictions in a step, all of them alike.

    ``predicted``: they count. ``duplicate``: they do not, their like was seen not long ago. ``expired``: their time is over, and no outcome
    is known. ``changed``: their outcome is another than before the step, however many labels came in it. ``first``: it became known for the
    first time; each prediction once, for ever, and among the changed of that step. ``due``, with a maturity: it is over, labelled or not;
    each prediction once, and ``first`` are then those of them with an outcome, the one in force.
    """

    what: What
    rows: Rows  #: of `told`
    before: Values  #: the outcome before the step; NONE unless changed


class Unmatched(NamedTuple):
    """Labels whose time is over, and which met no prediction: each its own bucket, and its model or ANY."""

    about: Values
    model: NDArray[np.uint16]


def happening_of(what: What, rows: Rows) -> Happening:
    """Of rows whose outcome did not change."""
    return Happening(what, rows, np.full(len(rows), NONE))


def some_of(what: What, rows: Rows) -> list[Happening]:
    """The same, if there are any rows."""
    return [happening_of(what, rows)] if len(rows) else []
