"""What a budget of false alarms costs: the smallest shift that can be seen, and whether there are buckets enough."""

import fnmatch
from collections.abc import Iterator

from ....detectors.betting import TILTS, Concession
from ....detectors.betting.margin import budget, margin
from ....detectors.betting.muted import muted
from ....schemas.configuration import Model, PaneLength
from ....schemas.duration import written
from ....schemas.stored.reference import NumericProfile, Reference
from .finding import Finding

#: A budget of fewer buckets cannot be kept: one bucket is then a large part of it.
LEAST_BUCKETS = 100
#: Below it a pane costs more than the rows it counts.
LEAST_ROWS = 100
#: Rates that differ by more are not the same traffic at another hour.
_FAR = 10
_MOST_NAMES = 5
_PANES_MS = (1_000, 10_000, 60_000, 300_000, 900_000, 3_600_000, 21_600_000, 86_400_000)


def enough_buckets(model: str, settings: Model, pane: PaneLength, reference: Reference | None) -> Iterator[Finding]:
    """A budget must be much longer than the bucket that is tested against it."""
    per, of = settings.false_alarms
    if of == "time":
        length_ms = float(per)
    elif rate := settings.rate or (reference and reference.rate):
        length_ms = per / rate * 1000
    else:
        return
    buckets = length_ms / pane.milliseconds
    text = f'models.{model}.false_alarms: "{settings.false_alarms}" is {buckets:,.0f} buckets of {pane}'
    if buckets < LEAST_BUCKETS:
        yield Finding("wrong", f"{text}; it must be at least {LEAST_BUCKETS}: allow fewer false alarms, or make the pane shorter")
    else:
        yield Finding("ok", text)


def smallest_shift(reference: Reference, settings: Model) -> Iterator[Finding]:
    """The reference is not the truth: what lies within its error cannot be told from no drift."""
    try:
        allowed = budget(reference, settings)
    except ValueError as error:
        yield Finding("wrong", str(error))
        return
    away = muted(reference, settings)
    number = len(reference.fields) - len(away)
    errors = margin(allowed.rows, reference.rows, number)
    shifts = {
        field.name: TILTS[0] / 2
        + Concession(sum(field.values.counts), errors, _min_effect(settings, field.name)).per_sd(field.values.tau[0])
        for field in reference.fields
        if isinstance(field.values, NumericProfile) and field.name not in away
    }
    who = f"{reference.model}/{reference.version}: {number} fields watched, {reference.rows:,} reference rows"
    if shifts:
        least, most = min(shifts, key=shifts.__getitem__), max(shifts, key=shifts.__getitem__)
        who += f"; shifts stay unseen below {shifts[least]:.2f} sd ({least}) to {shifts[most]:.2f} sd ({most}): see docs/budget.md"
    yield Finding("ok", who)
    yield from (Finding("note", f"{reference.model}/{reference.version}: {warning}") for warning in reference.warnings)


def muted_fields(reference: Reference, settings: Model) -> Iterator[Finding]:
    """What is left out although the reference has it: at once, at no cost but that it is counted still."""
    if away := muted(reference, settings):
        shown = ", ".join(away[:_MOST_NAMES]) + (f" and {len(away) - _MOST_NAMES} more" if len(away) > _MOST_NAMES else "")
        rest = (
            ", nor is the joint distance, which they are part of"
            if reference.joint and not {*away}.isdisjoint(reference.joint.fields)
            else ""
        )
        yield Finding(
            "note",
            f"{reference.model}/{reference.version}: {shown}: ignored, so not tested{rest}; counted until its reference is built anew",
        )


def other_panes(reference: Reference, pane: PaneLength) -> Iterator[Finding]:
    """What is counted per bucket is compared with buckets of the same length only."""
    if names := reference.of_other_panes(str(pane)):
        text = f"{reference.model}/{reference.version}: its buckets are of {reference.pane}, those of the stream of {pane}"
        yield Finding("note", f"{text}: {' and '.join(names)} not watched; build it anew to have them watched")


def rate_of_traffic(reference: Reference, settings: Model, rows_per_s: float | None) -> Iterator[Finding]:
    """A reference that is a sample of the traffic has a lower rate than it; a budget of time is then taken for fewer rows than it is."""
    rate = settings.rate or reference.rate
    if rate is None or rows_per_s is None or rate / _FAR <= rows_per_s <= rate * _FAR:
        return
    key = f"models.{reference.model}.rate"
    said = f"{key} says {_two_digits(rate)}" if settings.rate else f"the reference has {_two_digits(rate)}"
    text = f"{reference.model}/{reference.version}: {said} rows per second, the latest messages come at {_two_digits(rows_per_s)}"
    yield Finding("note", f"{text}; the budget is reckoned with the former: if traffic is always so, set {key}: {_two_digits(rows_per_s)}")


def unmatched_patterns(reference: Reference, settings: Model) -> Iterator[Finding]:
    """Settings for features that are not there."""
    names = {*(field.name for field in reference.fields), *reference.ignored}
    for pattern, own in settings.features.items():
        if not own.ignore and not fnmatch.filter(names, pattern):
            yield Finding("note", f"models.{reference.model}.features.{pattern}: {reference.model}/{reference.version} has no such feature")


def _two_digits(number: float) -> str:
    return f"{float(f'{number:.2g}'):g}"


def _min_effect(settings: Model, feature: str) -> float:
    own = settings.feature(feature).min_effect
    return settings.min_effect if own is None else own


def pane_length(stream: str, pane: PaneLength, rows_per_s: float | None) -> Iterator[Finding]:
    """A proposal, where panes would hold few rows."""
    if pane.unit == "rows" or rows_per_s is None or (rows := rows_per_s * pane.milliseconds / 1000) >= LEAST_ROWS:
        return
    better = next((length for length in _PANES_MS if rows_per_s * length / 1000 >= LEAST_ROWS), None)
    proposal = "month" if better is None else written(better)
    text = f"streams.{stream}.pane: {pane} holds about {rows:.2g} rows of a partition; {proposal} would hold at least {LEAST_ROWS}"
    yield Finding("note", f"{text}, and cost less for the same delay in rows")
