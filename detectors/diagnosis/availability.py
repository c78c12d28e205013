"""Features that are not there: null, of another type, too old, or one value in place of all."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...schemas.stored.reference import CategoricalProfile, NumericProfile
from . import skew
from .evidence import Values, Window
from .finding import Piece
from .foretold import FORETOLD, foretold
from .groups import bin_of
from .inquiry import Inquiry, sure
from .matrices import common_of, counted, shares_of
from .outcomeless import nothing_came
from .relations import Relations
from .shifts import Series
from .statistics import Step, total_variation

Floats = NDArray[np.float64]

#: Floors of series' standard deviations: shares of invalid values, of a repeated value, of a category; logarithms of ages.
_INVALID_FLOOR, _VALUE_FLOOR, _CATEGORY_FLOOR, _AGE_FLOOR = 0.003, 0.006, 0.01, 0.05
#: The newest windows, in which a value must be common.
_NEWEST = 6
#: From so many distinct values on, a value that is no atom of the reference is one that training did not know.
_CONTINUOUS = 40
#: Of all rows, those that come to have a value that training knew: of one that was common others come to have it in the world.
_STUCK = 0.5
#: Of all rows: then it is a constant, whatever else; of categories.
_CONSTANT, _CONSTANT_CATEGORY = 0.9, 0.98
#: Of the level, by which pairs must differ where training knew the value.
_DISAGREE = 0.5
#: What each kind would have decided of a single value.
_DECIDES = {
    "agreement": "whether it is a default, or a value that became common",
    "baseline": "whether it is usual in production: a constant that others follow, as months do",
}
#: What stands for an unknown category, in lower case.
UNNAMED = "(unnamed)"  #: categories beyond those that panes name
DEFAULTS = frozenset({"unknown", "none", "null", "nan", "n/a", "na", "", "other", "default", "-1", "0", "missing"})


def series(inquiry: Inquiry) -> list[Series]:
    """Of every feature the share of invalid and of absent values, and the logarithm of their age."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ages = Series(_logs(inquiry.base.age.T), _logs(inquiry.now.age.T), [_AGE_FLOOR] * len(inquiry.layout.features))
    return [inquiry.of_features("invalid", _INVALID_FLOOR), inquiry.of_features("absent", inquiry.share_floor), ages]


def look(inquiry: Inquiry, relations: Relations) -> None:
    """Of every feature that nothing has claimed, the first of these that holds."""
    invalid, absent, ages = (inquiry.steps_of(one) for one in series(inquiry))
    t = inquiry.thresholds
    for name, bad, gone, old in zip(inquiry.layout.names, invalid, absent, ages, strict=True):
        if name in inquiry.claimed:
            continue
        if bad is not None and bad.level > t.invalid:
            _found(
                inquiry,
                name,
                bad,
                sure((bad.level, t.invalid)),
                "schema_change",
                Piece("invalid_rate_increase", bad.level, t.invalid, name, bad.z),
            )
        elif gone is not None and gone.level > t.null:
            _gone(inquiry, relations, name, gone)
        elif old is not None and old.level > np.log(t.age_ratio):
            ratio = round(float(np.exp(old.level)), 6)
            _found(
                inquiry,
                name,
                old,
                sure((old.level, float(np.log(t.age_ratio)))),
                "stale",
                Piece("age_ratio", ratio, t.age_ratio, name, old.z),
            )
        elif inquiry.layout.of[name].numeric:
            _repeated(inquiry, name)
        else:
            _category(inquiry, name)


def _gone(inquiry: Inquiry, relations: Relations, name: str, step: Step) -> None:
    """More rows lack it: a fault, unless these are rows of which nothing came, or such as always lacked it."""
    t = inquiry.thresholds
    certain, piece = sure((step.level, t.null), (step.z, t.z)), Piece("null_rate_increase", step.level, t.null, name, step.z)
    if (nothing := nothing_came(inquiry, relations, name, step)) is not None:
        awaits = None if nothing.known else "arrivals"
        missing = {} if awaits is None else {awaits: f"whether rows without {name} have outcomes that are only not there yet"}
        pieces = piece, Piece("have_no_outcome", "yes", None, name)
        inquiry.add("data_drift", (name,), step, certain, "missing_without_outcome", pieces, missing=missing, awaits=awaits)
    elif (foretold_by := foretold(inquiry, relations, name, step)) is not None:
        other, part = foretold_by
        inquiry.add("data_drift", (name,), step, certain, "missing_as_before", (piece, Piece("null_rate_foretold", part, FORETOLD, other)))
    else:
        _found(inquiry, name, step, certain, "missing", piece)


