"""The paragraph of a root cause that a person reads, made of the event's fields alone.

Values of features are never told, only names and statistics: who may read root causes may not be who may read rows.
"""

from ...schemas.messages.root_cause import MOST_TEXT, EvidencePiece, RootCauseEvent
from .undoing import image, places
from .words import listed, number, percent, quoted, when

#: Pieces of evidence, of what was done near the onset, and of what is not known, that are told.
_MOST_PIECES, _MOST_COINCIDENT, _MOST_UNKNOWN = 3, 2, 3
#: By subtype, what happened.
WHAT = {
    "covariate_shift": "values of {names} come in other proportions; they mean what they meant",
    "missing_without_outcome": "more requests come to nothing: they have neither {names} nor an outcome",
    "missing_as_before": "{names} is missing more often, in such rows as always lacked it: there are more of these",
    "new_category": "{names} has categories that training did not know",
    "label_shift": "outcomes come at another rate, while features, given the outcome, are what they were",
    "covariate_shift_of_true_values": "beside a fault of what is served, true values of {names} come in other proportions",
    "relation_to_outcome": "outcomes follow otherwise from {names} than the model has learned",
    "map": "{names} arrives as {map}",
    "rollout": "in {share} of rows {names} arrives as {map}",
    "labels": "{names} arrives as {map}",
    "codes": "{names} arrives as {map}",
    "columns_exchanged": "columns have changed places: {places}",
    "missing": "{names} is null or missing more often",
    "schema_change": "{names} arrives with values of another type",
    "stale": "values of {names} are older than they were",
    "constant": "{names} is one and the same value",
    "default_value": "one value stands in place of those of {names}",
    "stale_or_wrong_entity": "values of {names} are of another time, or of another entity",
    "affine_mismatch": "serving computes {names} as a linear function of what training has",
    "computation_mismatch": "serving computes {names} otherwise than training",
    "out_of_distribution_requests": "more is asked that is unlike the training data",
    "golden_set_regression": "the model itself is wrong more often on its golden set",
    "residuals_moved_relation_did_not": "the model errs otherwise, while outcomes follow from the features as before",
    "model_function_changed": "the model answers the same inputs otherwise than before, and worse",
    "unexplained_degradation": "predictions moved or got worse, and no cause is found",
    "single_feature_values_out_of_range": "requests are strange by {names} alone",
    "predictions_worse_at_unchanged_relation": "predictions are worse, while outcomes follow from the features as before",
}
#: What evidence says that is no number; of everything else that is none nothing is told.
_SAID = {
    ("pairs_agree", "yes"): "online and offline values agree",
    ("deployment_at_onset", "yes"): "a deployment came with it",
    ("marginal_unchanged", "yes"): "their distribution is as before",
    ("have_no_outcome", "yes"): "rows without it are those that have no outcome",
    ("marginal_stable", "yes"): "the features are distributed as before",
}
_ACTIONS = {
    "none": "Nothing need be done: labels show no harm",
    "fine_tune": "Fine-tune the model",
    "move_prior": "Move the model's prior to the new rate of outcomes first, then fine-tune",
    "retrain_with_correct_feature_version": "Retrain with the right version of the feature, on recomputed history",
    "fix_feature": "Fix the feature at its source",
    "patch_pipeline": "Mend the pipeline that serves it",
    "roll_back": "Roll the model back, then retrain",
    "investigate": "Look into it",
}
_GATE = {"allow": "Retraining is allowed", "hold": "Retraining is on hold", "forbid": "Retraining is forbidden"}
_HARM = {"benign": "It does no harm that labels show", "unknown": "What it costs is not known: there are too few labels"}
_REASONS = {"recovered": "what it touched is as before", "replaced": "the reference was replaced", "retired": "the version was retired"}


def told(event: RootCauseEvent) -> str:
    """Since when, what, how it is known, what it costs, what to do and not; the gate; what is not known."""
    parts = (_what(event), _standing(event), _how(event), _cost(event), _do(event), _gate(event), _unknown(event))
    return " ".join(part for part in parts if part)[:MOST_TEXT]


def what(event: RootCauseEvent) -> str:
    """What happened, in one clause.

    Names are quoted; see `driftbus.detectors.diagnosis.words.quoted`.
    """
    names = listed(event.scope.features, event.scope.more_features) or "its inputs"
    map_ = "an image of what it was" if event.map is None else image(event.map)
    share = percent(1.0 if event.map is None else event.map.share)
    clause = WHAT.get(event.subtype, "{names}: " + event.cause.replace("_", " "))
    return clause.format(names=names, map=map_, share=share, places=places(event.scope.exchanged) or names)


