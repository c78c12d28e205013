"""Columns that took each other's place: among features that shift with one onset, each one's values are another's of old.

Numbers are compared by their quantiles, categories by how often each name comes, those that the feature never had before, too.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...schemas.messages.root_cause import Cause
from ...schemas.stored.reference import CategoricalProfile
from .availability import UNNAMED, categories_in
from .finding import Piece
from .inquiry import Inquiry
from .maps import differs, distance, distances, mixed, settled, spread, spreads
from .matrices import quantiles_in
from .statistics import confidence, rounded, total_variation

Floats = NDArray[np.float64]

#: Features that are compared with each other, those that shift most: time grows with the square.
MOST_FEATURES = 24
#: Categories of a feature that are compared.
_MOST_CATEGORIES = 200
#: Windows that quantiles are averaged over; those of the baseline without which there are none.
_MOST, _LEAST_BASELINE = 12, 4
#: Times what windows of the baseline differ by, that those are off which hold old values beside new ones.
_OF_ONE = 2.0
#: Shares of rows at which mixtures are tried; by how much one must fit better than whole columns.
_SHARES, _BETTER = np.arange(0.15, 1.0, 0.05).round(2), 0.01
#: Times the error of the exchange, which leaving a column in its place must be worse.
_WORSE = 3.0
#: How far from the share that the means say mixtures are tried: quantiles have no tails.
_NEAR = 0.2
_FAR = 9.0
#: Of a mixture's spread, from one quantile to the next: a gap between the values of two columns.
_GAP = 0.25
#: Rows with another feature's names, which no population makes.
_FOREIGN = 0.02
#: Features that shift more, at most, of which each speaks against it.
_MOST_AGAINST = 2


class _Column(NamedTuple):
    """One feature's values before and since."""

    old: Floats  #: quantiles, or shares of the rows by category
    new: Floats
    onset: int
    numeric: bool
    unknown: NDArray[np.bool_] | None = None  #: names that training did not know of it; None: of numbers
    before: float = 0.0  #: the mean of a number's quantiles, and since
    since: float = 0.0

    def left(self, other: "_Column") -> float:
        """How far it is from where it was, in the measure in which it is compared with another."""
        return distance(self.new, self.old, spread(other.old)) if self.numeric else total_variation(self.new, self.old)

    def foreign(self, other: "_Column") -> float:
        """The share of rows with names that only the other feature had; of numbers that is not asked."""
        return 1.0 if self.unknown is None else float(self.new[self.unknown & (self.old == 0) & (other.old > 0)].sum())

    def fit(self, other: "_Column") -> tuple[float, float]:
        """The error, and the share of rows, with which these are another feature's values, or a mixture of them with its own."""
        if self.numeric != other.numeric or abs(self.onset - other.onset) > 1:
            return _FAR, 1.0
        whole = rounded(float(self._errors(other, [1.0])[0]))
        shares = _SHARES[np.abs(_SHARES - self._moved(other)) < _NEAR].tolist()
        if not shares or whole <= _BETTER:
            return whole, 1.0
        errors = self._errors(other, shares)
        error, share = rounded(float(errors.min())), shares[int(errors.argmin())]
        return (error, share) if error < whole - _BETTER else (whole, 1.0)

    def _errors(self, other: "_Column", shares: list[float]) -> Floats:
        """By share of rows, how far these are from a mixture that has so many of another feature's values."""
        of = np.array(shares)[:, None]
        if not self.numeric:
            return np.asarray(0.5 * np.abs(self.new - (self.old + of * (other.old - self.old))).sum(axis=1), dtype=np.float64)
        mixtures = np.where(of == 1.0, other.old, mixed(self.old, other.old, shares))
        wide = spreads(mixtures)[:, None]
        # between two columns' values there may be none: a quantile that stands there is of whichever is nearer by chance
        beside = (np.diff(mixtures, axis=1) > _GAP * wide) & (of < 1.0)
        end = np.zeros((len(shares), 1), dtype=bool)
        apart = np.hstack([beside, end]) | np.hstack([end, beside])
        return distances(np.where(apart, mixtures, self.new), mixtures, wide)

    def _moved(self, other: "_Column") -> float:
        """A mixture's mean lies between the two, by its share; and so do frequencies."""
        if self.numeric:
            length, moved = other.before - self.before, self.since - self.before
            return moved / length if length else 0.0
        way = other.old - self.old
        square = float(way @ way)
        return float(way @ (self.new - self.old)) / square if square else 0.0


def look(inquiry: Inquiry) -> None:
    """Closed cycles only: every feature named gives and takes."""
    from scipy.optimize import linear_sum_assignment  # it loads what a process that diagnoses nothing else does without

    columns = _numbers(inquiry) | _categories(inquiry)
    names = sorted(columns)
    if len(names) < 2:
        return
    fits = {(name, other): columns[name].fit(columns[other]) for name in names for other in names if name != other}
    t = inquiry.thresholds
    # who stays costs what an exchange may: else it would pay to send him far away, to whom others come nearer
    errors = np.array([[fits.get((name, other), (t.map_error, 1.0))[0] for other in names] for name in names])
    errors[~np.isfinite(errors)] = _FAR  # of numbers so large that their sums are none
    takes: dict[str, str] = {}
    for row, column in zip(*linear_sum_assignment(errors), strict=True):
        name, other, error = names[row], names[column], float(errors[row, column])
        if error < t.map_error and columns[name].left(columns[other]) > _WORSE * error and fits[name, other][1] >= t.exchanged_share:
            takes[name] = other
    takes = _closed(takes)
    if len(takes) >= 2:
        sure = any(columns[name].foreign(columns[other]) > _FOREIGN for name, other in takes.items())
        _told(inquiry, takes, max(fits[pair][0] for pair in takes.items()), min(fits[pair][1] for pair in takes.items()), sure=sure)


