"""Signals and buckets to try detectors by name on."""

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from driftbus.detectors.counting.bins import bins_of, profile_of
from driftbus.detectors.named.built_in import BUILT_IN
from driftbus.detectors.named.interface import NamedDetector, Plain, Seen, Verdict, WatchedSignal, Watcher
from driftbus.schemas.stored.reference import CategoricalProfile

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]
Draw = Callable[[np.random.Generator, int], Floats]

SECONDS = 10.0
#: One false alarm in 30 days over 20 features, half of the rate left to eSR.
SHARE = 2 * 20 * 30 * 86_400.0
ON_TWO_VALUES = ("ddm", "eddm", "hddm_a", "hddm_w")


def settings(name: str, **written: object) -> NamedDetector:
    """A detector's settings."""
    return BUILT_IN[name].model_validate(written)


def numbers(seed: int = 0, rows: int = 10_000, law: Draw | None = None) -> WatchedSignal:
    """A numeric signal, standard normal unless a law is given."""
    rng = np.random.default_rng(seed)
    return WatchedSignal("amount", profile_of(rng.normal(size=rows) if law is None else law(rng, rows)))


def errors(rows: int = 10_000, rate: float = 0.1) -> WatchedSignal:
    """A boolean signal that is seldom true."""
    true = round(rows * rate)
    return WatchedSignal("wrong", CategoricalProfile(categories=("false", "true"), counts=(rows - true, true, 0), boolean=True))


def suited(name: str) -> WatchedSignal:
    """A signal that this detector judges."""
    return errors() if name in ON_TWO_VALUES else numbers()


def counted(watched: WatchedSignal, values: Floats) -> Counts:
    """Values, or the numbers of categories, as counts."""
    profile = watched.profile
    places = values.astype(np.int64) if isinstance(profile, CategoricalProfile) else bins_of(profile, values)
    return np.bincount(places, minlength=len(profile.counts))


def drawn(watched: WatchedSignal, rng: np.random.Generator, rows: int, changed: float = 0.0) -> Counts:
    """A bucket of the signal's own law; ``changed``: normal values that many sd higher, or errors that much more often."""
    if isinstance(watched.profile, CategoricalProfile):
        return counted(watched, (rng.random(rows) < 0.1 + 0.2 * changed).astype(np.float64))
    return counted(watched, rng.normal(size=rows) + changed)


def told(buckets: Iterable[Counts]) -> Iterator[Seen]:
    """The buckets as a detector is told of them, with runs of all lengths."""
    past: list[Counts] = []
    for number, counts in enumerate(buckets):
        past.append(counts)
        yield Seen(counts, list(np.cumsum(past[::-1], axis=0)), SECONDS, number)


def folded(watcher: Watcher, seen: Iterable[Seen], through: Callable[[Plain], Plain] = lambda state: state) -> tuple[Plain, list[Verdict]]:
    """The state behind all buckets, and the verdicts; each state passes ``through``."""
    state, verdicts = watcher.start(), list[Verdict]()
    for one in seen:
        state, verdict = watcher.step(through(state), one)
        verdicts.append(verdict)
    return state, verdicts


def alarms(verdicts: Sequence[Verdict]) -> list[int]:
    """The buckets that were said to be drift."""
    return [number for number, verdict in enumerate(verdicts) if verdict.alarm]
