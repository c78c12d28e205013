"""How large a record may be: what a topic says, and what a record of ours has."""

from collections.abc import Mapping

from ...schemas.cloud_events import Headers

#: Which setting of a topic says how large a record of it is, at most; Kafka's default.
MOST_BYTES, _MOST_BYTES = "max.message.bytes", 1_048_588
#: Bytes around a record: of its batch, of its lengths, and of each header's.
_AROUND, _AROUND_HEADER = 128, 10


def most_bytes(settings: Mapping[str, str]) -> int:
    """Bytes of a topic's record, at most, by its settings: Kafka's default where they do not say."""
    return int(settings.get(MOST_BYTES, _MOST_BYTES))


def bytes_of(key: bytes | None, value: bytes | None, headers: Headers) -> int:
    """Of a record by itself in its batch, at most, before it is compressed."""
    return _AROUND + len(key or b"") + len(value or b"") + sum(_AROUND_HEADER + len(name.encode()) + len(own) for name, own in headers)
