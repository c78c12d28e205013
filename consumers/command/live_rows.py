"""A part of a reference that comes from rows of the model's topic: what must hold, and the configuration that reads them."""

from collections.abc import Mapping

import click

from ...schemas.configuration import Configuration, Stream, TopicSlice
from ...schemas.stored.reference import Reference
from ..decode.personal import rules_of
from ..reference.artifacts import ArtifactStore


def stream_of_times(configuration: Configuration, model: str) -> Stream:
    """The stream of a model's predictions, where some time of it can be profiled.

    Raises
    ------
    ClickException
        Of references by season, panes of rows, and several topics.
    """
    name = configuration.stream_of(model)
    stream = configuration.streams[name]
    if configuration.model(model).season is not None:
        msg = f"models.{model}.season: a few days do not fill its hours; build the reference anew: driftbus reference build {model}"
        raise click.ClickException(msg)
    if stream.pane.unit == "rows":
        msg = f"{model} has panes of {stream.pane}, which know no times; build the reference anew: driftbus reference build {model}"
        raise click.ClickException(msg)
    if len(stream.topics) > 1:
        msg = f"streams.{name}.topics: {len(stream.topics)} topics; build the reference anew from a file of their rows"
        raise click.ClickException(msg)
    return stream


def of_rows(configuration: Configuration, model: str, first: str, until: str | None, changes: Mapping[str, object]) -> Configuration:
    """With the model's reference of the rows between two times, and other settings of it changed."""
    rows = TopicSlice(topic=configuration.streams[configuration.stream_of(model)].topics[0], start=first, end=until)
    changed = configuration.model(model).model_copy(update={"reference": rows, **changes})
    return configuration.model_copy(update={"models": {**configuration.models, model: changed}})


def usable(configuration: Configuration, store: ArtifactStore, model: str, version: str, name: str) -> Reference:
    """A reference, to which a part can be added that is read by today's rules for personal data."""
    found = store.reference(name)
    if why := rules_of(configuration, model).amiss(found.fields):
        remedy = f"build it anew: driftbus reference build {model}"
        msg = f"{model}/{version}: its reference was built by other rules for personal data: {why}; {remedy}"
        raise click.ClickException(msg)
    return found
