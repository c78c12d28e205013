"""The detector as a pure fold: a state and a bucket in, the state and its events out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ..schemas.configuration import Model
from ..schemas.drift import Alarm, DriftEvent
from ..schemas.identity import derived_id
from ..schemas.integers import packed, unpacked
from ..schemas.reference import AVAILABILITY, Reference
from . import guard
from .blame import best_bet, e_bh, log_evidence, shares, winner
from .companions import Companions
from .effects import measures_of, rounded
from .episodes import DETECTOR, Episode, Followed, Identity, Suspect, joined, opened
from .margin import budget
from .mixture import Bets, Mixture, compiled
from .moving import Seasonal
from .named.at_work import AtWork, Memory
from .named.built_in import BUILT_IN
from .named.choice import Kinds
from .space import space
from .trailing import Following, Past
from .windows import Bucket, Offsets, Run, Segment, Windows

__all__ = ["Bucket", "Offsets", "Segment", "State", "Tests", "close", "fits", "start", "step"]

#: Of what `State.encoded` writes, and of the bets: a state of another format does not fit.
FORMAT = 1


class Tests:
    """All that a reference and a model's settings decide beforehand. Built once per model version; no part of the state."""

    __test__ = False  # to pytest: not a class of tests

    def __init__(
        self,
        reference: Reference,
        settings: Model,
        *,
        application: str,
        stream: str,
        configuration_hash: str,
        reference_hash: str,
        kinds: Kinds = BUILT_IN,
    ) -> None:
        allowed = budget(reference, settings)
        self.space = space(reference, moving=bool(reference.seasons) or settings.trailing is not None)
        self.layout = self.space.layout
        self.named = AtWork.of(kinds, reference.model, settings, self.space.signals, allowed.seconds)
        allowed = self.named.left(allowed)
        self.budget_seconds = allowed.seconds
        self.longest_gap = reference.longest_gap
        self.seasonal = Seasonal(self.space, reference, settings, allowed.rows) if reference.seasons else None
        self.following = None if settings.trailing is None else Following(self.space, settings, settings.trailing, allowed.rows)
        moving = self.seasonal or self.following
        self.bets = compiled(self.space, settings, allowed.rows) if moving is None else moving.template
        self.companions = Companions(self.bets.signals)
        self.measures = measures_of(self.bets.signals, self.space.signals, settings, self.space.expected)
        self.anchors = measures_of(self.bets.signals, self.space.signals, settings)
        self.identity = Identity(
            application,
            stream,
            reference.model,
            reference.version,
            reference_hash,
            configuration_hash,
            str(settings.false_alarms),
            segmented=bool(reference.segments),
        )
        decisive = settings.model_dump_json(include={"false_alarms", "rate", "min_effect", "trailing", "features"})
        self.fingerprint = derived_id("tests", FORMAT, reference_hash, decisive, self.named.decisive, len(self.bets.owner))


@dataclass
class State:
    """What the detector remembers of one model version."""

    fingerprint: str
    small: int  #: how many of the numbers of a vector are small
    mixture: Mixture
    windows: Windows
    episodes: list[Episode]
    past: Past
    named: list[Memory]

    def encoded(self) -> bytes:
        """Plain numbers and texts, as msgpack; restoring them continues exactly."""
        mixture = self.mixture
        runs = [[run.length, run.start, run.end, _packed(run.counts, self.small), run.offsets] for run in self.windows.runs]
        now = self.windows.runs[-1].end if runs else 0
        plain = {
            "fingerprint": self.fingerprint,
            "small": self.small,
            "r": mixture.r.astype("<f8").tobytes(),
            "cusum": mixture.cusum.astype("<f8").tobytes(),
            "now": now,
            "onset": packed(mixture.onset - now),
            "tested": np.packbits(mixture.tested).tobytes(),
            "signals": len(mixture.tested),
            "runs": runs,
            "episodes": [episode.encoded() for episode in self.episodes],
            "past": self.past.encoded(),
            "named": [[memory.since, memory.state] for memory in self.named],
        }
        return msgspec.msgpack.encode(plain)

    @classmethod
    def decoded(cls, content: bytes) -> "State":
        """What `encoded` wrote."""
        plain: dict[str, Any] = msgspec.msgpack.decode(content)  # plain numbers of differing types, written by `encoded`
        mixture = Mixture(
            _floats(plain["r"]),
            _floats(plain["cusum"]),
            unpacked(plain["onset"]) + plain["now"],
            np.unpackbits(np.frombuffer(plain["tested"], np.uint8), count=plain["signals"]).astype(np.bool_),
        )
        runs = [
            Run(length, begin, end, np.concatenate([unpacked(part) for part in counts]), tuple(Offsets(*one) for one in offsets))
            for length, begin, end, counts, offsets in plain["runs"]
        ]
        episodes = [Episode.decoded(form) for form in plain["episodes"]]
        named = [Memory(*memory) for memory in plain["named"]]
        return cls(plain["fingerprint"], plain["small"], mixture, Windows(runs), episodes, Past.decoded(plain["past"]), named)


