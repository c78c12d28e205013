"""A small world of jobs on either bus: requests and ends as the decider writes them, a launcher that may be taken away, and its facts."""

import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from driftbus.consumers.bus.interface import Bus, Output, TopicPartition
from driftbus.consumers.launcher.launcher import Launching, make
from driftbus.consumers.pipeline.own_topics import create_topics
from driftbus.consumers.pipeline.runner import wall_ms
from driftbus.consumers.process.consumer import Making
from driftbus.consumers.reference import ledger
from driftbus.consumers.reference.artifacts import ArtifactStore
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.action import ActionAdopted, ActionObserved, ledger_fact
from driftbus.schemas.messages.job import JobStatus, State, job_id
from driftbus.schemas.messages.retrain import RetrainData, RetrainRequest, Trigger

from ..waiting import until

NAME, MODELS = "train", "abcdm"


def settings_of(folder: Path, kind: dict[str, Any], **changes: Any) -> Configuration:
    """Two partitions, a live clock, one launcher."""
    return Configuration.model_validate(
        {
            "application": f"app-{uuid.uuid4().hex[:8]}",
            "bus": "embedded",
            "embedded": ":memory:",
            "artifacts": str(folder / "artifacts"),
            "topics": {"partitions": 2},
            "streams": {"predictions": {"topics": ["scored"]}},
            "launchers": {NAME: kind},
            "models": {model: {"retrain": {"p": {"when": "person", "on": NAME}}} for model in MODELS},
            **changes,
        }
    )


def prepared(bus: Bus, settings: Configuration) -> None:
    """The topics."""
    bus.create("scored", 2)
    create_topics(bus, settings)


def request(settings: Configuration, number: int, model: str = "m", on: str = NAME) -> RetrainRequest:
    """A job that is asked for."""
    now = wall_ms()
    return RetrainRequest(
        job=job_id(settings.application, model, "p", str(number), 1),
        application=settings.application,
        model=model,
        version="1",
        policy="p",
        on=on,
        attempt=1,
        trigger=Trigger(kind="person", id=str(number)),
        requested=now,
        deadline=now + 3_600_000,
        data=RetrainData(until=now),
    )


def status(one: RetrainRequest, state: State) -> JobStatus:
    """What the decider says of a job."""
    return JobStatus(
        job=one.job,
        application=one.application,
        model=one.model,
        version=one.version,
        policy=one.policy,
        on=one.on,
        attempt=one.attempt,
        trigger_kind="person",
        trigger=one.trigger.id,
        state=state,
        cause="so it is",
        time=one.requested,
    )


def records(settings: Configuration, said: Iterable[RetrainRequest | JobStatus]) -> list[Output]:
    """As the decider writes them."""
    return [ledger.retrain_output(settings, one) for one in said]


def say(bus: Bus, settings: Configuration, *said: RetrainRequest | JobStatus) -> None:
    """Write them."""
    bus.publish(records(settings, said))


def adopt(bus: Bus, settings: Configuration, name: str, spool: str) -> None:
    """As a person says it."""
    ledger.tell(bus, settings, ActionAdopted(model=name, spool=spool, by="ann"))


def facts(bus: Bus, settings: Configuration) -> list[ActionObserved]:
    """What launchers have said, partition by partition."""
    found = []
    for number in range(settings.topics.partitions):
        place = TopicPartition(settings.topics.actions, number)
        for batch in bus.read(place, *bus.watermarks(place)):
            said = (ledger_fact(value or b"") for value in batch.values)
            found += [one for one in said if isinstance(one, ActionObserved)]
    return found


def launching(bus: Bus, settings: Configuration) -> Launching:
    """The one launcher."""
    (one,) = make(Making(bus, settings, ArtifactStore(settings.artifacts), wall_ms))
    return one


def turned_until(one: Launching, bus: Bus, settings: Configuration, wanted: Iterable[tuple[str, str]]) -> None:
    """Let it turn until all these, job and state, are facts."""
    expected = set(wanted)

    def there() -> bool:
        one.turn(0)
        return expected <= {(fact.job, fact.state) for fact in facts(bus, settings)}

    until(there, 60)
