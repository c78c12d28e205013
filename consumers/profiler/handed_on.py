"""Whether a stream's embedder has handed on all that there was: before that nobody can say that a partition is silent."""

from ...schemas.configuration import Configuration
from ..bus.interface import Bus, TopicPartition


class HandedOn:
    """Of one stream; without an embedder, all is handed on.

    It is asked of a partition that has been silent for `linger`, and costs three requests.
    """

    def __init__(self, bus: Bus, group: str, reads: str | None) -> None:
        self._bus, self._group, self._reads = bus, group, reads

    @classmethod
    def of(cls, bus: Bus, configuration: Configuration, name: str) -> "HandedOn":
        """Of a stream, or of labels."""
        stream = configuration.streams.get(name)
        embedder = None if stream is None else stream.embedder
        return cls(bus, f"{configuration.application}-embedder", None if embedder is None else embedder.reads)

    def whole(self, source: TopicPartition, position: int) -> bool:
        """Whether nothing is on its way to a partition that has been read to this position.

        First the ends of what is read and how far that is handed on, then the end of what was written: what an embedder commits in between
        is seen there.
        """
        if self._reads is None:
            return True
        read = TopicPartition(self._reads, source.partition)
        first, end = self._bus.watermarks(read, committed=False)
        committed = self._bus.committed(self._group, [read]).get(read)
        behind = first < end and (committed is None or committed.offset < end)
        return not behind and self._bus.watermarks(source, committed=False)[1] <= position
