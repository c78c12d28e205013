"""Whether labels of one outcome take longer than those of the other: then the first labels after a change are no fair sample."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ....detectors.effects.two_sample import ks
from ....detectors.outcomes.delays import DELAY_BINS, bins_of, covering, quantile
from ....schemas.configuration import Configuration, Labels
from ....schemas.duration import written
from ....schemas.outcome import number_of
from ...bus.interface import Bus
from .finding import Finding
from .first_labels import FirstLabels, first_labels

Integers = NDArray[np.int64]

#: Records that are read, of predictions and of labels, for each one that the check reads otherwise.
READ = 100
#: Of either outcome: fewer labels say nothing.
FEWEST = 50
#: The delays differ if chance would bring such distances of their distributions so seldom, and if they are so far apart, in either half of
#: the predictions: an outage or a storm is in one.
P_VALUE, APART = 0.001, 0.1
#: Of the labels a maturity waits for so many; and if more than the others come in the second half of the horizon, more come behind it.
MATURE = 0.99
#: From the longest: the unit in which a maturity is proposed is the first of which it is at least two.
_UNITS = ((86_400_000, 10), (3_600_000, 2), (60_000, 2), (1_000, 1))


def delays_of(bus: Bus, configuration: Configuration, name: str, most: int) -> Iterator[Finding]:
    """What the topics say of a stream of labels."""
    known = first_labels(bus, configuration, name, most * READ)
    if known is not None:
        yield from compared(f"labels.{name}", configuration.labels[name], known)


def compared(key: str, own: Labels, known: FirstLabels) -> Iterator[Finding]:
    """Whether an order is to be proposed, and when labels have come."""
    if not len(known.delays):
        return  # whether labels meet any prediction at all is told elsewhere
    coming = float(np.mean(known.delays > known.horizon / 2))
    if known.horizon < own.wait and coming > 1 - MATURE:
        text = f"{key}: {coming:.0%} of the labels come {_told(known.horizon // 2)} to {_told(known.horizon)} after their prediction"
        yield Finding("note", f"{text}; whether delays depend on the outcome can be told of a longer past, or of a larger --sample")
        return
    counting = known.delays <= own.wait
    if (share := float(np.mean(counting))) < MATURE:
        yield Finding("note", f"{key}: {share:.1%} of the labels come within wait, {written(own.wait)}; later ones do not count")
    if counting.any():
        within = FirstLabels(known.made[counting], known.delays[counting], known.values[counting], known.horizon)
        mature = _rounded(covering(_counted(within.delays), MATURE) or own.wait, own.wait)
        if own.order == "matured" and own.maturity is not None:
            yield _at_maturity(key, own.maturity, mature, within)
        else:
            yield _apart(key, own, mature, within)


def _at_maturity(key: str, maturity: int, mature: int, known: FirstLabels) -> Finding:
    share = float(np.mean(known.delays <= maturity))
    text = f"{key}: {share:.1%} of the labels have come at maturity, {written(maturity)}"
    return Finding("ok", text) if share >= MATURE else Finding("note", f"{text}; {MATURE:.0%} after {written(mature)}")


def _apart(key: str, own: Labels, mature: int, known: FirstLabels) -> Finding:
    """Whether the delays of the two outcomes differ."""
    larger, names = _sides(own, known.values)
    sides = [_counted(known.delays[side]) for side in (larger, ~larger)]
    rows = [int(side.sum()) for side in sides]
    if min(rows) < FEWEST:
        text = f"{key}: {rows[0]:,} labels of {names[0]}, {rows[1]:,} of {names[1]} are of predictions that are {_told(known.horizon)} old"
        return Finding("note", f"{text}: too few to tell whether delays depend on the outcome")
    medians = [_told(quantile(side, 0.5) or 0) for side in sides]
    text = f"{key}: labels of {names[0]} take {medians[0]} in the median, of {names[1]} {medians[1]} ({rows[0]:,} and {rows[1]:,})"
    earlier = known.made < np.median(known.made)
    halves = [ks(_counted(known.delays[half & larger]), _counted(known.delays[half & ~larger])) for half in (earlier, ~earlier)]
    chance = float(special.kolmogorov(np.sqrt(rows[0] / sum(rows) * rows[1]) * ks(*sides)))
    if chance >= P_VALUE or min(halves) < APART:
        return Finding("ok", f"{text}: alike enough for order: arrival")
    text += f"; their distributions are {ks(*sides):.2f} apart, so first labels are no fair sample after a change"
    return Finding("note", f"{text}: write {key}.order: matured, {key}.maturity: {written(mature)}, by when {MATURE:.0%} of them have come")


def _counted(delays: Integers) -> Integers:
    return np.bincount(bins_of(delays), minlength=DELAY_BINS)


def _sides(own: Labels, values: Integers) -> tuple[NDArray[np.bool_], tuple[str, str]]:
    """Two sides of what labels say: which are on the first, and what both are called."""
    if own.outcome == "binary":
        return values == 1, ("1", "0")
    if own.outcome == "number":
        numbers = number_of(values)
        return numbers > np.median(numbers), ("larger numbers", "smaller ones")
    classes, counts = np.unique(values, return_counts=True)
    return values == classes[counts.argmax()], ("the commonest class", "others")


def _rounded(delay: int, most: int) -> int:
    """A delay, or a little more, as somebody would write it."""
    unit = next((unit for unit, fewest in _UNITS if delay > unit * fewest), 1_000)
    return min(-(-max(delay, 1) // unit) * unit, most)


def _told(length: int) -> str:
    """A length in words: 4.4h."""
    unit, name = next((one for one in ((86_400_000, "d"), (3_600_000, "h"), (60_000, "m")) if length >= 2 * one[0]), (1_000, "s"))
    return f"{length / unit:.3g}{name}"
