"""What learners came to: whether there are any, and how it is read."""

from collections.abc import Callable, Mapping

from ...schemas.cloud_events import Headers
from ...schemas.configuration import Configuration
from ...schemas.messages.learned import LearnedChange, LearnedLosses, LearnedModel
from ..bus import own

#: Where models lie in the artifact store.
FOLDER = "learned"
Learned = LearnedChange | LearnedLosses | LearnedModel
_READERS: Mapping[str, Callable[[bytes], Learned]] = {
    f"io.driftbus.learned.{kind.KIND}": kind.decoded for kind in (LearnedChange, LearnedLosses, LearnedModel)
}


def asked(configuration: Configuration) -> bool:
    """Whether any model has a learner: else there is no such topic."""
    return any(model.learner is not None for model in configuration.models.values())


def read(application: str, key: bytes | None, value: bytes | None, headers: Headers) -> Learned | None:
    """What a record says; None: of a kind that a newer release has. Raises `own.Foreign` and `own.Unreadable`."""
    return own.read_of_model(application, _READERS, key, value, headers)