def _what(event: RootCauseEvent) -> str:
    scope = event.scope
    whose = [f"source {quoted(scope.source)}"] if scope.source else []
    whose += [f"owned by {listed(scope.owners)}"] if scope.owners else []
    whose += [f"in {listed(scope.segments)} only"] if scope.segments else []
    grows = " and growing since" if event.onset.shape == "gradual" else ""
    began = f"Since {when(event.onset.window[0], rows=event.in_rows)}{grows}"
    named, where = quoted(f"{event.model} {event.version}"), f" ({'; '.join(whose)})" if whose else ""
    return f"{began}, of model {named}: {what(event)}{where}."


def _standing(event: RootCauseEvent) -> str:
    cause = event.cause.replace("_", " ")
    if event.status == "confirmed":
        person = " A person confirms it." if event.feedback is not None and event.feedback.answer == "confirm" else ""
        return (
            f"That is {cause}, with a confidence of {number(event.confidence)}.{person}"
            if event.cause != "undetermined"
            else person.strip()
        )
    if event.status == "suspected":
        waits = f", and {event.awaits.replace('_', ' ')} would decide" if event.awaits else ""
        return f"That is a suspicion of {cause}, for nobody to act on{waits}."
    if event.status == "withdrawn":
        ended = "a person rejected it" if event.reason == "rejected" else "was not found again"
        return f"It was a suspicion of {cause}, and {ended}."
    if event.status == "superseded":
        return f"It was taken for {cause}; now {quoted(event.superseded_by or 'another incident')} says it better."
    reason = _REASONS.get(event.reason or "recovered", "the configuration was changed")
    return f"It was {cause}, and is over: {reason}."


def _how(event: RootCauseEvent) -> str:
    """The numbers that say it, strongest first as the event lists them, and what was done just then."""
    pieces = list(dict.fromkeys(text for one in event.evidence if one.role == "for" and (text := _piece(one))))[:_MOST_PIECES]
    known = [f"Known by: {'; '.join(pieces)}."] if pieces else []
    done = [f"{one.type.replace('_', ' ')} {quoted(one.ref)}" for one in event.onset.coincident[:_MOST_COINCIDENT]]
    known += [f"Done then: {', '.join(done)}."] if done else []
    return " ".join(known)


def _piece(one: EvidencePiece) -> str:
    """What of a piece can be told: a number against its threshold, or what is known not to be a value of a row."""
    if isinstance(one.value, str):
        return _SAID.get((one.name, one.value), "")
    if one.value is None or one.threshold is None:
        return ""
    of = f" of {quoted(one.feature)}" if one.feature else ""
    return f"{one.name.replace('_', ' ')}{of} {number(one.value)} (threshold {number(one.threshold)})"


def _cost(event: RootCauseEvent) -> str:
    impact = event.impact
    found = []
    if impact.loss is not None:
        found.append(f"Loss went from {number(impact.loss[0])} to {number(impact.loss[1])}.")
    if impact.harm in _HARM:
        found.append(f"{_HARM[impact.harm]}.")
    if impact.outliers is not None and event.cause == "prediction_label_bias":
        found.append(f"Unlike the training data were {percent(impact.outliers[0])} of rows, now {percent(impact.outliers[1])}.")
    return " ".join(found)


def _do(event: RootCauseEvent) -> str:
    if event.status in ("withdrawn", "superseded"):
        return ""
    one = event.mitigation
    instead = f"; until then: {one.fallback}" if one.fallback else ""
    do_not = f" Do not {', nor '.join(one.do_not)}." if one.do_not else ""
    return f"{_ACTIONS.get(one.action, one.action.replace('_', ' '))}{instead}.{do_not}"


def _gate(event: RootCauseEvent) -> str:
    gate = event.retrain_gate
    others = "" if event.incident in gate.blocked_by or not gate.blocked_by else f" (incidents {listed(gate.blocked_by)})"
    return f"{_GATE[gate.decision]}: {gate.because}{others}."


def _unknown(event: RootCauseEvent) -> str:
    shown = [f"{one.would_decide} ({one.stream.replace('_', ' ')}: {one.state})" for one in event.missing_evidence[:_MOST_UNKNOWN]]
    more = len(event.missing_evidence) - len(shown)
    return f"Not known: {'; '.join(shown)}{f'; {more} more' if more else ''}." if shown else ""
