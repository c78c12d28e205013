"""Findings of one cause that began together are one: a table that breaks is told once, not a column at a time."""

from .finding import Finding
from .groups import Layout

#: Windows between onsets: of abrupt ones, of gradual ones, of drifts of one kind, which the features of a population show in turn.
_ABRUPT, _GRADUAL, _DRIFT = 1, 3, 8


def merged(findings: list[Finding], layout: Layout) -> list[Finding]:
    """The most certain first. Those of several features of one source name it."""
    kept: list[Finding] = []
    for one in sorted(findings, key=lambda finding: (finding.onset, -finding.confidence, finding.features)):
        same = next((other for other in kept if one.features and other.cause == one.cause and _together(other, one)), None)
        if same is None:
            kept.append(one)
        else:
            _join(same, one)
    for one in kept:
        sources = {layout.of[name].source for name in one.features}
        if len(one.features) >= 2 and len(sources) == 1:
            one.source = sources.pop()
    return sorted(kept, key=lambda finding: (-finding.confidence, finding.cause, finding.features, finding.onset))


def _together(one: Finding, other: Finding) -> bool:
    """Not what is known with what still awaits its evidence: nothing is confirmed by another feature's."""
    if "ood" not in (one.awaits, other.awaits) and (one.awaits is None) != (other.awaits is None):
        return False
    if other.cause == "data_drift" and other.subtype == one.subtype:
        most = _DRIFT
    else:
        most = _GRADUAL if "gradual" in (one.shape, other.shape) else _ABRUPT
    return abs(one.onset - other.onset) <= most


def _join(kept: Finding, other: Finding) -> None:
    """The more certain one says what is known. A doubt of what the requests are is of all."""
    awaits = "ood" if "ood" in (kept.awaits, other.awaits) else kept.awaits
    if other.confidence > kept.confidence:
        kept.subtype, kept.map = other.subtype, other.map or kept.map
    kept.features = (*kept.features, *(name for name in other.features if name not in kept.features))
    kept.evidence += other.evidence
    kept.missing = {**other.missing, **kept.missing}
    kept.alternatives = tuple(dict.fromkeys((*kept.alternatives, *other.alternatives)))
    kept.exchanged = {**kept.exchanged, **other.exchanged}
    kept.map = kept.map or other.map
    kept.confidence = max(kept.confidence, other.confidence)
    kept.live = kept.live or other.live
    kept.awaits = awaits
