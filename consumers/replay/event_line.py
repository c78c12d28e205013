"""An event in one line, for people."""

from collections.abc import Sequence
from datetime import timedelta

from ...detectors.episodes.episode import DETECTOR
from ...schemas.messages.drift import DriftedSignal, DriftEvent, Effect, ToldOutliers, ToldPerformance, ToldQueries, Topic
from ...schemas.messages.notice import Notice
from .picture import label, moment

#: More names than this make a line that nobody reads.
_MOST_NAMES = 4
#: Of a severity, in a terminal.
COLOURS = {"minor": "dim", "moderate": "yellow", "major": "bold red"}
#: Digits of an episode's id.
_SHORT_ID = 8


def event_line(event: DriftEvent | Notice) -> str:
    """What happened, to which model, since when, and how much: one line."""
    if isinstance(event, Notice):
        return f"{'':16}  NOTICE    {event.text}"
    signals = [signal for signal in event.signals if signal.open] or list(event.signals)
    parts = [
        f"{place(event.bucket[1]):<16}",
        f"{event.status.upper():<8}",
        short_id(event.episode),
        f"{event.model}/{event.version}",
        f"{event.severity:<8}",
    ]
    if event.status == "resolved":
        parts += [names(signals, len(event.further) + event.more_signals), f"{event.reason or 'recovered'} after {length_of(event)}"]
    else:
        parts.append(changes(signals, further=event.further_open, sizes=True))
    if event.performance is not None:
        parts.append(turned_out(event.performance))
    if event.queries is not None and event.status != "resolved":
        parts.append(asked(event.queries))
    if event.outliers is not None:
        parts.append(fault(event.outliers))
    if event.detector != DETECTOR:
        parts.append(f"by {event.detector}")
    return "  ".join(part for part in parts if part)


def short_id(episode: str) -> str:
    """So much of an episode's id as people are shown; verbs take it for the whole.

    >>> short_id("055edca3579d04daa699e9d7077195ac")
    '055edca3'
    """
    return episode[:_SHORT_ID]


def names(signals: Sequence[DriftedSignal], further: int = 0) -> str:
    """The signals' names, the first few of them; ``further``: so many are not told whole.

    >>> names([])
    ''
    """
    shown = [label(signal) for signal in signals[:_MOST_NAMES]]
    return ", ".join(shown) + _more(signals, further)


def changes(signals: Sequence[DriftedSignal], *, further: int = 0, sizes: bool = False) -> str:
    """Which signal changed in which way, the first few of them; with the sizes of the first, which is the largest."""
    told = [f"{label(signal)}: {signal.change}" for signal in signals[:_MOST_NAMES]]
    if sizes and signals:
        first = signals[0]
        only_in = f"only in {', '.join(first.only_in)}" if first.only_in else ""
        details = "  ".join(part for part in (only_in, effect(first.effect)) if part)
        told[0] += f" ({details})" if details else ""
    return ", ".join(told) + _more(signals, further)


def _more(signals: Sequence[DriftedSignal], further: int) -> str:
    more = max(len(signals) - _MOST_NAMES, 0) + further
    return f" and {more:,} more" if more else ""


def turned_out(told: ToldPerformance) -> str:
    """How the predictions behind an event turned out.

    >>> span = "2026-03-01T14:00:00Z", "2026-03-01T18:00:00Z"
    >>> counted = {"labelled": 4200, "delay": 7_200_000, "about": span}
    >>> told = ToldPerformance(metric="accuracy", was=0.87, now=0.814, low=0.802, high=0.826, estimated=0.866, **counted)
    >>> turned_out(told.model_copy(update={"estimated": None}))
    'accuracy .87 -> .814 (.802 to .826) of 4,200 labelled, made 2026-03-01 14:00 to 18:00, median delay 2 h'
    >>> turned_out(told.model_copy(update={"assumption_broken": True})).partition("; ")[2]
    'estimated .866, which holds no longer'
    >>> turned_out(ToldPerformance(metric="mae", was=2.5, now=3.25, labelled=180, by="reviews"))
    'mae 2.5 -> 3.25 of 180 answered by people'
    """
    if told.now is None:
        return ""
    within = "" if told.low is None or told.high is None else f" ({_digits(told.low)} to {_digits(told.high)})"
    was = "" if told.was is None else f"{_digits(told.was)} -> "
    known = "labelled" if told.by == "labels" else "answered by people"
    parts = [f"{told.metric} {was}{_digits(told.now)}{within} of {told.labelled:,} {known}"]
    if told.about is not None:
        start, end = place(told.about[0]), place(told.about[1])
        same_day = not start.startswith("row") and start[:10] == end[:10]
        parts.append(f"made {start} to {end[11:] if same_day else end}")
    if told.delay is not None:
        parts.append(f"median delay {lasted(timedelta(milliseconds=told.delay))}")
    if told.expired:
        parts.append(f"{told.expired:,} never labelled")
    line = ", ".join(parts)
    if told.estimated is None:
        return line
    return f"{line}; estimated {_digits(told.estimated)}{', which holds no longer' if told.assumption_broken else ''}"


