"""Whether a retrain of a version may start: the strictest that any of its open incidents says. Nobody acts on a suspicion."""

from collections.abc import Sequence
from typing import NamedTuple

from ...schemas.messages.root_cause import RetrainGate
from .finding import PIPELINE, Cause
from .incidents import Status

#: Labels since the onset without which nothing is trained anew.
LEAST_LABELS = 1_000
#: Confidence below which a person must have confirmed it.
SURE = 0.9


class Standing(NamedTuple):
    """An open incident, as far as a retrain depends on it."""

    incident: str
    cause: Cause
    status: Status
    confidence: float
    harm: str
    labelled: int
    by_person: bool = False  #: a person says that it is this


def decide(open_: Sequence[Standing], *, baseline: bool) -> RetrainGate:
    """By all open incidents of a version; ``baseline``: one of production stands."""
    said = [(_decided(one), one) for one in open_]
    for decision in ("forbid", "hold"):
        found = [(because, one) for (own, because), one in said if own == decision]
        if found:
            return RetrainGate(decision=decision, because=found[0][0], blocked_by=tuple(sorted(one.incident for _, one in found)))
    if not baseline:
        return RetrainGate(decision="hold", because="there is no baseline of production yet")
    return RetrainGate(decision="allow", because="nothing that is known of speaks against it")


def _decided(one: Standing) -> tuple[str, str]:
    if one.cause in PIPELINE:
        return "forbid", "the pipeline is at fault: what it delivers must not be learned"
    if one.cause == "undetermined":
        return "forbid", "it is not known what is the matter"
    if one.status == "suspected":
        return "hold", "it is only suspected"
    if one.cause not in ("data_drift", "feature_drift"):
        return "hold", f"{one.cause} is not over"
    if one.harm != "harmful":
        return "hold", f"its harm is {one.harm}"
    if one.labelled < LEAST_LABELS:
        return "hold", f"{one.labelled} of {LEAST_LABELS} labels since its onset"
    if one.confidence < SURE and not one.by_person:
        return "hold", "it is not sure enough without a person's word"
    return "allow", ""
