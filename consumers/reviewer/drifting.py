"""Which segments of a model drift, as the detector's notes of its episodes say: what is drawn of them counts twice."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ...schemas.messages.episode import EpisodeNote


@dataclass
class Drifting:
    """Of one model, at the start of the slots that are drawn from, one after the other.

    What is noted behind that is of the next slots: whoever drew from it as soon as it knows would draw otherwise than who is slower.
    """

    noted: list[tuple[int, str, tuple[str, ...]]] = field(default_factory=list)  #: the bucket, the episode, its segments: not yet over
    open: dict[str, tuple[str, ...]] = field(default_factory=dict)  #: episodes, with their segments

    def note(self, bucket: int, note: EpisodeNote) -> None:
        """Take one, as of the end of that bucket."""
        self.noted.append((bucket, note.episode, note.segments))

    def at(self, start: int) -> Sequence[str]:
        """The segments in which something has changed by then."""
        for _, episode, segments in (one for one in self.noted if one[0] <= start):
            self.open.pop(episode, None)
            if segments:
                self.open[episode] = segments
        self.noted = [one for one in self.noted if one[0] > start]
        return sorted({segment for segments in self.open.values() for segment in segments})

    def plain(self) -> list[Any]:  # plain data
        """As it stands in a snapshot."""
        return [self.noted, self.open]

    @classmethod
    def restored(cls, plain: list[Any]) -> "Drifting":
        """What `plain` wrote."""
        noted, still = plain
        return cls([(bucket, episode, tuple(segments)) for bucket, episode, segments in noted], {k: tuple(v) for k, v in still.items()})