def _logs(ages: Floats) -> Floats:
    return np.where(ages > 0, np.log(ages), np.nan)


def _found(inquiry: Inquiry, name: str, step: Step, confidence: float, subtype: str, *evidence: Piece, awaits: str | None = None) -> None:
    inquiry.add(
        "feature_unavailability",
        (name,),
        step,
        confidence,
        subtype,
        evidence,
        missing={} if awaits is None else {awaits: _DECIDES[awaits]},
        awaits=awaits,
        alternatives=() if awaits is None else ("data_drift",),
    )


def _repeated(inquiry: Inquiry, name: str) -> None:
    """One value takes a share that it never had, while the rest of the distribution keeps its shape."""
    t, windows = inquiry.thresholds, inquiry.case.monitored
    newest = [one for window in windows[-_NEWEST:] if (one := common_of(window, inquiry.layout, name)) is not None]
    values = sorted({value for values, shares in newest for value in values[shares > t.spike].tolist()})
    if not values:
        return
    base, now = (shares_of(of, inquiry.layout, name, values) for of in (inquiry.case.baseline, windows))
    found = [(one.level, value, one) for value, one in zip(values, inquiry.steps(base, now, _VALUE_FLOOR), strict=True) if one is not None]
    if not found:
        return
    level, value, step = max(found, key=lambda one: one[:2])
    profile = inquiry.layout.of[name].profile
    assert isinstance(profile, NumericProfile)
    bin_ = bin_of(profile, value)
    known = bin_ in inquiry.layout.grouped[name].atoms or profile.distinct < _CONTINUOUS
    agree = inquiry.agree_known(name, step.onset)
    differ = inquiry.mismatch(name)
    apart = differ is not None and differ.level > _DISAGREE * level
    if apart and differ is not None and skew.of_one(inquiry, name, differ):
        return  # one number became another one
    if level <= t.spike:
        return
    before = _before(inquiry, name, step.onset, lambda window: _commonest(common_of(window, inquiry.layout, name)), _CONSTANT)
    constant = step.before + level > _CONSTANT
    if constant and (before.usually or (known and not apart and (before.ever or level < _STUCK))):
        return
    if known and agree and not apart and not constant:
        return  # what training knew, and pairs agree on, is what it says
    rest = _rest(inquiry, name, bin_, level, step)
    if not constant and rest > max(t.spike_rest, inquiry.shifts[name].threshold if name in inquiry.shifts else 0.0):
        return
    _found(
        inquiry,
        name,
        step,
        sure((level, t.spike), (step.z, t.z)),
        "constant" if constant else "default_value",
        Piece("single_value_share_increase", level, t.spike, name, step.z),
        Piece("value", value, None, name),
        Piece("rest_total_variation", round(rest, 6), t.spike_rest, name),
        awaits=(None if before.known else "baseline") if constant else "agreement" if known and not agree else None,
    )


def _commonest(common: tuple[Floats, Floats] | None) -> float:
    return np.nan if common is None else float(common[1].max(initial=0.0))


def _rest(inquiry: Inquiry, name: str, bin_: int, level: float, step: Step) -> float:
    """By how much the other values moved, from the baseline."""
    span, own = inquiry.layout.span(name), inquiry.layout.grouped[name]
    usual = inquiry.base.groups[:, span].sum(axis=0)
    now = inquiry.now.groups[step.onset :, span][-8:].sum(axis=0)
    group = own.group_of[bin_]
    now[group] = max(0.0, now[group] - level * now.sum())
    return total_variation(now, usual)


