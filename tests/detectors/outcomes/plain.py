"""The ledger, row by row in a dictionary: what its sums must be."""

import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from driftbus.detectors.outcomes.layout import Layout
from driftbus.detectors.outcomes.values import NONE, Integers, value_of_class
from driftbus.schemas.stored.outcomes import OutcomeBasis
from tests.detectors.outcomes.rows import Told

ONE = 2**20
#: A sum's name, and its place in it.
Name = tuple[str, tuple[int, ...]]
Key = tuple[int, int, int]
#: What one row adds: each sum by a number.
Added = Iterator[tuple[Name, int]]


def code_of(basis: OutcomeBasis, value: int) -> int:
    known = [0, 1] if basis.task == "binary" else [value_of_class(name) for name in basis.classes]
    return known.index(value) if value in known else len(known)


def float_of(value: int) -> float:
    return float(np.array(value, dtype=np.int64).view(np.float64))


def fixed(value: float) -> tuple[int, bool]:
    return round(max(-1024.0, min(value, 1024.0)) * ONE), abs(value) > 1024


def outcome(basis: OutcomeBasis, row: np.void, value: int, *, first: bool) -> Added:
    """What a row with this outcome adds to the first part, and to the second."""
    cell = (int(row["cell"]),)
    yield ("labelled", (0,)), 1
    yield ("cell labelled", cell), 1
    if basis.task == "number":
        numbers = numbers_of(basis, row, value)
        if numbers is not None:
            y, r, cut = numbers
            place = sum(edge <= abs(r) for edge in basis.losses)
            yield from ((("measured", (0,)), 1), (("clipped", (0,)), int(cut)), (("absolute", (0,)), abs(r)))
            yield from ((("cell measured", cell), 1), (("cell absolute", cell), abs(r)), (("cell losses", (*cell, place)), 1))
            if not first:
                yield from products(basis, row, [y], [r])
        return
    right = value == int(row["value"])
    yield ("errors", (0,)), int(not right)
    yield ("cell right", cell), int(right)
    if first:
        return
    true, predicted, score = code_of(basis, value), code_of(basis, int(row["value"])), int(row["score"])
    yield ("confusion", (true, predicted)), 1
    binary = basis.task == "binary"
    if score >= 0 and (true < 2 or not binary):
        happened = true == 1 if binary else right
        probability = score if happened else ONE - score
        yield ("scored", (0,)), 1
        yield ("cell scores", cell), score
        yield ("log loss", (0,)), round(-math.log(max(probability / ONE, 0.5 / ONE)) * ONE)
        yield ("squares", (0,)), ((ONE - probability) ** 2 + 512) // 1024
        if binary:
            yield ("score bins", (min(score * 64 // ONE, 63), true)), 1
    targets = [1] if binary else range(len(basis.classes))
    ys = [ONE * (true == target) for target in targets]
    expected = [score if binary and score >= 0 else ONE * (predicted == target) for target in targets]
    yield from products(basis, row, ys, [y - e for y, e in zip(ys, expected, strict=True)])


def delay(basis: OutcomeBasis, row: np.void, label: int) -> Name:
    """Which number of ``delays`` it adds to: eight to a power of two, from 2^10 ms to 2^36 ms."""
    ms = int(row["delay"])
    power = max(ms, 1).bit_length() - 1
    place = 0 if power < 10 else 209 if power >= 36 else 1 + 8 * (power - 10) + 8 * (ms - 2**power) // 2**power
    return "delays", (int(basis.task != "number" and label != int(row["value"])), place)


def numbers_of(basis: OutcomeBasis, row: np.void, value: int) -> tuple[int, int, bool] | None:
    y, predicted = float_of(value), float_of(int(row["value"]))
    if not (math.isfinite(y) and math.isfinite(predicted)):
        return None
    (fixed_y, far), (fixed_r, farther) = fixed((y - basis.centre) / basis.scale), fixed((y - predicted) / basis.scale)
    return fixed_y, fixed_r, far or farther


def products(basis: OutcomeBasis, row: np.void, ys: list[int], rs: list[int]) -> Added:
    width = sum(feature.groups for feature in basis.features)
    starts = itertools.accumulate((feature.groups for feature in basis.features), initial=0)
    codes = zip(starts, basis.features, row["bins"].tolist(), strict=False)
    columns = [start + code for start, feature, code in codes if code < feature.groups]
    for part in ("", "inner ") if int(row["flags"]) % 2 else ("",):
        yield (part + "rows", (0,)), 1
        for target, (y, r) in enumerate(zip(ys, rs, strict=True)):
            for name, value in (("y", y), ("r", r)):
                yield (part + name, (target,)), value
                yield (part + name * 2, (target, 0)), value * value // 2**30
                yield (part + name * 2, (target, 1)), value * value % 2**30
                yield from (((part + "h" + name, (column, target)), value) for column in columns)
        upper = [(low, high) for low in range(width) for high in range(low, width)]
        for low, high in itertools.combinations_with_replacement(columns, 2):
            yield (part + "hh", (upper.index((low, high)),)), 1


class Plain:
    """Happenings to sums."""

    def __init__(self, basis_of: Callable[[int, int], OutcomeBasis], about: Callable[[int], int]) -> None:
        self._basis_of, self._about = basis_of, about
        self.arrived: dict[tuple[int, int], Counter[Name]] = {}
        self.revised: dict[Key, Counter[Name]] = {}

    def add(self, told: Told) -> None:
        for row, before in zip(told.rows, told.before.tolist(), strict=True):
            self._add(told.what, row, before)

    def _add(self, what: str, row: np.void, before: int) -> None:
        version, place, label, cell = int(row["version"]), int(row["place"]), int(row["label"]), (int(row["cell"]),)
        basis = self._basis_of(version, place)
        arrived = self.arrived.setdefault((version, place), Counter()) if what in ("first", "due") else Counter()
        if what == "due":
            arrived["due", (0,)] += 1
        if what == "first":
            _count(arrived, [*outcome(basis, row, label, first=True), (delay(basis, row, label), 1)], 1)
        sums = self.revised.setdefault((self._about(int(row["about"])), version, place), Counter())
        if what == "first":
            sums[delay(basis, row, label)] += 1
        elif what == "changed":
            for value, sign in ((before, -1), (label, 1)):
                if value != NONE:
                    _count(sums, outcome(basis, row, value, first=False), sign)
        elif what in ("duplicate", "due"):
            sums[{"duplicate": "duplicates"}.get(what, what), (0,)] += 1
        else:
            sums[what, (0,)] += 1
            sums[{"predicted": "cell rows", "expired": "cell expired"}[what], cell] += 1


def _count(sums: Counter[Name], added: Iterable[tuple[Name, int]], sign: int) -> None:
    for name, by in added:
        sums[name] += sign * by


def spelled(layout: Layout, vector: Integers) -> dict[Name, int]:
    """A vector, or its first part, as a dictionary of what is not 0."""
    found = {}
    for name, section in layout.sections.items():
        if section.start < len(vector):
            for place, value in np.ndenumerate(layout.take(vector, name)):
                if value:
                    found[name, place] = int(value)
    return found
