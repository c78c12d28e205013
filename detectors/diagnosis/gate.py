"""Whether a retrain of a version may start: the strictest that any of its open incidents says. Nobody acts on a suspicion."""

from collections.abc import Sequence
from typing import NamedTuple

from ...schemas.messages.root_cause import Action, Cause, RetrainGate
from .finding import PIPELINE
from .incidents import Status
from .words import number

#: Labels since the onset without which nothing is trained anew.
LEAST_LABELS = 1_000
#: Labelled rows unlike the training data without which nothing is learned of them.
LEAST_OUTLIERS = 200
#: Windows behind the onset of another representation, in which nothing of it changed.
LEAST_WINDOWS = 4
#: Confidence below which a person must have confirmed it.
SURE = 0.9
#: How long it is forbidden where nobody knows the cause, ms; behind that a person may decide.
UNKNOWN_FOR = 7 * 86_400_000
#: What may start where nothing speaks against it.
ALL: tuple[Action, ...] = ("retrain", "fine_tune", "online_update")
#: What may start of each cause, once it is allowed.
_ALLOWED: dict[Cause, tuple[Action, ...]] = {
    "data_drift": ALL,
    "feature_drift": ALL,
    "feature_recalibration": ("retrain",),  # what was learned from old values must be learned anew
    "prediction_label_bias": ("fine_tune", "online_update"),
}


class Standing(NamedTuple):
    """An open incident, as far as a retrain depends on it."""

    incident: str
    cause: Cause
    status: Status
    confidence: float
    harm: str
    labelled: int  #: rows since its onset
    outliers: int = 0  #: of these, unlike the training data
    windows: int = 0  #: since its onset
    whole: bool = True  #: it came at once, and to all rows
    age: int = 0  #: ms since it was first said
    by_person: bool = False  #: somebody says that it is this


class _Said(NamedTuple):
    decision: str
    because: str
    actions: tuple[Action, ...] = ()


def decide(open_: Sequence[Standing], *, baseline: bool, full: bool = False) -> RetrainGate:
    """By all open incidents of a version; ``baseline``: one of production stands; ``full``: there may be more than are remembered."""
    said = [(_decided(one), one.incident) for one in open_]
    for decision in ("forbid", "hold"):
        found = [(own.because, incident) for own, incident in said if own.decision == decision]
        if found:
            because = found[0][0] if len(found) == 1 else f"{found[0][0]}; {len(found) - 1} more say so"
            return RetrainGate(decision=decision, because=because, blocked_by=tuple(sorted(incident for _, incident in found)))
    if full:
        return RetrainGate(decision="hold", because="so much is amiss that not all of it is told")
    if not baseline:
        return RetrainGate(decision="hold", because="there is no baseline of production yet")
    actions = tuple(one for one in ALL if all(one in own.actions for own, _ in said))
    if not actions:
        everybody = tuple(sorted(incident for _, incident in said))
        return RetrainGate(decision="hold", because="its open incidents ask for different trainings", blocked_by=everybody)
    because = "; ".join(dict.fromkeys(own.because for own, _ in said)) or "nothing that is known of speaks against it"
    return RetrainGate(decision="allow", because=because, actions=actions)


def _decided(one: Standing) -> _Said:
    """Faults first, suspected ones too: what a broken pipeline delivers must not be learned even while nobody is sure."""
    if one.cause in PIPELINE:
        return _Said("forbid", "the pipeline is at fault: what it delivers must not be learned")
    if one.cause == "undetermined":
        days = number(one.age / 86_400_000)
        if one.age < UNKNOWN_FOR:
            return _Said("forbid", f"it is not known what is the matter, for {days} of {UNKNOWN_FOR // 86_400_000} days")
        return _Said("hold", f"for {days} days it is not known what is the matter: a person decides")
    if one.status == "suspected":
        return _Said("hold", f"{_words(one.cause)} is only suspected")
    if one.cause == "model_broken":
        return _Said("hold", "the model itself is broken: roll back first")
    return _of_cause(one)


def _of_cause(one: Standing) -> _Said:
    """Of what training can cure, what is not there yet."""
    if one.cause == "feature_recalibration":
        if not one.whole:
            return _Said("hold", "the roll-out is not over: old and new values come mixed")
        if one.windows < LEAST_WINDOWS:
            return _Said("hold", f"{one.windows} of {LEAST_WINDOWS} windows since the values changed")
        enough = f"{one.windows} windows since the values changed; train on recomputed history"
    elif one.cause == "prediction_label_bias":
        if one.outliers < LEAST_OUTLIERS:
            return _Said("hold", f"{one.outliers:,} of {LEAST_OUTLIERS} labelled rows unlike the training data")
        enough = f"{one.outliers:,} labelled rows unlike the training data: add them, keep the old"
    else:
        if one.harm != "harmful":
            return _Said("hold", f"its harm is {one.harm}" if one.harm == "unknown" else "it does no harm")
        if one.labelled < LEAST_LABELS:
            return _Said("hold", f"{one.labelled:,} of {LEAST_LABELS:,} labels since its onset")
        enough = f"{one.labelled:,} labels since its onset"
    if one.confidence < SURE and not one.by_person:
        return _Said("hold", f"a confidence of {number(one.confidence)} is below {SURE}: a person must confirm it")
    return _Said("allow", enough, _ALLOWED[one.cause])


def _words(cause: Cause) -> str:
    return cause.replace("_", " ")
