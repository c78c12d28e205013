"""What people are told: a line, and a text behind it. Whatever a name holds, it is quoted, and turns no line."""

from collections.abc import Mapping

from ...detectors.diagnosis.words import listed, quoted, when
from ...schemas.messages.drift import DriftEvent, moment
from ...schemas.messages.job import JobStatus
from ...schemas.messages.promotion import Promotion, Step
from ...schemas.messages.root_cause import RootCauseEvent

_GATE = {"allow": "retraining is allowed", "hold": "retraining is on hold", "forbid": "retraining is forbidden"}
#: Steps of a version that somebody is told of.
STEPS: Mapping[Step, str] = {
    "promote": "is promoted",
    "refuse": "is refused",
    "roll_back": "is rolled back",
    "held": "is held: its data are in doubt",
}
_OVER = {"failed": "failed", "timed_out": "timed out", "lost": "is lost"}


def of_incident(event: RootCauseEvent) -> tuple[str, str]:
    """Which cause, of which model, and whether it may be retrained; its own paragraph."""
    heading = f"{quoted(event.model)}: {event.cause.replace('_', ' ')}"
    if event.scope.features:
        heading += f" of {listed(event.scope.features, event.scope.more_features)}"
    if event.status in ("suspected", "confirmed"):
        heading += f", {event.status}; {_GATE[event.retrain_gate.decision]}"
    else:
        heading += f", {event.status}"
    return heading, f"{event.text}\n\ndriftbus explain {event.incident}"


def of_episode(event: DriftEvent) -> tuple[str, str]:
    """What drifts, of which model."""
    names = list(dict.fromkeys(signal.name for signal in event.signals))
    rows = event.onset.startswith("row ")
    ended = f", and is over: {event.reason or 'recovered'}" if event.status == "resolved" else ""
    changes = "; ".join(f"{quoted(one.name)} {one.change}" for one in event.signals[:5])
    heading = f"{quoted(event.model)}: drift of {listed(names, len(event.further) + event.more_signals)} ({event.kind}){ended}"
    since = when(moment(event.onset), rows=rows)
    return heading, f"Since {since}, of version {quoted(event.version)}: {changes}.\n\ndriftbus show {event.episode}"


def of_job(status: JobStatus) -> tuple[str, str]:
    """Which job failed, and why."""
    heading = f"{quoted(status.model)}: the job of policy {quoted(status.policy)} {_OVER.get(status.state, status.state)}"
    return heading, f"Attempt {status.attempt}: {quoted(status.cause)}.\n\ndriftbus jobs show {status.job}"


def of_approval(status: JobStatus) -> tuple[str, str]:
    """Which job waits for a person."""
    heading = f"{quoted(status.model)}: a job of policy {quoted(status.policy)} awaits approval"
    return heading, f"Asked for by {status.trigger_kind} {quoted(status.trigger)}.\n\ndriftbus jobs approve {status.job} --by YOU"


def of_step(said: Promotion) -> tuple[str, str]:
    """What became of which version, and why."""
    heading = f"{quoted(said.model)}: version {quoted(said.version)} {STEPS[said.step]}"
    by = "" if said.by is None else f" By {quoted(said.by)}."
    parent = "" if said.parent is None else f" Its parent is {quoted(said.parent)}."
    return heading, f"{quoted(said.reason)}.{by}{parent}\n\ndriftbus models show MODEL VERSION"
