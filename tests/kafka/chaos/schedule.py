"""What a chaos run does to the product, and when: drawn from a seed and written down before it begins."""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

What = Literal["kill", "pause", "stop", "join", "leave", "broker killed", "broker paused", "partitions added"]
#: Of a broker fault: whichever broker the detectors' group is led by at that moment.
COORDINATOR = "coordinator"
TOPIC = "the input"
PROFILERS, DETECTORS = ("profiler-a", "profiler-b", "profiler-c"), ("detector-a", "detector-b")
REVIEWERS = ("reviewer-a",)

#: Seconds after which a killed process is started again: at once, soon, and later than its session lasts (6 s).
_BACK_S = (0.0, 0.0, 0.3, 1.0, 2.0, 8.0)
#: Of a pause: shorter than a session; longer; longer than a transaction may take (15 s).
_PAUSES_S = (2.0, 8.0, 17.0)
_STOPPED_S = (0.0, 1.0, 8.0)
#: While the only broker is away no process is started: it could say nothing but that.
_CLEAR_S = 3.0
_WARM_S = 4.0


class Fault(NamedTuple):
    """At a second of the run something is done to somebody, who is back so many seconds later."""

    at_s: float
    what: What
    of: str
    for_s: float = 0.0

    def __str__(self) -> str:
        back = f"back after {self.for_s:.1f} s" if self.what not in {"join", "leave", "partitions added"} else ""
        return f"{self.at_s:7.1f}  {self.what:<16}  {self.of:<12}  {back}".rstrip()


@dataclass(frozen=True)
class Form:
    """How long a run is, and what happens in it."""

    brokers: int
    seconds: int
    chunks: int  #: minutes of record time that are fed in these seconds
    kills: int
    pauses: int
    stops: int
    joins: int  #: each leaves again
    outages: tuple[tuple[What, str, float], ...]  #: of brokers, in this order
    #: Seconds of silence after which a broker counts as dead. One that is alone must not while it is paused: Kafka would leave transactions
    #: open in its partitions, which nobody leads then (docs/kafka-errors.md). So long it is away, too, when it has been killed.
    broker_session_s: int = 6


SHORT = Form(1, 24, 10, kills=8, pauses=3, stops=1, joins=1, outages=(("broker paused", "1", 8.0),), broker_session_s=60)
LONG = {
    1: Form(
        1,
        330,
        60,
        kills=72,
        pauses=36,
        stops=8,
        joins=5,
        outages=(("broker killed", "1", 0.5), ("broker paused", "1", 12.0), ("broker killed", "1", 5.0), ("broker paused", "1", 20.0)),
        broker_session_s=25,
    ),
    3: Form(
        3,
        300,
        60,
        kills=72,
        pauses=36,
        stops=8,
        joins=5,
        outages=(
            ("broker killed", COORDINATOR, 10.0),
            ("broker paused", "1", 12.0),
            ("broker paused", COORDINATOR, 75.0),
            ("broker killed", "2", 0.5),
            ("broker killed", COORDINATOR, 5.0),
            ("broker paused", "3", 5.0),
        ),
    ),
}


def planned(form: Form, seed: int) -> list[Fault]:
    """All faults in order; the last is over when the run is. Partitions are added after two fifths, or when the only broker is back."""
    draw = random.Random(seed)
    outages = _outages(form)
    quiet = [(fault.at_s - _CLEAR_S, fault.at_s + fault.for_s) for fault in outages] if form.brokers == 1 else []
    free: dict[str, float] = dict.fromkeys((*PROFILERS, *DETECTORS, *REVIEWERS), 0.0)  # process: since when
    faults = list(outages)
    doings = _doings(form, draw)
    for at_s, (what, for_s) in zip(_moments(form, len(doings), quiet, draw), doings, strict=True):
        if what == "join":
            name = f"{draw.choice(('profiler', 'detector'))}-x{len(faults)}"
            free[name] = at_s + 2 * _CLEAR_S
        else:
            name = _chosen(free, at_s, draw, leaves=what == "leave")
        faults.append(Fault(at_s, what, name, for_s))
        if what == "leave":
            del free[name]
        elif what != "join":
            free[name] = at_s + for_s + draw.uniform(0.2, 1.0)
    added_s = 0.4 * form.seconds
    faults.append(
        Fault(next((end + _CLEAR_S for start, end in quiet if start <= added_s < end + _CLEAR_S), added_s), "partitions added", TOPIC)
    )
    return sorted(faults)


def _outages(form: Form) -> list[Fault]:
    """Spread so that each is over well before the next."""
    room = form.seconds - _WARM_S - sum(for_s for _, _, for_s in form.outages) - _CLEAR_S
    at_s, faults = _WARM_S, []
    for what, of, for_s in form.outages:
        at_s += room / (len(form.outages) + 1)
        faults.append(Fault(at_s, what, of, for_s))
        at_s += for_s
    return faults


def _doings(form: Form, draw: random.Random) -> list[tuple[What, float]]:
    """What is done to processes, shuffled; whoever joined leaves later."""
    kills: list[tuple[What, float]] = [("kill", _BACK_S[i % len(_BACK_S)]) for i in range(form.kills)]
    pauses: list[tuple[What, float]] = [("pause", _PAUSES_S[i % len(_PAUSES_S)]) for i in range(form.pauses)]
    stops: list[tuple[What, float]] = [("stop", _STOPPED_S[i % len(_STOPPED_S)]) for i in range(form.stops)]
    doings = [*kills, *pauses, *stops]
    draw.shuffle(doings)
    each = len(doings) // (form.joins + 1)
    for i in range(form.joins, 0, -1):
        doings.insert(i * each + each // 2, ("leave", 0.0))
        doings.insert(i * each - each // 4, ("join", 0.0))
    return doings


def _moments(form: Form, count: int, quiet: Sequence[tuple[float, float]], draw: random.Random) -> Iterator[float]:
    """So many moments, evenly with some chance, none of them in a quiet span."""
    spans, begin = list[tuple[float, float]](), _WARM_S
    for start, end in (*quiet, (float(form.seconds), 0.0)):
        spans.append((begin, start))
        begin = end
    each = sum(end - start for start, end in spans) / count
    for i in range(count):
        left = (i + draw.uniform(0.1, 0.9)) * each
        for start, end in spans:
            if left < end - start:
                yield start + left
                break
            left -= end - start


def _chosen(free: dict[str, float], at_s: float, draw: random.Random, *, leaves: bool) -> str:
    """Somebody to whom nothing is happening, or the one for whom it is over first."""
    names = sorted(name for name in free if not leaves or "-x" in name)
    idle = [name for name in names if free[name] <= at_s]
    return draw.choice(idle) if idle else min(names, key=free.__getitem__)


def counted(faults: Sequence[Fault]) -> str:
    """How many of what.

    >>> counted([Fault(1, "kill", "profiler-a"), Fault(2, "kill", "profiler-b"), Fault(3, "pause", "profiler-a")])
    '2 kill, 1 pause'
    """
    return ", ".join(f"{count} {what}" for what, count in Counter(fault.what for fault in faults).items())
