"""A message with the vector of its text as one more member: whoever reads messages reads it, too."""

import msgspec

from ...detectors.neighbours.vectors import Vectors
from ...schemas.configuration.mapping import Place
from ..bus.sizes import bytes_of
from ..decode.tolerant import NotAnObject, Undecodable, decode_generic, member

#: Whose vector stands in a message.
HEADER = "driftbus-embedder"
#: Bytes of a number and its comma.
_NUMBER = 6


def bytes_more(place: Place, numbers: int, identity: str) -> int:
    """By which a record that has its vector is larger, at most.

    >>> bytes_more(Place("path", "v"), 16, "words@1")
    265
    """
    return bytes_of(None, b'"",:[]' + place.name.encode("unicode_escape") + bytes(_NUMBER * numbers), ((HEADER, identity.encode()),))


def text_of(value: bytes | None, text: Place, vector: Place) -> str | None:
    """What its vector is wanted of; None: it has none, or has its vector, or cannot be read, which the profiler tells.

    >>> text_of(b'{"a": {"b": "why"}}', Place("path", "a.b"), Place("path", "v"))
    'why'
    >>> text_of(b'{"a": "why", "v": [1]}', Place("path", "a"), Place("path", "v")) is None
    True
    """
    try:
        message = decode_generic(value)
        found = member(message, text.path)
    except (Undecodable, NotAnObject):
        return None
    return found if isinstance(found, str) and found.strip() and vector.name not in message else None


def with_vector(value: bytes, place: Place, vector: Vectors) -> bytes:
    """The message, byte for byte, and behind its last member the vector.

    >>> import numpy as np
    >>> with_vector(b'{"a": 1} ', Place("path", "v"), np.array([3, 4], dtype=np.int16))
    b'{"a": 1,"v":[3,4]}'
    """
    name, numbers = msgspec.json.encode(place.name), msgspec.json.encode(vector.tolist())
    return b"%b,%b:%b}" % (value.rstrip()[:-1], name, numbers)
