"""A small world of versions on either bus: steps as the decider writes them, references in the store, and what came of it."""

import uuid
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from driftbus.consumers.bus.interface import Bus, TopicPartition
from driftbus.consumers.console.deployments import read
from driftbus.consumers.pipeline.own_topics import create_topics
from driftbus.consumers.pipeline.runner import wall_ms
from driftbus.consumers.process.consumer import Making
from driftbus.consumers.reference import golden_records, ledger
from driftbus.consumers.reference.announce import Announcements, announce, from_start
from driftbus.consumers.reference.artifacts import ArtifactStore
from driftbus.consumers.reference.building.build import build_reference
from driftbus.consumers.reference.building.columns import Key
from driftbus.consumers.registrar.registrar import Registrar, make
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.identity import derived_id
from driftbus.schemas.messages.golden import GoldenRequest
from driftbus.schemas.messages.model_event import ModelEvent
from driftbus.schemas.messages.promotion import Promotion, Step

from ..columns import Source
from ..waiting import until

APPLICATION = "app"
MODELS = ("a", "b", "m")
PARENT, NEW = "1", "2"


def settings_of(folder: Path, address: str | None = None, **changes: Any) -> Configuration:
    """Two partitions, a live clock, models whose versions are tested on golden sets and known to a registry."""
    call = {"callable": {"function": "tests.golden.functions:of_version"}}
    model: dict[str, Any] = {
        "retrain": {"p": {"when": "person"}},
        "promotion": {"by": "person"},
        "golden": {"call": call},
        "registry": None if address is None else "ours",
    }
    return Configuration.model_validate(
        {
            "application": f"app-{uuid.uuid4().hex[:8]}",
            "bus": "embedded",
            "embedded": ":memory:",
            "artifacts": str(folder / "artifacts"),
            "topics": {"partitions": 2},
            "streams": {"predictions": {"topics": ["scored"]}},
            "models": dict.fromkeys(MODELS, model),
            "registries": {} if address is None else {"ours": {"mlflow": {"url": address}}},
            **changes,
        }
    )


class Version(NamedTuple):
    """One of a model, with its reference in the store."""

    model: str
    version: str
    reference: str


def stored(settings: Configuration, model: str, version: str) -> Version:
    """A reference of its own."""
    draw = np.random.default_rng(int(version))
    columns = {Key("feature", "amount"): draw.normal(float(version), 1, 600)}
    profile = build_reference(Source(columns), model, version)
    return Version(model, version, ArtifactStore(settings.artifacts).put(profile.encoded()))


def prepared(bus: Bus, settings: Configuration) -> dict[str, tuple[Version, Version]]:
    """The topics; of each model a version that serves and is monitored, and a new one that a job has made."""
    for topic in settings.inputs:
        bus.create(topic, 2)
    create_topics(bus, settings)
    found = {}
    for model in settings.models:
        parent, new = (stored(settings, model, version) for version in (PARENT, NEW))
        announce(bus, settings, from_start(model, PARENT, parent.reference, 600))
        found[model] = parent, new
    return found


def step(settings: Configuration, what: Step, version: Version, parent: Version | None = None, **fields: Any) -> Promotion:
    """What the decider says."""
    return Promotion(
        application=settings.application,
        model=version.model,
        version=version.version,
        parent=None if parent is None else parent.version,
        job=fields.pop("job", derived_id("job", version.model, version.version)),
        step=what,
        reference=version.reference,
        parent_reference=None if parent is None else parent.reference,
        reason="so it is",
        time=fields.pop("time", wall_ms()),
        **fields,
    )


def say(bus: Bus, settings: Configuration, *steps: Promotion) -> None:
    """As the decider writes it."""
    bus.publish([ledger.retrain_output(settings, one) for one in steps])


def registrar(bus: Bus, settings: Configuration) -> Registrar:
    (one,) = make(Making(bus, settings, ArtifactStore(settings.artifacts), wall_ms))
    return one


def finished(bus: Bus, settings: Configuration) -> Registrar:
    """One that has done all that there is, as far as it can."""
    one = registrar(bus, settings)
    one.finish()

    def done() -> bool:
        one.turn(0.01)
        return one.done

    until(done, 60)
    one.close()
    return one


def events(bus: Bus, settings: Configuration) -> list[ModelEvent]:
    """What was said of versions, in the order of their times."""
    return [one.event for one in read(bus, settings).known]


def told(bus: Bus, settings: Configuration) -> list[tuple[str, str, str]]:
    """Of which version of which model what, sorted."""
    return sorted((one.model, one.version, one.kind) for one in events(bus, settings))


def monitored(bus: Bus, settings: Configuration, model: str, version: str) -> list[str | None]:
    """The references that are announced for a version, in their order; None: it is retired."""
    known = Announcements(bus, settings)
    known.refresh()
    return [one.reference for one in known.all() if (one.model, one.version) == (model, version)]


def requests(bus: Bus, settings: Configuration) -> list[GoldenRequest]:
    """Tests that were asked for."""
    found = []
    for number in range(settings.topics.partitions):
        place = TopicPartition(settings.topics.golden, number)
        for batch in bus.read(place, *bus.watermarks(place)):
            for key, value, headers in zip(batch.keys(), batch.values, batch.headers(), strict=True):
                said = golden_records.read(settings.application, key, value, headers)
                found += [said] if isinstance(said, GoldenRequest) else []
    return found
