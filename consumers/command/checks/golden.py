"""Whether what golden evaluations ask a served model can be told from its traffic, where it comes back among its predictions."""

from collections.abc import Iterator

from ....schemas.configuration import Configuration
from ....schemas.configuration.mapping import Mapping
from ...decode.tolerant import NotAnObject, Undecodable, decode_generic, member
from .finding import Finding
from .samples import Sample


def told_apart(configuration: Configuration, name: str, sample: Sample) -> Iterator[Finding]:
    """By an id that messages have, or by their headers: without either each evaluation would be counted as so many predictions.

    A function is called here, and writes no predictions.
    """
    stream = configuration.streams[name]
    settings = {model: own.golden for model, own in configuration.models.items() if own.golden is not None}
    tested = [model for model, golden in settings.items() if golden.call.callable is None]
    tested = [model for model in tested if configuration.stream_of(model) == name]
    if not tested or any(sample.headers) or _have_ids(stream.mapping, sample):
        return
    why = (
        "the mapping has no id" if stream.mapping.id is None else f"no message has an id at {stream.mapping.id}" if sample.values else None
    )
    if why is None:
        return
    yield Finding(
        "wrong",
        f"models.{', '.join(tested)}.golden: {why}, and no record of streams.{name} has headers: what is asked of the model could not be "
        f"told from its traffic. Let it write the request's id, and where: streams.{name}.mapping.id; or its header driftbus-evaluation",
    )


def _have_ids(mapping: Mapping, sample: Sample) -> bool:
    place = mapping.id
    if place is None or place.source == "header":
        return False  # these have been looked for
    if place.source == "key":
        return any(sample.keys)
    return any(_has(value, place.path) for value in sample.values)


def _has(value: bytes | None, path: tuple[str, ...]) -> bool:
    try:
        return isinstance(member(decode_generic(value), path), str | int)
    except (Undecodable, NotAnObject):
        return False
