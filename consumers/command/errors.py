"""Which errors a user can answer: these are told in a line, all others with their traceback."""

from ...schemas.unusable import Unusable
from ..bus.interface import BusError
from ..desk.label_studio_server import LabelStudioError
from ..process.http_server import ServingError
from ..process.settings import ConfigurationError
from ..reference.artifacts import ArtifactError

#: Of a file that somebody named: it is not there, may not be touched, or is a folder, or its folder is none.
_OF_FILES = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError)
_THE_USERS = (ArtifactError, BusError, ConfigurationError, LabelStudioError, ServingError, Unusable, *_OF_FILES)


def is_the_users(error: Exception) -> bool:
    """Whether the message says what to change. A bare `LookupError`, unlike its kinds, is raised on purpose only: a topic is missing."""
    return isinstance(error, _THE_USERS) or type(error) is LookupError


def lines_of(error: Exception) -> list[str]:
    """The message, a line for each mistake of a configuration; of all else it is one, whatever stands in it."""
    return str(error).split("\n") if isinstance(error, ConfigurationError) else [str(error)]
