"""An incident as an event: what its last finding says, what it costs, what to do, and what of that is news."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec

from ...detectors.diagnosis import mitigation, text
from ...detectors.diagnosis.evidence import Case, Coincident, FieldOf, Outcomes
from ...detectors.diagnosis.evidence import Window as Evidence
from ...detectors.diagnosis.finding import Diagnosis, Finding
from ...detectors.diagnosis.incidents import Incident, band
from ...detectors.diagnosis.sums import Place
from ...detectors.diagnosis.windows import NEWEST, Window, Windows
from ...schemas.identity import content_hash
from ...schemas.messages.root_cause import (
    MOST_COINCIDENT,
    MOST_EVIDENCE,
    MOST_EXCHANGED,
    MOST_FEATURES,
    MOST_LISTED,
    MOST_OWNERS,
    MOST_REASON,
    CauseMap,
    CauseRuledOut,
    CoincidentFact,
    EvidencePiece,
    EvidencePlace,
    Impact,
    MissingEvidence,
    Onset,
    PersonsWord,
    RetrainGate,
    RootCauseEvent,
    Scope,
    WindowCounts,
)

#: Which engine said it: another one may say other things of the same evidence.
ENGINE = "1"
#: Digits of what is told: linear algebra differs between machines in the last ones.
DIGITS = 6
#: Labels since the onset below which nobody knows what it costs; by what share of itself a greater loss is harm.
LEAST_LABELS, HARM = 200, 0.05


class Whose(NamedTuple):
    """What all events of one version share."""

    application: str
    stream: str
    model: str
    version: str
    reference: str
    configuration: str
    calibration: str | None = None  #: hash of what its confidence is calibrated by
    in_rows: bool = False  #: times of its stream count rows


class Ran(NamedTuple):
    """How a run stands: what is told beside each incident."""

    time: int
    case: Case
    diagnosis: Diagnosis
    baseline: Sequence[Window]
    windows: Sequence[Window]  #: those of which everything is looked at
    expired: int
    missing: Mapping[str, str]  #: kinds of evidence that were not there, and why

    @classmethod
    def of(cls, time: int, case: Case, diagnosis: Diagnosis, windows: Windows, missing: Mapping[str, str]) -> "Ran":
        """Of a version's windows."""
        return cls(time, case, diagnosis, windows.baseline, windows.newest[-NEWEST:], windows.expired, missing)


@dataclass
class Told:
    """What is known of an incident beside its finding."""

    rows: int
    labelled: int
    windows: int
    impact: Impact
    offsets: dict[Place, tuple[int, int]]
    complete: bool
    clock_decided: bool


def since_onset(incident: Incident, ran: Ran) -> Told:
    """What the windows since its onset hold."""
    of_it = [one for one in ran.windows if one.last >= incident.onset.number]
    outcomes = [one.outcomes for one in behind_onset(incident, ran.case) if one.outcomes is not None]
    labelled = sum(one.labelled for one in outcomes)
    offsets: dict[Place, tuple[int, int]] = {}
    for one in of_it:
        for place, (first, last) in one.sums.offsets.items():
            low, high = offsets.get(place, (first, last))
            offsets[place] = min(low, first), max(high, last)
    return Told(
        rows=sum(one.sums.rows for one in of_it),
        labelled=max(labelled, 0),
        windows=len(of_it),
        impact=_impact(incident.finding, ran.diagnosis, _loss(ran.case.baseline, outcomes), labelled),
        offsets=offsets,
        complete=all(one.sums.complete for one in of_it),
        clock_decided=any(one.sums.clock_decided for one in of_it),
    )


def event(whose: Whose, incident: Incident, told: Told, ran: Ran, of_version: RetrainGate, episodes: Sequence[str]) -> RootCauseEvent:
    """The next revision of an incident."""
    finding, onset = incident.finding, incident.onset
    by_name = {field.name: field for field in ran.case.fields}
    owners = _owners(finding, by_name)
    names = finding.features[:MOST_FEATURES]
    near = _near(incident, ran.case.coincident, finding, ran.windows)
    released = tuple((one.type, one.ref) for one in near)
    known = mitigation.Known(onset.start, incident.ended, told.impact.harm, owners, released)
    remedy = mitigation.mitigate(finding, known)
    data = remedy.training_data.model_copy(update={"recompute": remedy.training_data.recompute[:MOST_FEATURES]})
    found = RootCauseEvent(
        application=whose.application,
        incident=incident.id,
        revision=incident.revision + 1,
        status=incident.status,
        reason=incident.reason,
        superseded_by=incident.superseded_by,
        model=whose.model,
        version=whose.version,
        versions=tuple(incident.versions),
        stream=whose.stream,
        in_rows=whose.in_rows,
        reference=whose.reference,
        complete=told.complete,
        clock_decided=told.clock_decided,
        configuration=whose.configuration,
        engine=ENGINE,
        cause=finding.cause,
        subtype=finding.subtype,
        map=_map(finding),
        scope=Scope(
            features=names,
            more_features=len(finding.features) - len(names),
            source=finding.source,
            owners=owners,
            exchanged=dict(sorted(finding.exchanged.items())[:MOST_EXCHANGED]),
        ),
        onset=Onset(
            window=(onset.start, onset.end),
            shape=finding.shape,
            coincident=near,
        ),
        run=ran.time,
        confidence=rounded(finding.confidence),
        score=_maybe(finding.score),
        calibrated=finding.score is not None,
        calibration=None if finding.score is None else whose.calibration,
        alternatives=finding.alternatives,
        awaits=finding.awaits,
        windows=WindowCounts(
            baseline=len(ran.baseline), since_onset=told.windows, rows=told.rows, labelled=told.labelled, expired=ran.expired
        ),
        impact=told.impact,
        evidence=tuple(
            EvidencePiece(
                name=one.name,
                feature=one.feature,
                value=_value(one.value),
                threshold=_maybe(one.threshold),
                z=_maybe(one.z),
                role=one.role,
            )
            for one in finding.evidence[:MOST_EVIDENCE]
        ),
        more_evidence=max(len(finding.evidence) - MOST_EVIDENCE, 0),
        ruled_out=tuple(CauseRuledOut(cause=one.cause, because=one.because[:MOST_REASON]) for one in ran.diagnosis.ruled_out),
        missing_evidence=_missing(finding, ran),
        mitigation=remedy.model_copy(update={"training_data": data}),
        retrain_gate=of_version.model_copy(update={"blocked_by": of_version.blocked_by[:MOST_LISTED]}),
        episodes=tuple(episodes[:MOST_LISTED]),
        more_episodes=max(len(episodes) - MOST_LISTED, 0),
        panes=tuple(
            EvidencePlace(kind="predictions", topic=place.topic, partition=place.partition, offsets=offsets)
            for place, offsets in sorted(told.offsets.items())[:MOST_LISTED]
        ),
        more_panes=max(len(told.offsets) - MOST_LISTED, 0),
        feedback=_word(incident),
        artifact=incident.artifact,
        text="",
    )
    return found.model_copy(update={"text": text.told(found)})


