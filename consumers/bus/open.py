"""The bus that a configuration names."""

import os
import socket

from ...schemas.configuration import Configuration
from .embedded import EmbeddedBus
from .interface import Bus
from .kafka import KafkaBus


def instance_of(configuration: Configuration) -> str:
    """This process's name, the same after a restart: as configured, else the host's (a StatefulSet's pods have stable ones)."""
    return configuration.instance or os.environ.get("HOSTNAME") or socket.gethostname()


def open_bus(configuration: Configuration, instance: str | None = None) -> Bus:
    """The configured bus, as this process's instance."""
    name = instance or instance_of(configuration)
    if configuration.bus == "embedded":
        return EmbeddedBus(configuration.embedded, configuration.application, name)
    return KafkaBus(configuration.kafka, configuration.application, name)