def _packed(vector: NDArray[np.int64], small: int) -> list[Any]:  # of two packed vectors
    """Small numbers and large ones apart: each is as wide as its largest."""
    return [packed(vector[:small]), packed(vector[small:])]


def _floats(content: bytes) -> NDArray[np.float64]:
    return np.frombuffer(content, dtype="<f8").astype(np.float64)


def fits(tests: Tests, state: State) -> bool:
    """Whether the state was made by such tests: the same reference, budget, smallest effects and form."""
    return state.fingerprint == tests.fingerprint


def start(tests: Tests, bucket_start: int) -> State:
    """Nothing seen yet; the first bucket starts at ``bucket_start`` (ms)."""
    mixture, named = Mixture.started(tests.bets, bucket_start), tests.named.start(bucket_start)
    return State(tests.fingerprint, tests.space.small, mixture, Windows(), [], Past(), named)


def step(tests: Tests, state: State, bucket: Bucket) -> tuple[State, list[DriftEvent]]:
    """Fold one non-empty bucket in. The state given is changed and returned: encode it first to keep it as it was.

    Of the events, those of an episode stand in the order of their sequence; an episode has at most one per bucket.
    """
    vector, bets = _vector(tests, state, bucket)
    state.windows.add(bucket, vector)
    ratios, rows = bets.log_ratios(vector)
    mean, before = state.mixture.update(bets, ratios, rows, (bucket.end - bucket.start) / 1000, bucket.end)
    changed: dict[str, int] = {}  # by episode: since when its event's counts reach
    raised = tests.named.look(state.named, bucket, vector, state.windows, tests.bets.signals, state.episodes)
    if mean >= tests.budget_seconds or raised:
        with np.errstate(divide="ignore"):
            log_r = np.log(before) + ratios
        if mean >= tests.budget_seconds:
            changed |= _alarm(tests, state, bucket, log_r)
            state.mixture.restart(bucket.end)
        changed = _listed(state, raised, bucket.start) | changed
        fresh = {signal: alarms for signal, alarms in raised.items() if signal not in _open(state)}
        if fresh:
            changed = _alarm(tests, state, bucket, log_r, fresh) | changed
    if tests.following is not None:
        drifted = {one.signal for episode in state.episodes if episode.detector != guard.DETECTOR for one in episode.open if one.ratio >= 1}
        window = tests.following.add(state.past, bucket, vector, drifted)
        if window is not None:
            changed.update(guard.look(tests.identity, state.episodes, bucket, tests.bets, window, tests.anchors))
    for episode in state.episodes:
        if episode.detector == guard.DETECTOR:
            continue  # it is not the newest rows that it is about
        returned, since = episode.judge(state.windows, rows, tests.measures)
        tests.named.renew(state.named, {tests.bets.signals[signal].key for signal in returned}, bucket.end)
        if episode.raise_severity() or returned or episode.id in changed:
            changed[episode.id] = min(since, changed.get(episode.id, since))
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
        _retest(tests, state, bucket.end)
    return state, events


def _retest(tests: Tests, state: State, end: int) -> None:
    """Let signals that the mixture has told of leave the mean while their episode is open, and return with nothing remembered."""
    tested = tests.companions.tested(signal for signal, (_, one) in _open(state).items() if one.told_by(DETECTOR))
    for signal in np.flatnonzero(tested != state.mixture.tested).tolist():
        state.mixture.restart(end, tests.bets.of(signal))
    state.mixture.tested = tested


def _vector(tests: Tests, state: State, bucket: Bucket) -> tuple[NDArray[np.int64], Bets]:
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


