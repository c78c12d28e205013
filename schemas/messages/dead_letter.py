"""Dead letters: records, or single fields of records, that could not be counted, with the reason."""

from typing import ClassVar, Literal

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from ..bounds import TEXT
from ..cloud_events import BYTES, JSON, Headers
from ..fact import Fact
from ..identity import content_hash, derived_id
from ..text import fitted
from .progress import InputPartition

#: Larger values travel as their head and a hash: a 1 MB message with wrapping would exceed the broker's limit, abort, and loop for ever.
LARGEST_VALUE = 64 * 1024
#: Per run, the first ones; the rest are counted.
MOST_PER_RUN = 100
#: Why a value is withheld: a model of its stream has rules for personal data, which the record may break.
PERSONAL = "personal"


class DeadLetter(Fact):
    """The headers of a dead letter; its value is the record's raw bytes (or their head)."""

    TYPE: ClassVar = "io.driftbus.dead-letter"
    content_type: ClassVar = BYTES

    stream: str
    topic: str
    topic_id: str
    partition: int
    offset: int
    timestamp: int
    scope: Literal["record", "field"]  #: field: the row's other fields count as usual
    field: str | None = None
    reason: str
    size: int
    hash: str | None = None  #: of the whole value, where only its head travels
    withheld: str | None = None  #: why there is nothing of the record here, but its size; None: it is here
    further: int = 0  #: on the last letter of a run that had more than may be published: how many more
    value: SkipJsonSchema[bytes] = Field(b"", exclude=True, repr=False)  #: the raw bytes, or their head: no header

    @property
    def id(self) -> str:
        """The same at every repetition."""
        return derived_id("dead-letter", self.topic_id, self.partition, self.offset, self.scope, self.field)

    @property
    def place(self) -> str:
        """``topic[partition]@offset``."""
        return f"{self.topic}[{self.partition}]@{self.offset}"

    @property
    def type(self) -> str:
        """The CloudEvents type."""
        return self.TYPE

    @property
    def key(self) -> str:
        """Of the record: where the bad one was."""
        return f"{self.topic}[{self.partition}]"

    @property
    def subject(self) -> str:
        """What it is about."""
        return self.place

    @property
    def time(self) -> int:
        """The record's, within the years that an ISO time can be of."""
        return min(max(self.timestamp, 0), 253_402_300_799_000)

    @property
    def further_headers(self) -> Headers:
        """All that is known of the record."""
        facts = self.model_dump(exclude_none=True).items()
        return tuple((f"driftbus-{name.replace('_', '-')}", fitted(str(fact), TEXT).encode()) for name, fact in facts)

    def encoded(self) -> bytes:
        """As it travels."""
        return self.value

    @classmethod
    def of(
        cls,
        stream: str,
        place: InputPartition,
        offset: int,
        timestamp: int,
        field: str | None,
        reason: str,
        value: bytes | None,
        further: int = 0,
        whole: tuple[int, str | None] | None = None,
    ) -> "DeadLetter":
        """The letter of one bad record or field. ``whole``: size and hash of the record's value, where no more is at hand than its head."""
        raw = value or b""
        size, digest = (len(raw), content_hash(raw) if len(raw) > LARGEST_VALUE else None) if whole is None else whole
        return cls(
            stream=stream,
            topic=place.topic,
            topic_id=place.topic_id,
            partition=place.partition,
            offset=offset,
            timestamp=timestamp,
            scope="record" if field is None else "field",
            field=field,
            reason=reason,
            size=size,
            hash=digest,
            further=further,
            value=raw[:LARGEST_VALUE],
        )


class Returned(Fact):
    """A note, where the dead letters are: the record of one was written back to its topic."""

    TYPE: ClassVar = "io.driftbus.dead-letter.replayed"
    content_type: ClassVar = JSON

    letter: DeadLetter

    @property
    def id(self) -> str:
        """The same at every repetition."""
        return derived_id("dead-letter-replayed", self.letter.id)

    @property
    def type(self) -> str:
        """The CloudEvents type."""
        return self.TYPE

    @property
    def key(self) -> str:
        """Of the record: that of the letter."""
        return self.letter.key

    @property
    def subject(self) -> str:
        """What it is about."""
        return self.letter.place

    @property
    def time(self) -> int:
        """The record's."""
        return self.letter.time

    def encoded(self) -> bytes:
        """Nothing: all is said in the headers."""
        return b""
