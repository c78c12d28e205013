"""Announcements of golden sets, on the models topic: which there are, and what each has that the one before it had not."""

from typing import ClassVar
from urllib.parse import quote

import msgspec

from ..cloud_events import JSON
from ..fact import Fact
from ..identity import derived_id
from ..integers import Count, Time

#: Ids that an announcement names, of the rows that came, and of those that went; the artifacts have them all.
MOST_NAMED = 30


class GoldenAnnouncement(Fact):
    """On ``PREFIX.models``: a golden set, by the hash of its content."""

    content_type: ClassVar = JSON

    model: str
    golden: str  #: content hash
    rows: Count
    announced: Time = 0  #: ms: of several sets the one that was announced last is in use
    parent: str | None = None  #: the set that it takes the place of
    added: Count = 0
    removed: Count = 0
    changed: Count = 0  #: rows of the same id with another content
    added_ids: tuple[str, ...] = ()  #: the first ones
    removed_ids: tuple[str, ...] = ()
    by: str | None = None  #: who accepted it, where it was proposed

    @property
    def key(self) -> str:
        """Of the record on the compacted topic."""
        return f"golden/{quote(self.model, safe='')}/{self.golden}"

    @property
    def id(self) -> str:
        """The same at every repetition."""
        return derived_id("golden-set", self.key, self.announced)

    @property
    def type(self) -> str:
        """The CloudEvents type."""
        return "io.driftbus.golden-set"

    @property
    def subject(self) -> str:
        """What it is about."""
        return self.model

    @property
    def time(self) -> int:
        """When it was announced."""
        return self.announced

    def encoded(self) -> bytes:
        """As it travels: JSON."""
        return msgspec.json.encode(self.model_dump(exclude={"by"} if self.by is None else None), order="sorted")
