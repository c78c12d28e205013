"""Tables in a temporary log: the rows of one as predictions, and those of others, or of the same, as labels."""

import hashlib
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import click

from ...schemas.configuration import Configuration, FeatureLog, Labels, Stream, Table
from ...schemas.configuration.mapping import Mapping, Place
from ..bus.embedded import EmbeddedBus
from ..bus.interface import Output, TopicDescription
from ..reference.building.tables import OF_TEXTS, TableRows, UnusableTable, open_table
from . import featured
from .canonical import Message, messages
from .embedded import embedded
from .featured import FeatureFile, feature_messages
from .labelled import LabelledFile, Meeting, Predicted, canonical, columns_of, label_messages, told_of
from .terminal import say

#: Records written in one transaction.
_TOGETHER = 10_000


class Tables(NamedTuple):
    """What of a configuration is read from tables, as their messages are mapped."""

    streams: dict[str, Stream]
    labels: dict[str, Labels]
    features: dict[str, FeatureLog]


def tabled(
    bus: EmbeddedBus,
    configuration: Configuration,
    file: Path,
    model: str | None,
    version: str,
    labels: Sequence[str],
    features: Sequence[str] = (),
) -> Tables:
    """The stream of a model, with a table's rows as messages in the canonical form; and its labels and feature logs, each from a file or
    ``NAME=FILE``.

    A topic's id is the hash of the file's content, so that what is drawn by a topic's id is drawn again at every replay of it.
    """
    model = model or _only_model(configuration, file)
    files = [_labelled_file(configuration, model, one) for one in labels]
    if len({one.name for one in files}) < len(files):
        msg = f"--labels names a file of labels.{files[0].name} twice; one file holds all of a stream"
        raise click.UsageError(msg)
    name = configuration.stream_of(model)
    stream = configuration.streams[name]
    topic = stream.topics[0]
    _restore(bus, topic, file)
    logs = [_feature_file(configuration, model, one) for one in features]
    predicted, mapping = _predictions(bus, configuration, topic, file, model, version, files, compared=bool(logs))
    streams = {name: stream.model_copy(update={"topics": (topic,), "mapping": mapping, "where": None})}
    read: dict[str, Labels] = {}
    for one in files:
        own = canonical(one.labels, _other(one.labels.topics[0], topic))
        _restore(bus, own.topics[0], one.file, "labels")
        meeting = Meeting()
        assert predicted is not None, "there are labels"
        _publish(bus, own.topics[0], label_messages(one, predicted, meeting))
        for line in told_of(one, predicted, meeting):
            say(line)
        read[one.name] = own
    return Tables(streams, read, dict(_logged(bus, topic, one) for one in logs))


def _logged(bus: EmbeddedBus, topic: str, of: FeatureFile) -> tuple[str, FeatureLog]:
    """Publish a feature log; its name, and how it is read. ``topic``: of the predictions."""
    own = featured.canonical(of.log, _other(of.log.topics[0], topic, "features"))
    _restore(bus, own.topics[0], of.file, "features")
    _publish(bus, own.topics[0], (Message(one.timestamp, b"", one.value) for one in feature_messages(of, own.mapping)))
    return of.name, own


def _feature_file(configuration: Configuration, model: str, written: str) -> FeatureFile:
    """``NAME=FILE``, or the file of the model's own feature log."""
    name, named, file = written.partition("=")
    if not named or name not in configuration.features:
        own = configuration.models[model].agreement if model in configuration.models else None
        if own is None:
            msg = f"--features {written}: models.{model}.agreement names no feature log, so nobody says what is compared"
            raise click.UsageError(f"{msg}; see docs/feature-log.md")
        name, file = own.log, written
    if not Path(file).is_file():
        msg = f"--features {file}: there is no such file"
        raise click.UsageError(msg)
    return FeatureFile.of(configuration, name, Path(file))


def _only_model(configuration: Configuration, file: Path) -> str:
    if len(configuration.models) != 1:
        msg = f"whose rows does {file} hold? add --model NAME (models configured: {', '.join(configuration.models) or 'none'})"
        raise click.UsageError(msg)
    return next(iter(configuration.models))


def _labelled_file(configuration: Configuration, model: str, written: str) -> LabelledFile:
    """``NAME=FILE``, or the file of the model's own labels."""
    name, named, file = written.partition("=")
    if not named or name not in configuration.labels:
        own = configuration.models[model].labels if model in configuration.models else None
        if own is None:
            msg = f"--labels {written}: models.{model}.labels names no stream of labels, so nobody says what they are; see docs/labels.md"
            raise click.UsageError(msg)
        name, file = own, written
    if not Path(file).is_file():
        msg = f"--labels {file}: there is no such file"
        raise click.UsageError(msg)
    return LabelledFile(name, Path(file), configuration.labels[name], configuration.model(model).zone)


