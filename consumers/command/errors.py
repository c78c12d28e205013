"""Which errors a user can answer: these are told in a line, all others with their traceback."""

from ...detectors.betting import UnusableDirection
from ...detectors.betting.margin import UnusableBudget
from ...detectors.episodes.at_work import UnusableDetector
from ..bus.interface import BusError
from ..process.settings import ConfigurationError
from ..reference.artifacts import ArtifactError
from ..reference.building.build import UnusableReference
from ..reference.building.messages import UnusableMessages
from ..reference.building.tables import UnusableTable

_THE_USERS = (
    ArtifactError,
    BusError,
    ConfigurationError,
    FileNotFoundError,
    PermissionError,
    UnusableBudget,
    UnusableDetector,
    UnusableDirection,
    UnusableMessages,
    UnusableReference,
    UnusableTable,
)


def is_the_users(error: Exception) -> bool:
    """Whether the message says what to change. A bare `LookupError`, unlike its kinds, is raised on purpose only: a topic is missing."""
    return isinstance(error, _THE_USERS) or type(error) is LookupError
