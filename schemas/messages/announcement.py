"""Announcements on the models topic: which reference holds for a model version, and from when on."""

from typing import ClassVar
from urllib.parse import quote

import msgspec

from ..cloud_events import JSON
from ..fact import Fact
from ..identity import derived_id
from ..integers import Boundary
from .of_version import OfVersion

#: `Announcement.since` of a reference that holds from the start of the log.
FROM_START = -(2**62)


class Announcement(OfVersion, Fact):
    """On ``PREFIX.models``: from the bucket that ends after ``since`` on, ``reference`` holds for this model version."""

    content_type: ClassVar = JSON

    model: str
    version: str
    reference: str | None  #: content hash; None: retired, no longer monitored
    since: Boundary  #: ms of record time, a bucket boundary; -2**62: from the start
    rows: int = 0
    application: str | None = None  #: for whom; None: it was written before applications were said, and holds for all on this topic

    @property
    def key(self) -> str:
        """Of the record on the compacted topic."""
        whose = "" if self.application is None else f"/{quote(self.application, safe='')}"
        return f"reference/{quote(self.model, safe='')}/{quote(self.version, safe='')}/{self.since}{whose}"

    @property
    def id(self) -> str:
        """The same at every repetition."""
        return derived_id("announcement", self.key, self.reference)

    @property
    def type(self) -> str:
        """The CloudEvents type."""
        return "io.driftbus.reference"

    @property
    def time(self) -> int:
        """From when on it holds; the epoch where it does from the start."""
        return max(self.since, 0)

    def encoded(self) -> bytes:
        """As it travels: JSON."""
        return msgspec.json.encode(self.model_dump(), order="sorted")