def _category(inquiry: Inquiry, name: str) -> None:
    """One category in place of (almost) all, or a token for the unknown that training did not know."""
    t, windows = inquiry.thresholds, inquiry.case.monitored
    newest = [categories_of(inquiry, one, name) for one in windows[-_NEWEST:]]
    total: dict[str, float] = {}
    for counts in newest:
        rows = max(sum(counts.values()), 1)
        for category, count in counts.items():
            total[category] = total.get(category, 0.0) + count / rows / len(newest)
    profile = inquiry.layout.of[name].profile
    assert isinstance(profile, CategoricalProfile)
    known = set(profile.categories)
    candidates = sorted(
        category
        for category, share in total.items()
        if share > _CONSTANT_CATEGORY or (share > t.spike and category not in known and category.strip().lower() in DEFAULTS)
    )
    if not candidates:
        return
    base, now = (_category_shares(inquiry, of, name, candidates) for of in (inquiry.case.baseline, windows))
    found = [
        (one.level, value, one) for value, one in zip(candidates, inquiry.steps(base, now, _CATEGORY_FLOOR), strict=True) if one is not None
    ]
    found = [one for one in found if one[0] > t.spike]
    if found:
        level, category, step = max(found, key=lambda one: one[:2])
        constant = total[category] > _CONSTANT_CATEGORY
        before = _before(inquiry, name, step.onset, lambda window: _largest(categories_of(inquiry, window, name)), _CONSTANT_CATEGORY)
        if constant and before.usually:
            return
        pieces = Piece("single_value_share_increase", level, t.spike, name, step.z), Piece("value", category, None, name)
        subtype, awaits = ("constant", None if before.known else "baseline") if constant else ("default_value", None)
        _found(inquiry, name, step, sure((level, t.spike), (step.z, t.z)), subtype, *pieces, awaits=awaits)


def _largest(counts: Mapping[str, int]) -> float:
    rows = sum(counts.values())
    return max(counts.values()) / rows if rows else np.nan


class _Before(NamedTuple):
    """What production had before an onset."""

    known: bool  #: anybody has seen it
    usually: bool  #: a constant: the month, a weekday; another one follows it
    ever: bool  #: some window was one


def _before(inquiry: Inquiry, name: str, onset: int, share: Callable[[Window], float], constant: float) -> _Before:
    """``share``: of a window, that of its commonest value."""
    windows = [*(inquiry.case.baseline if inquiry.case.stands_for((name,)) else ()), *inquiry.case.monitored[:onset]]
    shares = [one for one in map(share, windows) if np.isfinite(one)]
    if not shares:
        return _Before(known=False, usually=False, ever=False)
    return _Before(known=True, usually=bool(np.median(shares) > constant), ever=max(shares) > constant)


def _category_shares(inquiry: Inquiry, windows: Sequence[Window], name: str, candidates: Sequence[str]) -> Floats:
    counts = [categories_of(inquiry, one, name) for one in windows]
    return np.array([[own.get(category, 0) / rows if (rows := sum(own.values())) else np.nan for own in counts] for category in candidates])


def categories_of(inquiry: Inquiry, window: Window, name: str) -> Mapping[str, int]:
    """Rows by category, made once; those that the reference does not know by their names, as far as panes name them."""
    kept = counted(window, inquiry.layout).categories
    if name not in kept:
        profile = inquiry.layout.of[name].profile
        assert isinstance(profile, CategoricalProfile)
        kept[name] = _categories(window.values.get(name), profile)
    return kept[name]


def _categories(values: Values | None, profile: CategoricalProfile) -> dict[str, int]:
    if values is None or len(values.bins) != len(profile.categories) + 1:
        return {}
    counts = dict(zip(profile.categories, values.bins[:-1].tolist(), strict=True))
    unnamed = int(values.bins[-1]) - sum(values.unseen.values())
    return {**{category: rows for category, rows in counts.items() if rows}, **values.unseen, **({UNNAMED: unnamed} if unnamed > 0 else {})}


def categories_in(inquiry: Inquiry, windows: Sequence[Window], name: str) -> dict[str, int]:
    """The same of several windows."""
    found: dict[str, int] = {}
    for window in windows:
        for category, rows in categories_of(inquiry, window, name).items():
            found[category] = found.get(category, 0) + rows
    return found
