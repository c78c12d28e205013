"""A partition, as an alerter knows it: what is open in it, how far it and those beside it are read, and what is committed."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from ..bus.interface import Position, TopicPartition
from .subjects import Subjects


class Beside(NamedTuple):
    """What stands beside a committed position."""

    begun: int  #: ms, of the wall clock: when this was first read by anybody
    idle: bool = False  #: all that there was to tell had been told, or tried
    read: tuple[int, ...] = ()  #: how far the partitions beside it were read

    @classmethod
    def of(cls, position: Position) -> "Beside":
        """What `metadata` wrote."""
        begun, state, *read = position.metadata.split(" ")
        return cls(int(begun), state == "idle", tuple(map(int, read)))

    @property
    def metadata(self) -> str:
        """As it is committed."""
        return " ".join(map(str, (self.begun, "idle" if self.idle else "tells", *self.read)))


@dataclass
class Owned:
    """One in an alerter's hands."""

    subjects: Subjects
    position: int
    committed: Position | None
    beside: dict[TopicPartition, int] = field(default_factory=dict)  #: how far the other topics have been read
    begun: bool = False  #: that it is read here has been committed
    looked: float = 0.0  #: at these, by the clock that never goes back
    due: Collection[str] = ()  #: what may be told of it, by what it is about

    def standing(self, waits: Collection[str]) -> Position:
        """What is to be committed; ``waits``: what is not yet told, or tried."""
        idle = self.begun and not any(about in waits for about in self.due)
        return Position(self.position, Beside(self.subjects.begun, idle, tuple(self.beside.values())).metadata)


def over(position: Position | None, end: int, ends: Mapping[TopicPartition, int]) -> bool:
    """Whether by what is committed all is read up to these ends, and told."""
    if position is None:
        return not end and not any(ends.values())
    beside = Beside.of(position)
    return position.offset >= end and beside.idle and all(read >= last for read, last in zip(beside.read, ends.values(), strict=False))