def _predictions(
    bus: EmbeddedBus,
    configuration: Configuration,
    topic: str,
    file: Path,
    model: str,
    version: str,
    files: Sequence[LabelledFile],
    *,
    compared: bool,
) -> tuple[Predicted | None, Mapping]:
    """Publish them; their ids, if labels are read, and where the messages keep what they hold. ``compared``: with a feature log."""
    settings, name = configuration.model(model), configuration.stream_of(model)
    described = settings.reference
    columns = described if isinstance(described, Table) else Table(file="")
    with open_table(
        columns.model_copy(update={"file": str(file), "ignore": ()}),
        raw=lambda name: settings.feature(name).type in OF_TEXTS,
        zone=settings.zone,
    ) as rows:
        known = columns.id or (_column_of_ids(configuration, model, rows) if settings.labels or files else None)
        entity, as_of = _entities(configuration, model, columns, rows, needed=compared)
        columns = columns.model_copy(update={"entity": entity, "as_of": as_of})
        mapping = Mapping(
            entity=None if entity is None else Place("path", "entity"), as_of=None if as_of is None else Place("path", "as_of")
        )
        rows.table = columns.model_copy(update={"id": known})  # what a reference ignores, its target for one, need not be here
        if not files:
            _publish(bus, topic, embedded(messages(rows, model, version), configuration, name))
            return None, mapping
        inside = [one for one in files if one.file.samefile(file)]
        if known is None and len(inside) < len(files):
            msg = f"{file}: no column has the ids by which labels find their predictions; its columns: {', '.join(rows.names)}"
            raise UnusableTable(f"{msg}; write models.{model}.reference.id: COLUMN")
        for one in files:
            if columns.time is None and one.labels.columns.time is not None:
                msg = f"{file}: predictions have no time, so one is second behind the other, and that of labels fits nothing"
                raise UnusableTable(f"{msg}; write models.{model}.reference.time: COLUMN, or leave out labels.{one.name}.columns.time")
        beside = {name for one in inside for name in _columns_of_labels(one, rows)}
        rows.table = columns.model_copy(update={"id": known, "ignore": tuple(sorted(beside | {*columns.ignore}))})
        _publish(bus, topic, embedded(messages(rows, model, version, numbered=known is None), configuration, name))
        return Predicted(file, rows), mapping


def _entities(configuration: Configuration, model: str, columns: Table, rows: TableRows, *, needed: bool) -> tuple[str | None, str | None]:
    """The columns of whose features they are and as of when, of a model that is compared with a feature log."""
    if configuration.model(model).agreement is None:
        return columns.entity, columns.as_of
    mapping = configuration.streams[configuration.stream_of(model)].mapping
    entity, as_of = columns.entity or _called(mapping.entity, rows), columns.as_of or _called(mapping.as_of, rows)
    for key, place, column in (("entity", mapping.entity, entity), ("as_of", mapping.as_of, as_of)):
        if needed and place is not None and column is None:
            msg = f"{rows.label}: no column says {key} of a row, by which a feature log finds it; its columns: {', '.join(rows.names)}"
            raise UnusableTable(f"{msg}; write models.{model}.reference.{key}: COLUMN")
    return entity, as_of


def _column_of_ids(configuration: Configuration, model: str, rows: TableRows) -> str | None:
    """That is called as the place of the ids in messages is."""
    return _called(configuration.streams[configuration.stream_of(model)].mapping.id, rows)


def _called(place: Place | None, rows: TableRows) -> str | None:
    """The column that is called as a place in messages is, by the whole path or its last step."""
    likely = (place.name, place.name.rpartition(".")[2]) if place and place.source in {"path", "header"} else ()
    return next((name for name in likely if name in rows.names), None)


def _columns_of_labels(of: LabelledFile, rows: TableRows) -> set[str]:
    """Of a table that holds predictions and labels, those that are no features."""
    found = columns_of(of, rows.names, ("label",))
    for role in ("prediction", "score"):
        if found["label"] == getattr(rows.table, role):
            msg = f"{of.file}: column {found['label']!r} is the {role} (models.NAME.reference.{role}), and the label as well"
            raise UnusableTable(f"{msg}; write labels.{of.name}.columns: {{label: COLUMN}}")
    time = of.labels.columns.time
    return {name for member, name in found.items() if member not in {"id", "model"}} | (set() if time is None else {time})


def _restore(bus: EmbeddedBus, topic: str, file: Path, *what: str) -> None:
    """Make a topic whose id is the hash of a file, and of what is read from it."""
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256")
    for one in what:
        digest.update(one.encode())
    bus.restore(TopicDescription(topic, f"sha256:{digest.hexdigest()}", 1), [])


def _publish(bus: EmbeddedBus, topic: str, all_: Iterable[Message]) -> None:
    records = (Output(topic, 0, one.key or None, one.value, (), one.timestamp) for one in all_)
    while together := list(islice(records, _TOGETHER)):
        bus.publish(together)


def _other(topic: str, taken: str, what: str = "labels") -> str:
    return f"{topic}-{what}" if topic == taken else topic
