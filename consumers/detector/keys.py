"""What the detector's states are called, and what it publishes."""

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from ...detectors.episodes.step import Suite
from ...schemas.messages.drift import DriftEvent
from ...schemas.messages.evidence import Evidence
from ...schemas.messages.golden import GoldenRequest
from ...schemas.messages.notice import Notice
from ...schemas.messages.performance import Performance
from ...schemas.messages.progress import Progress


class StateKey(NamedTuple):
    """Whose state it is."""

    stream: str
    model: str
    version: str
    reference: str

    def __str__(self) -> str:
        """As a key of a snapshot's record: its parts may hold slashes."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def read(cls, text: str) -> "StateKey":
        """What `__str__` wrote."""
        return cls(*msgspec.json.decode(text))


class Published(NamedTuple):
    """An event with the end of the bucket it speaks of; behind events the notes of them, and how far their lane is complete."""

    time: int
    event: DriftEvent | Notice | Performance | GoldenRequest | Evidence | Progress


#: Compiles the tests of a model version: (stream, model, version, reference) -> Suite.
SuiteOf = Callable[[StateKey], Suite]
