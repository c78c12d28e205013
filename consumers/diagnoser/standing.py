"""How an incident stands, as far as a retrain depends on it."""

from ...detectors.diagnosis import gate
from ...detectors.diagnosis.evidence import Outcomes
from ...detectors.diagnosis.finding import Finding
from ...detectors.diagnosis.incidents import Incident
from .telling import Ran, Told, behind_onset, rounded


def standing(incident: Incident, told: Told, ran: Ran) -> gate.Standing:
    """As far as a retrain depends on it, by a run."""
    finding = incident.finding
    return gate.Standing(
        incident=incident.id,
        cause=finding.cause,
        status=incident.status,
        confidence=rounded(finding.confidence),
        harm=told.impact.harm,
        labelled=told.labelled,
        outliers=_labelled_outliers(incident, ran),
        windows=max(told.windows - 1, 0),  # that of the onset holds values from before it
        whole=finding.shape == "abrupt" and _in_all_rows(finding),
        age=max(ran.time - incident.since, 0),
        by_person=incident.word is not None,
    )


def _in_all_rows(finding: Finding) -> bool:
    shares = [one.value for one in finding.evidence if one.name == "share_of_rows" and isinstance(one.value, float)]
    return min([*shares, 1.0 if finding.map is None else finding.map.share]) >= 1


def _labelled_outliers(incident: Incident, ran: Ran) -> int:
    """Labelled rows since the onset that are unlike the training data, at most.

    Not more than those that are not known to be like it, nor than the share of outliers: not every row is compared. Where outcomes alone
    are kept, that of all windows since.
    """
    usual = 0.0 if ran.diagnosis.outliers is None else ran.diagnosis.outliers[1]
    since = behind_onset(incident, ran.case)
    return max(sum(_of_window(one.outcomes, one.outliers / one.scored if one.scored else usual) for one in since), 0)


def _of_window(outcomes: Outcomes | None, share: float) -> int:
    if outcomes is None or outcomes.relation is None or outcomes.inner is None:
        return 0
    rows = outcomes.relation.rows
    return min(rows - outcomes.inner.rows, int(rows * share))
