"""Numbers of windows: the series that decides about a cause, with its baseline and threshold, and values before and after."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from ...detectors.diagnosis.evidence import Floats, Values, Window
from ...detectors.diagnosis.matrices import SHARES, quantiles_of
from ...detectors.diagnosis.statistics import total_variation
from ...detectors.diagnosis.words import number, percent, quoted, when
from ...schemas.stored.reference import CategoricalProfile, NumericProfile
from .document import Picture, Table
from .drawing import Bar, Series, bars, series, told
from .stored import Stored

#: Series of features, by what decides about a subtype; of all others their distribution does.
_OF_SUBTYPE = {
    "missing": "absent",
    "missing_without_outcome": "absent",
    "missing_as_before": "absent",
    "schema_change": "invalid",
    "stale": "age",
    "stale_or_wrong_entity": "differing",
    "affine_mismatch": "differing",
    "computation_mismatch": "differing",
}
#: Windows whose values are those after, at most, as in a diagnosis.
_NEWEST = 8
#: Quantiles that are told.
_TOLD = (0.05, 0.25, 0.5, 0.75, 0.95)


class _Measure(NamedTuple):
    """A number of a window, and the threshold by what is usual."""

    title: str
    of: Callable[[Window], float]
    bound: Callable[[float], float]
    share: bool = True


def of_feature(stored: Stored, name: str, subtype: str, onset: int) -> list[Picture]:
    """The series that decides about it, and its values before and after."""
    if name not in stored.layout.of:
        return []
    pictures = [_picture(stored, _measure(stored, name, subtype), onset), _groups(stored, name, onset)]
    return [one for one in pictures if one is not None]


def of_model(stored: Stored, onset: int) -> list[Picture]:
    """Its loss, and how many rows are unlike the training data, as far as they are known."""
    t = stored.thresholds
    measures = (
        _Measure("Loss a row", _loss, lambda usual: usual * (1 + t.loss), share=False),
        _Measure("Rows unlike the training data", _outliers, lambda usual: usual + t.novelty),
    )
    return [one for one in (_picture(stored, measure, onset) for measure in measures) if one is not None]


def quantiles(stored: Stored, name: str, onset: int) -> Table | None:
    """Of a number before and after; None of what is none."""
    place = stored.onset(onset)
    if name not in stored.layout.of or not stored.layout.of[name].numeric or place is None:
        return None
    sides = [
        [one for window in of if (one := quantiles_of(window, stored.layout, name)) is not None]
        for of in (stored.baseline, stored.windows[place:][-_NEWEST:])
    ]
    if not all(sides):
        return None
    was, now = (np.mean(one, axis=0) for one in sides)
    rows = []
    for share in _TOLD:
        at = int(np.argmin(np.abs(SHARES - share)))
        ratio = number(float(now[at] / was[at])) if was[at] else "-"
        rows.append((percent(share), number(float(was[at])), number(float(now[at])), ratio))
    return Table(("rows below", "before", "since the onset", "ratio"), tuple(rows), numbers=3)


def _picture(stored: Stored, measure: _Measure, onset: int) -> Picture | None:
    was, now = ([measure.of(one) for one in of] for of in (stored.baseline, stored.windows))
    known = [value for value in was if np.isfinite(value)]
    if not np.isfinite(now).any():
        return None
    bound = measure.bound(float(np.mean(known))) if known else None
    place = stored.onset(onset)
    every = [*stored.baseline, *stored.windows]
    told_at = partial(when, rows=stored.in_rows)
    times = told_at(every[0].end), "" if place is None else told_at(stored.windows[place].start), told_at(every[-1].end)
    usual = f"; the band is what {len(known)} windows of the baseline have, the dashed line the threshold" if known else ""
    rows = [(told_at(one.end), told(value, measure.share)) for one, value in zip(stored.windows, now, strict=True)]
    if known:
        rows = [("baseline, mean", told(float(np.mean(known)), measure.share)), *rows]
    if bound is not None:
        rows = [("threshold", told(bound, measure.share)), *rows]
    drawn = series(Series(was, now, place, bound, measure.share, times))
    return Picture(drawn, f"{measure.title}, by window{usual}", Table(("window until", measure.title), tuple(rows), numbers=1))


def _measure(stored: Stored, name: str, subtype: str) -> _Measure:
    t = stored.thresholds
    measures = {
        "absent": _Measure(
            f"Rows in which {quoted(name)} is null or missing",
            lambda one: _of_rows(one, name, lambda values: values.null + values.missing),
            lambda usual: usual + t.null,
        ),
        "invalid": _Measure(
            f"Rows in which {quoted(name)} is of another type",
            lambda one: _of_rows(one, name, lambda values: values.invalid),
            lambda usual: usual + t.invalid,
        ),
        "age": _Measure(f"Mean age of {quoted(name)}, s", lambda one: _age(one, name), lambda usual: usual * t.age_ratio, share=False),
        "differing": _Measure(
            f"Pairs in which {quoted(name)} differs online and offline", lambda one: _differing(one, name), lambda usual: usual + t.skew
        ),
    }
    kind = _OF_SUBTYPE.get(subtype)
    return _moved(stored, name) if kind is None else measures[kind]


def _of_rows(window: Window, name: str, part: Callable[[Values], int]) -> float:
    values = window.values.get(name)
    if values is None:
        return float("nan")
    return _share(part(values), values.present + values.null + values.invalid + values.missing)


def _age(window: Window, name: str) -> float:
    values = window.values.get(name)
    seconds, rows = (0, 0) if values is None or values.age is None else values.age
    return _share(seconds, rows)


def _differing(window: Window, name: str) -> float:
    pairs = None if window.agreeing is None else window.agreeing.get(name)
    return float("nan") if pairs is None else _share(pairs.differing + pairs.missing, pairs.pairs)


def _moved(stored: Stored, name: str) -> _Measure:
    """By how much the distribution differs from the baseline's."""
    usual = _grouped(stored, stored.baseline, name)

    def moved(window: Window) -> float:
        own = _grouped(stored, [window], name)
        return float(total_variation(own, usual)) if own.sum() > 0 and usual.sum() > 0 else float("nan")

    bound = stored.thresholds.shift
    return _Measure(f"Values of {quoted(name)} that moved, total variation against the baseline", moved, lambda mean: mean + bound)


