"""Whether a reference is long enough to know the data's cycles: of what it does not know, no budget can be kept."""

from collections.abc import Iterator, Sequence

from ....schemas.configuration import Model
from ....schemas.stored.reference import CategoricalProfile, NumericProfile, Reference

#: In sd: what moves less, hides behind the smallest bets.
_LEAST_SWING = 0.1
#: Of so many features the names are given.
_NAMED = 5
#: Two days, to within an hour.
_TWO_DAYS_MS = 47 * 3_600_000


def uncovered(reference: Reference, settings: Model, rising: Sequence[str]) -> Iterator[str]:
    """What of the data's cycles and trends a reference does not hold, and what to do."""
    if settings.trailing is not None:
        return
    span_ms = None if reference.first is None or reference.last is None else reference.last - reference.first
    if span_ms is not None and span_ms < _TWO_DAYS_MS and settings.season is None:
        yield (
            f"the reference covers {_hours(span_ms)}: values that follow the hour of the day are told as drift; give two days or more, "
            f"or take a trailing reference (models.{reference.model}.trailing)"
        )
    moved = {
        field.name: field.values.swing
        for field in reference.fields
        if isinstance(field.values, NumericProfile | CategoricalProfile) and field.values.swing >= _LEAST_SWING and field.name not in rising
    }
    if not moved:
        return
    order = sorted(moved, key=lambda name: (-moved[name], name))
    listed = ", ".join(f"{name} ({moved[name]:.2g} sd)" for name in order[:_NAMED])
    more = f" and {len(order) - _NAMED} more" if len(order) > _NAMED else ""
    yield (
        f"the reference shows less than two cycles of {listed}{more}, or a trend in it: the budget cannot be kept there; "
        f"give two cycles or more, with models.{reference.model}.season for days or weeks, or take a trailing reference "
        f"(models.{reference.model}.trailing) for a trend"
    )


def _hours(length_ms: int) -> str:
    """As people say it: whole hours, or minutes below one.

    >>> _hours(10_000_000), _hours(600_000)
    ('2.8 hours', '10 minutes')
    """
    return f"{length_ms / 3_600_000:.1f} hours" if length_ms >= 3_600_000 else f"{length_ms / 60_000:.0f} minutes"
