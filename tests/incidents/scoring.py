"""How well causes are told: exact sets, false confirmations, and whether the features named are those that were touched."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

#: Causes that are of no feature.
_OF_ALL = frozenset({"prediction_label_bias", "model_broken"})


class Confirmed(NamedTuple):
    """A cause that was confirmed, and the features named."""

    cause: str
    features: tuple[str, ...]


@dataclass
class Score:
    """Of a suite."""

    exact: Counter[str] = field(default_factory=Counter)  #: by kind of incident: standard, hard, control
    of: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)  #: incidents in which a cause that is none was confirmed
    missed: list[str] = field(default_factory=list)
    confusion: Counter[tuple[str, str]] = field(default_factory=Counter)  #: true by told cause
    named: list[int] = field(default_factory=lambda: [0, 0])  #: of the features touched, those named
    right: list[int] = field(default_factory=lambda: [0, 0])  #: of the features named, those that moved

    def add(self, spec: dict[str, Any], truth: Sequence[dict[str, Any]], confirmed: Iterable[Confirmed]) -> bool:
        """One incident; whether it was exact."""
        told, kind = [*confirmed], "control" if not truth else "hard" if "hard" in spec["id"] else "standard"
        true = {one["cause"] for one in truth}
        if spec.get("no_labels"):
            true -= {"feature_drift"}  # without labels nobody can know
        causes = {one.cause for one in told} - (set() if true else {"undetermined"})
        self.of[kind] += 1
        self.exact[kind] += causes == true
        if causes != true:
            self.missed.append(spec["id"])
        if causes - true - {"undetermined"}:
            self.wrong.append(spec["id"])
        self._confused(true, causes)
        self._localised(truth, told)
        return causes == true

    def _confused(self, true: set[str], causes: set[str]) -> None:
        for cause in true:
            self.confusion[cause, cause if cause in causes else ", ".join(sorted(causes - true)) or "-"] += 1
        for cause in causes - true:
            self.confusion["-", cause] += 1

    def _localised(self, truth: Sequence[dict[str, Any]], told: Sequence[Confirmed]) -> None:
        for cause in {one["cause"] for one in truth} - _OF_ALL:
            touched = {name for one in truth if one["cause"] == cause for name in one["features"]}
            moved = {name for one in truth if one["cause"] == cause for name in one["moved"]}
            named = {name for one in told if one.cause == cause for name in one.features}
            self.named[0] += len(touched & named)
            self.named[1] += len(touched)
            self.right[0] += len(named & (moved | touched))
            self.right[1] += len(named)

    def lines(self) -> list[str]:
        """As it is printed."""
        exact = ", ".join(f"{kind} {self.exact[kind]} of {self.of[kind]}" for kind in ("standard", "hard", "control") if self.of[kind])
        recall, precision = (f"{good / total:.3f}" if total else "-" for good, total in (self.named, self.right))
        causes = sorted({cause for pair in self.confusion for cause in pair})
        width = max((len(cause) for cause in causes), default=1)
        matrix = [f"  {true:{width}} -> {told:{width}} {count:4}" for (true, told), count in sorted(self.confusion.items())]
        return [
            f"exact: {exact}",
            f"wrongly confirmed: {len(self.wrong)} {self.wrong or ''}",
            f"features touched that are named: {recall}; features named that moved: {precision}",
            *matrix,
        ]