def _grouped(stored: Stored, windows: Sequence[Window], name: str) -> Floats:
    """Rows by groups of values, of several windows together."""
    bins = [values.bins for one in windows if (values := one.values.get(name)) is not None]
    whole = np.sum(bins, axis=0) if bins else None
    return stored.layout.counts([whole if one.name == name else None for one in stored.layout.fields])[stored.layout.span(name)]


def _groups(stored: Stored, name: str, onset: int) -> Picture | None:
    """Shares of rows by groups of values, before and after."""
    place = stored.onset(onset)
    if place is None:
        return None
    was, now = (_grouped(stored, of, name) for of in (stored.baseline, stored.windows[place:][-_NEWEST:]))
    if not was.sum() > 0 or not now.sum() > 0:
        return None
    some = [
        Bar(group, _share(one, float(was.sum())), _share(other, float(now.sum())))
        for group, one, other in zip(_names(stored, name), was.tolist(), now.tolist(), strict=True)
        if one or other
    ]
    rows = tuple((one.name, percent(one.was), percent(one.now)) for one in some)
    table = Table((quoted(name), "before", "since the onset"), rows, numbers=2)
    return Picture(bars(some), f"Values of {quoted(name)} by group: above before the onset, below since", table)


def _names(stored: Stored, name: str) -> list[str]:
    """Of a field's groups: the span of their values, or their categories."""
    field, own = stored.layout.of[name], stored.layout.grouped[name]
    if isinstance(field.profile, NumericProfile):
        return _spans(field.profile, own.group_of.tolist(), own.groups)
    assert isinstance(field.profile, CategoricalProfile)
    members: list[list[str]] = [[] for _ in range(own.groups)]
    for category, group in zip((*field.profile.categories, "other"), own.group_of.tolist(), strict=True):
        members[group].append(category or "(empty)")
    return [one[0] if len(one) == 1 else f"{len(one)} more" for one in members]


def _spans(profile: NumericProfile, group_of: Sequence[int], groups: int) -> list[str]:
    edges = [-np.inf, *profile.edges, np.inf]
    low, high = [np.inf] * groups, [-np.inf] * groups
    for interval, bin_ in enumerate(profile.bin_of):
        group = int(group_of[bin_])
        low[group], high[group] = min(low[group], edges[interval]), max(high[group], edges[interval + 1])
    return [_span(*one) for one in zip(low, high, strict=True)]


def _span(low: float, high: float) -> str:
    if not np.isfinite(low) and not np.isfinite(high):
        return "outside, or in gaps"
    if not np.isfinite(low):
        return f"below {number(high)}"
    if not np.isfinite(high):
        return f"{number(low)} and above"
    return number(low) if number(low) == number(high) else f"{number(low)} to {number(high)}"


def _loss(window: Window) -> float:
    one = window.outcomes
    return float("nan") if one is None or one.labelled <= 0 else one.loss / one.labelled


def _outliers(window: Window) -> float:
    return _share(window.outliers, window.scored)


def _share(part: float, of: float) -> float:
    return float("nan") if of <= 0 else float(part / of)