def asked(told: ToldQueries) -> str:
    """What queries unlike the training data are about.

    >>> flights = Topic(share=0.12, texts=9, words=("flight", "airlines"), examples=())
    >>> topics = flights, Topic(share=0.06, texts=5, words=(), examples=("x",))
    >>> asked(ToldQueries(of="question", texts=75, distinct=70, expected=0.4, topics=topics, diffuse=0.82))
    'about: 12 % flight, airlines; 6 % "x"; 82 % like no others'
    """
    topics = [f"{_percent(one.share)} {_of_topic(one)}" for one in told.topics[:_MOST_NAMES]]
    if not topics:
        return f"about: {', '.join(told.words)}" if told.words else ""
    return f"about: {'; '.join([*topics, f'{_percent(told.diffuse)} like no others'])}"


def fault(told: ToldOutliers) -> str:
    """Which field makes rows unlike the training data.

    >>> cured = {"city": 0.96, "zip": 0.02}
    >>> told = ToldOutliers(share=(0.01, 0.06), masked=64, fault="field", names=("city",), sources=("geo",), fields=cured)
    >>> fault(told), fault(told.model_copy(update={"owners": ("maps",)}))
    ('a fault of city (source geo): cures 96 %', 'a fault of city (source geo, owner maps): cures 96 %')
    >>> fault(told.model_copy(update={"fault": "either", "names": ("city", "zip"), "sources": ()}))
    'a fault of city or zip: cures 96 %, 2 %'
    >>> fault(told.model_copy(update={"fault": "both", "names": ("city", "zip"), "sources": (), "by_pair": 0.94}))
    'a fault of city and zip together: they cure 94 %'
    >>> fault(told.model_copy(update={"fault": "novelty", "names": ()})), fault(told.model_copy(update={"fault": "unknown"}))
    ("new rows, no field's fault", '')
    """
    if told.fault == "unknown":
        return ""
    if told.fault == "novelty":
        return "new rows, no field's fault"
    if told.by_pair is not None:
        return f"a fault of {whose(told)} together: they cure {_percent(told.by_pair)}"
    cured = told.by_source if told.fault == "source" else told.fields
    sizes = ", ".join(_percent(cured[name]) for name in told.names if name in cured)
    return f"a fault of {whose(told)}: cures {sizes}"


def whose(told: ToldOutliers) -> str:
    """What is at fault, with where it comes from and who is asked.

    >>> whose(ToldOutliers(share=(0.01, 0.06), masked=64, fault="source", names=("geo",), sources=("geo",), owners=("maps",)))
    'source geo (owner maps)'
    """
    of_source = told.fault == "source"
    sources = [] if of_source or not told.sources else [f"source {', '.join(told.sources)}"]
    known = [*sources, *([f"owner {', '.join(told.owners)}"] if told.owners else [])]
    return f"{'source ' if of_source else ''}{_joined(told)}{_in_brackets(known)}"


def _joined(told: ToldOutliers) -> str:
    return (" and " if told.fault == "both" else " or ").join(told.names)


def _in_brackets(known: Sequence[str]) -> str:
    return f" ({', '.join(known)})" if known else ""


def _of_topic(topic: Topic) -> str:
    return ", ".join(topic.words) or f'"{topic.examples[0]}"'


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


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
    if of.flagged:
        sizes.append(f"flagged {_short(of.flagged[0])} -> {_short(of.flagged[1])}")
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


def _digits(number: float) -> str:
    """Three of them.

    >>> _digits(0.87), _digits(-0.5), _digits(1234.5), _digits(1.0)
    ('.87', '-.5', '1,230', '1')
    """
    rounded = float(f"{number:.3g}")
    shown = f"{rounded:,.0f}" if abs(rounded) >= 100 else f"{rounded:.3g}"
    return shown.replace("0.", ".", 1) if shown.removeprefix("-").startswith("0.") else shown


def _short(number: float) -> str:
    return f"{number:.2g}".removeprefix("0") or "0"


def place(named: str) -> str:
    """A time as people read it, UTC; or the row."""
    return named if named.startswith("row") else f"{moment(named):%Y-%m-%d %H:%M}"


def length_of(event: DriftEvent) -> str:
    """From the onset on; in rows, where its stream has panes of so many rows."""
    length = moment(event.bucket[1]) - moment(event.onset)
    return f"{length.total_seconds():,.0f} rows" if event.onset.startswith("row") else lasted(length)
