"""Panes of kind `agreement` as a diagnosis looks at them: pairs of online and offline values by feature, which add."""

from collections.abc import Iterable

import numpy as np

from ...schemas.messages.pane import Pane
from ...schemas.outcome import class_code
from ...schemas.stored.reference import CategoricalProfile
from ..agreement import ComparedFeature, Comparison, Layout
from ..agreement.codes import numbers_of
from ..agreement.counting import LOW_BITS
from ..agreement.layout import CELLS, NUMBERS, SUMS, Integers, Place
from .evidence import Agreeing

#: In front of the hash of a category that the reference does not know by name.
SIGN = "#"


class AgreementPanes:
    """Reads panes of one comparison."""

    def __init__(self, comparison: Comparison) -> None:
        self._comparison, self._layout = comparison, Layout(comparison.features)
        self._texts = [_texts(one) for one in comparison.features]

    def read(self, pane: Pane) -> dict[str, Agreeing]:
        """By feature, what a pane says; nothing where it is of another comparison, or of rows that met no prediction."""
        if not self.fits(pane):
            return {}
        return self.of(np.concatenate((pane.counts, pane.sums)), pane.commonest.reshape(-1, 3))

    def fits(self, pane: Pane) -> bool:
        """Whether it is of this comparison, whole, and of rows that met a prediction."""
        own = bool(self._comparison.name) and pane.grouping == self._comparison.name
        return own and len(pane.counts) == self._layout.counts and len(pane.sums) == self._layout.size - self._layout.counts

    def of(self, vector: Integers, commonest: Integers) -> dict[str, Agreeing]:
        """By feature, what counts and sums joined say, and named values: feature, code, rows. Of several panes, their sums."""
        if len(vector) != self._layout.size:
            return {}
        found = {}
        for number, (one, place) in enumerate(zip(self._comparison.features, self._layout.places, strict=True)):
            named = commonest[commonest[:, 0] == number, 1:].tolist()
            found[one.name] = self._agreeing(place, vector, {self._text(number, code): rows for code, rows in named})
        return found

    def _agreeing(self, place: Place, vector: Integers, commonest: dict[str, int]) -> Agreeing:
        pairs, differing, missing = vector[place.start : place.start + len(NUMBERS)].tolist()
        sums = (0, 0, 0, 0, 0)
        if place.sums >= 0:
            x, y, *limbs = vector[place.sums : place.sums + len(SUMS)].tolist()
            xx, xy, yy = ((high << LOW_BITS) + low for high, low in zip(limbs[::2], limbs[1::2], strict=True))
            sums = x, y, xx, xy, yy
        cells = vector[place.cells : place.cells + CELLS]
        return Agreeing(pairs, differing, missing, sums, commonest, vector[place.offline : place.offline + place.bins], cells)

    def _text(self, number: int, code: int) -> str:
        texts = self._texts[number]
        if texts is None:
            return repr(float(numbers_of(np.array([code]))[0]))
        return texts.get(code, f"{SIGN}{code:016x}")


def _texts(one: ComparedFeature) -> dict[int, str] | None:
    """Of categories, those that the reference knows, by their codes; None: of numbers."""
    profile = one.profile
    return {class_code(text): text for text in profile.categories} if isinstance(profile, CategoricalProfile) else None


def added(parts: Iterable[dict[str, Agreeing]]) -> dict[str, Agreeing]:
    """What several panes say together; of names of values, what each says of its own rows."""
    found: dict[str, Agreeing] = {}
    for part in parts:
        for name, own in part.items():
            found[name] = own if name not in found else _sum(found[name], own)
    return found


def _sum(a: Agreeing, b: Agreeing) -> Agreeing:
    sums = tuple(one + other for one, other in zip(a.sums, b.sums, strict=True))
    rows = {value: a.commonest.get(value, 0) + b.commonest.get(value, 0) for value in sorted({*a.commonest, *b.commonest})}
    commonest = {value: own for value, own in rows.items() if own}  # below 0: of what another pane takes back
    vectors = _both(a.offline, b.offline), _both(a.cells, b.cells)
    x, y, xx, xy, yy = sums
    return Agreeing(a.pairs + b.pairs, a.differing + b.differing, a.missing + b.missing, (x, y, xx, xy, yy), commonest, *vectors)


def _both(a: Integers | None, b: Integers | None) -> Integers | None:
    return b if a is None else a if b is None else a + b
