"""The detector as a pure fold: a state and a bucket in, the state and its events out."""

import numpy as np
from numpy.typing import NDArray

from ...schemas.messages.drift import DriftEvent
from ..betting.mixture import BetName, Bets, Mixture
from ..counting.unseen import remembered
from . import guard
from .adapted import adapted
from .alarm import alarmed, listed, open_signals, retest
from .decided import Decided
from .episode import Doubt
from .state import State
from .suite import Suite
from .trailing import Past
from .windows import Bucket, Offsets, Recent, Segment, Windows

__all__ = ["Bucket", "Decided", "Offsets", "Segment", "State", "Suite", "adapted", "close", "fits", "start", "step"]


def fits(tests: Decided, state: State) -> bool:
    """Whether the state was made by such tests: the same reference, budget, smallest effects and form. Else it is `adapted`."""
    return state.fingerprint == tests.fingerprint


def start(tests: Decided, bucket_start: int) -> State:
    """Nothing seen yet; the first bucket starts at ``bucket_start`` (ms)."""
    mixture, named = Mixture.started(tests.bets, bucket_start), tests.named.start(bucket_start)
    return State(tests.fingerprint, tests.written, tests.space.small, mixture, Windows(), [], Past(), named)


def step(tests: Decided, state: State, bucket: Bucket, judged: Windows | None = None) -> tuple[State, list[DriftEvent]]:
    """Fold one non-empty bucket in. The state given is changed and returned: encode it first to keep it as it was.

    ``judged``: what tells whether a change is over, where that is not the newest rows.
    Of the events, those of an episode stand in the order of their sequence; an episode has at most one per bucket.
    """
    vector, bets = _vector(tests, state, bucket)
    state.windows.add(bucket, vector)
    state.unseen = remembered(state.unseen, bucket.unseen)
    ratios, rows = bets.log_ratios(vector)
    mean, before = state.mixture.update(bets, ratios, rows, (bucket.end - bucket.start) / 1000, bucket.end)
    changed: dict[str, int] = {}  # by episode: since when its event's counts reach
    raised = tests.named.look(state.named, bucket, vector, state.windows, tests.bets.signals, state.episodes)
    if mean >= tests.budget_seconds or raised:
        with np.errstate(divide="ignore"):
            log_r = np.log(before) + ratios
        if mean >= tests.budget_seconds:
            changed |= alarmed(tests, state, bucket, log_r)
            state.mixture.restart(bucket.end)
        changed = listed(state, raised, bucket.start) | changed
        fresh = {signal: alarms for signal, alarms in raised.items() if signal not in open_signals(state)}
        if fresh:
            changed = alarmed(tests, state, bucket, log_r, fresh) | changed
    if tests.following is not None:
        drifted = {one.signal for episode in state.episodes if episode.detector != guard.DETECTOR for one in episode.open if one.ratio >= 1}
        window = tests.following.add(state.past, bucket, vector, drifted)
        if window is not None:
            changed.update(guard.look(tests.identity, state.episodes, bucket, tests.bets, window, tests.anchors))
    doubt = _doubts(tests) if tests.space.expected is None else None  # what moves is a likelihood of no run
    for episode in state.episodes:
        if episode.detector == guard.DETECTOR:
            continue  # it is not the newest rows that it is about
        returned, since = episode.judge(state.windows if judged is None else judged, rows, tests.measures, doubt)
        tests.named.renew(state.named, {tests.bets.signals[signal].key for signal in returned}, bucket.end)
        if episode.raise_severity() or returned or episode.id in changed:
            changed[episode.id] = min(since, changed.get(episode.id, since))
    for episode in state.episodes:
        if episode.id in changed:
            episode.name(state.unseen, tests.bets.signals)
    events = [
        episode.event(
            tests.identity,
            "resolved" if not episode.open else "updated" if episode.sequence else "opened",
            (bucket.start, bucket.end),
            state.windows.offsets(changed[episode.id]),
            complete=bucket.complete,
            clock_decided=bucket.clock_decided,
            reason=None if episode.open else "recovered",
        )
        for episode in state.episodes
        if episode.id in changed
    ]
    state.episodes = [episode for episode in state.episodes if episode.open]
    if events:
        retest(tests, state, bucket.end)
    return state, events


def _doubts(tests: Decided) -> Doubt:
    """How much likelier rows are if what a bet bets on is not so, as a log; one that is there no more says nothing."""
    ratios: dict[int, NDArray[np.float64]] = {}

    def doubt(signal: int, name: BetName, run: Recent) -> float:
        bet = tests.bets.find(signal, name)
        if bet is None:
            return -np.inf
        if run.start not in ratios:
            ratios[run.start] = tests.bets.log_ratios(run.counts)[0]
        return -float(ratios[run.start][bet])

    return doubt


def _vector(tests: Decided, state: State, bucket: Bucket) -> tuple[NDArray[np.int64], Bets]:
    """What the tests look at, and the bets of that hour.

    How many rows there were means nothing in a first bucket, or in one that is not complete.
    """
    whole = bucket.complete and bool(state.windows.runs)
    vector = tests.space.vector(bucket.counts, bucket.sums, bucket.segments, bucket.rows if whole else None)
    if tests.seasonal is not None:
        expected = tests.seasonal.at(bucket.start)
    elif tests.following is not None:
        expected = tests.following.at(state.past)
    else:
        return vector, tests.bets
    tests.space.expect(vector, expected.shares)
    return vector, expected.bets


def close(
    tests: Decided, state: State, bucket: tuple[int, int], reason: str, *, complete: bool = True, clock_decided: bool = False
) -> list[DriftEvent]:
    """Resolve whatever is open, at a bucket's start and end (ms): the version was ``replaced`` or ``retired``."""
    events = []
    for episode in state.episodes:
        episode.give_up()
        events.append(episode.event(tests.identity, "resolved", bucket, complete=complete, clock_decided=clock_decided, reason=reason))
    state.episodes = []
    return events
