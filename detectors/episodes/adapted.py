"""A state under changed settings: what a change does not concern goes on as it was, and no episode ends that is still about something.

- *Evidence* goes on bet by bet. A budget or other weights change what the sum of all bets is compared with, not what each has gained;
  where fewer seconds are allowed than before, all evidence shrinks in proportion, so that a quiet model is as far from an alarm as it
  was. A signal whose tests would be others (`Decided.decides`) begins anew.
- *Windows* hold counts and times, in the reference's layout: they go on, whatever the length of a pane.
- *Episodes* keep their ids. A signal that is no longer watched leaves at once; one that is judged by other bounds is looked at in the next
  bucket. With the last signal the episode ends, as ``reconfigured``.
"""

from dataclasses import replace

import numpy as np

from ...schemas.configuration import Important
from ...schemas.messages.drift import DriftedSignal, DriftEvent
from ..betting.mixture import Mixture
from ..counting.layout import Signal
from . import guard
from .alarm import retest
from .at_work import Memory
from .decided import Decided
from .episode import Episode, Followed, level
from .state import State
from .trailing import Past
from .windows import MergedBuckets, Windows

Key = tuple[str, str, str]
_BY_BOUND = ("ks", "psi", "wasserstein_sd", "unseen", "word_share")


def adapted(tests: Decided, state: State, former: Decided | None) -> tuple[State, list[DriftEvent]]:
    """The state as these tests go on with it, and the events that say what changed with it. The state given is changed.

    ``former``: the suite it was made by; None: it is not known, so all evidence begins anew.
    """
    last = state.windows.runs[-1]
    place = {signal.key: index for index, signal in enumerate(tests.bets.signals)}
    changed = [episode for episode in state.episodes if _moved(episode, place, tests, former)]
    state.windows = Windows(_fitted(tests, state.windows.runs))
    state.past = _past(tests, state, former, last.end)
    state.named = _named(tests, state, former, last.end)
    state.mixture = _mixture(tests, state, former, last.end)
    retest(tests, state, last.end)
    state.fingerprint, state.settings, state.small = tests.fingerprint, tests.written, tests.space.small
    events = [
        episode.event(
            tests.identity,
            "updated" if episode.open else "resolved",
            (last.start, last.end),
            last.offsets,
            complete=True,
            clock_decided=False,
            reason=None if episode.open else "reconfigured",
        )
        for episode in changed
    ]
    state.episodes = [episode for episode in state.episodes if episode.open]
    return state, events


def _moved(episode: Episode, place: dict[Key, int], tests: Decided, former: Decided | None) -> bool:
    """Follow the same signals among those tested now; whether something that an event shows has changed."""
    followed, left, rescaled = dict[int, Followed](), 0, False
    over = episode.detector == guard.DETECTOR and tests.following is None
    for gone, one in enumerate(episode.followed.values(), start=1):
        shown = one.shown
        one.signal = place.get((shown.name, shown.of, shown.segment or ""), -gone)
        if shown.open and (one.signal < 0 or over):
            one.give_up()
            left += 1
        elif one.signal >= 0 and former is not None:
            factor = _rescaled(shown, _bounds(former, shown.name), _bounds(tests, shown.name))
            one.opening, one.ratio, rescaled = one.opening * factor, one.ratio * factor, rescaled or factor != 1
        if one.signal >= 0 and not _same(tests, former, tests.bets.signals[one.signal]):
            one.due = 0
        followed[one.signal] = one
    episode.followed = followed
    severity = level(max(max(one.opening, one.ratio) for one in followed.values())) if rescaled else episode.severity
    told = left > 0 or severity != episode.severity
    episode.severity = severity
    return told


def _same(tests: Decided, former: Decided | None, signal: Signal) -> bool:
    """Whether all that concerns a signal's tests and judgement is as it was."""
    if former is None or former.decides(signal) != tests.decides(signal):
        return False
    return _bounds(former, signal.name) == _bounds(tests, signal.name)


def _bounds(tests: Decided, name: str) -> Important:
    return tests.settings.feature(name).important or tests.settings.important


def _rescaled(shown: DriftedSignal, before: Important, now: Important) -> float:
    """What its ratio to the bound from which on it is important is multiplied by, under other bounds."""
    if before == now:
        return 1.0
    if shown.of == "availability":
        return before.nulls / now.nulls
    if shown.of == "pair":
        return before.correlation / now.correlation
    sizes = {name: size for name in _BY_BOUND if (size := getattr(shown.effect, name))}

    def largest(bounds: Important) -> float:
        return max(float(size / getattr(bounds, name)) for name, size in sizes.items())

    return largest(now) / largest(before) if sizes else 1.0


def _fitted(tests: Decided, runs: list[MergedBuckets]) -> list[MergedBuckets]:
    """The runs with what a trailing reference expects beside their counts, or without; none where they are of another layout."""
    space = tests.space
    size = space.layout.size
    lengths = {len(run.counts) for run in runs}
    if lengths == {space.length}:
        return runs
    if space.expected is None and lengths == {space.length + size}:
        return [replace(run, counts=run.counts[: space.length]) for run in runs]
    if tests.following is not None and lengths == {space.expected}:
        shares = tests.following.at(Past()).shares
        longer = [replace(run, counts=np.concatenate((run.counts, np.zeros(size, dtype=np.int64)))) for run in runs]
        for run in longer:
            space.expect(run.counts, shares)
        return longer
    return []


def _past(tests: Decided, state: State, former: Decided | None, now: int) -> Past:
    """A past goes on if there is a trailing reference still; the piece that was filling ends where pieces have another length."""
    trailing = tests.settings.trailing
    size = tests.space.layout.size + tests.space.layout.wide
    if trailing is None or any(len(piece.counts) != size for piece in state.past.pieces):
        return Past()
    before = None if former is None else former.settings.trailing
    if state.past.pieces and (before is None or before.every != trailing.every):
        state.past.pieces[-1] = state.past.pieces[-1]._replace(end=now)
    return state.past


def _named(tests: Decided, state: State, former: Decided | None, now: int) -> list[Memory]:
    """A detector by name with the same settings on the same signal goes on; another begins."""
    placed = () if former is None else former.named.placed
    known = {(one.name, one.signal.key, one.settings.model_dump_json()): memory for one, memory in zip(placed, state.named, strict=False)}
    keys = ((one.name, one.signal.key, one.settings.model_dump_json()) for one in tests.named.placed)
    return [known.get(key, new) for key, new in zip(keys, tests.named.start(now), strict=True)]


def _mixture(tests: Decided, state: State, former: Decided | None, now: int) -> Mixture:
    """The evidence of every bet that there was before, under settings that mean the same to its signal."""
    new, old = Mixture.started(tests.bets, now), state.mixture
    if former is None or len(former.bets.owner) != len(old.r):
        return new
    there = {signal.key: index for index, signal in enumerate(former.bets.signals)}
    pairs: list[tuple[int, int]] = []
    for index, signal in enumerate(tests.bets.signals):
        was = there.get(signal.key)
        if was is not None:
            new.tested[index] = old.tested[was]
        if was is not None and former.decides(signal) == tests.decides(signal):
            before = former.bets.named(was)
            pairs += [(bet, before[name]) for name, bet in tests.bets.named(index).items() if name in before]
    if pairs:
        to, of = np.array(pairs, dtype=np.int64).T
        shrunk = min(1.0, tests.budget_seconds / former.budget_seconds)
        new.r[to], new.cusum[to], new.onset[to] = old.r[of] * shrunk, old.cusum[of], old.onset[of]
    return new
