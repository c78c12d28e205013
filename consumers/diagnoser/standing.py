"""How an incident stands, as far as a retrain depends on it."""

from ...detectors.diagnosis import gate
from ...detectors.diagnosis.evidence import Case, Outcomes
from ...detectors.diagnosis.finding import Finding
from ...detectors.diagnosis.incidents import Incident
from .telling import Ran, Told, rounded


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
        outliers=_labelled_outliers(incident, ran.case),
        windows=told.windows,
        whole=finding.shape == "abrupt" and _in_all_rows(finding),
        age=max(ran.time - incident.since, 0),
        by_person=incident.word is not None,
    )


def _in_all_rows(finding: Finding) -> bool:
    shares = [one.value for one in finding.evidence if one.name == "share_of_rows" and isinstance(one.value, float)]
    return min([*shares, 1.0 if finding.map is None else finding.map.share]) >= 1


def _labelled_outliers(incident: Incident, case: Case) -> int:
    """Labelled rows since the onset that are unlike the training data, at most.

    Not more than those that are not known to be like it, nor than the share of outliers: not every row is compared.
    """
    since = [one for one in case.monitored if one.end >= incident.onset.end and one.scored]
    return max(sum(_of_window(one.outcomes, one.outliers / one.scored) for one in since), 0)


def _of_window(outcomes: Outcomes | None, share: float) -> int:
    if outcomes is None or outcomes.relation is None or outcomes.inner is None:
        return 0
    rows = outcomes.relation.rows
    return min(rows - outcomes.inner.rows, int(rows * share))
