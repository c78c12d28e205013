"""From one model version's evidence to what is behind it: causes in an order in which each sees only what earlier ones have not claimed.

Each cause makes the symptoms of later ones: a feature in another unit shifts, makes outliers and loss, and the relation to outcomes moves.
"""

import numpy as np

from ...schemas.messages.root_cause import Cause
from . import availability, broken, concept, drift, exchange, merging, novelty, recalibration, skew
from .evidence import KINDS, Case
from .finding import PIPELINE, Diagnosis, Finding, Piece, RuledOut
from .groups import Layout
from .inquiry import FAULTY, Inquiry
from .relations import Relations
from .shifts import Series
from .statistics import confidence, rounded
from .thresholds import DEFAULTS, Thresholds

#: What each kind of evidence would have decided, had it been there.
DECIDES = {
    "predictions": "anything at all",
    "ood": "whether requests are unlike the training data, and by which feature",
    "arrivals": "whether outcomes still follow from the features, and what it costs",
    "agreement": "whether a feature is computed otherwise in serving, was changed at its source, or its population moved",
    "ages": "whether values are old",
    "golden": "whether the model itself is at fault",
    "model": "whether a deployment began it",
    "episode": "when something began to drift",
    "feedback": "what a person says of it",
    "baseline": "what is usual in production: season, nulls, noise of joins, ages, loss",
}
#: Causes that are told by values of the features that they name.
_OF_VALUES: frozenset[Cause] = FAULTY | {"data_drift"}
#: Of a window's rows, those without a feature's value from which on none is left.
_GONE = 0.98
#: Of subtypes, those that are told before there is a baseline of production.
_WITHOUT_BASELINE = frozenset({"schema_change", "constant", "default_value"})


def diagnose(case: Case, thresholds: Thresholds = DEFAULTS, layout: Layout | None = None) -> Diagnosis:
    """What is behind a case's evidence.

    Parameters
    ----------
    case
        Any of its parts may lack.
    thresholds
        By which causes are told.
    layout
        Of the case's fields, for who diagnoses them again and again.
    """
    inquiry = Inquiry(case, layout or Layout(case.fields), thresholds)
    relations = Relations(case)
    if case.monitored and case.baseline:
        broken.look(inquiry)
        exchange.look(inquiry)
        availability.look(inquiry, relations)
        skew.look(inquiry)
        recalibration.look(inquiry, relations)
        drift.look(inquiry, relations, novelty.look(inquiry))
        concept.look(inquiry, relations)
        _unexplained(inquiry)
    findings = merging.merged(inquiry.findings, inquiry.layout)
    for one in findings:
        _decided(inquiry, one)
    return Diagnosis(
        findings=findings,
        ruled_out=_ruled_out(inquiry, findings),
        missing=_missing(inquiry),
        prediction_tv=0.0 if inquiry.output is None else inquiry.output.size,
        outliers=_outliers(inquiry, findings),
    )


def _unexplained(inquiry: Inquiry) -> None:
    """Loss or predictions moved, and no cause is found."""
    t, output = inquiry.thresholds, inquiry.output
    moved = output is not None and output.size > t.prediction
    step = inquiry.loss if inquiry.loss_up else output.step if output is not None and moved else None
    if inquiry.findings or step is None:
        return
    pieces = []
    if inquiry.loss is not None:
        pieces.append(Piece("loss_increase", rounded(inquiry.loss.level / max(inquiry.base_loss, 1e-12)), t.loss, None, inquiry.loss.z))
    if output is not None:
        pieces.append(Piece("prediction_total_variation", output.size, t.prediction, None, output.step.z))
    missing = {kind: DECIDES[kind] for kind in _lacking(inquiry)}
    inquiry.add("undetermined", (), step, confidence(0.3), "unexplained_degradation", pieces, missing=missing)


def _lacking(inquiry: Inquiry) -> list[str]:
    there = {
        "ood": inquiry.outliers_known,
        "arrivals": inquiry.labelled >= 4,
        "agreement": all(inquiry.agree_known(name) for name in inquiry.layout.names),
        "ages": inquiry.ages_known,
        "golden": bool(inquiry.case.evaluated),
    }
    return [kind for kind in KINDS if not there.get(kind, True)]


def _certain_from_training(inquiry: Inquiry, finding: Finding) -> bool:
    """Whether it is certain without a baseline of production: by the training data alone, which know no season, and no nulls of serving."""
    sizes = {piece.name: piece.value for piece in finding.evidence if isinstance(piece.value, float)}
    if finding.cause in PIPELINE and sizes.get("mismatch_rate", 0.0) > inquiry.thresholds.skew_certain:
        return True
    if finding.subtype == "missing":
        return sizes.get("null_rate_increase", 0.0) > inquiry.thresholds.null_certain
    return finding.subtype in _WITHOUT_BASELINE


