"""Dead letters: records, or single fields of records, that could not be counted, with the reason."""

from typing import Literal

from ..fact import Fact
from ..identity import derived_id

#: Larger values travel as their head and a hash: a 1 MB message with wrapping would exceed the broker's limit, abort, and loop for ever.
LARGEST_VALUE = 64 * 1024
#: Per run, the first ones; the rest are counted.
MOST_PER_RUN = 100


class DeadLetter(Fact):
    """The headers of a dead letter; its value is the record's raw bytes (or their head)."""

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
    further: int = 0  #: on the last letter of a run that had more than may be published: how many more

    @property
    def id(self) -> str:
        """The same at every repetition."""
        return derived_id("dead-letter", self.topic_id, self.partition, self.offset, self.scope, self.field)

    @property
    def place(self) -> str:
        """``topic[partition]@offset``."""
        return f"{self.topic}[{self.partition}]@{self.offset}"
