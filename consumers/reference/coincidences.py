"""Coincident facts on the compacted models topic: how they are written, and how anybody's are read."""

from ...schemas.cloud_events import Headers
from ...schemas.configuration import Configuration
from ...schemas.messages.coincidence import KEYS, Coincidence
from ..bus.addressing import addressed
from ..bus.interface import Bus
from ..bus.own import of_anybody


def tell(bus: Bus, configuration: Configuration, fact: Coincidence) -> None:
    """Publish a fact, for the configured application."""
    ours = fact.model_copy(update={"application": configuration.application})
    bus.publish([addressed(configuration, configuration.topics.models, ours, None)])


def is_one(key: bytes | None) -> bool:
    """Whether a record is a coincident fact by its key."""
    return key is not None and key.startswith(KEYS)


def read(application: str, key: bytes, value: bytes, headers: Headers) -> Coincidence:
    """The fact that a record holds. Raises `Foreign` and `Unreadable`."""
    return of_anybody(application, Coincidence.decoded, key, value, headers)
