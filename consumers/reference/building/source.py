"""What a model's configuration names as its reference, opened."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ....schemas.configuration import Configuration, Table
from ....schemas.configuration.mapping import Place
from ....schemas.identity import content_hash
from ....schemas.stored.reference import Reference
from ....schemas.text import MODEL, fitted, unfit
from ...bus.interface import Bus
from ..artifacts import ArtifactStore
from ..embedding import embedded_by
from ..familiar import FOLDER
from .build import UnusableReference, build_reference
from .columns import Source
from .embedded import with_vectors
from .golden import golden_source
from .messages import ReadTo, holds_messages, json_lines, topic_slice
from .tables import MEMORY_LIMIT, OF_TEXTS, TableRows, TableSource, open_table

#: What a table's columns are named for, and a mapping's places.
_ROLES = ("time", "id", "prediction", "score", "model", "version")


@contextmanager
def open_source(
    configuration: Configuration,
    model: str,
    version: str,
    bus: Bus | None = None,
    memory_limit: str = MEMORY_LIMIT,
    read_to: ReadTo | None = None,
) -> Iterator[Source]:
    """The rows of one model version: of a table, of messages in a file, or (this needs the bus) of a slice of a topic.

    ``read_to``: of a slice, the offsets in front of which its rows stand; None: of all that is there now.
    """
    for name in (model, version):
        if why := unfit(name, MODEL):
            msg = f"{fitted(name, MODEL)}: {why}: messages of no model or version can be so called; name it as they do"
            raise UnusableReference(msg)
    place, stream = configuration.model(model).reference, configuration.stream_of(model)
    mapping = configuration.streams[stream].mapping
    if place is None:
        msg = f"models.{model}.reference is not set; write reference: {{file: train.parquet}}"
        raise UnusableReference(msg)
    if place == "golden":
        if bus is None:
            msg = f"models.{model}.reference is a golden set, which needs the bus"
            raise UnusableReference(msg)
        yield golden_source(bus, configuration, model, version)
    elif not isinstance(place, Table):
        if bus is None:
            msg = f"models.{model}.reference is a topic, which needs the bus"
            raise UnusableReference(msg)
        chosen, marked = configuration.streams[stream].where, configuration.tested_in(stream)
        withheld = configuration.withholds(stream)
        yield topic_slice(bus, place, mapping, model, version, chosen, read_to, marked=marked, withheld=withheld)
    elif isinstance(place.file, str) and holds_messages(Path(place.file), mapping):
        others = [role for role in _ROLES if getattr(place, role) not in (None, str(getattr(mapping, role)))]
        if others or place.ignore:
            msg = (
                f"{place.file} holds messages, which are read with the mapping of streams.{stream}: leave out "
                f"{', '.join([*others, *(['ignore'] if place.ignore else [])])} (models.{model}.reference)"
            )
            raise UnusableReference(msg)
        yield json_lines(Path(place.file), mapping, model, version, withheld=configuration.withholds(stream))
    else:
        where = {column: name for column, name in ((place.model, model), (place.version, version)) if column is not None}
        settings = configuration.model(model)
        nested = mapping.features.path[0] if isinstance(mapping.features, Place) else None
        with open_table(place, where, memory_limit, raw=lambda name: settings.feature(name).type in OF_TEXTS, zone=settings.zone) as rows:
            if nested is not None and _holds_objects(rows, nested):
                msg = f"{rows.label} holds messages: its column {nested} holds objects; write them as JSON lines (.jsonl), not packed"
                raise UnusableReference(msg)
            yield TableSource(rows)


def _holds_objects(rows: TableRows, name: str) -> bool:
    if name not in rows.names or not rows.rows:
        return name in rows.nested
    column = next(rows.chunks([name], rows=1)).columns[name]
    return isinstance(column, list) and isinstance(column[0], dict)


def reference_of(
    configuration: Configuration,
    model: str,
    version: str,
    bus: Bus | None = None,
    store: ArtifactStore | None = None,
    read_to: ReadTo | None = None,
) -> Reference:
    """The reference of a model version, built from what the configuration names; its indexes go to the ``store``."""
    name = configuration.stream_of(model)
    keep = content_hash if store is None else store.beside(FOLDER).put
    with open_source(configuration, model, version, bus, read_to=read_to) as source, with_vectors(source, configuration, name) as embedded:
        pane = configuration.streams[name].pane
        return embedded_by(configuration, build_reference(embedded, model, version, configuration.model(model), pane, keep))
