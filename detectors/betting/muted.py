"""Fields that are not to be watched although the reference knows them: at once, while panes still count them."""

from collections.abc import Iterator
from dataclasses import replace

from ...schemas.configuration import Model
from ...schemas.stored.reference import PairProfile, Reference
from ..counting.layout import Signal
from .space import Space


def muted(reference: Reference, settings: Model) -> list[str]:
    """The fields of a reference that the settings ignore."""
    return [field.name for field in reference.fields if settings.feature(field.name).ignore]


def watched(space: Space, reference: Reference, settings: Model) -> Space:
    """The space without the signals of muted fields: their own, those of their pairs, and the joint distance that they are part of."""
    away = set(muted(reference, settings))
    return replace(space, signals=tuple(one for one in space.signals if away.isdisjoint(_fields(one, reference)))) if away else space


def _fields(signal: Signal, reference: Reference) -> Iterator[str]:
    if signal.field is not None:
        yield signal.field.name
    if isinstance(signal.profile, PairProfile):
        yield from (signal.profile.first, signal.profile.second)
    if signal.group == "joint" and reference.joint is not None:
        yield from reference.joint.fields
