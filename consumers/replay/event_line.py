"""An event in one line, for people."""

from datetime import timedelta

from ...detectors.episodes.episode import DETECTOR
from ...schemas.messages.drift import DriftedSignal, DriftEvent, Effect
from ...schemas.messages.notice import Notice
from .picture import label, moment

#: More names than this make a line that nobody reads.
_MOST_NAMES = 4


def event_line(event: DriftEvent | Notice) -> str:
    """What happened, to which model, since when, and how much: one line."""
    if isinstance(event, Notice):
        return f"{'':16}  NOTICE    {event.text}"
    signals = [signal for signal in event.signals if signal.open] or list(event.signals)
    parts = [
        f"{_place(event.bucket[1]):<16}",
        f"{event.status.upper():<8}",
        f"{event.model}/{event.version}",
        f"{event.severity:<8}",
        names(signals),
    ]
    if event.status == "resolved":
        parts.append(f"{event.reason or 'recovered'} after {_lasted(event)}")
    elif signals:
        only_in = ", ".join(signals[0].only_in)
        parts += [changes(signals), f"only in {only_in}" if only_in else "", effect(signals[0].effect)]
    if event.detector != DETECTOR:
        parts.append(f"by {event.detector}")
    return "  ".join(part for part in parts if part)


def names(signals: list[DriftedSignal]) -> str:
    """The signals' names, the first few of them.

    >>> names([])
    ''
    """
    shown = [label(signal) for signal in signals[:_MOST_NAMES]]
    return ", ".join(shown) + (f" and {len(signals) - _MOST_NAMES} more" if len(signals) > _MOST_NAMES else "")


def changes(signals: list[DriftedSignal]) -> str:
    """What kind of change it is, each kind once."""
    return ", ".join(dict.fromkeys(signal.change for signal in signals[:_MOST_NAMES]))


def effect(of: Effect) -> str:
    """The effect sizes that say most.

    >>> effect(Effect(ks=0.314, psi=2.1, nulls=(0.1, 0.5)))
    'KS .31  PSI 2.1  nulls .1 -> .5'
    >>> effect(Effect(nulls=(0, 1)))
    'nulls 0 -> 1'
    """
    sizes = [f"KS {_short(of.ks)}" if of.ks else "", f"PSI {_short(of.psi)}" if of.psi else ""]
    if of.nulls and abs(of.nulls[1] - of.nulls[0]) >= 0.01:
        sizes.append(f"nulls {_short(of.nulls[0])} -> {_short(of.nulls[1])}")
    if of.correlation:
        sizes.append(f"correlation {_short(of.correlation[0])} -> {_short(of.correlation[1])}")
    if of.new_categories:
        sizes.append(f"new: {', '.join(of.new_categories[:_MOST_NAMES])}")
    return "  ".join(size for size in sizes if size)


def lasted(length: timedelta) -> str:
    """A length in two units at most.

    >>> lasted(timedelta(days=2, hours=7, minutes=5)), lasted(timedelta(seconds=90))
    ('2 d 7 h', '1 min 30 s')
    """
    left, parts = int(length.total_seconds()), []
    for unit, seconds in {"d": 86_400, "h": 3_600, "min": 60, "s": 1}.items():
        number, left = divmod(left, seconds)
        parts.append(f"{number} {unit}" if number else "")
    first = next((i for i, part in enumerate(parts) if part), 3)
    return " ".join(part for part in parts[first : first + 2] if part) or "0 s"


def _short(number: float) -> str:
    return f"{number:.2g}".removeprefix("0") or "0"


def _place(place: str) -> str:
    return place if place.startswith("row") else f"{moment(place):%Y-%m-%d %H:%M}"


def _lasted(event: DriftEvent) -> str:
    """From the onset on; in rows, where its stream has panes of so many rows."""
    length = moment(event.bucket[1]) - moment(event.onset)
    return f"{length.total_seconds():,.0f} rows" if event.onset.startswith("row") else lasted(length)
