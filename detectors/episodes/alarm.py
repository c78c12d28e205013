"""An alarm: since when, in what, and whether it is an episode of its own."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ...schemas.messages.drift import Alarm
from ..betting.blame import best_bet, e_bh, log_evidence, shares, winner
from ..betting.wording import words
from ..effects import rounded
from . import guard
from .decided import Decided
from .episode import DETECTOR, Episode, Followed, Suspect, joined, new_episode
from .state import State
from .windows import Bucket


def open_signals(state: State) -> dict[int, tuple[Episode, Followed]]:
    """The signals of open episodes about the newest rows."""
    near = (episode for episode in state.episodes if episode.detector != guard.DETECTOR)
    return {followed.signal: (episode, followed) for episode in near for followed in episode.open}


def retest(tests: Decided, state: State, end: int) -> None:
    """Let signals that the mixture has told of leave the mean while their episode is open, and return with nothing remembered."""
    tested = tests.companions.tested(signal for signal, (_, one) in open_signals(state).items() if one.told_by(DETECTOR))
    for signal in np.flatnonzero(tested != state.mixture.tested).tolist():
        state.mixture.restart(end, tests.bets.of(signal))
    state.mixture.tested = tested


def listed(state: State, alarms: Mapping[int, tuple[Alarm, ...]], since: int) -> dict[str, int]:
    """Add alarms, by signal, to the episodes that the signals are in."""
    known, changed = open_signals(state), dict[str, int]()
    for signal in sorted(alarms.keys() & known.keys()):
        episode, followed = known[signal]
        followed.add(alarms[signal])
        changed[episode.id] = since
    return changed


def alarmed(
    tests: Decided, state: State, bucket: Bucket, log_r: NDArray[np.float64], raised: Mapping[int, tuple[Alarm, ...]] | None = None
) -> dict[str, int]:
    """Find since when and in what; open an episode or add to one, or to those that the signals are in.

    ``raised`` are the alarms of detectors by name, by signal; None: it is the mixture that alarms, and more signals may be suspected.
    """
    bets, mixture = tests.bets, state.mixture
    total = log_evidence(bets, log_r)
    first = winner(bets, total) if raised is None else max(sorted(raised), key=lambda signal: float(total[signal]))
    own = Alarm(detector=DETECTOR, rate=rounded(1 / tests.budget_seconds))
    winning = best_bet(bets, log_r, first)
    onset = min(int(mixture.onset[winning]), bucket.start)
    recent = state.windows.since(onset)
    # Against a reference that moves no bet is a likelihood ratio of all rows since: there each bet's own CUSUM must do. It is no e-value,
    # but exp(-CUSUM) is a p-value (Ville's inequality, buckets read backwards), on which e-BH is Benjamini and Hochberg's procedure.
    since_onset = bets.log_ratios(recent.counts)[0] if tests.space.expected is None else mixture.cusum.copy()
    log_e = log_evidence(bets, since_onset)
    tested = np.flatnonzero(mixture.tested)
    suspected = {first, *tested[e_bh(log_e[tested])].tolist()} if raised is None else set(raised)
    share = shares(bets, total)
    order = sorted(tests.companions.blamed(suspected), key=lambda signal: (-share[signal], *bets.signals[signal].key))
    best = {signal: winning if signal == first else best_bet(bets, since_onset, signal) for signal in order}
    known = open_signals(state)
    suspects = [
        Suspect(
            signal,
            float(share[signal]),
            words(bets, bet, recent.counts[bets.signals[signal].span], tests.space.law(bets.signals[signal], recent.counts)),
            float(log_e[signal]),
            recent.counts,
            tests.measures[signal].rows(state.windows.since(min(int(mixture.onset[bet]), bucket.start)).counts),
            _only_in(tests, signal, suspected | known.keys(), recent.counts),
            (own,) if raised is None else raised[signal],
            bets.name(bet) if raised is None else None,
        )
        for signal, bet in best.items()
    ]
    changed = listed(state, {suspect.signal: suspect.alarms for suspect in suspects}, bucket.start)
    fresh = [suspect for suspect in suspects if suspect.signal not in known]
    if fresh:
        joining = joined([episode for episode in state.episodes if episode.detector != guard.DETECTOR], onset, bucket)
        if joining is None:
            joining = new_episode(tests.identity, bucket, onset, fresh[0].alarms[0].detector)
            state.episodes.append(joining)
        joining.blame(fresh, tests.measures, bucket.end)
        joining.raise_severity()
        changed[joining.id] = recent.start
    return changed


def _only_in(tests: Decided, signal: int, changed: set[int], counts: NDArray[np.int64]) -> tuple[str, ...]:
    """The segments, not all, that a change of all rows comes from: what has changed there too, if without them it is not important."""
    segments, measure = tests.companions.segments[signal], tests.measures[signal]
    own = [index for index in segments if index in changed]
    if len(own) in (0, len(segments)):
        return ()
    rest = counts.copy()
    signals = tests.bets.signals
    for index in own:
        rest[signals[signal].span] -= counts[signals[index].span]
    without, whole = measure.on(rest).ratio, measure.on(counts).ratio
    return tuple(str(signals[index].segment) for index in own) if without < min(1.0, whole / 2) else ()