def _nothing_left(inquiry: Inquiry, features: tuple[str, ...]) -> bool:
    """Whether hardly a row of the newest window has any of them, of which most had one: an outage is no blip."""
    places = [inquiry.layout.place[name] for name in features]
    absent, base = inquiry.now.absent[-1, places] / max(inquiry.now.rows[-1], 1.0), inquiry.base.absent[:, places].sum(axis=0)
    usual = base / max(inquiry.base.rows.sum(), 1.0)
    return inquiry.case.stands_for(features) and bool(np.all(absent > _GONE) and np.any(usual < 1 - _GONE))


def _stands(inquiry: Inquiry, finding: Finding) -> bool:
    """Whether it is told by what production had before: by values of features alone, or by the model as a whole."""
    own = finding.cause in _OF_VALUES and finding.subtype != "label_shift"
    return inquiry.case.stands_for(finding.features if own else ())


def _decided(inquiry: Inquiry, finding: Finding) -> None:
    """Whether it may be confirmed; onsets count from the ladder's first window on."""
    finding.onset += len(inquiry.case.ladder)
    if not _stands(inquiry, finding) and not _certain_from_training(inquiry, finding):
        finding.awaits = finding.awaits or "baseline"
        finding.missing.setdefault("baseline", DECIDES["baseline"])
    certain = finding.cause == "undetermined" or finding.confidence >= inquiry.thresholds.confidence
    finding.confirmable = certain and finding.awaits is None
    finding.at_once = finding.confirmable and finding.cause == "feature_unavailability" and _nothing_left(inquiry, finding.features)


def _missing(inquiry: Inquiry) -> dict[str, str]:
    """Kinds that were not there, and those of which nothing came about the windows that are looked at."""
    case, now = inquiry.case, inquiry.now
    came = {
        "ood": now.compared.any(),
        "arrivals": now.labelled.any() and (not case.standing or inquiry.base.labelled.any()),
        "agreement": now.pairs.any() or all(field.same_code for field in inquiry.layout.features),
        "ages": np.isfinite(now.age).any(),
        "golden": bool(case.evaluated),
    }
    found = {kind: DECIDES[kind] for kind in KINDS if kind in case.absent or not came.get(kind, True)}
    return found if case.standing else {**found, "baseline": DECIDES["baseline"]}


def _outliers(inquiry: Inquiry, findings: list[Finding]) -> tuple[float, float] | None:
    base, now = inquiry.base, inquiry.now
    first = max(0, min((one.onset - len(inquiry.case.ladder) for one in findings), default=0))
    compared = now.compared[first:].sum()
    if not compared or not base.compared.sum():
        return None
    return rounded(base.outliers.sum() / base.compared.sum()), rounded(now.outliers[first:].sum() / compared)


def _ruled_out(inquiry: Inquiry, findings: list[Finding]) -> list[RuledOut]:
    """The causes that were looked for with evidence enough, and not found."""
    found = {one.cause for one in findings}
    lacking, now = set(_lacking(inquiry)), inquiry.now
    pairs = now.pairs.sum()
    because: dict[Cause, str | None] = {
        "model_broken": None if "golden" in lacking else "the golden set loses no more than before",
        "feature_unavailability": "no feature is null, invalid, constant or a default more often than before",
        "training_serving_skew": None
        if not pairs
        else f"online and offline values differ in {100 * now.differing.sum() / pairs:.1f} % of pairs, as before",
        "feature_recalibration": "no feature's values are an image of what they were",
        "prediction_label_bias": None
        if "ood" in lacking
        else "not more requests are unlike the training data than faults and drift explain",
        "data_drift": "no feature's distribution moved but for what is named",
        "feature_drift": None
        if "arrivals" in lacking or not inquiry.base.labelled.any()
        else "outcomes follow from the features as before",
    }
    return [RuledOut(cause, reason) for cause, reason in because.items() if cause not in found and reason is not None]


def screen(case: Case, thresholds: Thresholds = DEFAULTS, layout: Layout | None = None) -> bool:
    """Whether anything moved that a diagnosis could be about: the cheap half of `diagnose`, for quiet times."""
    if not case.monitored or not case.baseline:
        return False
    inquiry = Inquiry(case, layout or Layout(case.fields), thresholds)
    base, now = inquiry.labels
    series = [
        inquiry.distances(inquiry.base.groups, inquiry.now.groups, inquiry.layout.starts),
        Series(base[None], now[None], [0.0]),
        inquiry.differing,
        *availability.series(inquiry),
        novelty.series(inquiry),
    ]
    return inquiry.any_step(series) or broken.anything(inquiry) or concept.anything(inquiry)
