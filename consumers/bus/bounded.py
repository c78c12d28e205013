"""Events and notices as they are published: bounded in bytes, whatever the number of signals, partitions and characters.

What is published is bounded, what is remembered is not: an episode's state keeps all of its signals whole.
"""

from collections.abc import Iterable
from typing import Any, TypeVar

from ...schemas.bounds import DETAIL, TEXT
from ...schemas.fact import Fact
from ...schemas.messages.drift import DriftedSignal, DriftEvent, FurtherSignal
from ...schemas.messages.notice import Notice
from ...schemas.text import FIELD, fitted

#: Signals that an event tells whole, and those that it lists: a person reads the first few, a program the names.
MOST_WHOLE, MOST_LISTED = 50, 1_000
#: Bytes that an event has for each of these, and for the offsets of input partitions.
_WHOLE, _LISTED, _PANES = 400_000, 200_000, 100_000
#: A signal that is larger has its texts and lists cut.
_LARGE_SIGNAL = 8_000
_MOST_IN_A_LIST = 20
#: Of the facts of a notice.
_MOST_FACTS = 20

_Any = TypeVar("_Any", bound=Fact)


def bounded(event: DriftEvent) -> DriftEvent:
    """The event with its largest signals whole, the next ones listed, the rest counted; one that is small as it is."""
    order, whole = event.signals, [_small(signal) for signal in event.signals[:MOST_WHOLE]]
    if len(order) > MOST_WHOLE or len(_within(whole, _WHOLE)) < len(whole):
        order = tuple(sorted(order, key=lambda one: (not one.open, -one.share, one.name, one.of, one.segment or "")))
        whole = _within((_small(signal) for signal in order[:MOST_WHOLE]), _WHOLE)
    listed = _within((_in_short(signal) for signal in order[len(whole) : len(whole) + MOST_LISTED]), _LISTED)
    panes = _within(event.panes, _PANES)
    return event.model_copy(
        update={
            "signals": tuple(whole),
            "further": tuple(listed),
            "more_signals": len(order) - len(whole) - len(listed),
            "panes": tuple(panes),
            "more_panes": len(event.panes) - len(panes),
        }
    )


def bounded_notice(notice: Notice) -> Notice:
    """The notice with its texts cut."""
    facts = {
        fitted(name, FIELD): fitted(fact, TEXT) if isinstance(fact, str) else fact for name, fact in [*notice.facts.items()][:_MOST_FACTS]
    }
    return notice.model_copy(update={"text": fitted(notice.text, TEXT), "facts": facts})


def _size(fact: Fact) -> int:
    return len(fact.model_dump_json().encode()) + 1


def _within(facts: Iterable[_Any], most: int) -> list[_Any]:
    """As many of the first ones as have so many bytes of JSON together."""
    kept, size = list[_Any](), 0
    for fact in facts:
        size += _size(fact)
        if size > most:
            break
        kept.append(fact)
    return kept


def _small(signal: DriftedSignal) -> DriftedSignal:
    return signal if _size(signal) <= _LARGE_SIGNAL else DriftedSignal.model_validate(_cut(signal.model_dump()))


def _cut(value: Any) -> Any:  # any JSON
    """All texts and lists in it cut."""
    match value:
        case str():
            return fitted(value, DETAIL)
        case dict():
            return {key: _cut(one) for key, one in value.items()}
        case list() | tuple():
            return [_cut(one) for one in value[:_MOST_IN_A_LIST]]
    return value


def _in_short(signal: DriftedSignal) -> FurtherSignal:
    sizes = {name: size for name, size in signal.effect if isinstance(size, float) and size}
    now = {name: pair[1] for name in ("nulls", "correlation") if (pair := getattr(signal.effect, name)) is not None}
    return FurtherSignal(
        name=fitted(signal.name, FIELD),
        role=signal.role,
        of=signal.of,
        segment=None if signal.segment is None else fitted(signal.segment, FIELD),
        open=signal.open,
        share=signal.share,
        change=fitted(signal.change, DETAIL),
        effect={**sizes, **now},
    )
