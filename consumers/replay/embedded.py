"""Rows of a table get the vectors of their texts in front of everything else, as messages do; each text is asked for once."""

from collections.abc import Iterable, Iterator
from itertools import islice

import msgspec

from ...schemas.configuration import Configuration
from ..reference.building.embedded import Remembered, remembered
from .canonical import Message

#: Messages whose texts are asked for in one go.
_TOGETHER = 1_000
_Members = dict[str, msgspec.Raw]  # as they are written: no number changes


def embedded(all_: Iterable[Message], configuration: Configuration, name: str) -> Iterator[Message]:
    """The messages of a stream with the vectors of its embedder, if it has one. Raises `UnusableReference` where that has none at all."""
    with remembered(configuration, name) as embedder:
        places = configuration.streams[name].embedded
        if embedder is None or places is None:
            yield from all_
            return
        text, vector = (place.name for place in places)
        messages = iter(all_)
        while together := list(islice(messages, _TOGETHER)):
            yield from _with_vectors(together, embedder, text, vector)


def _with_vectors(messages: list[Message], embedder: Remembered, text: str, vector: str) -> Iterator[Message]:
    read = [msgspec.json.decode(message.value, type=_Members) for message in messages]
    features = [msgspec.json.decode(members["features"], type=_Members) for members in read]
    wanted = {row: found for row, own in enumerate(features) if (found := _text(own, text, vector)) is not None}
    vectors = dict(zip(wanted, embedder.of(list(wanted.values())), strict=True))
    for row, message in enumerate(messages):
        numbers = vectors.get(row)
        if numbers is None:
            yield message
            continue
        own = {**features[row], vector: msgspec.Raw(msgspec.json.encode(numbers))}
        yield message._replace(value=msgspec.json.encode({**read[row], "features": own}))


def _text(features: _Members, text: str, vector: str) -> str | None:
    """What its vector is wanted of; None: it has none, or has its vector."""
    found = msgspec.json.decode(features[text]) if text in features else None
    given = vector in features and msgspec.json.decode(features[vector]) is not None
    return found if isinstance(found, str) and found.strip() and not given else None
