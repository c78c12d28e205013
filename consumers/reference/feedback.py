"""What people say of incidents, on a topic of its own: how it is written, and how anybody's is read."""

from ...schemas.cloud_events import Headers
from ...schemas.configuration import Configuration
from ...schemas.messages.feedback import Feedback
from ..bus.addressing import addressed
from ..bus.interface import Bus
from ..bus.own import of_anybody


def asked(configuration: Configuration) -> bool:
    """Whether causes of any model are looked for, so that something can be said of them."""
    return any(configuration.model(name).diagnosis is not None for name in (*configuration.models, ""))


def tell(bus: Bus, configuration: Configuration, *words: Feedback) -> None:
    """Publish what people say together, for the configured application."""
    ours = (word.model_copy(update={"application": configuration.application}) for word in words)
    bus.publish([addressed(configuration, configuration.topics.feedback, word, None) for word in ours])


def read(application: str, key: bytes | None, value: bytes, headers: Headers) -> Feedback:
    """What a record holds, whatever its key. Raises `Foreign` and `Unreadable`."""
    return of_anybody(application, Feedback.decoded, key or b"", value, headers)
