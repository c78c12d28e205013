"""What to do about a cause, and what not."""

from collections.abc import Sequence
from typing import NamedTuple

from ...schemas.messages.root_cause import Mitigation, TrainingData
from .finding import Cause, Finding


class _Remedy(NamedTuple):
    action: str
    fallback: str | None
    do_not: tuple[str, ...]
    golden_set: str
    excluded: bool = False
    recompute: bool = False
    from_onset: bool = False
    outliers: bool = False


_REMEDIES: dict[Cause, _Remedy] = {
    "data_drift": _Remedy("fine_tune", None, (), "refresh_after", from_onset=True),
    "feature_drift": _Remedy("fine_tune", "more human review", ("train on labels before the onset",), "refresh_after", from_onset=True),
    "feature_recalibration": _Remedy(
        "retrain_with_correct_feature_version",
        "apply the inverse map at serving, or pin the old version of the feature",
        ("train on a mix of old and new values",),
        "rebuild",
        excluded=True,
        recompute=True,
    ),
    "feature_unavailability": _Remedy(
        "fix_feature", "a model without it, or its last good value", ("train on rows without it",), "keep", excluded=True
    ),
    "training_serving_skew": _Remedy(
        "patch_pipeline", "roll back the release", ("train on served values since the onset",), "keep", excluded=True
    ),
    "prediction_label_bias": _Remedy(
        "online_learning", "outliers to people", ("replace old data by the new rows",), "extend", outliers=True
    ),
    "model_broken": _Remedy("roll_back", "the previous version", ("retrain before the extract is audited",), "keep"),
    "undetermined": _Remedy("investigate", None, ("retrain before it is known what is the matter",), "keep"),
}


def mitigate(finding: Finding, owners: Sequence[str], onset: int) -> Mitigation:
    """By the cause; ``onset``: the start of the first window that shows it, ms."""
    remedy = _REMEDIES[finding.cause]
    data = TrainingData(
        use_from=onset if remedy.from_onset else None,
        exclude=((onset, None),) if remedy.excluded else (),
        recompute=finding.features if remedy.recompute else (),
        outliers=remedy.outliers,
    )
    return Mitigation(
        action=remedy.action,
        fallback=remedy.fallback,
        do_not=remedy.do_not,
        notify=(*owners, "model owner"),
        golden_set=remedy.golden_set,
        training_data=data,
    )
