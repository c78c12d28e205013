"""A part of a reference that comes from rows of the model's topic: what must hold, and how they are read."""

from collections.abc import Mapping

from ....schemas.configuration import Configuration, Stream, TopicSlice
from ....schemas.stored.reference import Reference
from ...decode.personal import rules_of
from ..artifacts import ArtifactStore
from ..outputs import untimed
from .columns import UnusableReference


def stream_of_times(configuration: Configuration, model: str) -> Stream:
    """The stream of a model's predictions, where some time of it can be profiled. Raises `UnusableReference` where none can."""
    if why := untimed(configuration, model):
        raise UnusableReference(why)
    return configuration.streams[configuration.stream_of(model)]


def of_rows(configuration: Configuration, model: str, first: str, until: str | None, changes: Mapping[str, object]) -> Configuration:
    """With the model's reference of the rows between two times, and other settings of it changed."""
    rows = TopicSlice(topic=configuration.streams[configuration.stream_of(model)].topics[0], start=first, end=until)
    changed = configuration.model(model).model_copy(update={"reference": rows, **changes})
    return configuration.model_copy(update={"models": {**configuration.models, model: changed}})


def usable(configuration: Configuration, store: ArtifactStore, model: str, version: str, name: str) -> Reference:
    """A reference, to which a part can be added that is read by today's rules for personal data. Raises `UnusableReference`."""
    found = store.reference(name)
    if why := rules_of(configuration, model).amiss(found.fields):
        remedy = f"build it anew: driftbus reference build {model}"
        msg = f"{model}/{version}: its reference was built by other rules for personal data: {why}; {remedy}"
        raise UnusableReference(msg)
    return found
