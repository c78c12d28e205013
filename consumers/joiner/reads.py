"""Which topics a join reads, from which place of its partition on: what is folded again is folded by what was read then.

*Trap.* What has been published was decided by those who were awaited then. Who waits for a new stream from an old mark on tells all again
that came since; who does not wait for it once it is there takes the other side without it, and labels meet nothing.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from ...schemas.configuration import Configuration
from ...schemas.messages.progress import Progress

#: By stream, as they are called in what is folded (`of_stream`).
Topics = Mapping[str, tuple[str, ...]]


def of_stream(stream: str, topic: str) -> str:
    """The name of a topic, with its stream: one topic may hold predictions and labels, and is read as each of both."""
    return f"{stream}/{topic}"


def topics_of(configuration: Configuration, name: str) -> Topics:
    """Of a join, as configured."""
    read = configuration.read
    return {stream: tuple(of_stream(stream, topic) for topic in read[stream].topics) for stream in (*configuration.awaited_by(name), name)}


class Reads:
    """Those of one join in one partition.

    Parameters
    ----------
    since
        From which offset on which topics, in order; not empty.
    behind
        The place of the mark that is gone on from: what was changed in front of it is part of that.
    """

    def __init__(self, since: Iterable[tuple[int, Topics]], behind: int = 0) -> None:
        self._since = list(since)
        self._place = max((place for place, (offset, _) in enumerate(self._since) if offset < behind), default=0)

    @property
    def now(self) -> Topics:
        """What is read at the place that has been reached."""
        return self._since[self._place][1]

    @property
    def last(self) -> Topics:
        """What was read when this was written down, or changed."""
        return self._since[-1][1]

    def change(self, offset: int, topics: Topics) -> None:
        """From this offset on others are read."""
        self._since.append((offset, topics))

    def due(self, offset: int) -> bool:
        """Whether a change is behind which that offset lies; it is made by this."""
        before = self._place
        while self._place + 1 < len(self._since) and self._since[self._place + 1][0] <= offset:
            self._place += 1
        return self._place > before

    def heard(self, progress: Progress) -> Progress | None:
        """Progress without topics that are read no more; None: it is of one of these."""
        own = self.now.get(progress.stream, ())
        if progress.source.topic not in own:
            return None
        if all(topic.topic in own for topic in progress.topics):
            return progress
        return progress.model_copy(update={"topics": tuple(topic for topic in progress.topics if topic.topic in own)})

    def plain(self, behind: int) -> list[Any]:  # plain data for a snapshot
        """What is to be known of what is folded again from this mark on."""
        first = max((place for place, (offset, _) in enumerate(self._since) if offset < behind), default=0)
        return [[offset, {stream: list(own) for stream, own in topics.items()}] for offset, topics in self._since[first:]]

    @classmethod
    def restored(cls, plain: Iterable[Any], behind: int) -> "Reads":
        """What `plain` wrote."""
        return cls([(offset, {stream: tuple(own) for stream, own in topics.items()}) for offset, topics in plain], behind)
