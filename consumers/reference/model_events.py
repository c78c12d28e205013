"""Model events on the compacted models topic, where announcements of references lie too: how they are written, and how anybody's are read.

Any Kafka client writes them: a CI job, a registry's webhook. So no header is needed, and fields that nobody knows are ignored; what cannot
be read is refused with the name of the field.
"""

from ...schemas.cloud_events import Headers
from ...schemas.configuration import Configuration
from ...schemas.messages.model_event import KEYS, ModelEvent
from ..bus.addressing import addressed
from ..bus.interface import Bus, Output
from ..bus.own import of_anybody


def written(configuration: Configuration, event: ModelEvent) -> Output:
    """The record of an event, for the configured application."""
    ours = event.model_copy(update={"application": configuration.application})
    return addressed(configuration, configuration.topics.models, ours, None)


def tell(bus: Bus, configuration: Configuration, *events: ModelEvent) -> None:
    """Publish events together."""
    bus.publish([written(configuration, event) for event in events])


def is_one(key: bytes | None) -> bool:
    """Whether a record is a model event by its key: all else on the topic is another's business."""
    return key is not None and key.startswith(KEYS)


def read(application: str, key: bytes, value: bytes, headers: Headers) -> ModelEvent:
    """The event that a record holds. Raises `Foreign` and `Unreadable`."""
    return of_anybody(application, ModelEvent.decoded, key, value, headers)
