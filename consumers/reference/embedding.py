"""Whose vectors a reference was built from: those of another server, model or revision lie elsewhere, and are never compared with them."""

from ...schemas.configuration import Configuration
from ...schemas.stored.reference import Reference
from ...schemas.unusable import Unusable


class OtherEmbedder(Unusable):
    """A reference's vectors are not those of the stream, with what to do about it."""


def embedded_by(configuration: Configuration, reference: Reference) -> Reference:
    """A reference that says whose vectors it compares, where an embedder makes them."""
    stream = configuration.streams[configuration.stream_of(reference.model)]
    if stream.embedder is None or stream.embedded is None:
        return reference
    whose = {"embedder": stream.embedder.identity, "why": "asked for"}
    vector = stream.embedded[1].name
    told = [one.model_copy(update=whose) if (one.kind, one.of) == ("embedding", vector) else one for one in reference.familiarity]
    return reference.model_copy(update={"familiarity": tuple(told)})


def check_embedder(configuration: Configuration, reference: Reference) -> None:
    """Raises `OtherEmbedder` where the stream of a reference's model has other vectors than the reference."""
    name = configuration.stream_of(reference.model)
    embedder = configuration.streams[name].embedder
    now = "" if embedder is None else embedder.identity
    for one in reference.familiarity:
        if one.kind == "embedding" and one.embedder != now and (one.embedder or one.of == _vector(configuration, name)):
            msg = (
                f"{reference.model}/{reference.version}: {one.of}: the reference has vectors of {one.embedder or 'no embedder'}, "
                f"streams.{name}.embedder is {now or 'none'}: build the reference again, or ask that one"
            )
            raise OtherEmbedder(msg)


def _vector(configuration: Configuration, stream: str) -> str | None:
    places = configuration.streams[stream].embedded
    return None if places is None else places[1].name
