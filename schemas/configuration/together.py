"""What several sections of a configuration must agree on."""

from collections.abc import Iterator, Mapping

from .labels import Labels
from .model import Model
from .stream import Stream

#: What the streams of one join must have alike: else the one's clock holds the other's rows up.
_ALIKE = ("pane", "clock", "grace")
#: And where a clock may decide: else what one stream gives up the join still waits for, or the other way round.
_ALIKE_LIVE = (*_ALIKE, "patience")


def ids_unkeyed(labels: Mapping[str, Labels], models: Mapping[str, Model]) -> Iterator[str]:
    """Why ids that are personal could be guessed from their hashes: those of a model with labels are hashed as these are, by one key."""
    for name, model in models.items():
        own = None if model.labels is None else labels.get(model.labels)
        if model.personal.id and model.labels is None and model.personal.key is None:
            yield f"models.{name}.personal.key: is missing: by it the ids are hashed; name a variable of the environment that holds it"
        elif model.personal.id and own is not None and own.key is None:
            yield f"labels.{model.labels}.key: is missing: models.{name}.personal.id says that ids are personal; name a variable for it"


def labels_apart(streams: Mapping[str, Stream], labels: Mapping[str, Labels], models: Mapping[str, tuple[str, Model]]) -> Iterator[str]:
    """Why labels could not meet their predictions, each with the key to change; ``models``: with the stream of each."""
    for name, (stream, model) in models.items():
        if model.labels is None:
            continue
        if model.labels not in labels:
            yield f"models.{name}.labels: {model.labels!r} is not among labels: {', '.join(labels) or 'there are none'}"
        if streams[stream].mapping.id is None:
            yield f"models.{name}.labels: needs ids; write streams.{stream}.mapping.id, where the predictions keep theirs"
        if streams[stream].pane.unit != "time":
            yield f"models.{name}.labels: labels need panes of a fixed time, and those of streams.{stream} are of {streams[stream].pane}"
    for name, own in labels.items():
        if name in streams:
            yield f"labels.{name}: is the name of a stream, too: both read as one group; write another"
        used = list(dict.fromkeys(stream for stream, model in models.values() if model.labels == name))
        if not used:
            yield f"labels.{name}: no model has these labels; write models.NAME.labels: {name}"
            continue
        first, *others = used
        for other in others:
            for key in _ALIKE_LIVE if streams[first].clock == "live" else _ALIKE:
                a, b = getattr(streams[first], key), getattr(streams[other], key)
                if a != b:
                    apart = f"streams.{first}.{key} is {a}, and streams.{other}.{key} is {b}"
                    yield f"labels.{name}: {apart}: of models with the same labels they must be alike"
        twice = [topic for topic in own.topics if any(topic in stream.topics for stream in streams.values())]
        if twice and own.where is None:
            yield f"labels.{name}.where: {', '.join(twice)} holds predictions, too; say which records are labels"
