"""One model: its versions, what is known of it, and its incidents; and a run of one of its versions."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ...detectors.diagnosis.calibration import calibrated
from ...detectors.diagnosis.engine import diagnose, screen
from ...detectors.diagnosis.finding import Diagnosis, Finding
from ...detectors.diagnosis.gate import Standing, decide
from ...detectors.diagnosis.incidents import MOST_OPEN, Home, Incident, Incidents, Onset, Placed, Run, Word, in_order
from ...detectors.diagnosis.thresholds import Thresholds
from ...detectors.diagnosis.windows import BEFORE_A_CHANGE, LEAST_BASELINE, NEWEST, Span
from ...schemas.configuration import Model as Settings
from ...schemas.messages.evidence import Evidence
from ...schemas.messages.feedback import Feedback
from ...schemas.messages.root_cause import RetrainGate, RootCauseEvent
from ...schemas.stored.calibration import CauseCalibration
from ...schemas.text import Use, fitted
from ..reference.calibrations import Named
from .archive import Archived, archived
from .case import Looked, looked_at
from .kinds import FEEDBACK
from .known import Known
from .standing import standing
from .telling import Ran, Told, Whose, event, news_of, since_onset
from .watched import ENOUGH_OUTCOMES, Watched

#: Windows between an incident's onset and that of an episode which belongs to it.
NEAR = 3
#: Of a person's remark, what events repeat: without control characters, and so short.
NOTE = Use(500)
#: Of what no finding is said.
_NOTHING = Diagnosis([], [], {}, 0.0, None)


class Published(NamedTuple):
    """An event, and what of it is stored beside the log."""

    event: RootCauseEvent
    archived: Archived | None = None


@dataclass
class Model:
    """All that is remembered of one."""

    name: str
    stream: str
    settings: Settings
    thresholds: Thresholds
    incidents: Incidents
    configuration: str  #: hash of what is read of the configuration
    calibration: Named | None = None  #: by what people said; None: scores are told as they are
    in_rows: bool = False  #: times of its stream count rows
    wait: int | None = None  #: how long labels may come behind their predictions, ms; None: there are none
    known: Known = field(default_factory=Known)
    versions: dict[Home, Watched] = field(default_factory=dict)
    heard: int | None = None  #: the end of the bucket in which something of it came last; None: it is not known

    def of(self, version: str) -> Watched | None:
        """The one state of a version."""
        return next((one for home, one in self.versions.items() if home.version == version), None)

    def hear(self, evidence: Evidence) -> bool:
        """A fact of the model; whether it is news."""
        if evidence.of != FEEDBACK:
            return self.known.take(evidence)
        said = Feedback.of(evidence.fact)
        incident = self.incidents.of(said.incident)
        if incident is None:
            return False
        note = None if said.note is None else fitted(said.note, NOTE)
        agrees = said.agrees(incident.finding.cause)
        incident.word = Word(agrees, said.answer, said.cause, said.by, note, evidence.about)
        return True

    def run(self, watched: Watched, time: int, late: Collection[str]) -> list[Published]:
        """A grain of a version has ended: look, if there is something new to look at."""
        watched.touched, watched.ran = None, time
        windows = watched.windows
        fresh = windows.close(time)
        if not (fresh or watched.news or watched.outcomes >= ENOUGH_OUTCOMES):
            return []
        watched.outcomes, watched.news = 0, False
        watched.runs += 1
        for one in windows.all():
            one.trim()
        amiss = self._amiss(watched.home)
        windows.settle(amiss, self._since(time))
        looked = looked_at(watched, time, self.known, self.settings, amiss, self._over(watched.home), late)
        diagnosis = self._diagnosed(watched, looked)
        kept_from = windows.newest[-NEWEST:][0].first if windows.newest else windows.closed
        run = Run(watched.home, time, watched.runs, fresh, windows.stands, kept_from)
        touched = self.incidents.follow(run, list(_placed(diagnosis, looked)))
        ran = Ran.of(time, looked.case, diagnosis, watched.windows, self._missing(watched, looked))
        said = self._told(watched, ran, touched, [one for one in self.incidents.open if watched.home in one.missed])
        watched.rest()
        return said

    def replace(self, former: Watched, watched: Watched, time: int) -> list[Published]:
        """A version is counted against another reference from now on."""
        return self._ended(former, time, self.incidents.adopt(former.home, watched.home, time, "replaced"))

    def retire(self, watched: Watched, time: int) -> list[Published]:
        """Nothing more comes of a version. Another one that does come gets what is at fault at the sources of both."""
        others = [one for one in self.versions.values() if one is not watched]
        if not others:
            return self._ended(watched, time, self.incidents.retire(watched.home, time))
        successor = max(others, key=lambda one: (one.latest, one.since, one.home))
        return self._ended(watched, time, self.incidents.adopt(watched.home, successor.home, time, "retired"))

    def leave(self, watched: Watched) -> list[Published]:
        """Causes of the model are looked for no more."""
        time = watched.windows.through
        return self._ended(watched, time, self.incidents.retire(watched.home, time, "reconfigured"))

    def _diagnosed(self, watched: Watched, looked: Looked) -> Diagnosis:
        """Only where something shows, or is known to be amiss, all causes are gone through."""
        if not looked.case.monitored:
            return _NOTHING
        asked = self.known.open(watched.home.version) or any(watched.home in one.missed for one in self.incidents.open)
        of_case = looked.case, self.thresholds, watched.reading.groups_of_fields
        return calibrated(diagnose(*of_case), self._curves) if asked or screen(*of_case) else _NOTHING

    @property
    def _curves(self) -> Mapping[str, CauseCalibration]:
        return {} if self.calibration is None else self.calibration.calibration.causes

    def _amiss(self, home: Home) -> list[Span]:
        """When something of a version was not as it should be. What is only suspected without a baseline may be the season."""
        open_ = (one for one in self.incidents.open if home in one.missed)
        told = (
            Span(one.onset.start, None, BEFORE_A_CHANGE if one.status == "confirmed" else LEAST_BASELINE, _about(one.finding))
            for one in open_
        )
        return [*self.known.amiss(home.version), *self._over(home), *told]

    def _over(self, home: Home) -> list[Span]:
        """When incidents of a version were that are over: what is found next is not compared with that."""
        ended = (one for one in self.incidents.ended if one.status == "resolved" and home.version in one.versions)
        found = [Span(one.onset.start, one.ended, about=_about(one.finding)) for one in ended if one.ended is not None]
        begun = min((one.onset.start for one in self.incidents.open if home in one.missed), default=None)
        return [one for one in found if begun is None or one.start < begun]

    def _since(self, time: int) -> int:
        """Nothing that comes is about what was before then."""
        return time if self.wait is None else time - self.wait

    def _told(self, watched: Watched, ran: Ran, touched: Sequence[Incident], open_: Sequence[Incident]) -> list[Published]:
        """The revisions that are news: of incidents that this run found or missed, and of those whose gate that changes.

        ``open_``: those that a retrain of the version depends on.
        """
        told = {one.id: since_onset(one, ran) for one in (*touched, *open_)}
        of_version = self._gate(watched, [standing(one, told[one.id], ran) for one in open_])
        published = []
        for incident in in_order(touched):
            if incident.open and watched.home not in incident.missed:
                continue  # it goes on in another version, whose gate it still shuts
            found = told[incident.id]
            news = news_of(incident, found.impact.harm, of_version)
            if news != incident.said.get(watched.home):
                published.append(self._published(watched, incident, found, ran, of_version))
            kept = {home: said for home, said in incident.said.items() if home in incident.missed}
            incident.said = {**kept, watched.home: news}
        return published

    def _gate(self, watched: Watched, open_: Sequence[Standing]) -> RetrainGate:
        full = len(self.incidents.open) >= MOST_OPEN
        return decide(open_, baseline=watched.windows.stands, full=full)

    def _published(self, watched: Watched, incident: Incident, told: Told, ran: Ran, of_version: RetrainGate) -> Published:
        length = max(incident.onset.end - incident.onset.start, 1)
        episodes = self.known.about(watched.home.version, incident.finding.features, incident.onset.start, NEAR * length)
        calibrated_by = None if self.calibration is None else self.calibration.name
        whose = Whose(self.incidents.application, self.stream, self.name, *watched.home, self.configuration, calibrated_by, self.in_rows)
        stored = None
        if incident.status not in ("suspected", "withdrawn") and (incident.artifact is None or not incident.open):
            stored = archived(whose, incident, ran)
            incident.artifact = stored.name
        said = event(whose, incident, told, ran, of_version, episodes)
        incident.revision += 1
        return Published(said, stored)

    def _ended(self, watched: Watched, time: int, changed: Sequence[Incident]) -> list[Published]:
        """What is told of incidents that end with a version: by what was seen of it last. What was found in it, and goes on in another
        one, still forbids to train by its rows."""
        if not changed:
            return []
        looked = looked_at(watched, time, self.known, self.settings, self._amiss(watched.home), self._over(watched.home), ())
        ran = Ran.of(time, looked.case, _NOTHING, watched.windows, {})
        return self._told(watched, ran, changed, [one for one in self.incidents.open if watched.home.version in one.versions])

    def _missing(self, watched: Watched, looked: Looked) -> dict[str, str]:
        missing = dict(looked.case.absent)
        if not watched.windows.stands:
            missing["baseline"] = "no baseline of production yet"
        elif watched.windows.doubtful:
            missing["clean baseline"] = "something was amiss in it"
        return missing


def _about(finding: Finding) -> frozenset[str] | None:
    """The fields whose values it touches; None: any."""
    return None if finding.cause == "prediction_label_bias" or not finding.features else frozenset(finding.features)


def _placed(diagnosis: Diagnosis, looked: Looked) -> Iterator[Placed]:
    """Findings, with when their onsets were."""
    for finding in diagnosis.findings:
        window = looked.windows[min(finding.onset, len(looked.windows) - 1)]
        yield Placed(finding, Onset(window.first, window.start, window.end))
