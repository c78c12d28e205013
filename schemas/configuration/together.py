"""What several sections of a configuration must agree on."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from ..duration import written
from .feature_log import FeatureLog
from .labels import Labels
from .model import Model
from .promotion import FEWEST_DAYS
from .registries import MLFLOW_NAME, Registry
from .stream import Stream

#: What the streams of one join must have alike: else the one's clock holds the other's rows up.
_ALIKE = ("pane", "clock", "grace")
#: And where a clock may decide: else what one stream gives up the join still waits for, or the other way round.
_ALIKE_LIVE = (*_ALIKE, "patience")
#: With the stream of each, by name.
_Models = Mapping[str, tuple[str, Model]]


def ids_unkeyed(labels: Mapping[str, Labels], models: Mapping[str, Model]) -> Iterator[str]:
    """Why ids that are personal could be guessed from their hashes: those of a model with labels are hashed as these are, by one key."""
    for name, model in models.items():
        own = None if model.labels is None else labels.get(model.labels)
        if model.personal.id and model.labels is None and model.personal.key is None:
            yield f"models.{name}.personal.key: is missing: by it the ids are hashed; name a variable of the environment that holds it"
        elif model.personal.id and own is not None and own.key is None:
            yield f"labels.{model.labels}.key: is missing: models.{name}.personal.id says that ids are personal; name a variable for it"


def labels_apart(streams: Mapping[str, Stream], labels: Mapping[str, Labels], models: _Models) -> Iterator[str]:
    """Why labels could not meet their predictions, each with the key to change."""
    for name, (stream, model) in models.items():
        if model.labels is None:
            continue
        if model.learner is not None and (outcome := labels[model.labels].outcome if model.labels in labels else "binary") != "binary":
            yield f"models.{name}.learner: learns binary labels, and labels.{model.labels}.outcome is {outcome}; leave it out"
        if model.labels not in labels:
            yield f"models.{name}.labels: {model.labels!r} is not among labels: {', '.join(labels) or 'there are none'}"
        if streams[stream].mapping.id is None:
            yield f"models.{name}.labels: needs ids; write streams.{stream}.mapping.id, where the predictions keep theirs"
        if streams[stream].pane.unit != "time":
            yield f"models.{name}.labels: labels need panes of a fixed time, and those of streams.{stream} are of {streams[stream].pane}"
        elif model.promotion is not None and FEWEST_DAYS * streams[stream].pane.milliseconds > model.promotion.shadow:
            least = f"{FEWEST_DAYS} panes of streams.{stream} are longer ({streams[stream].pane} each)"
            yield f"models.{name}.promotion.shadow: {written(model.promotion.shadow)}: {least}, and of fewer nothing is decided; write more"
    for name, own in labels.items():
        if name in streams:
            yield f"labels.{name}: is the name of a stream, too: both read as one group; write another"
        used = _used(models, name)
        if not used:
            yield f"labels.{name}: no model has these labels; write models.NAME.labels: {name}"
            continue
        yield from _unlike(f"labels.{name}", "of models with the same labels", streams, used)
        yield from _held_twice(f"labels.{name}", "labels", own.topics, own.where is not None, streams)


def features_apart(
    streams: Mapping[str, Stream], labels: Mapping[str, Labels], features: Mapping[str, FeatureLog], models: _Models
) -> Iterator[str]:
    """Why rows of a feature log could not meet their predictions, each with the key to change."""
    for name, (stream, model) in models.items():
        if model.agreement is None:
            continue
        if model.agreement.log not in features:
            written = f"{model.agreement.log!r} is not among features: {', '.join(features) or 'there are none'}"
            yield f"models.{name}.agreement.log: {written}"
        if streams[stream].mapping.entity is None:
            needed = f"write streams.{stream}.mapping.entity, where the predictions say whose features they were made of"
            yield f"models.{name}.agreement: needs entities; {needed}"
        if streams[stream].pane.unit != "time":
            panes = f"those of streams.{stream} are of {streams[stream].pane}"
            yield f"models.{name}.agreement: a feature log needs panes of a fixed time, and {panes}"
    for name, own in features.items():
        for section, names in (("stream", streams), ("section of labels", labels)):
            if name in names:
                yield f"features.{name}: is the name of a {section}, too: both read as one group; write another"
        used = _used(models, name)
        if not used:
            yield f"features.{name}: no model is compared with this log; write models.NAME.agreement.log: {name}"
            continue
        yield from _unlike(f"features.{name}", "of models with the same feature log", streams, used)
        yield from _held_twice(f"features.{name}", "values of features", own.topics, own.where is not None, streams)


def never_started(name: str, model: Model, launchers: Collection[str]) -> Iterator[str]:
    """Why a policy of a model could never start a job, each with the key to change."""
    for policy, own in model.retrain.items():
        at = f"models.{name}.retrain.{policy}"
        if own.on is not None and own.on not in launchers:
            there = ", ".join(launchers) or "there are none"
            yield f"{at}.on: {own.on!r} is not among launchers: {there}; leave it out, and the request is all"
        if own.when == "cause" and model.diagnosis is None:
            yield f"{at}.when: no causes are looked for, as models.{name}.diagnosis is off; leave one of the two out"
        if own.when in ("labels", "performance") and model.labels is None:
            yield f"{at}.when: {own.when} needs labels; write models.{name}.labels, where they come from"


def unregistered(name: str, model: Model, registries: Mapping[str, Registry]) -> Iterator[str]:
    """Why no version of a model could be known to its registry, with the key to change."""
    if model.registry is None:
        return
    if model.registry not in registries:
        yield f"models.{name}.registry: {model.registry!r} is not among registries: {', '.join(registries) or 'there are none'}"
    elif registries[model.registry].mlflow.model is None and re.fullmatch(MLFLOW_NAME, name) is None:
        yield f"models.{name}.registry: MLflow has no model of that name; write registries.{model.registry}.mlflow.model"
    if model.promotion is None:
        yield f"models.{name}.registry: aliases follow promotion, and there is none; write models.{name}.promotion, or leave it out"


def _used(models: _Models, join: str) -> list[str]:
    """The streams of the models that take part in a join."""
    return list(dict.fromkeys(stream for stream, model in models.values() if join in model.joins))


def _unlike(key: str, whose: str, streams: Mapping[str, Stream], used: Sequence[str]) -> Iterator[str]:
    first, *others = used
    for other in others:
        for setting in _ALIKE_LIVE if streams[first].clock == "live" else _ALIKE:
            a, b = getattr(streams[first], setting), getattr(streams[other], setting)
            if a != b:
                apart = f"streams.{first}.{setting} is {a}, and streams.{other}.{setting} is {b}"
                yield f"{key}: {apart}: {whose} they must be alike"


def _held_twice(key: str, what: str, topics: Sequence[str], chosen: bool, streams: Mapping[str, Stream]) -> Iterator[str]:
    twice = [topic for topic in topics if any(topic in stream.topics for stream in streams.values())]
    if twice and not chosen:
        yield f"{key}.where: {', '.join(twice)} holds predictions, too; say which records are {what}"
