"""What to do about a cause, and what not."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ...schemas.messages.root_cause import Cause, CauseMap, Mitigation, TrainingData
from .finding import Finding
from .undoing import places, undone
from .words import listed, quoted

#: Kinds of releases that one can go back behind.
_RELEASES = frozenset({"feature_version", "release", "schema"})
#: Inverse maps, and releases, that are told.
_MOST_TOLD = 3


@dataclass(frozen=True)
class Known:
    """What an incident's remedy depends on beside its finding."""

    onset: int  #: ms, the start of the first window that shows it
    until: int | None = None  #: ms; None: it goes on
    harm: str = "unknown"
    owners: Sequence[str] = ()
    released: Sequence[tuple[str, str]] = ()  #: type and name of what was done near the onset


@dataclass(frozen=True)
class _Remedy:
    action: str
    fallback: str | None
    do_not: tuple[str, ...]
    golden_set: Literal["keep", "refresh_after", "rebuild", "extend"]
    excluded: bool = False
    recompute: bool = False
    from_onset: bool = False
    outliers: bool = False


_REMEDIES: dict[Cause, _Remedy] = {
    "data_drift": _Remedy("fine_tune", None, ("drop the history: weigh it",), "refresh_after", from_onset=True),
    "feature_drift": _Remedy("fine_tune", "more human review", ("train on labels before the onset",), "refresh_after", from_onset=True),
    "feature_recalibration": _Remedy(
        "retrain_with_correct_feature_version",
        "pin the old version of the feature",
        ("train on a mix of old and new values",),
        "rebuild",
        excluded=True,
        recompute=True,
    ),
    "feature_unavailability": _Remedy(
        "fix_feature", "a model without it, or its last good value", ("train on these rows, ever",), "keep", excluded=True
    ),
    "training_serving_skew": _Remedy(
        "patch_pipeline",
        "roll back the release",
        ("train on served values since the onset, unless offline ones are joined in their place",),
        "keep",
        excluded=True,
    ),
    "prediction_label_bias": _Remedy(
        "fine_tune", "send requests unlike the training data to people", ("replace old data by the new rows",), "extend", outliers=True
    ),
    "model_broken": _Remedy("roll_back", "the previous version", ("retrain before the extract that it was trained on is audited",), "keep"),
    "undetermined": _Remedy("investigate", None, ("retrain before it is known what is the matter",), "keep"),
}


def mitigate(finding: Finding, known: Known) -> Mitigation:
    """By the cause, and what is known of it."""
    remedy = _REMEDIES[finding.cause]
    data = TrainingData(
        use_from=known.onset if remedy.from_onset else None,
        exclude=((known.onset, known.until),) if remedy.excluded else (),
        recompute=finding.features if remedy.recompute else (),
        outliers=remedy.outliers,
    )
    return Mitigation(
        action=_action(finding, known, remedy),
        fallback=_fallback(finding, known, remedy),
        do_not=remedy.do_not,
        notify=(*known.owners, "model owner"),
        golden_set=remedy.golden_set,
        training_data=data,
    )


def _action(finding: Finding, known: Known, remedy: _Remedy) -> str:
    if finding.cause == "data_drift" and known.harm == "benign":
        return "none"
    return "move_prior" if finding.subtype == "label_shift" else remedy.action


def _fallback(finding: Finding, known: Known, remedy: _Remedy) -> str | None:
    """The inverse of a map, the version before a release; else what helps against the cause in general."""
    told = []
    if finding.cause in ("feature_recalibration", "training_serving_skew"):
        if finding.exchanged:
            told.append(f"put the columns back: {places(finding.exchanged)}")
        elif finding.map is not None:
            map_ = CauseMap(**finding.map._asdict())
            told += [undone(map_, name) for name in finding.features[:1]]
            told += [f"the same for {listed(finding.features[1:])}"] if len(finding.features) > 1 else []
    if finding.cause != "prediction_label_bias":
        told += [f"go back behind {quoted(ref)}" for type_, ref in known.released if type_ in _RELEASES][:_MOST_TOLD]
    before = any(type_ in _RELEASES for type_, _ in known.released)
    general = [remedy.fallback] if remedy.fallback is not None and not (before and finding.cause in _PINNED) else []
    return ", or ".join([*told, *general]) or None


#: Causes whose general remedy is to go back behind a release.
_PINNED: frozenset[Cause] = frozenset({"feature_recalibration", "training_serving_skew"})
