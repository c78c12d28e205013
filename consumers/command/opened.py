"""The bus, for as long as a verb needs it."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from ...schemas.configuration import Configuration
from ..bus.interface import Bus
from ..bus.kafka_patience import COMMAND_S
from ..bus.open import open_bus
from ..process.settings import ConfigurationError


@contextmanager
def opened(configuration: Configuration, patience_s: float | None = COMMAND_S) -> Iterator[Bus]:
    """The configured bus, closed behind the block. Raises `ConfigurationError` for settings that it refuses."""
    try:
        bus = open_bus(configuration, patience_s=patience_s)
    except ValueError as error:
        raise ConfigurationError(str(error)) from None
    with closing(bus):
        yield bus
