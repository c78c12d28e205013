"""The bus that a configuration names."""

import os
import socket

from ...schemas.configuration import Configuration
from .embedded import EmbeddedBus
from .interface import Bus
from .kafka import KafkaBus
from .kafka_patience import COMMAND_S


def instance_of(configuration: Configuration) -> str:
    """This process's name, the same after a restart: as configured, else the host's (a StatefulSet's pods have stable ones)."""
    return configuration.instance or os.environ.get("HOSTNAME") or socket.gethostname()


def coinciding(configuration: Configuration) -> str | None:
    """Why this instance would have another's ids on Kafka, and what to change; None: it has none.

    Ids join names by ``-``, which names may hold: of two processes with one id each fences the other, for ever. The one with the longer
    instance can tell.
    """
    name = instance_of(configuration)
    for stream in configuration.streams if configuration.bus == "kafka" else ():
        for longer in configuration.streams:
            rest = longer.removeprefix(f"{stream}-")
            if rest != longer and name.startswith(f"{rest}-"):
                own = f"instance: {name} with streams.{stream} has the id {configuration.application}-profiler-{stream}-{name}"
                other = f"which is also that of streams.{longer} with instance {name.removeprefix(f'{rest}-')}"
                return f"{own}, {other}: give this process another name (instance:), or rename a stream"
    return None


def open_bus(configuration: Configuration, instance: str | None = None, patience_s: float | None = COMMAND_S) -> Bus:
    """The configured bus, as this process's instance. ``patience_s``: how long brokers that are away are waited for; None: for ever."""
    name = instance or instance_of(configuration)
    if configuration.bus == "embedded":
        return EmbeddedBus(configuration.embedded, configuration.application, name)
    return KafkaBus(configuration.kafka, configuration.application, name, patience_s)
