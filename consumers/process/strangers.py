"""What becomes of records, on the topic that is folded, which are another application's or cannot be read: what is written of them."""

from collections.abc import Callable

from ...schemas.cloud_events import Headers
from ...schemas.configuration import Configuration
from ...schemas.messages.dead_letter import DeadLetter
from ...schemas.messages.notice import Notice
from ...schemas.messages.progress import InputPartition
from ..bus.addressing import addressed, partition_of
from ..bus.interface import Batch, Bus, Output, Position, TopicPartition
from ..bus.own import Foreign, Told, Unreadable

#: The stream of a dead letter that is a record of our own.
OWN = "-"
#: Takes note of a record by its offset, key, value and headers; raises `Foreign` and `Unreadable`.
Take = Callable[[int, bytes | None, bytes | None, Headers], None]
#: Of a topic in which anybody may write.
_WRITE_AGAIN = "Whoever wrote it is to write it again, as it should be, under the same key"


def letter(configuration: Configuration, place: InputPartition, offset: int, appended: int, value: bytes | None, reason: str) -> Output:
    """A record of our own topics as a dead letter."""
    one = DeadLetter.of(OWN, place, offset, appended, None, reason, value)
    return addressed(configuration, configuration.topics.dead_letter, one, None)


def notice(configuration: Configuration, place: InputPartition, told: Notice) -> Output:
    """A notice, in the partition of drift that goes with that of the topic that is folded."""
    return addressed(configuration, configuration.topics.drift, told, place.partition)


class Strangers:
    """Of one partition."""

    def __init__(self, configuration: Configuration, place: InputPartition, told: Told, partitions: int) -> None:
        self._configuration, self._place, self.told, self._partitions = configuration, place, told, partitions
        self.count = 0  #: records that could not be read, not yet committed

    @classmethod
    def at(cls, bus: Bus, configuration: Configuration, source: TopicPartition) -> "Strangers":
        """Of which nothing has been told."""
        topic = bus.describe([source.topic])[source.topic]
        place = InputPartition(topic=source.topic, topic_id=topic.id, partition=source.partition)
        return cls(configuration, place, Told(), topic.partitions)

    @property
    def place(self) -> InputPartition:
        """The partition."""
        return self._place

    def lost(self, committed: Position | None, first: int) -> list[Output]:
        """What retention took in front of the first record that is left, and behind what was committed."""
        if committed is None or committed.offset >= first:
            return []
        one = Notice.lost(self._configuration.application, None, self._place, committed.offset, first)
        return [notice(self._configuration, self._place, one)]

    def take(self, batch: Batch, take: Take, silent_to: int = 0) -> list[Output]:
        """Take note of each record of a batch; what is to be written of those that are strange, from an offset on."""
        outputs: list[Output] = []
        columns = batch.offsets.tolist(), batch.timestamps.tolist(), batch.keys(), batch.values, batch.headers()
        for offset, appended, key, value, headers in zip(*columns, strict=True):
            told: list[Output] = []
            try:
                take(offset, key, value, headers)
            except Foreign as error:
                told = self.foreign(error.application)
            except Unreadable as error:
                told = self.unreadable(offset, appended, value, str(error))
            if offset >= silent_to:
                outputs += told
        return outputs

    def foreign(self, application: str) -> list[Output]:
        """Told once, and of all the topic's partitions, in which its progress lies, in one."""
        new = self.told.foreign(application)
        if not new or partition_of(application, self._partitions) != self._place.partition:
            return []
        one = Notice.foreign(self._configuration.application, application, self._place.topic)
        return [notice(self._configuration, self._place, one)]

    def unreadable(self, offset: int, appended: int, value: bytes | None, reason: str) -> list[Output]:
        """Set aside. Known by itself, it need not be tried again; and many in a row are no fault of ours."""
        self.count += 1
        kept, first = self.told.unreadable(offset)
        outputs = [letter(self._configuration, self._place, offset, appended, value, reason)] if kept else []
        if first:
            remedy = _WRITE_AGAIN if self._place.topic == self._configuration.topics.models else ""
            one = Notice.unreadable(self._configuration.application, self._place, offset, reason, remedy)
            outputs.append(notice(self._configuration, self._place, one))
        return outputs
