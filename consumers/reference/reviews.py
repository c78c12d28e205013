"""Records of the topic of reviews: read, and addressed."""

from collections.abc import Callable, Mapping

from ...schemas.cloud_events import Headers
from ...schemas.configuration import Configuration
from ...schemas.messages.review import ReviewAnswer, ReviewLabel, ReviewRequest, ReviewSlot
from ..bus import own
from ..bus.addressing import addressed, partition_of
from ..bus.interface import Output

Review = ReviewRequest | ReviewAnswer | ReviewLabel | ReviewSlot
_READERS: Mapping[str, Callable[[bytes], Review]] = {
    f"io.driftbus.review.{kind.KIND}": kind.decoded for kind in (ReviewRequest, ReviewAnswer, ReviewLabel, ReviewSlot)
}


def asked(configuration: Configuration) -> bool:
    """Whether people are asked about any model: else there is no such topic."""
    return any(model.review is not None for model in configuration.models.values())


def read(application: str, key: bytes | None, value: bytes | None, headers: Headers) -> Review | None:
    """What a record says; None: of a kind that a newer release has. Raises `own.Foreign` and `own.Unreadable`."""
    return own.read_of_model(application, _READERS, key, value, headers)


def output(configuration: Configuration, said: Review) -> Output:
    """A record as it is written: where all of its model lies."""
    topics = configuration.topics
    return addressed(configuration, topics.reviews, said, partition_of(said.model, topics.partitions))