def _open(state: State) -> dict[int, tuple[Episode, Followed]]:
    """The signals of open episodes about the newest rows."""
    near = (episode for episode in state.episodes if episode.detector != guard.DETECTOR)
    return {followed.signal: (episode, followed) for episode in near for followed in episode.open}


def _listed(state: State, alarms: Mapping[int, tuple[Alarm, ...]], since: int) -> dict[str, int]:
    """Add alarms, by signal, to the episodes that the signals are in."""
    known, changed = _open(state), dict[str, int]()
    for signal in sorted(alarms.keys() & known.keys()):
        episode, followed = known[signal]
        followed.add(alarms[signal])
        changed[episode.id] = since
    return changed


def _alarm(
    tests: Tests, state: State, bucket: Bucket, log_r: NDArray[np.float64], raised: Mapping[int, tuple[Alarm, ...]] | None = None
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
    # Against a reference that moves no bet is a likelihood ratio of all rows since: there each bet's own sum since its own onset must do.
    since_onset = bets.log_ratios(recent.counts)[0] if tests.space.expected is None else mixture.cusum.copy()
    log_e = log_evidence(bets, since_onset)
    tested = np.flatnonzero(mixture.tested)
    suspected = {first, *tested[e_bh(log_e[tested])].tolist()} if raised is None else set(raised)
    share = shares(bets, total)
    order = sorted(tests.companions.blamed(suspected), key=lambda signal: (-share[signal], *bets.signals[signal].key))
    suspects = [
        Suspect(
            signal,
            float(share[signal]),
            _words(tests, signal, winning if signal == first else best_bet(bets, since_onset, signal), recent.counts),
            float(log_e[signal]),
            recent.counts,
            _only_in(tests, signal, suspected, recent.counts),
            (own,) if raised is None else raised[signal],
        )
        for signal in order
    ]
    known = _open(state)
    changed = _listed(state, {suspect.signal: suspect.alarms for suspect in suspects}, bucket.start)
    fresh = [suspect for suspect in suspects if suspect.signal not in known]
    if fresh:
        joining = joined([episode for episode in state.episodes if episode.detector != guard.DETECTOR], onset, bucket)
        if joining is None:
            joining = opened(tests.identity, bucket, onset, fresh[0].alarms[0].detector)
            state.episodes.append(joining)
        joining.blame(fresh, tests.measures, bucket.end)
        joining.raise_severity()
        changed[joining.id] = recent.start
    return changed


def _only_in(tests: Tests, signal: int, suspected: set[int], counts: NDArray[np.int64]) -> tuple[str, ...]:
    """The segments that a change of all rows comes from: where it is blamed too, if without them it is not important."""
    own, measure = [index for index in tests.companions.segments[signal] if index in suspected], tests.measures[signal]
    if not own:
        return ()
    rest = counts.copy()
    signals = tests.bets.signals
    for index in own:
        rest[signals[signal].span] -= counts[signals[index].span]
    without, whole = measure.on(rest).ratio, measure.on(counts).ratio
    return tuple(str(signals[index].segment) for index in own) if without < min(1.0, whole / 2) else ()


def _words(tests: Tests, signal: int, bet: int, counts: NDArray[np.int64]) -> str:
    """The change that a bet is about; that values became more or fewer is told by what they turned into."""
    of, bins = tests.bets.signals[signal], tests.bets.bins[bet]
    if of.of != "availability" or bins != (0,):
        return tests.bets.words[bet]
    now = counts[of.span] / max(int(counts[of.span].sum()), 1)
    was = of.reference_counts / of.reference_counts.sum()
    most = 1 + int(np.argmax(np.abs(now - was)[1:]))
    word = "nulls" if AVAILABILITY[most] == "null" else AVAILABILITY[most]
    return f"{'more' if now[most] > was[most] else 'fewer'} {word}"


def close(
    tests: Tests, state: State, bucket: tuple[int, int], reason: str, *, complete: bool = True, clock_decided: bool = False
) -> list[DriftEvent]:
    """Resolve whatever is open, at a bucket's start and end (ms): the version was ``replaced``, ``retired`` or ``reconfigured``."""
    events = []
    for episode in state.episodes:
        episode.give_up()
        events.append(episode.event(tests.identity, "resolved", bucket, complete=complete, clock_decided=clock_decided, reason=reason))
    state.episodes = []
    return events
