"""The embedded bus's coordinator: who of a group reads which partition. Cooperative: a partition moves once its owner has let it go."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .interface import TopicPartition


def shares(
    partitions: Sequence[TopicPartition], members: Sequence[object], owners: Mapping[TopicPartition, object]
) -> dict[TopicPartition, object]:
    """Evenly, and where they were as far as that allows.

    >>> a, b = TopicPartition("t", 0), TopicPartition("t", 1)
    >>> shares([a, b], ["first", "second"], {b: "first"}) == {b: "first", a: "second"}
    True
    """
    if not members:
        return {}
    each, more = divmod(len(partitions), len(members))
    keepers = sorted(members, key=lambda m: -sum(owner is m for owner in owners.values()))
    room = {id(m): each + (i < more) for i, m in enumerate(keepers)}
    shared: dict[TopicPartition, object] = {}
    kept = [(p, owners[p]) for p in partitions if p in owners]
    for partition, owner in kept:
        if room.get(id(owner), 0):
            room[id(owner)] -= 1
            shared[partition] = owner
    free = (m for m in keepers for _ in range(room[id(m)]))
    return shared | {p: next(free) for p in partitions if p not in shared}


@dataclass
class Group:
    """The members of a group by instance, in the order they came, and their partitions. Used under the log's lock."""

    members: dict[str, object] = field(default_factory=dict)
    _partitions: tuple[TopicPartition, ...] = ()
    _owners: dict[TopicPartition, object] = field(default_factory=dict)
    _shares: dict[TopicPartition, object] = field(default_factory=dict)

    def join(self, instance: str, member: object, partitions: Sequence[TopicPartition]) -> None:
        """Take a place in the group; whoever had this instance's name has lost it, and its partitions with it."""
        self._forget(self.members.pop(instance, None))
        self.members[instance] = member
        self._partitions = tuple(partitions)
        self._share()

    def leave(self, instance: str, member: object) -> None:
        """Give the place up; nothing happens where another has it already."""
        if self.members.get(instance) is member:
            self._forget(self.members.pop(instance))
            self._share()

    def to_give_up(self, member: object) -> list[TopicPartition]:
        """Partitions of this member that are to be another's."""
        return [p for p, owner in self._owners.items() if owner is member and self._shares.get(p) is not member]

    def to_take(self, member: object) -> list[TopicPartition]:
        """Partitions that are to be this member's, and are free."""
        return [p for p, owner in self._shares.items() if owner is member and p not in self._owners]

    def give_up(self, partitions: Sequence[TopicPartition]) -> None:
        """These are free now."""
        for partition in partitions:
            del self._owners[partition]

    def take(self, member: object, partitions: Sequence[TopicPartition]) -> None:
        """These are this member's now."""
        self._owners |= dict.fromkeys(partitions, member)

    def _forget(self, member: object) -> None:
        self._owners = {p: owner for p, owner in self._owners.items() if owner is not member}

    def _share(self) -> None:
        self._shares = shares(self._partitions, list(self.members.values()), self._owners)
