"""Bets on change in one direction: of errors, losses and latencies only more is drift, of successes only fewer."""

from collections.abc import Iterator
from typing import Literal

from ...schemas.configuration import Model
from ...schemas.stored.reference import CategoricalProfile, NumericProfile, Reference
from ...schemas.unusable import Unusable
from .numbers import FAR
from .rates import watched

_NUMERIC = {
    "up": ("mean up", "new mass above maximum", FAR[1], "upper tail heavier"),
    "down": ("mean down", "new mass below minimum", FAR[0], "lower tail heavier"),
}


class UnusableDirection(Unusable):
    """A direction that was asked for where there is none, with the key to change."""


def words_of(profile: object, direction: Literal["up", "down"]) -> tuple[str, ...] | None:
    """What the bets on this direction say; None where a profile has no direction."""
    match profile:
        case NumericProfile():
            return _NUMERIC[direction]
        case CategoricalProfile(categories=(_, _)):
            return (f"{'more' if direction == 'up' else 'fewer'} {watched(profile)!r}",)
        case CategoricalProfile(boolean=True, categories=(only,)):
            return ("new categories",) if (only == "false") == (direction == "up") else ()
    return None


def undirected(reference: Reference, settings: Model) -> Iterator[str]:
    """Where a direction is asked for in vain, and what to do."""
    for field in reference.fields:
        own = settings.feature(field.name)
        direction = "both" if own.ignore else own.direction
        if direction != "both" and field.values is not None and words_of(field.values, direction) is None:
            key = f"models.{reference.model}.features.{settings.pattern(field.name, 'direction')}.direction"
            what = f"{field.name} is {field.type}{' and has not two categories' if field.type == 'categorical' else ''}"
            yield f"{key}: {direction}: {what}, so it goes neither up nor down; leave it out, or write direction: both for {field.name}"
