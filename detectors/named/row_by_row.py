"""River's detectors, which read one number after another: fed a bucket's rows in reference units, remembered as plain data."""

import importlib
from dataclasses import dataclass
from typing import Any

from .interface import Floats, Plain, Seen, Verdict
from .units import rows_of


@dataclass(frozen=True)
class RowByRow:
    """One of river's detectors on one signal. It cannot say how often it raises a false alarm."""

    module: str
    name: str
    settings: dict[str, Any]  #: of differing types, as its constructor takes them
    units: Floats  #: per bin what is fed; nan: nothing

    @property
    def rate(self) -> None:
        """Not known."""

    def start(self) -> Plain:
        """It is made at its first bucket."""
        return None

    def step(self, state: Plain, seen: Seen) -> tuple[Plain, Verdict]:
        """Feed it the bucket, up to the row at which it alarms. What another release of river remembered is begun anew."""
        from . import memory  # with river, whose import takes two seconds: only who asks for it waits

        detector = getattr(importlib.import_module(self.module), self.name)(**self.settings)
        if isinstance(state, dict) and state.get("river") == memory.RELEASE:
            memory.restore(detector, state["detector"])
        for value in rows_of(seen.counts, self.units, seen.seed).tolist():
            detector.update(value)
            if detector.drift_detected:
                return self.start(), Verdict(True)
        return {"river": memory.RELEASE, "detector": memory.attributes(detector)}, Verdict(False)
