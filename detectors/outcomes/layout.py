"""Where each sum of outcomes stands in their vector: the order that counting and telling share.

A vector is what predictions and their outcomes came to: whole numbers that add up, and are taken back by subtraction. What became known
in a step, each prediction once, is counted in its first part alone (`Layout.arrivals`). By task, with K classes, C cells, T targets, W
groups of all features:

========================================  ==================================================================================================
first part
``labelled``                              rows with an outcome
``errors``                                binary, category: those of them that were wrong
``measured``, ``clipped``                 number: labelled rows with finite numbers; those of them that were farther out than `LARGEST`
``absolute``                              number: the sum of absolute residuals
``cell labelled``, ``cell right``         rows with an outcome, and those that were right, by cell
``cell measured``, ``cell absolute``      number: measured rows, and their absolute residuals, by cell
``cell losses``                           number: measured rows by cell and bin of the absolute residual
``due``                                   predictions whose maturity was over, with or without an outcome, where arrivals are told then
``delays``                                (2, `DELAY_BINS`): rows by whether their first outcome was wrong (no number is), and its delay
second part
``predicted``, ``duplicates``             predictions that counted; repetitions, which did not
``expired``                               predictions whose time was over without an outcome
``cell rows``, ``cell expired``           the same by cell
``confusion``                             (K + 1, K + 1): true by predicted class, the last one *other*
``scored``, ``log loss``, ``squares``     labelled rows with a score; the losses of that probability
``cell scores``                           the sum of these scores, by cell
``score bins``                            binary: (64, 2), score by outcome
``own``                                   columns of the user's own metrics
``rows``                                  rows in what follows
``y``, ``yy``, ``r``, ``rr``              (T,) outcomes, residuals; (T, 2) their squares, in two limbs
``hh``, ``hy``, ``hr``                    products of groups: the upper triangle, W (W + 1) / 2; (W, T) with outcomes and with residuals
========================================  ==================================================================================================

A score is the probability of outcome 1, of a category that of the predicted class. The residual of a row is its outcome less the
prediction: of a number itself, of binary the score if there is one, of a category an indicator for each of the first classes. What
stands from ``rows`` to ``hr`` is there twice if the basis has room for the inner rows: theirs are named ``inner rows`` and so on. All that
needs no features stands first, so that whoever does not read their products keeps a vector's beginning (`without_features`).

``due`` and ``delays`` are told twice, in the step and of the interval in which the row was made. They stay there: no correction or
retraction takes them back, so of an interval ``delays`` may have more rows than ``labelled``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import NamedTuple

import numpy as np

from ...schemas.stored.outcomes import OutcomeBasis
from .cells import cells_in
from .delays import DELAY_BINS
from .values import Classes, Integers

#: To tell how scores rank outcomes. Equal parts of [0, 1].
RANKED_BINS = 64
#: Of a category, the classes that have a column among outcomes and residuals.
MOST_TARGETS = 8
#: Of the sum of squares of numbers in fixed point: the part below 2^30, and the part above it.
LIMB = 30
#: Numbers in scales from the centre: fewer than 2^33 of them, and of either limb of their squares, do not leave 64 bits.
LARGEST = float(1 << 10)
#: Before the names of what is counted of rows within the reference's distribution.
INNER = "inner "

_FIRST = (
    "labelled",
    "errors",
    "measured",
    "clipped",
    "absolute",
    "cell labelled",
    "cell right",
    "cell measured",
    "cell absolute",
    "cell losses",
    "due",
    "delays",
)
_SECOND = ("predicted", "duplicates", "expired", "cell rows", "cell expired", "confusion", "scored", "log loss", "squares", "cell scores")
_PRODUCTS = ("rows", "y", "yy", "r", "rr", "hh", "hy", "hr")
#: The names of all sections there are.
NAMES = frozenset((*_FIRST, *_SECOND, "score bins", *(part + name for part in ("", INNER) for name in _PRODUCTS), "own"))


class Section(NamedTuple):
    """A part of the vector."""

    start: int
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """How many numbers."""
        return prod(self.shape)

    @property
    def span(self) -> slice:
        """Its place in the vector."""
        return slice(self.start, self.start + self.size)


@dataclass(frozen=True)
class Layout:
    """All sections of one basis."""

    basis: OutcomeBasis
    classes: tuple[str, ...]
    cells: int
    targets: int
    groups: int  #: W
    sections: dict[str, Section]
    arrivals: int  #: how many numbers the first part has
    size: int

    @cached_property
    def counts(self) -> Integers:
        """The places of all numbers that are never below 0 where they are of whole rows."""
        signed = {part + name for part in ("", INNER) for name in ("y", "r", "hy", "hr")} | {"own"}
        found = [np.arange(one.start, one.start + one.size) for name, one in self.sections.items() if name not in signed]
        return np.concatenate(found)

    def take(self, vector: Integers, name: str) -> Integers:
        """A section of a vector, in its shape."""
        section = self.sections[name]
        return vector[section.span].reshape(section.shape)

    def number(self, vector: Integers, name: str) -> int:
        """A section that is one number."""
        return int(vector[self.sections[name].start])


def layout(basis: OutcomeBasis) -> Layout:
    """The layout of a basis.

    >>> found = layout(OutcomeBasis(task="binary"))
    >>> found.size, found.arrivals, found.sections["confusion"]
    (828, 525, Section(start=630, shape=(3, 3)))
    """
    classes, cells = Classes(basis).names, cells_in(basis)
    targets = min(len(classes), MOST_TARGETS) if basis.task == "category" else 1
    groups = sum(feature.groups for feature in basis.features)
    sections: dict[str, Section] = {}
    size = 0
    for name, shape in _first(basis, cells):
        sections[name] = Section(size, shape)
        size += prod(shape)
    arrivals = size
    for name, shape in _second(basis, cells, len(classes), targets, groups):
        sections[name] = Section(size, shape)
        size += prod(shape)
    return Layout(basis, classes, cells, targets, groups, sections, arrivals, size)


def _first(basis: OutcomeBasis, cells: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield "labelled", (1,)
    if basis.task == "number":
        yield from (("measured", (1,)), ("clipped", (1,)), ("absolute", (1,)), ("cell labelled", (cells,)), ("cell measured", (cells,)))
        yield from (("cell absolute", (cells,)), ("cell losses", (cells, len(basis.losses) + 1)))
    else:
        yield from (("errors", (1,)), ("cell labelled", (cells,)), ("cell right", (cells,)))
    yield from (("due", (1,)), ("delays", (2, DELAY_BINS)))


def _second(basis: OutcomeBasis, cells: int, classes: int, targets: int, groups: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield from (("predicted", (1,)), ("duplicates", (1,)), ("expired", (1,)), ("cell rows", (cells,)), ("cell expired", (cells,)))
    if basis.task != "number":
        yield from (("confusion", (classes + 1, classes + 1)), ("scored", (1,)), ("log loss", (1,)), ("squares", (1,)))
        yield "cell scores", (cells,)
    if basis.task == "binary":
        yield "score bins", (RANKED_BINS, 2)
    yield "own", (len(basis.own),)
    for part in ("", INNER) if basis.inner else ("",):
        yield f"{part}rows", (1,)
        yield from ((f"{part}y", (targets,)), (f"{part}yy", (targets, 2)), (f"{part}r", (targets,)), (f"{part}rr", (targets, 2)))
        yield f"{part}hh", (groups * (groups + 1) // 2,)
        yield from ((f"{part}hy", (groups, targets)), (f"{part}hr", (groups, targets)))


def without_features(basis: OutcomeBasis) -> OutcomeBasis:
    """The basis whose vectors are the beginnings of this one's: all but what groups of features come to.

    >>> layout(without_features(OutcomeBasis(task="binary", inner=True))) == layout(OutcomeBasis(task="binary"))
    True
    """
    return basis.model_copy(update={"features": (), "grouping": "", "inner": False})


def products(layout_: Layout, vector: Integers) -> Integers:
    """The upper triangle of the products of groups as a symmetric matrix (W, W)."""
    matrix = np.zeros((layout_.groups, layout_.groups), dtype=np.int64)
    upper = np.triu_indices(layout_.groups)
    matrix[upper] = layout_.take(vector, "hh")
    matrix.T[upper] = matrix[upper]
    return matrix


def squares(limbs: Integers) -> list[int]:
    """The sums that pairs of limbs stand for, in units of 2^-40; they may leave 64 bits.

    >>> squares(np.array([[1, 5], [2**40, 0]]))
    [1073741829, 1180591620717411303424]
    """
    return [(int(high) << LIMB) + int(low) for high, low in limbs]
