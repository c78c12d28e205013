"""A finding: one cause, what it touches, since when, and what it rests on."""

from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from ...schemas.messages.root_cause import Cause

#: Faults of the pipeline: nothing is trained on what they touch.
PIPELINE: frozenset[Cause] = frozenset({"feature_unavailability", "training_serving_skew"})


class Piece(NamedTuple):
    """A number that speaks for a cause or against it."""

    name: str
    value: float | str | None
    threshold: float | None = None
    feature: str | None = None
    z: float | None = None
    role: Literal["for", "against"] = "for"


class Map(NamedTuple):
    """By what a feature's values were re-expressed: now = a x then + b, or of its logarithm."""

    form: Literal["scale", "affine", "log1p", "expm1", "affine_log1p", "labels", "codes"]
    a: float = 1.0
    b: float = 0.0
    constant: str | None = None  #: recognised
    share: float = 1.0  #: of rows
    error: float = 0.0


@dataclass
class Finding:
    """What one run found."""

    cause: Cause
    subtype: str
    features: tuple[str, ...]
    onset: int  #: index among the windows of the run (ladder, then monitored), of the first that shows it
    shape: Literal["abrupt", "gradual"]
    live: bool  #: the newest windows still show it
    confidence: float
    evidence: list[Piece] = field(default_factory=list)
    confirmable: bool = False  #: certain enough, and awaits nothing: found again with a new window, it is confirmed
    at_once: bool = False  #: it is so certain that nothing need be found again
    awaits: str | None = None  #: the kind of evidence without which it stays suspected
    missing: dict[str, str] = field(default_factory=dict)  #: kind -> what it would have decided
    alternatives: tuple[Cause, ...] = ()
    map: Map | None = None
    exchanged: dict[str, str] = field(default_factory=dict)  #: feature -> whose values it has now
    source: str | None = None
    score: float | None = None  #: the confidence before it was calibrated; None: it was not
    impact: dict[str, Any] = field(default_factory=dict)  # plain numbers by name, as the event has them


class RuledOut(NamedTuple):
    """A cause that was looked for and not found, and why."""

    cause: Cause
    because: str


class Diagnosis(NamedTuple):
    """What one run says."""

    findings: list[Finding]
    ruled_out: list[RuledOut]
    missing: dict[str, str]  #: kinds without evidence -> what each would have decided
    prediction_tv: float
    outliers: tuple[float, float] | None  #: share: baseline, now