def news_of(incident: Incident, harm: str, of_version: RetrainGate) -> str:
    """All that makes another revision when it changes, as one text."""
    finding = incident.finding
    facts: list[Any] = [  # plain data
        incident.status,
        finding.cause,
        finding.subtype,
        sorted(finding.features),
        [incident.onset.start, incident.onset.end],
        harm,
        [of_version.decision, of_version.blocked_by],
        band(rounded(finding.confidence)),
        incident.versions,
        incident.superseded_by,
        incident.word,
    ]
    return content_hash(msgspec.json.encode(facts))[7:23]


def behind_onset(incident: Incident, case: Case) -> list[Evidence]:
    """Windows that hold nothing from before its onset: not the onset's own, nor a merged one that began before it.

    Those of which outcomes alone are kept, too: labels may come when all else is gone.
    """
    return [one for one in (*case.ladder, *case.monitored) if one.start >= incident.onset.end]


def _loss(baseline: Sequence[Evidence], since: Sequence[Outcomes]) -> tuple[float, float] | None:
    """A row's, in the baseline and since an onset; None where either has no outcomes."""
    usual = [one.outcomes for one in baseline if one.outcomes is not None]
    rows = [sum(one.labelled for one in of) for of in (usual, since)]
    if min(rows) <= 0:
        return None
    was, now = (sum(one.loss for one in of) / own for of, own in zip((usual, since), rows, strict=True))
    return was, now


def _impact(finding: Finding, diagnosis: Diagnosis, loss: tuple[float, float] | None, labelled: int) -> Impact:
    harm = "unknown" if loss is None or labelled < LEAST_LABELS else "harmful" if loss[1] > loss[0] * (1 + HARM) else "benign"
    return Impact(
        harm=harm,
        loss=_both(loss),
        prediction_tv=rounded(diagnosis.prediction_tv),
        outliers=_both(diagnosis.outliers),
        explains=tuple(finding.impact.get("explains", ())),
    )


def _missing(finding: Finding, ran: Ran) -> tuple[MissingEvidence, ...]:
    """What its own cause lacked, and what else was not there."""
    would = {**ran.diagnosis.missing, **finding.missing}
    return tuple(
        MissingEvidence(stream=stream, state=ran.missing.get(stream, "not there"), would_decide=decides[:MOST_REASON])
        for stream, decides in sorted(would.items())
    )


def _near(incident: Incident, coincident: Sequence[Coincident], finding: Finding, windows: Sequence[Window]) -> tuple[CoincidentFact, ...]:
    """What was done within a window of the onset, about its features or its source, or about all."""
    length = max(incident.onset.end - incident.onset.start, 1)
    found = []
    for one in coincident:
        lag = (incident.onset.end - one.time) // length
        own = not one.features or not set(one.features).isdisjoint(finding.features)
        if -1 <= lag <= 1 and own and one.source in (None, finding.source):
            found.append(CoincidentFact(type=one.type, ref=one.ref, lag=lag))
    return tuple(found[:MOST_COINCIDENT])


def _word(incident: Incident) -> PersonsWord | None:
    word = incident.word
    if word is None:
        return None
    return PersonsWord(answer=word.answer, cause=word.cause, by=word.by, note=word.note, time=word.time)


def _owners(finding: Finding, by_name: Mapping[str, FieldOf]) -> tuple[str, ...]:
    owners = (by_name[name].owner for name in finding.features if name in by_name)
    return tuple(dict.fromkeys(one for one in owners if one is not None))[:MOST_OWNERS]


def _map(finding: Finding) -> CauseMap | None:
    one = finding.map
    if one is None:
        return None
    return CauseMap(
        form=one.form, a=rounded(one.a), b=rounded(one.b), constant=one.constant, share=rounded(one.share), error=rounded(one.error)
    )


def rounded(value: float) -> float:
    """As it is told."""
    return float(f"{value:.{DIGITS}g}")


def _maybe(value: float | None) -> float | None:
    return None if value is None else rounded(value)


def _value(value: float | str | None) -> float | str | None:
    return value[:MOST_REASON] if isinstance(value, str) else _maybe(value)


def _both(pair: tuple[float, float] | None) -> tuple[float, float] | None:
    return None if pair is None else (rounded(pair[0]), rounded(pair[1]))
