"""What learners of a replay came to, as it was written."""

from collections.abc import Iterator

from ...schemas.configuration import Configuration
from ..bus.interface import Bus
from ..reference import learned
from .jobs import ours


def learnt(bus: Bus, configuration: Configuration) -> Iterator[bytes]:
    """Changes, losses and models, by partition."""
    return (said.encoded() for said in ours(bus, configuration.application, configuration.topics.learned, learned.read))
