"""The detectors by name of one model version, each on its signals: what they need beforehand, and what they remember."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...schemas.configuration import Model
from ...schemas.identity import derived_id
from ...schemas.messages.drift import Alarm
from ...schemas.stored.reference import CategoricalProfile, NumericProfile
from ...schemas.unusable import Unusable
from ..betting.margin import Budget
from ..counting.layout import Signal
from ..effects import rounded
from ..named.choice import Kinds, settings_of
from ..named.interface import NamedDetector, Plain, Seen, Unsuited, Verdict, WatchedSignal, Watcher
from .episode import Episode
from .windows import Bucket, Recent, Windows

#: Of the two categories of a signal of errors the place of these.
ERRORS = 1


class UnusableDetector(Unusable):
    """A detector that was asked for on a feature that it cannot judge, with the key to change."""


@dataclass
class Memory:
    """What one detector on one signal remembers."""

    since: int  #: what ended before this means nothing to it
    state: Plain


@dataclass(frozen=True)
class Placed:
    """A detector on a signal."""

    name: str
    signal: Signal
    settings: NamedDetector
    watcher: Watcher


@dataclass(frozen=True)
class AtWork:
    """All detectors by name of a model version."""

    model: str
    placed: tuple[Placed, ...]
    refused: tuple[str, ...]  #: by a pattern asked for where they cannot judge: which, and why

    @classmethod
    def of(cls, kinds: Kinds, model: str, settings: Model, signals: Iterable[Signal], seconds: float, elsewhere: int = 0) -> "AtWork":
        """Half of the false alarms that are allowed, one in ``seconds``, in equal parts over all pairs of a detector and a signal: these,
        and so many ``elsewhere``, in the model's other lanes."""
        wanted, refused = list[tuple[str, Signal, NamedDetector, WatchedSignal]](), dict[str, list[str]]()
        for signal in signals:
            of_field = signal.field is not None and signal.segment is None
            if not (of_field or signal.group == "errors") or not isinstance(signal.profile, NumericProfile | CategoricalProfile):
                continue
            watched = WatchedSignal(signal.name, signal.profile, ERRORS if signal.group == "errors" else None)
            for name, own in settings_of(kinds, model, settings, signal.name):
                try:
                    own.on(watched, 1.0)
                except Unsuited as error:
                    refused.setdefault(signal.name, []).append(f"{name}: {error}")
                else:
                    wanted.append((name, signal, own, watched))
        judged = {signal.name for _, signal, _, _ in wanted}
        for name, reasons in refused.items():
            if name in settings.features and name not in judged:
                msg = f"models.{model}.features.{name}.detectors: {reasons[0]}"
                raise UnusableDetector(msg)
        share = 2 * seconds * (len(wanted) + elsewhere)
        placed = tuple(Placed(name, signal, own, own.on(watched, share)) for name, signal, own, watched in wanted)
        return cls(model, placed, tuple(reason for reasons in refused.values() for reason in reasons))

    def left(self, allowed: Budget) -> Budget:
        """Of the false alarms that are allowed, those for everything else."""
        if not self.placed:
            return allowed
        return Budget(2 * allowed.seconds, None if allowed.rows is None else 2 * allowed.rows)

    @property
    def decisive(self) -> str:
        """All that their verdicts depend on beside the reference and the budget."""
        return " ".join(f"{one.name} {one.signal.key} {one.settings.model_dump_json()}" for one in self.placed)

    def start(self, time: int) -> list[Memory]:
        """Before the first bucket, which starts at ``time``."""
        return [Memory(time, one.watcher.start()) for one in self.placed]

    def look(
        self,
        memories: Sequence[Memory],
        bucket: Bucket,
        vector: NDArray[np.int64],
        windows: Windows,
        signals: Sequence[Signal],
        episodes: Iterable[Episode],
    ) -> dict[int, tuple[Alarm, ...]]:
        """Fold a bucket in; the alarms, by signal. One that has alarmed is silent while its signal's episode is open."""
        if not self.placed:
            return {}
        index = {signal.key: number for number, signal in enumerate(signals)}
        told = {(one.signal, alarm.detector) for episode in episodes for one in episode.open for alarm in one.shown.alarms}
        runs = list(windows.after(min(memory.since for memory in memories)))
        raised: dict[int, tuple[Alarm, ...]] = {}
        for one, memory in zip(self.placed, memories, strict=True):
            number, counts = index.get(one.signal.key), _own(vector, one.signal)
            if number is None or (number, one.name) in told or not counts.any():
                continue
            seed = int(derived_id("rows", self.model, one.signal.name, bucket.end)[:16], 16)
            seen = Seen(counts, _runs(runs, one.signal, memory.since), (bucket.end - bucket.start) / 1000, seed)
            memory.state, verdict = one.watcher.step(memory.state, seen)
            if verdict.alarm:
                memory.since, memory.state = bucket.end, one.watcher.start()
                raised[number] = (*raised.get(number, ()), _alarm(one, verdict))
        return raised

    def renew(self, memories: Sequence[Memory], returned: Collection[tuple[str, str, str]], end: int) -> None:
        """Begin anew on signals with these keys, whose episode is over: their drift is no longer to be told."""
        for one, memory in zip(self.placed, memories, strict=True):
            if one.signal.key in returned:
                memory.since, memory.state = end, one.watcher.start()


def _alarm(placed: Placed, verdict: Verdict) -> Alarm:
    numbers = {"statistic": verdict.statistic, "threshold": verdict.threshold, "rate": placed.watcher.rate}
    return Alarm(detector=placed.name, **{name: rounded(number) for name, number in numbers.items() if number is not None})


def _own(vector: NDArray[np.int64], signal: Signal) -> NDArray[np.int64]:
    """A signal's counts; a correction may have taken more than there was."""
    return np.maximum(vector[signal.span], 0)


def _runs(runs: Iterable[Recent], signal: Signal, since: int) -> Iterator[NDArray[np.int64]]:
    return (_own(run.counts, signal) for run in runs if run.start >= since)
