"""A file as the input of a pipeline on this machine: a table or a recording, in a temporary log, with the references it needs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np

from ...schemas.cloud_events import iso
from ...schemas.configuration import Configuration, FeatureLog, KafkaTopics, Labels, Stream
from ...schemas.identity import derived_id
from ..bus.embedded import EmbeddedBus
from ..bus.interface import Bus, TopicDescription, TopicPartition
from ..bus.log import Recorded
from ..bus.recording import is_recording, load_recording
from ..decode.json import JSONDecoder
from ..pipeline.own_topics import missing
from ..reference import coincidences, model_events
from ..reference.announce import Announcements, announce, from_start
from ..reference.artifacts import ArtifactStore
from ..reference.building.build import UnusableReference
from ..reference.building.source import reference_of
from ..reference.familiar import copied
from ..streams.cut import Rules
from .picture import moment
from .tabled import tabled
from .terminal import say


class Offline(NamedTuple):
    """What to run, and from when to when its input reaches."""

    configuration: Configuration
    span: tuple[datetime, datetime]


def load(
    configuration: Configuration,
    file: Path,
    model: str | None,
    version: str,
    folder: Path,
    labels: Sequence[str] = (),
    features: Sequence[str] = (),
    *,
    afresh: bool = False,
) -> Offline:
    """Fill a log in ``folder`` from a file, and announce the references of the models in it.

    ``labels``, ``features``: files of a table's labels, and of its features as training computes them. ``afresh``: golden evaluations,
    reviews and jobs are asked for anew, whatever the recording says of them.
    """
    topics = configuration.topics
    offline = configuration.model_copy(
        update={
            "bus": "embedded",
            "embedded": str(folder / "bus.sqlite"),
            "artifacts": str(folder / "artifacts"),
            "topics": KafkaTopics(prefix=f"replay-{topics.prefix}", partitions=topics.partitions),  # the recording may hold the real ones
        }
    )
    bus = EmbeddedBus(offline.embedded, configuration.application, "replay")
    try:
        if is_recording(file):
            for option, given, what in (("--labels", labels, "labels"), ("--features", features, "feature logs")):
                if given:
                    msg = f"{option} {given[0]}: {file} is a recording, which holds the topics of {what}; leave it out"
                    raise click.UsageError(msg)
            streams = _recorded(bus, configuration, file)
        else:
            streams, read, logs = tabled(bus, configuration, file, model, version, labels, features)
            joins = {"labels": configuration.labels | read, "features": configuration.features | logs}
            configuration = configuration.model_copy(update=joins)
        streams = {name: stream.model_copy(update={"clock": "record"}) for name, stream in streams.items()}
        offline = offline.model_copy(update={"streams": streams, **_joined(bus, configuration, streams, recorded=is_recording(file))})
        copies = offline.topics
        _copy(bus, topics.models, copies.models, _said_of_models)
        _copy(bus, topics.feedback, copies.feedback)
        if not afresh:
            _copy(bus, topics.golden, copies.golden)
            _copy(bus, topics.reviews, copies.reviews)
            _copy(bus, topics.actions, copies.actions)
        _make(bus, offline)
        span = _announce(bus, configuration, offline)
    finally:
        bus.close()
    return Offline(offline, span)


def _recorded(bus: EmbeddedBus, configuration: Configuration, file: Path) -> dict[str, Stream]:
    """The streams, as far as a recording holds their topics."""
    held = load_recording(bus, file)
    streams = {
        name: stream.model_copy(update={"topics": topics})
        for name, stream in configuration.streams.items()
        if (topics := tuple(topic for topic in stream.topics if topic in held))
    }
    if not streams:
        msg = f"{file} holds {', '.join(held) or 'nothing'}, and none of that is a topic of any stream of the configuration"
        raise click.ClickException(msg)
    return streams


def _joined(bus: EmbeddedBus, configuration: Configuration, streams: dict[str, Stream], *, recorded: bool) -> dict[str, object]:
    """Labels and feature logs, as far as their topics and the predictions that wait for them are there; the models without them."""
    there = {
        name: topics
        for name, own in configuration.joins.items()
        if (topics := tuple(bus.describe(own.topics))) and set(configuration.awaited_by(name)) & streams.keys()
    }
    sections: dict[str, Mapping[str, Labels | FeatureLog]] = {"labels": configuration.labels, "features": configuration.features}
    for section, joins in sections.items():
        remedy = "" if recorded else f"; its file: --{section} FILE"
        for name in sorted(joins.keys() - there.keys()):
            say(f"{section}.{name}: not read: {', '.join(configuration.joins[name].topics)} is not there{remedy}")
    models = {name: model.without_joins(there) for name, model in configuration.models.items()}
    read = {
        section: {name: own.model_copy(update={"topics": there[name]}) for name, own in joins.items() if name in there}
        for section, joins in sections.items()
    }
    return {**read, "models": models}


def _announce(bus: Bus, configuration: Configuration, offline: Configuration) -> tuple[datetime, datetime]:
    """References as the recording announces them; for other models, built from what the configuration names. And the input's first and
    last time.
    """
    store = ArtifactStore(offline.artifacts)
    recorded = Announcements(bus, configuration)
    recorded.refresh()
    for announcement in recorded.all():
        if announcement.reference:
            copied(ArtifactStore(configuration.artifacts), store, announcement.reference)
        announce(bus, offline, announcement)
    seen, span = _survey(bus, offline)
    told = {(announcement.model, announcement.version) for announcement in recorded.all()}
    for model, version in sorted(seen - told):
        if configuration.model(model).reference is None:
            continue  # the detector will say that it is not monitored
        try:
            reference = reference_of(configuration, model, version, bus, store)
        except UnusableReference as error:
            say(f"{model}/{version} has no reference: {error}", err=True)
        else:
            announce(bus, offline, from_start(model, version, store.put(reference.encoded()), reference.rows))
    return span


def _make(bus: EmbeddedBus, offline: Configuration) -> None:
    """Topics of our own that were not recorded. Panes and progress name ids of topics, so every replay gives the same ones."""
    for topic in missing(bus, offline):
        bus.restore(TopicDescription(topic.name, derived_id("topic", topic.name), topic.partitions, topic.settings), [])


def _said_of_models(key: bytes | None) -> bool:
    """Announcements are made anew; what else lies on the topic is copied."""
    return model_events.is_one(key) or coincidences.is_one(key)


def _copy(bus: EmbeddedBus, topic: str, name: str, wanted: Callable[[bytes | None], bool] = lambda _: True) -> None:
    """The records with such keys of a topic of our own, if it was recorded, under another name: with their offsets, and with their times,
    which are the log's where they were the log's.
    """
    recorded = bus.describe([topic]).get(topic)
    if recorded is None:
        return
    copy = replace(recorded, name=name)
    for number in range(recorded.partitions):
        place = TopicPartition(recorded.name, number)
        for batch in bus.read(place, *bus.watermarks(place)):
            columns = zip(batch.offsets.tolist(), batch.timestamps.tolist(), batch.keys(), batch.values, batch.headers(), strict=True)
            bus.restore(copy, [Recorded(number, *record) for record in columns if wanted(record[2])])


def _survey(bus: Bus, offline: Configuration) -> tuple[set[tuple[str, str]], tuple[datetime, datetime]]:
    """The models and versions in all records, and the first and last time."""
    seen: set[tuple[str, str]] = set()
    first, last = 2**62, 0
    for name, stream in offline.streams.items():
        decoder, rules = JSONDecoder(stream.mapping, stream.where, marked=offline.tested_in(name)), Rules.of(stream)
        described = bus.describe(stream.topics)
        for source in (TopicPartition(topic.name, number) for topic in described.values() for number in range(topic.partitions)):
            for batch in bus.read(source, *bus.watermarks(source)):
                times = rules.times(batch.offsets, batch.timestamps, np.zeros(len(batch), dtype=np.bool_))
                keys = batch.keys() if decoder.needs_keys else None
                headers = batch.headers() if decoder.needs_headers else None
                seen |= set(decoder.identities(batch.values, keys, headers).models)
                first, last = min(first, int(times.min())), max(last, int(times.max()))
    return seen, (moment(iso(min(first, last))), moment(iso(last)))
