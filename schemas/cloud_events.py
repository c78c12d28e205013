"""CloudEvents 1.0 in Kafka's binary mode: attributes in headers, the event itself as the value."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Protocol

from cloudevents.core.bindings.kafka import to_binary_event
from cloudevents.core.v1.event import CloudEvent

JSON = "application/json"
MSGPACK = "application/vnd.msgpack"
BYTES = "application/octet-stream"
Headers = tuple[tuple[str, bytes], ...]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Message(Protocol):
    """What travels: a fact that knows by itself how it is addressed, so that one function can send any of them."""

    content_type: ClassVar[str]

    @property
    def id(self) -> str:
        """The same at every repetition, so that a reader can drop what comes twice."""
        ...

    @property
    def type(self) -> str:
        """Of CloudEvents."""
        ...

    @property
    def key(self) -> str:
        """Of the record."""
        ...

    @property
    def subject(self) -> str:
        """What it is about."""
        ...

    @property
    def time(self) -> int | None:
        """Of record time, ms; None: it speaks of none."""
        ...

    def encoded(self) -> bytes:
        """The record's value."""
        ...


def iso(time_ms: int) -> str:
    """A time as it stands in events: ISO 8601, UTC, no more digits than needed.

    >>> iso(1_700_000_000_000), iso(1_700_000_000_250)
    ('2023-11-14T22:13:20Z', '2023-11-14T22:13:20.250Z')
    """
    spec = "milliseconds" if time_ms % 1000 else "seconds"
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec=spec).replace("+00:00", "Z")


def microseconds(text: str) -> int:
    """Since 1970, of an ISO 8601 time; UTC unless it says otherwise. The one parser of times, as `iso` is the one writer.

    >>> microseconds("1970-01-01T01:00:00.25+01:00"), microseconds("1970-01-02") == microseconds("1970-01-02T00:00:00Z")
    (250000, True)
    """
    at = datetime.fromisoformat(text)
    return ((at if at.tzinfo else at.replace(tzinfo=UTC)) - _EPOCH) // timedelta(microseconds=1)


def headers(message: Message, source: str) -> Headers:
    """The record headers of a message: ``ce_id``, ``ce_type``, ``ce_source``, ``ce_time``, ``ce_subject``, ``content-type``."""
    time = {} if message.time is None else {"time": datetime.fromtimestamp(message.time / 1000, UTC)}
    event = CloudEvent(
        attributes={
            "id": message.id,
            "type": message.type,
            "source": source,
            "specversion": "1.0",
            **time,
            "subject": message.subject,
            "datacontenttype": message.content_type,
        },
        data=b"",
    )
    return tuple(sorted(to_binary_event(event).headers.items()))


def attributes(record_headers: Iterable[tuple[str, bytes | None]]) -> dict[str, str]:
    """The CloudEvents attributes of a record, whatever the case of their prefix (``ce_``, ``ce-``, ``Ce-``).

    >>> attributes([("Ce-Type", b"io.driftbus.pane"), ("trace", b"1")])
    {'type': 'io.driftbus.pane'}
    """
    return {
        name[3:].lower(): (value or b"").decode("utf-8", "replace") for name, value in record_headers if name[:3].lower() in {"ce_", "ce-"}
    }
