"""A small world of things that are open, on either bus, and what an alerter says of them."""

import hashlib
from pathlib import Path
from typing import Any

from driftbus.consumers.alerter.alerter import Alerting, make
from driftbus.consumers.bus.addressing import addressed, partition_of
from driftbus.consumers.bus.interface import Bus, Output, TopicPartition
from driftbus.consumers.pipeline.own_topics import create_topics
from driftbus.consumers.pipeline.runner import wall_ms
from driftbus.consumers.process.consumer import Making
from driftbus.consumers.reference import ledger
from driftbus.consumers.reference.artifacts import ArtifactStore
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.alert import Alerted
from driftbus.schemas.messages.drift import DriftEvent
from driftbus.schemas.messages.job import JobStatus
from driftbus.schemas.messages.promotion import Promotion
from driftbus.schemas.messages.root_cause import Impact, RetrainGate, RootCauseEvent, Scope

from ..actions.test_command import allowed
from ..launcher import worlds as jobs
from ..test_schemas import EVENT
from ..waiting import until

NAME = "team"
Said = DriftEvent | RootCauseEvent | JobStatus | Promotion


def settings_of(folder: Path, kind: dict[str, Any], *, policies: bool = True, **changes: Any) -> Configuration:
    """Two partitions, a live clock, one alert; episodes are told at once."""
    alert = {"wait": 0, **kind}
    own: dict[str, Any] = {"alerts": {NAME: alert}, "launchers": {}, **changes}
    if policies:
        own.setdefault("models", {model: {"retrain": {"p": {"when": "person"}}} for model in jobs.MODELS})
    return jobs.settings_of(folder, {}, **own)


def id_of(name: str) -> str:
    """Of an incident, or an episode."""
    return hashlib.md5(name.encode()).hexdigest()


def episode(name: str, model: str = "m", **changes: Any) -> DriftEvent:
    """One that opens."""
    return EVENT.model_copy(update={"episode": id_of(name), "model": model, "severity": "minor", **changes})


def incident(name: str, model: str = "m", *, of: tuple[str, ...] = (), harm: str = "unknown", **changes: Any) -> RootCauseEvent:
    """One that is confirmed; ``of``: the episodes that it explains."""
    scope = changes.pop("scope", Scope(features=("amount",)))
    told = {"impact": Impact.model_validate({"harm": harm}), "episodes": tuple(map(id_of, of)), "scope": scope}
    gate = RetrainGate(decision="forbid", because="a fault", blocked_by=(id_of(name),))
    return allowed().model_copy(update={"incident": id_of(name), "model": model, "retrain_gate": gate, **told, **changes})


def over(said: DriftEvent | RootCauseEvent) -> DriftEvent | RootCauseEvent:
    """The same, resolved."""
    if isinstance(said, DriftEvent):
        return said.model_copy(update={"status": "resolved", "sequence": said.sequence + 1, "reason": "recovered"})
    return said.model_copy(update={"status": "resolved", "revision": said.revision + 1, "reason": "recovered"})


def status(settings: Configuration, number: int, state: Any, model: str = "m") -> JobStatus:  # state: one of a job's
    """Of a job of that number."""
    return jobs.status(jobs.request(settings, number, model), state)


def step(version: str, name: Any, *, number: int = 1) -> Promotion:  # name: one of a version's steps
    """What becomes of a version of model m."""
    return Promotion(model="m", version=version, parent="1", job="j", step=name, number=number, reason="as it was found", time=1_000)


def records(settings: Configuration, *said: Said) -> list[Output]:
    """As their roles write them."""
    topics, found = settings.topics, list[Output]()
    for one in said:
        if isinstance(one, JobStatus | Promotion):
            found.append(ledger.retrain_output(settings, one))
            continue
        topic = topics.drift if isinstance(one, DriftEvent) else topics.root_causes
        ours = one if isinstance(one, DriftEvent) else one.model_copy(update={"application": settings.application})
        found.append(addressed(settings, topic, ours, partition_of(one.model, topics.partitions)))
    return found


def say(bus: Bus, settings: Configuration, *said: Said) -> None:
    """Write them."""
    bus.publish(records(settings, *said))


def prepared(bus: Bus, settings: Configuration) -> None:
    """The topics."""
    bus.create("scored", 2)
    create_topics(bus, settings)


def alerting(bus: Bus, settings: Configuration) -> Alerting:
    """The one alerter."""
    (one,) = make(Making(bus, settings, ArtifactStore(settings.artifacts), wall_ms))
    return one


def finished(bus: Bus, settings: Configuration) -> Alerting:
    """One that has said what there is to say, and is gone."""
    one = alerting(bus, settings)
    one.finish()
    until(lambda: (one.turn(0.01), one.done)[1], 60)
    one.close()
    return one


def told(bus: Bus, settings: Configuration) -> list[tuple[str, str, str]]:
    """What is written to have been told, partition by partition: of what, how grave, and which."""
    found = list[tuple[str, str, str]]()
    for number in range(settings.topics.partitions):
        place = TopicPartition(settings.topics.alerts, number)
        for batch in bus.read(place, *bus.watermarks(place)):
            said = [Alerted.decoded(value or b"") for value in batch.values]
            found += [(one.of, one.severity, one.state) for one in said]
    return found
