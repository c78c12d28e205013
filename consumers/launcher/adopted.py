"""A spool is the memory of what ran. Another one in its place knows nothing, and would run all of it again: it is refused, until a person
says that what was begun there is lost.
"""

from collections.abc import Iterable

from ...schemas.configuration import Configuration
from ...schemas.messages.action import ActionAdopted
from ..bus import own
from ..bus.addressing import partition_of
from ..bus.interface import Bus, BusError, TopicPartition
from ..reference import ledger
from .owned import Beside


def foreign(bus: Bus, group: str, places: Iterable[TopicPartition], memory: str) -> set[str]:
    """Other memories that a launcher of this name has had, and has committed."""
    known = {Beside.of(position).memory for position in bus.committed(group, list(places)).values()}
    return known - {memory, ""}


def refusal(name: str, memory: str, others: Iterable[str]) -> BusError:
    """What a person is told of another spool."""
    msg = (
        f"launcher {name}: its jobs were begun in spool {', '.join(sorted(others))}, and this is {memory}, which does not know them. "
        f"Run it where that one is; if it is gone, write: driftbus jobs adopt {name} --spool {memory} --by YOU. "
        "What had not ended there is then lost, and not run again"
    )
    return BusError(msg)


def adopted(bus: Bus, configuration: Configuration, name: str) -> str | None:
    """The spool to which a person gave a launcher's name last."""
    topic = configuration.topics.actions
    if topic not in bus.describe([topic]):
        return None
    place, latest = TopicPartition(topic, partition_of(name, configuration.topics.partitions)), None
    for batch in bus.read(place, *bus.watermarks(place)):
        for key, value, headers in zip(batch.keys(), batch.values, batch.headers(), strict=True):
            try:
                said = ledger.read(configuration.application, key, value, headers)
            except (own.Foreign, own.Unreadable):
                continue  # told by the decider
            if isinstance(said, ActionAdopted) and said.model == name:
                latest = said.spool
    return latest
