"""A request to retrain: why, and on exactly which data, by what the ledger knows when it is made."""

from collections.abc import Iterator

from ...schemas.configuration.retrain import Policy
from ...schemas.messages.action import ActionIncident, ActionReach
from ...schemas.messages.retrain import (
    MOST_FEATURES,
    MOST_NAMED,
    MOST_OF_WINDOW,
    MOST_WINDOWS,
    Excluded,
    GoldenUsed,
    Included,
    LabelCounts,
    Parent,
    RetrainData,
    RetrainRequest,
    TrainingPolicy,
    Trigger,
)
from ...schemas.messages.root_cause import TrainingData
from .state import Job, Ledger


def request_of(application: str, model: str, name: str, job: Job, policy: Policy, ledger: Ledger) -> RetrainRequest:
    """Of a job that is launched now."""
    incident = ledger.incidents[job.trigger].said if job.trigger in ledger.incidents else None
    allowed = () if incident is None else incident.actions
    episode = ledger.episodes[job.trigger].said if job.trigger in ledger.episodes else None
    action = policy.action or (allowed[0] if allowed else "retrain")
    return RetrainRequest(
        job=name,
        application=application,
        model=model,
        version=job.version,
        action=action,
        start_from=None if action == "retrain" else job.version,
        policy=job.policy,
        on=job.on,
        attempt=job.attempt,
        trigger=_trigger(job, ledger, incident),
        requested=ledger.now,
        deadline=ledger.now + policy.start_within + policy.finish_within,
        approved_by=job.approved_by,
        overridden_by=job.overridden_by,
        data=_data(policy, ledger, incident),
        golden=_golden(ledger),
        weights=dict(policy.data.weights.items()),
        reference=ledger.references.get(job.version) or next((one.reference for one in (incident, episode) if one is not None), None),
        parent=Parent(version=job.version, job=ledger.made_by if job.version == ledger.version else None),
    )


def _golden(ledger: Ledger) -> GoldenUsed | None:
    """The set in use; where nobody announced one, the one that the version in force was tested on last."""
    if ledger.golden_set is not None:
        return GoldenUsed(name=ledger.golden_set.name, hash=ledger.golden_set.hash)
    return None if ledger.golden is None else GoldenUsed(hash=ledger.golden)


def _trigger(job: Job, ledger: Ledger, incident: ActionIncident | None) -> Trigger:
    if incident is not None:
        return Trigger(
            kind=job.kind,
            id=job.trigger,
            revision=incident.revision,
            cause=incident.cause,
            subtype=incident.subtype,
            features=incident.features,
            onset=incident.onset,
            confidence=incident.confidence,
        )
    if job.kind == "performance" and job.trigger in ledger.episodes:
        episode = ledger.episodes[job.trigger].said
        return Trigger(kind=job.kind, id=job.trigger, revision=episode.sequence, onset=episode.onset)
    return Trigger(kind=job.kind, id=job.trigger)


def _data(policy: Policy, ledger: Ledger, incident: ActionIncident | None) -> RetrainData:
    reach = ActionReach.model_validate(ledger.reached) if ledger.reached else None
    until = ledger.now if reach is None or reach.time is None else min(reach.time, ledger.now)  # the intake's clock may be ahead
    training = TrainingData() if incident is None else incident.training
    starts = [training.use_from, None if policy.data.window is None else until - policy.data.window]
    since = max((start for start in starts if start is not None), default=None)
    faults = sorted(_faults(ledger, incident, until), key=lambda one: (one.since, one.until or until, one.incident))
    within = [one for one in faults if since is None or one.until is None or one.until > since]
    listed = within[-MOST_WINDOWS:]
    unnamed = len(listed) - MOST_NAMED
    return RetrainData(
        until=until,
        include=(Included(since=since, until=until),),
        exclude=tuple(one.model_copy(update={"features": ()}) if place < unnamed else one for place, one in enumerate(listed)),
        more_excluded=len(within) - len(listed),
        policy=TrainingPolicy(recompute=training.recompute[:MOST_FEATURES], outliers=training.outliers, reviewed=policy.data.reviewed),
        labels=LabelCounts(since_onset=0 if incident is None else incident.labelled, total=ledger.labels, reviewed=ledger.reviewed),
        sources=() if reach is None else reach.sources,
        more_sources=0 if reach is None else reach.more_sources,
        feature_versions=dict(ledger.feature_versions),
    )


def _faults(ledger: Ledger, asking: ActionIncident | None, until: int) -> Iterator[Excluded]:
    """Every window of a fault that ended behind the start of the data or has not ended, and what the cause itself leaves out."""
    for name, one in ledger.incidents.items():
        if one.is_fault:
            fact = one.said
            over = fact.status not in ("suspected", "confirmed")
            features = fact.features if len(fact.features) <= MOST_OF_WINDOW else ()
            yield Excluded(since=min(fact.onset, until), until=fact.run if over else None, incident=name, features=features)
    if asking is not None:
        yield from (Excluded(since=start, until=end, incident=asking.incident) for start, end in asking.training.exclude)
