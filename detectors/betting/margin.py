"""The budget of false alarms, and how far a finite reference may lie from the truth within it."""

import math
from typing import NamedTuple

from ...schemas.configuration import Model
from ...schemas.stored.reference import Reference
from ...schemas.unusable import Unusable

#: In standard errors of the reference. From 4 on no bet gains on a shift that the unluckiest of many fields explains, whatever the budget;
#: below .5 even short budgets were overdrawn (24 alarms per budget of 1,000,000 rows on a reference of 1,000).
LEAST, MOST = 0.5, 4.0


class UnusableBudget(Unusable):
    """A budget that cannot be kept count of, with the key to change."""


class Budget(NamedTuple):
    """One false alarm in so many seconds; in rows too, where the reference's rate is known."""

    seconds: float
    rows: float | None


def budget(reference: Reference, settings: Model) -> Budget:
    """What a model's settings allow, at the rate they or the reference name."""
    rate = settings.rate or reference.rate
    per, of = settings.false_alarms
    if of == "time":
        return Budget(per / 1000, None if rate is None else per / 1000 * rate)
    if rate is None:
        msg = (
            f'models.{reference.model}.false_alarms: "{settings.false_alarms}" needs rows per second, and the reference has no times; '
            f"set models.{reference.model}.rate, or write 1 per 30d"
        )
        raise UnusableBudget(msg)
    return Budget(per / rate, float(per))


def margin(budget_rows: float | None, reference_rows: int, fields: int = 1) -> float:
    """Standard errors of the reference that every bet gives away; the most where the rate is unknown.

    It grows with the number of fields: of twenty references of a field one is as unlucky as of one in twenty.

    >>> margin(1e6, 10_000), margin(1e4, 10_000), margin(1e6, 10_000, fields=10), margin(None, 10_000)
    (2.0, 0.5, 3.0, 4.0)
    """
    if budget_rows is None:
        return MOST
    return min(max(LEAST, math.log10(budget_rows * max(fields, 1) / reference_rows)), MOST)
