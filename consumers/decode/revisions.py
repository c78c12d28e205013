"""Revisions: whole numbers of a user's own, of which the highest is in force."""

from msgspec import UNSET

from ...schemas.configuration.mapping import Place
from .outcomes import NoOutcome
from .scalars import quoted

#: A revision is a whole number of at most so many.
_HIGHEST = 2**62


def revision_of(place: Place | None, value: object) -> int:
    """The revision that stands at a place; 0 where there is none. Raises `NoOutcome`."""
    if value is None or value is UNSET:
        return 0
    if not isinstance(value, int | float) or isinstance(value, bool) or not (abs(value) < _HIGHEST and value == int(value)):
        msg = f"{place}: {quoted(value)} is not a whole number"
        raise NoOutcome(msg)
    return int(value)
