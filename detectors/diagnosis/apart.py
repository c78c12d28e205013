"""Which shifts new requests make by themselves, and which are the population's: those that the core of the rows shows, too."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .inquiry import Inquiry
from .shifts import Shift
from .statistics import Step, rounded, shares
from .thresholds import Thresholds

Floats = NDArray[np.float64]

#: Cured by masking one feature: the new outliers are of it alone; half of them are.
OF_ONE, HALF = 0.8, 0.5
#: Of a shift's total variation, what of it may be left in the core where the novel rows make it: half of them may miss every threshold.
_MOST_LEAKED = 0.5
#: Of all rows, those in the core without which it says nothing: a fault has taken most of them out of it.
_LEAST_CORE = 0.2
#: Of a shift of the core, what more rows like the new ones outside of it must leave over to be another's; and how many they may be there.
_REST, _MOST_NEW = 0.2, 0.5
#: The total variation that sampling alone comes to, in sqrt(groups / rows).
_OF_CHANCE = 0.4
#: Total variation of rows that are no outliers, from which on nobody can say that they stand still.
_MOST_MOVED = 0.5
#: What total variation of the core sampling comes to.
_CORE_NOISE = 0.04
#: Of the rows with a new category, those left within the distribution below which it is novelty; of outliers, what new categories leave.
_KNOWN, _LEFT = 0.5, 0.3


class Novelty(NamedTuple):
    """What is known of rows unlike the training data."""

    step: Step | None  #: of the share of outliers; the second rise, where there is one
    outliers: float  #: of it, what no fault explains
    outside: float  #: the same of rows outside the core
    cured: dict[str, float]  #: of the new outliers, the share familiar without each feature
    masks: bool  #: any were masked
    hinted: float = 0.0  #: by how much outliers rose, or what masking of a fault leaves of them, where that is not sure

    def there(self, t: Thresholds) -> bool:
        """Whether requests are new: by outliers; or by rows outside the core, where half as many outliers say so, too."""
        return self.outliers > t.novelty or (self.outside > t.novelty_outside and 2 * self.outliers > t.novelty)

    def strength(self, t: Thresholds) -> tuple[float, float]:
        """What says it more plainly, and its threshold."""
        return max((self.outliers, t.novelty), (self.outside, t.novelty_outside), key=lambda one: one[0] / one[1])

    def beside(self, within: float) -> float:
        """Of all rows those that are new, beside a drift by so much of those that are no outliers: where most of these moved, it is the
        drift that takes rows out of the core.
        """
        return self.outliers if within > _MOST_MOVED else max(self.outliers, self.outside)

    def times(self, share: float) -> "Novelty":
        """With so much of it left."""
        return self._replace(outliers=self.outliers * share, outside=self.outside * share)


class Apart(NamedTuple):
    """Shifted features that no fault has, told apart."""

    drift: list[str]  #: seen in the core, or there is no novelty
    within: float  #: the largest total variation of rows that are no outliers, of those that drift


def told_apart(inquiry: Inquiry, novelty: Novelty) -> tuple[Apart, Novelty]:
    """Which of the unclaimed shifts the novel rows make by themselves, and the novelty that is left."""
    t = inquiry.thresholds
    shifted = {name: one for name, one in inquiry.shifts.items() if name not in inquiry.claimed}
    inside = {name: _without(inquiry, name, one, inquiry.base.outlying, inquiry.now.outlying) for name, one in shifted.items()}
    inquiry.fresh = [name for name, one in shifted.items() if _new_category(inquiry, name, one, inside[name], novelty)]
    for name in inquiry.fresh:
        novelty = novelty.times(0.0 if novelty.cured.get(name, 0.0) > OF_ONE else _LEFT)
    drift = [
        name for name, one in shifted.items() if name in inquiry.fresh or not novelty.there(t) or _seen_in_core(inquiry, name, one, novelty)
    ]
    explained = novelty.step is not None and not novelty.there(t)  # by faults: new requests may be among their outliers
    inquiry.unsure = {name for name in drift if name not in inquiry.fresh and _unsure(inquiry, name, shifted[name], novelty)}
    inquiry.requests_unsure = not inquiry.outliers_known or bool(inquiry.unsure) or (explained and not novelty.masks)
    within = max((own.size for name in drift if name not in inquiry.fresh and (own := inside[name]) is not None), default=0.0)
    return Apart(drift, within), novelty


def _unsure(inquiry: Inquiry, name: str, shift: Shift, novelty: Novelty) -> bool:
    """Whether new requests may make the shift: rows were not compared; or little of it is in the core, and outliers are laid to faults, or
    it is not sure that they rose."""
    if not inquiry.outliers_known:
        return True
    rose = novelty.step is not None or novelty.hinted > inquiry.thresholds.novelty
    if not rose or novelty.there(inquiry.thresholds) or name in inquiry.growing:
        return False
    core = _without(inquiry, name, shift, inquiry.base.outside, inquiry.now.outside)
    if core is None or core.now.sum() < _LEAST_CORE * shift.now.sum():
        return not novelty.masks or novelty.hinted > inquiry.thresholds.novelty
    return core.size < _MOST_LEAKED * shift.size


def _seen_in_core(inquiry: Inquiry, name: str, shift: Shift, novelty: Novelty) -> bool:
    """Whether more of the shift is there than new rows leave that miss every threshold."""
    core = _without(inquiry, name, shift, inquiry.base.outside, inquiry.now.outside)
    leaked = inquiry.thresholds.novelty_leak * max(novelty.outliers, novelty.outside) + _CORE_NOISE
    if core is None or core.size < max(leaked, _MOST_LEAKED * shift.size) or core.size <= core.threshold:
        return False
    return not of_new_rows(core, inquiry.compared(name, inquiry.base.outside, inquiry.now.outside, shift.step))


def of_new_rows(core: Shift, outer: Shift | None) -> bool:
    """Whether the core is what it was, beside some rows with the values of the new ones outside of it: a drift moves all its groups."""
    if outer is None:
        return False
    every, before = core.now.sum() + outer.now.sum(), core.usual.sum() + outer.usual.sum()
    new = np.maximum(outer.now / every - outer.usual / before, 0.0)
    towards, moved = shares(new) - shares(core.usual), shares(core.now) - shares(core.usual)
    if not new.any() or not towards.any():
        return False
    share = float(moved @ towards / (towards @ towards))
    rest = rounded(0.5 * np.abs(moved - share * towards).sum())
    chance = _OF_CHANCE * float(np.sqrt(len(core.now) / core.now.sum()))
    return 0 < share < _MOST_NEW and rest < _REST * core.size + chance


def _without(inquiry: Inquiry, name: str, shift: Shift, base: Floats, now: Floats) -> Shift | None:
    """The shift among rows compared with the training data, less some of them."""
    return inquiry.compared(name, inquiry.base.scored - base, inquiry.now.scored - now, shift.step)


def _new_category(inquiry: Inquiry, name: str, shift: Shift, inside: Shift | None, novelty: Novelty) -> bool:
    """Whether training did not know what came; not if only rows have it that are new in other ways, too."""
    if inquiry.layout.of[name].numeric:
        return False
    now, usual = _last(shift.now), _last(shift.usual)
    if now - usual <= inquiry.thresholds.new_category:
        return False
    in_outliers = inside is None or _last(inside.now) < _KNOWN * now
    return not (novelty.there(inquiry.thresholds) and in_outliers and novelty.cured.get(name, 0.0) < HALF)


def _last(counts: Floats) -> float:
    return float(counts[-1] / max(counts.sum(), 1.0))
