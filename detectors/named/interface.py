"""What a detector by name promises, and what it is told: counts of one signal, never values, so that no null and no unit can reach it."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from ...schemas.stored.reference import CategoricalProfile, NumericProfile

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]
#: What a detector remembers: msgpack writes it, and reads the same again (so lists, no tuples).
Plain = bool | int | float | str | bytes | list["Plain"] | dict[str, "Plain"] | None


class Unsuited(ValueError):
    """A signal that this detector cannot judge: why, and what can."""


class Verdict(NamedTuple):
    """Of one bucket: whether it is drift; the statistic and the threshold it was compared with, where the detector has them."""

    alarm: bool
    statistic: float | None = None
    threshold: float | None = None


class Seen(NamedTuple):
    """One bucket of a signal, and the recent past up to it. Counts are in the order of the profile's bins, and none is negative."""

    counts: Counts  #: of the bucket
    runs: Iterable[Counts]  #: merged buckets up to and with this one, shortest first, all behind the detector's start
    seconds: float  #: length of the bucket
    seed: int  #: of chance: a function of model, feature and bucket


@dataclass(frozen=True)
class WatchedSignal:
    """The signal that a detector is put on, as the reference knows it."""

    name: str
    profile: NumericProfile | CategoricalProfile
    ones: int | None = None  #: of two categories, the bin of that which is the error; None: the rarer one in the reference

    @cached_property
    def counts(self) -> Counts:
        """Reference rows per bin."""
        return np.asarray(self.profile.counts, dtype=np.int64)

    @cached_property
    def order(self) -> Counts:
        """The bins of a numeric signal in the order of their values: what lies below the minimum first, above the maximum last."""
        profile = self.numeric("an order")
        ties = np.zeros(len(profile.values))
        ties[[0, profile.above]] = -1, 1
        return np.lexsort((ties, np.asarray(profile.values)))

    @property
    def tau(self) -> float:
        """How many rows count as one independent row: of its indicators or scores, the largest."""
        return max(self.profile.tau, default=1.0)

    def numeric(self, need: str) -> NumericProfile:
        """Its profile, if it is of numbers."""
        if isinstance(self.profile, NumericProfile):
            return self.profile
        msg = f"{self.name} is categorical and has not {need}: use chi_square, psi, jensen_shannon or kl"
        raise Unsuited(msg)


class Watcher(Protocol):
    """A detector at work on one signal: a pure fold whose state is plain data, so that a restart continues exactly."""

    @property
    def rate(self) -> float | None:
        """The false alarms per second that it keeps to; None: it cannot say."""
        ...

    def start(self) -> Plain:
        """The state before its first bucket, and after each of its alarms."""
        ...

    def step(self, state: Plain, seen: Seen) -> tuple[Plain, Verdict]:
        """Fold one bucket in, which has at least one row of this signal."""
        ...


class NamedDetector(Protocol):
    """A detector's settings: a frozen pydantic model with its bounds in its fields (`driftbus.schemas.fact.Setting`)."""

    @classmethod
    def model_validate(cls, obj: Any, /) -> Self:
        """The settings that somebody wrote; pydantic provides it."""
        ...

    @classmethod
    def model_json_schema(cls) -> dict[str, Any]:
        """Which settings there are; pydantic provides it."""
        ...

    def model_dump_json(self) -> str:
        """All settings with their defaults; pydantic provides it."""
        ...

    def on(self, watched: WatchedSignal, share: float) -> Watcher:
        """Put it on a signal, allowed one false alarm in ``share`` seconds. Raises `Unsuited`."""
        ...