def _largest(inquiry: Inquiry, *, numeric: bool) -> list[tuple[str, int]]:
    """Features that shift most, with their onsets."""
    largest = sorted(inquiry.shifts.items(), key=lambda item: (-item[1].size, item[0]))
    found = [(name, shift.step.onset) for name, shift in largest if inquiry.layout.of[name].numeric == numeric]
    return found[:MOST_FEATURES]


def _numbers(inquiry: Inquiry) -> dict[str, _Column]:
    found = {}
    for name, onset in _largest(inquiry, numeric=True):
        since, (before, old) = quantiles_in(inquiry.behind(onset, _MOST), inquiry.layout, name), inquiry.usual_quantiles(name)
        if len(since) and len(before) >= _LEAST_BASELINE:
            since = settled(since, max(inquiry.thresholds.map_error, _OF_ONE * differs(before, old, 1)))
            new = since.mean(axis=0)
            found[name] = _Column(old, new, onset, numeric=True, before=float(old.mean()), since=float(new.mean()))
    return found


def _categories(inquiry: Inquiry) -> dict[str, _Column]:
    counts: dict[str, tuple[dict[str, int], dict[str, int]]] = {}
    onsets: dict[str, int] = {}
    for name, onset in _largest(inquiry, numeric=False):
        before, since = categories_in(inquiry, inquiry.case.baseline, name), categories_in(inquiry, inquiry.behind(onset, _MOST), name)
        if before and since and max(len(before), len(since)) <= _MOST_CATEGORIES:
            counts[name], onsets[name] = (before, since), onset
    places = {category: place for place, category in enumerate(sorted({one for pair in counts.values() for own in pair for one in own}))}
    found = {}
    for name, (before, since) in counts.items():
        profile = inquiry.layout.of[name].profile
        assert isinstance(profile, CategoricalProfile)
        known = {*profile.categories, UNNAMED}
        unknown = np.array([category not in known for category in places])
        found[name] = _Column(_shares(before, places), _shares(since, places), onsets[name], numeric=False, unknown=unknown)
    return found


def _shares(counts: dict[str, int], places: dict[str, int]) -> Floats:
    found = np.zeros(len(places))
    for category, rows in counts.items():
        found[places[category]] = rows
    return np.asarray(found / found.sum(), dtype=np.float64)


def _closed(takes: dict[str, str]) -> dict[str, str]:
    while True:
        given = set(takes.values())
        kept = {name: other for name, other in takes.items() if other in takes and name in given}
        if len(kept) == len(takes):
            return kept
        takes = kept


def _larger(inquiry: Inquiry, names: list[str]) -> list[str]:
    """Other features that shift more than each of these, and did not take part."""
    most = max(inquiry.shifts[name].size for name in names)
    return [name for name, one in inquiry.shifts.items() if name not in names and one.size > most]


def _told(inquiry: Inquiry, takes: dict[str, str], error: float, share: float, *, sure: bool) -> None:
    """``sure``: no population looks like that. Of categories with the same names one does: journeys turn round between from and to."""
    t, names = inquiry.thresholds, list(takes)
    step = inquiry.shifts[names[0]].step
    known = all(inquiry.agree_known(name, step.onset) for name in names)
    mismatches = [one for name in names if (one := inquiry.mismatch(name)) is not None and one.level > t.skew]
    agree = known and not mismatches
    if agree and not sure:
        return
    others: tuple[Cause, ...] = ("feature_recalibration",) if sure else ("data_drift",)
    by_name = sure and not any(inquiry.layout.of[name].numeric for name in names)
    # where many features drift, two may come near each other's values; near names that only the other one had none does
    further = [] if mismatches or by_name else _larger(inquiry, names)
    inquiry.add(
        "feature_recalibration" if agree else "training_serving_skew",
        names,
        step,
        confidence(max(0.5, 1 - error / (2 * t.map_error)), 0.95, missing=int(not known), against=min(len(further), _MOST_AGAINST)),
        "columns_exchanged",
        [
            Piece("exchanged_error", error, t.map_error),
            Piece("share_of_rows", share, t.exchanged_share),
            Piece("pairs_agree", "yes" if agree else "no" if known else "unknown", role="for" if agree or mismatches else "against"),
            *(Piece("shifts_more", inquiry.shifts[name].size, None, name, role="against") for name in further),
        ],
        missing={} if known else {"agreement": "whether the exchange is in serving alone, or at the source for everybody"},
        awaits=None if known or (sure and inquiry.near(step.onset)) else "agreement",
        alternatives=() if known else others,
        exchanged=dict(takes),
    )
